"""Addresses of this app: the preview, batches, second looks, and the export."""

from django.urls import URLPattern, path

from sdc import batch_views, export_views, preview_views, watch_views

urlpatterns: list[URLPattern] = [
    path("preview", preview_views.preview, name="preview"),
    path("preview/rows", preview_views.preview_choose, name="preview-choose"),
    path("preview/rows/<int:attempt_id>", preview_views.attempt_exclude, name="attempt-exclude"),
    path("preview/rows/<int:attempt_id>/ask", preview_views.attempt_ask, name="attempt-ask"),
    path("batches", batch_views.batches, name="batches"),
    path("batch/<slug:code>", batch_views.batch, name="batch"),
    path("batch/<slug:code>/status", batch_views.batch_status, name="batch-status"),
    path("batch/<slug:code>/confirm", preview_views.batch_confirm, name="batch-confirm"),
    path("batch/<slug:code>/looked", preview_views.batch_looked, name="batch-looked"),
    path("batch/<slug:code>/hand-over", preview_views.batch_hand_over, name="batch-hand-over"),
    path(
        "batch/<slug:code>/hand-over/take-back",
        preview_views.batch_take_back_hand_over,
        name="batch-take-back-hand-over",
    ),
    path("batch/<slug:code>/pause", batch_views.batch_pause, name="batch-pause"),
    path("batch/<slug:code>/resume", batch_views.batch_resume, name="batch-resume"),
    path("batch/<slug:code>/stop", batch_views.batch_stop, name="batch-stop"),
    path("batch/<slug:code>/undo", batch_views.batch_undo, name="batch-undo"),
    path("batch/<slug:code>/undo/<int:attempt_id>", batch_views.batch_undo, name="edit-undo"),
    path("batch/<slug:code>/check", watch_views.batch_check, name="batch-check"),
    path("second-looks", watch_views.second_looks_page, name="second-looks"),
    path("second-looks/undo", watch_views.second_look_undo, name="second-look-undo"),
    path("second-looks/<int:watch_id>", watch_views.second_look, name="second-look"),
    path("export", export_views.page, name="export"),
    path("export/labels.csv", export_views.labels, {"form": "csv"}, name="export-labels"),
    path("export/labels.json", export_views.labels, {"form": "json"}, name="export-labels-json"),
    path("export/claims.csv", export_views.claims, {"form": "csv"}, name="export-claims"),
    path("export/claims.json", export_views.claims, {"form": "json"}, name="export-claims-json"),
    path(
        "export/quickstatements.txt",
        export_views.quick_statements,
        name="export-quickstatements",
    ),
]
