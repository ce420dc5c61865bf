"""All addresses. Each app brings its own; a project's pages stand under /p/<project>/."""

from django.contrib import admin
from django.urls import include, path

from wikivisage import views

urlpatterns = [
    path("", views.home, name="home"),
    path("health", views.health, name="health"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("projects.urls")),
    path("p/<slug:project_id>/", include("crawler.urls")),
    path("p/<slug:project_id>/", include("classify.urls")),
    path("p/<slug:project_id>/", include("sdc.urls")),
]
