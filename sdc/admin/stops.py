"""Who may not send for now."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from projects.moderation.admin_base import ModerationAdmin, by_project, by_user
from projects.permissions import signed_in
from sdc.admin.cells import project_links, who
from sdc.admin.filters import Holds
from sdc.batches import moderation
from sdc.models import WritingStop


@admin.register(WritingStop)
class WritingStopAdmin(ModerationAdmin[WritingStop]):
    list_display = (
        "scope", "whom", "source", "reason", "placed_by", "placed_at", "lifted_by", "lifted_at",
    )  # fmt: skip
    list_filter = (Holds, "scope", "source", by_user("user"), by_project("project"))
    texts = ("reason", "user__wiki_username", "placed_by__wiki_username")
    exact = ("project__public_id", "project__subject__person__qid")
    list_select_related = ("user", "project__subject__person", "placed_by", "lifted_by")
    ordering = (F("lifted_at").asc(nulls_first=True), "-id")
    actions = ("lift",)
    fields = (
        "scope", "whom", "source", "reason", "placed_by", "placed_at", "lifted_by", "lifted_at",
        "deeds",
    )  # fmt: skip
    readonly_fields = ("whom", "deeds")

    def audit_target(self, row: WritingStop) -> str:
        target = row.user_id or row.project_id
        return f"{row.scope}:{target}" if target else row.scope

    @admin.display(description=_("whom"))
    def whom(self, stop: WritingStop) -> SafeString | str:
        if stop.user:
            return who(stop.user)
        return project_links(stop.project) if stop.project else _text("everybody")

    @admin.action(permissions=["moderate"], description=_("Release: may send again"))
    def lift(self, request: HttpRequest, queryset: QuerySet[WritingStop]) -> None:
        """What a page of the wiki says is changed there: lifted here it would come back."""
        by = signed_in(request)
        rows = queryset.filter(lifted_at=None).exclude(source=WritingStop.Source.PAGE)
        self.do(
            request,
            rows,
            lambda row, why: moderation.let_write(row, by, why),
            _("%(n)d released."),
            needs_reason=False,
        )
        if queryset.filter(lifted_at=None, source=WritingStop.Source.PAGE).exists():
            text = _text("A page of the wiki stops all writing until it is blank: change it there.")
            self.message_user(request, text, messages.WARNING)
