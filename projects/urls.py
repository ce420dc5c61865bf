"""Addresses of this app: projects and their people, and the account.

`home`, `projects`, `project` and `project-status` show other apps' data and so stand in
`wikivisage.urls`.
"""

from allauth.account.views import login
from django.urls import URLPattern, path

from projects.accounts.views import account as views_account
from projects.accounts.views import language, local, sessions
from projects.creation import views as creation_views
from projects.help import views as help_views
from projects.lifecycle import views as lifecycle_views
from projects.members.views import leaderboard
from projects.members.views import members as views_members
from projects.notifications import views as notifications_views
from projects.privacy.views import admissions, objections

urlpatterns: list[URLPattern] = [
    path("login/", login, name="login"),
    path("login/local", local.local_login, name="local-login"),
    path("projects/new", creation_views.new_project, name="project-new"),
    path("projects/new/people", creation_views.person_search, name="person-search"),
    path("projects/new/categories", creation_views.category_search, name="category-search"),
    path("projects/new/count", creation_views.place_count, name="place-count"),
    path("projects/new/sum", creation_views.new_sum, name="new-sum"),
    path("projects/new/ask/<str:qid>", admissions.admission, name="admission"),
    path("objections/", objections.object_to, name="object"),
    path("objections/<str:code>", objections.objection, name="objection"),
    path("join/", views_members.join, name="join"),
    path("join/<str:code>", views_members.join, name="join-code"),
    path("leaderboard", leaderboard.leaderboard, name="leaderboard"),
    path("account", views_account.account, name="account"),
    path(
        "account/notifications",
        notifications_views.notifications_wanted,
        name="notifications-wanted",
    ),
    path("notifications", notifications_views.notifications, name="notifications"),
    path("notifications/read", notifications_views.notifications_read, name="notifications-read"),
    path("notifications/<int:told_id>", notifications_views.notification, name="notification"),
    path("account/visibility", views_account.visibility, name="account-visibility"),
    path("account/sessions", sessions.sessions, name="sessions"),
    path("account/sessions/end", sessions.sessions_end, name="sessions-end"),
    path("account/tours", help_views.tours, name="tours"),
    path("theme", views_account.theme, name="theme"),
    path("language", language.language, name="language"),
    path("p/<slug:project_id>/members", views_members.members, name="members"),
    path("p/<slug:project_id>/members/change", views_members.member_change, name="member-change"),
    path("p/<slug:project_id>/invites/new", views_members.invite_new, name="invite-new"),
    path("p/<slug:project_id>/invites/revoke", views_members.invite_revoke, name="invite-revoke"),
    path("p/<slug:project_id>/join", views_members.project_join, name="project-join"),
    path("p/<slug:project_id>/ask-to-join", views_members.project_ask, name="project-ask"),
    path("p/<slug:project_id>/members/names", views_members.member_names, name="member-names"),
    path("p/<slug:project_id>/hand-over", views_members.hand_over_to, name="hand-over-to"),
    path("p/<slug:project_id>/hand-over/<slug:user_id>", views_members.hand_over, name="hand-over"),
    path("p/<slug:project_id>/leave", views_members.project_leave, name="project-leave"),
    path("p/<slug:project_id>/settings", lifecycle_views.settings, name="project-settings"),
    path("p/<slug:project_id>/state", lifecycle_views.state, name="project-state"),
]
