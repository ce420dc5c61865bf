"""Attempts: one try each to add or take back a statement."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from projects.moderation.admin_base import SHOWN, by_person, by_project, by_user
from sdc.admin.cells import OfAttempt, diff, edits_table, one_below_the_other, said, warnings, who
from sdc.admin.filters import Reverted, Risk, Why
from sdc.models import ClaimAttempt


@admin.register(ClaimAttempt)
class ClaimAttemptAdmin(OfAttempt[ClaimAttempt]):
    list_display = (
        "picture",
        "file",
        "person",
        "in_batch",
        "sent_by",
        "outcome",
        "why_so",
        "risk",
        "edit",
        "began_at",
        "ended_at",
    )
    list_display_links = ("outcome",)
    list_filter = (
        "outcome",
        Why,
        Reverted,
        Risk,
        by_person("claim__qid"),
        by_project("batch__project"),
        by_user("batch__user"),
    )
    texts = ("claim__photo__title", "batch__user__wiki_username", "error_detail")
    exact = ("guid", "batch__code", "claim__qid", "claim__page_id")
    list_select_related = (
        "batch__user", "batch__project__subject__person", "claim__photo__picture", "region",
        "label",
    )  # fmt: skip
    ordering = ("-id",)
    fields = (
        "large_picture",
        "file",
        "person",
        "in_batch",
        "sent_by",
        "outcome",
        "why_so",
        "risk",
        "edit",
        "guid",
        "statement",
        "tries",
        "in_doubt",
        "began_at",
        "ended_at",
        "edits",
    )
    readonly_fields = (
        "large_picture", "file", "person", "in_batch", "sent_by", "why_so", "risk", "edit", "edits",
    )  # fmt: skip

    def attempt_of(self, attempt: ClaimAttempt) -> ClaimAttempt:
        return attempt

    @admin.display(description=_("user"))
    def sent_by(self, attempt: ClaimAttempt) -> SafeString | str:
        return who(attempt.batch.user)

    @admin.display(description=_("why"))
    def why_so(self, attempt: ClaimAttempt) -> SafeString | str:
        return said(attempt)

    @admin.display(description=_("look twice"))
    def risk(self, attempt: ClaimAttempt) -> SafeString | str:
        return one_below_the_other(warnings(attempt))

    @admin.display(description=_("change"))
    def edit(self, attempt: ClaimAttempt) -> SafeString | str:
        return diff(attempt.revision)

    @admin.display(description=_("edits"))
    def edits(self, attempt: ClaimAttempt) -> SafeString | str:
        rows = attempt.edits.select_related("user", "batch__project")
        return edits_table(list(rows.order_by("-pk")[:SHOWN]))
