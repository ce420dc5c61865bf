"""Addresses of this app: the preview, batches, second looks, and the export."""

from django.urls import URLPattern, path

from sdc.views import batches, export, member, preview, watch

urlpatterns: list[URLPattern] = [
    path("preview", preview.preview, name="preview"),
    path("preview/rows", preview.preview_choose, name="preview-choose"),
    path("preview/rows/<int:attempt_id>", preview.attempt_exclude, name="attempt-exclude"),
    path("preview/rows/<int:attempt_id>/ask", preview.attempt_ask, name="attempt-ask"),
    path("batches", batches.batches, name="batches"),
    path("batch/<slug:code>", batches.batch, name="batch"),
    path("batch/<slug:code>/status", batches.batch_status, name="batch-status"),
    path("batch/<slug:code>/confirm", preview.batch_confirm, name="batch-confirm"),
    path("batch/<slug:code>/looked", preview.batch_looked, name="batch-looked"),
    path("batch/<slug:code>/hand-over", preview.batch_hand_over, name="batch-hand-over"),
    path(
        "batch/<slug:code>/hand-over/take-back",
        preview.batch_take_back_hand_over,
        name="batch-take-back-hand-over",
    ),
    path("batch/<slug:code>/pause", batches.batch_pause, name="batch-pause"),
    path("batch/<slug:code>/resume", batches.batch_resume, name="batch-resume"),
    path("batch/<slug:code>/stop", batches.batch_stop, name="batch-stop"),
    path("batch/<slug:code>/undo", batches.batch_undo, name="batch-undo"),
    path("batch/<slug:code>/undo/<int:attempt_id>", batches.batch_undo, name="edit-undo"),
    path("batch/<slug:code>/check", watch.batch_check, name="batch-check"),
    path("second-looks", watch.second_looks_page, name="second-looks"),
    path("second-looks/undo", watch.second_look_undo, name="second-look-undo"),
    path("second-looks/<int:watch_id>", watch.second_look, name="second-look"),
    path("members/<slug:user_id>/statements", member.member_statements, name="member-statements"),
    path("export", export.page, name="export"),
    path("export/labels.csv", export.labels, {"form": "csv"}, name="export-labels"),
    path("export/labels.json", export.labels, {"form": "json"}, name="export-labels-json"),
    path("export/claims.csv", export.claims, {"form": "csv"}, name="export-claims"),
    path("export/claims.json", export.claims, {"form": "json"}, name="export-claims-json"),
    path(
        "export/quickstatements.txt",
        export.quick_statements,
        name="export-quickstatements",
    ),
]
