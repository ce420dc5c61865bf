"""All addresses. Each app brings its own; a project's pages stand under /p/<project>/."""

from allauth.account import views as allauth
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path
from django.views.decorators.http import require_http_methods, require_safe
from django.views.generic import RedirectView

from classify.asking.views import keys
from core.ratelimit import limited
from projects.accounts.login import oauth2_callback, oauth2_login
from sdc.views import sent, watch
from wikivisage.ops import health, metrics
from wikivisage.pages import about, contributor, deletion, home, project, projects, pwa, state
from wikivisage.pages.sitemap import Pages

handler400, handler500 = about.bad_request, about.server_error

forms_only = require_http_methods(["GET", "HEAD", "POST"])

# Of allauth only what a login through the wiki takes, under the names by which it asks for it.
accounts = [
    path("login/", require_safe(RedirectView.as_view(pattern_name="login", query_string=True))),
    path("logout/", allauth.logout, name="account_logout"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("mediawiki/login/", limited("login")(forms_only(oauth2_login)), name="mediawiki_login"),
    path(
        "mediawiki/login/callback/",
        limited("login", reads=True)(require_safe(oauth2_callback)),
        name="mediawiki_callback",
    ),
]

urlpatterns = [
    path("login/", allauth.login, name="account_login"),
    path("", home.home, name="home"),
    path("projects", projects.projects, name="projects"),
    path("answer", projects.answer_now, name="answer-now"),
    path("how", about.how, name="how"),
    path("help", about.help_page, name="help"),
    path("about", about.about, name="about"),
    path("privacy", about.privacy, name="privacy"),
    path("manifest.webmanifest", pwa.manifest, name="manifest"),
    path("sw.js", pwa.service_worker, name="service-worker"),
    path("offline", pwa.offline, name="offline"),
    path("style", about.style, name="style"),
    path("health", health.ready, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
    path("robots.txt", about.robots, name="robots"),
    path("sitemap.xml", require_safe(sitemap), {"sitemaps": {"pages": Pages}}, name="sitemap"),
    path("favicon.ico", about.favicon, name="favicon"),
    path("accounts/", include(accounts)),
    path("admin/", admin.site.urls),
    path("u/<slug:user_id>", contributor.contributor, name="contributor"),
    path("account/edits", watch.my_edits, name="my-edits"),
    path("account/keys", keys.keys, name="keys"),
    path("account/delete", deletion.account_delete, name="account-delete"),
    path("account/data.json", deletion.account_data, name="account-data"),
    path("batch/<slug:code>", sent.sent_batch, name="sent-batch"),
    path("batch/<slug:code>/status", sent.sent_batch_status, name="sent-batch-status"),
    path("batch/<slug:code>/stop", sent.sent_batch_stop, name="sent-batch-stop"),
    path("batch/<slug:code>/pause", sent.sent_batch_pause, name="sent-batch-pause"),
    path("batch/<slug:code>/resume", sent.sent_batch_resume, name="sent-batch-resume"),
    path("batch/<slug:code>/undo", sent.sent_batch_undo, name="sent-batch-undo"),
    path("batch/<slug:code>/undo/<int:attempt_id>", sent.sent_batch_undo, name="sent-edit-undo"),
    path("", include("projects.urls")),
    path("p/<slug:project_id>/", project.project, name="project"),
    path("p/<slug:project_id>/delete", deletion.project_delete, name="project-delete"),
    path("p/<slug:project_id>/wake", deletion.project_wake, name="project-wake"),
    path("p/<slug:project_id>/status", project.status, name="project-status"),
    path("p/<slug:project_id>/status.json", state.state, name="project-figures"),
    path("p/<slug:project_id>/", include("crawler.urls")),
    path("p/<slug:project_id>/", include("classify.urls")),
    path("p/<slug:project_id>/", include("sdc.urls")),
]
