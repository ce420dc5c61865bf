"""All addresses. Each app brings its own; a project's pages stand under /p/<project>/."""

from allauth.account import views as allauth
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from sdc.views import watch
from wikivisage.views import health, home, pages, project, projects, state

handler500 = pages.server_error

# Of allauth only what a login through the wiki takes, under the names by which it asks for it.
accounts = [
    path("login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("logout/", allauth.logout, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("", include("allauth.socialaccount.providers.mediawiki.urls")),
]

urlpatterns = [
    path("login/", allauth.login, name="account_login"),
    path("", home.home, name="home"),
    path("projects", projects.projects, name="projects"),
    path("answer", projects.answer_now, name="answer-now"),
    path("how", pages.how, name="how"),
    path("style", pages.style, name="style"),
    path("health", health.health, name="health"),
    path("robots.txt", pages.robots, name="robots"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("accounts/", include(accounts)),
    path("admin/", admin.site.urls),
    path("account/edits", watch.my_edits, name="my-edits"),
    path("", include("projects.urls")),
    path("p/<slug:project_id>/", project.project, name="project"),
    path("p/<slug:project_id>/status", project.status, name="project-status"),
    path("p/<slug:project_id>/status.json", state.state, name="project-figures"),
    path("p/<slug:project_id>/", include("crawler.urls")),
    path("p/<slug:project_id>/", include("classify.urls")),
    path("p/<slug:project_id>/", include("sdc.urls")),
]
