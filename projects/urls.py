"""Addresses of this app: projects and their people, and the account.

`home`, `projects`, `project` and `project-status` show other apps' data and so stand in
`wikivisage.urls`.
"""

from allauth.account.views import login
from django.urls import URLPattern, path

from projects.views import (
    account,
    admissions,
    language,
    leaderboard,
    local,
    new,
    notifications,
    objections,
    people,
    sessions,
    settings,
    tours,
)

urlpatterns: list[URLPattern] = [
    path("login/", login, name="login"),
    path("login/local", local.local_login, name="local-login"),
    path("projects/new", new.new_project, name="project-new"),
    path("projects/new/people", new.person_search, name="person-search"),
    path("projects/new/categories", new.category_search, name="category-search"),
    path("projects/new/count", new.place_count, name="place-count"),
    path("projects/new/sum", new.new_sum, name="new-sum"),
    path("projects/new/ask/<str:qid>", admissions.admission, name="admission"),
    path("objections/", objections.object_to, name="object"),
    path("objections/<str:code>", objections.objection, name="objection"),
    path("join/", people.join, name="join"),
    path("join/<str:code>", people.join, name="join-code"),
    path("leaderboard", leaderboard.leaderboard, name="leaderboard"),
    path("account", account.account, name="account"),
    path("account/notifications", notifications.notifications_wanted, name="notifications-wanted"),
    path("notifications", notifications.notifications, name="notifications"),
    path("notifications/read", notifications.notifications_read, name="notifications-read"),
    path("notifications/<int:told_id>", notifications.notification, name="notification"),
    path("account/visibility", account.visibility, name="account-visibility"),
    path("account/sessions", sessions.sessions, name="sessions"),
    path("account/sessions/end", sessions.sessions_end, name="sessions-end"),
    path("account/tours", tours.tours, name="tours"),
    path("theme", account.theme, name="theme"),
    path("language", language.language, name="language"),
    path("p/<slug:project_id>/members", people.members, name="members"),
    path("p/<slug:project_id>/members/change", people.member_change, name="member-change"),
    path("p/<slug:project_id>/invites/new", people.invite_new, name="invite-new"),
    path("p/<slug:project_id>/invites/revoke", people.invite_revoke, name="invite-revoke"),
    path("p/<slug:project_id>/join", people.project_join, name="project-join"),
    path("p/<slug:project_id>/ask-to-join", people.project_ask, name="project-ask"),
    path("p/<slug:project_id>/members/names", people.member_names, name="member-names"),
    path("p/<slug:project_id>/hand-over", people.hand_over_to, name="hand-over-to"),
    path("p/<slug:project_id>/hand-over/<slug:user_id>", people.hand_over, name="hand-over"),
    path("p/<slug:project_id>/leave", people.project_leave, name="project-leave"),
    path("p/<slug:project_id>/settings", settings.settings, name="project-settings"),
    path("p/<slug:project_id>/state", settings.state, name="project-state"),
]
