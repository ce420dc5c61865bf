"""Addresses of this app: projects and their people, and the account.

`home`, `projects`, `project` and `project-status` show other apps' data and so stand in
`wikivisage.urls`.
"""

from allauth.account.views import login
from django.urls import URLPattern, path

from projects.views import account, leaderboard, local, new, people, settings

urlpatterns: list[URLPattern] = [
    path("login/", login, name="login"),
    path("login/local", local.local_login, name="local-login"),
    path("projects/new", new.new_project, name="project-new"),
    path("projects/new/people", new.person_search, name="person-search"),
    path("projects/new/categories", new.category_search, name="category-search"),
    path("projects/new/categories/count", new.category_count, name="category-count"),
    path("join/", people.join, name="join"),
    path("join/<str:code>", people.join, name="join-code"),
    path("leaderboard", leaderboard.leaderboard, name="leaderboard"),
    path("account", account.account, name="account"),
    path("account/visibility", account.visibility, name="account-visibility"),
    path("theme", account.theme, name="theme"),
    path("p/<slug:project_id>/members", people.members, name="members"),
    path("p/<slug:project_id>/members/change", people.member_change, name="member-change"),
    path("p/<slug:project_id>/invites/new", people.invite_new, name="invite-new"),
    path("p/<slug:project_id>/invites/revoke", people.invite_revoke, name="invite-revoke"),
    path("p/<slug:project_id>/join", people.project_join, name="project-join"),
    path("p/<slug:project_id>/leave", people.project_leave, name="project-leave"),
    path("p/<slug:project_id>/settings", settings.settings, name="project-settings"),
    path("p/<slug:project_id>/state", settings.state, name="project-state"),
]
