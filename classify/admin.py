"""Moderation: what people said, and what the model thinks."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from classify.models import Answer, Label, Score
from projects.moderation.admin_base import ModerationAdmin, by_project, by_user, picture_tag


def face(row: Answer | Label | Score) -> SafeString:
    address = reverse("crop", args=[row.subject.project.public_id, row.region.public_id])
    return picture_tag(address, str(row.photo))


def file(row: Answer | Label | Score) -> SafeString:
    return format_html("<a href='{}'>{}</a>", row.photo.page_url, row.photo.name)


def project(row: Answer | Label | Score) -> str:
    return str(row.subject.project)


face.short_description = _("face")  # type: ignore[attr-defined]
file.short_description = _("photo")  # type: ignore[attr-defined]
project.short_description = _("project")  # type: ignore[attr-defined]
project.admin_order_field = "subject__project"  # type: ignore[attr-defined]


@admin.register(Answer)
class AnswerAdmin(ModerationAdmin[Answer]):
    list_display = (face, file, project, "verdict", "origin", "user", "created_at")
    list_filter = ("verdict", "origin", by_user("user"), by_project("subject__project"))
    texts = ("user__wiki_username", "photo__title")
    exact = ("subject__project__public_id", "subject__person__qid", "photo__page_id")
    list_select_related = ("subject__project__subject__person", "photo", "region", "user")
    ordering = ("-id",)


@admin.register(Label)
class LabelAdmin(ModerationAdmin[Label]):
    list_display = (face, file, project, "verdict", "origin", "user", "disputed", "decided_at")
    list_filter = ("verdict", "origin", "disputed", by_user("user"), by_project("subject__project"))
    texts = ("user__wiki_username", "photo__title")
    exact = ("subject__project__public_id", "subject__person__qid", "photo__page_id")
    list_select_related = ("subject__project__subject__person", "photo", "region", "user")
    ordering = ("-id",)


@admin.register(Score)
class ScoreAdmin(ModerationAdmin[Score]):
    list_display = (face, file, project, "unlikely", "is_match", "revision")
    list_filter = ("is_match", by_project("subject__project"))
    texts = ("photo__title",)
    exact = ("subject__project__public_id", "subject__person__qid", "photo__page_id")
    list_select_related = ("subject__project__subject__person", "photo", "region")
    ordering = ("-id",)
