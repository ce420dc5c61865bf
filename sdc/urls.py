"""Addresses of this app: the preview, and batches."""

from django.urls import URLPattern, path

from sdc import views, watch_views

urlpatterns: list[URLPattern] = [
    path("preview", views.preview, name="preview"),
    path("preview/rows", views.preview_rows, name="preview-rows"),
    path("preview/rows/<int:attempt_id>", views.attempt_exclude, name="attempt-exclude"),
    path("batches", views.batches, name="batches"),
    path("batch/<slug:code>", views.batch, name="batch"),
    path("batch/<slug:code>/status", views.batch_status, name="batch-status"),
    path("batch/<slug:code>/confirm", views.batch_confirm, name="batch-confirm"),
    path("batch/<slug:code>/pause", views.batch_pause, name="batch-pause"),
    path("batch/<slug:code>/resume", views.batch_resume, name="batch-resume"),
    path("batch/<slug:code>/stop", views.batch_stop, name="batch-stop"),
    path("batch/<slug:code>/check", watch_views.batch_check, name="batch-check"),
    path("second-looks", watch_views.second_looks_page, name="second-looks"),
    path("second-looks/undo", watch_views.second_look_undo, name="second-look-undo"),
    path("second-looks/<int:watch_id>", watch_views.second_look, name="second-look"),
]
