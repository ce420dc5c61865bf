"""Addresses of this app, below a project's."""

from django.urls import path

from crawler import views

urlpatterns = [
    path("crops/<slug:region_id>.jpg", views.crop, name="crop"),
    path("set-aside/", views.set_aside, name="set-aside"),
    path("set-aside/retry", views.retry, name="photo-retry"),
    path("photos/<slug:photo_id>/leave-out", views.leave_out, name="photo-leave-out"),
    path("recrawl", views.recrawl, name="recrawl"),
]
