"""Addresses of this app, below a project's."""

from django.urls import path

from crawler import views
from crawler.listing import views as listing_views

urlpatterns = [
    path("crops/<slug:region_id>.jpg", views.crop, name="crop"),
    path("set-aside/", views.set_aside, name="set-aside"),
    path("set-aside/retry", views.retry, name="photo-retry"),
    path("set-aside/put-back", views.put_back_all, name="put-back-all"),
    path("set-aside/<slug:region_id>/release", views.release_box, name="box-release"),
    path("photos/<slug:photo_id>/leave-out", views.leave_out, name="photo-leave-out"),
    path("sources/", listing_views.sources, name="sources"),
    path("sources/add", listing_views.add, name="source-add"),
    path("sources/suggestions", listing_views.suggested, name="source-suggestions"),
    path("sources/<int:source_id>", listing_views.change, name="source-change"),
    path("recrawl", views.recrawl, name="recrawl"),
]
