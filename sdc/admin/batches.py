"""Batches, and the attempts in them."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from core.user_errors import Refused
from projects.moderation.admin_base import (
    NOTHING,
    SHOWN,
    ModerationAdmin,
    by_person,
    by_project,
    by_user,
    lines,
    link,
    list_of,
)
from projects.permissions import signed_in
from sdc.admin.cells import attempts_table, batch_links, project_links, who
from sdc.admin.filters import InTrouble
from sdc.batches import moderation
from sdc.models import ClaimAttempt, EditBatch


@admin.register(EditBatch)
class EditBatchAdmin(ModerationAdmin[EditBatch]):
    list_display = (
        "code",
        "page",
        "kind",
        "in_project",
        "sent_by",
        "now",
        "written",
        "of_all",
        "confirmed_at",
        "finished_at",
    )
    list_filter = (
        "state",
        InTrouble,
        "kind",
        by_person("project__subject__person__qid"),
        by_project("project"),
        by_user("user"),
    )
    texts = ("user__wiki_username",)
    exact = ("code", "project__public_id", "project__subject__person__qid")
    list_select_related = ("project__subject__person", "user")
    ordering = ("-id",)
    actions = ("stop_batches", "undo_batches")
    fields = (
        "code",
        "page",
        "kind",
        "undoes",
        "in_project",
        "sent_by",
        "now",
        "summary",
        "trace",
        "created_at",
        "confirmed_at",
        "finished_at",
        "taken_back_by",
        "tried",
        "deeds",
    )
    readonly_fields = ("page", "in_project", "sent_by", "now", "taken_back_by", "tried", "deeds")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EditBatch]:
        written = Count("attempts", filter=Q(attempts__outcome=ClaimAttempt.Outcome.WRITTEN))
        return super().get_queryset(request).annotate(n_written=written, n_all=Count("attempts"))

    def audit_target(self, row: EditBatch) -> str:
        return f"batch:{row.code}"

    @admin.display(description=_("page"))
    def page(self, batch: EditBatch) -> SafeString:
        return link(batch.project_url, _("batch page"))

    @admin.display(description=_("project"))
    def in_project(self, batch: EditBatch) -> SafeString | str:
        return project_links(batch.project)

    @admin.display(description=_("user"))
    def sent_by(self, batch: EditBatch) -> SafeString | str:
        return who(batch.user)

    @admin.display(description=_("state"), ordering="state")
    def now(self, batch: EditBatch) -> SafeString:
        return lines(batch.get_state_display(), batch.why_title)

    @admin.display(description=_("written"))
    def written(self, batch: EditBatch) -> int:
        return int(getattr(batch, "n_written", 0))

    @admin.display(description=_("of"))
    def of_all(self, batch: EditBatch) -> SafeString:
        count = int(getattr(batch, "n_all", 0))
        return link(list_of(ClaimAttempt, batch__id__exact=batch.pk), count)

    @admin.display(description=_("taken back by"))
    def taken_back_by(self, batch: EditBatch) -> SafeString | str:
        undoes = batch.undone_by.select_related("project").order_by("-pk")[:SHOWN]
        return lines(*(batch_links(each) for each in undoes)) or NOTHING

    @admin.display(description=_("attempts"))
    def tried(self, batch: EditBatch) -> SafeString | str:
        rows = batch.attempts.select_related("claim", "batch__user", "batch__project")
        few = attempts_table(list(rows.order_by("pk")[:SHOWN]))
        return lines(few, link(list_of(ClaimAttempt, batch__id__exact=batch.pk), _("all of them")))

    @admin.action(permissions=["moderate"], description=_("Stop: what is not sent stays unsent"))
    def stop_batches(self, request: HttpRequest, queryset: QuerySet[EditBatch]) -> None:
        by = signed_in(request)
        done = _("%(n)d stopped. What was written stays written.")
        self.do(request, queryset, lambda row, why: moderation.stop_batch(row, by, why), done)

    @admin.action(
        permissions=["moderate"], description=_("Take back what it wrote, in my own name")
    )
    def undo_batches(self, request: HttpRequest, queryset: QuerySet[EditBatch]) -> None:
        by = signed_in(request)

        def undo(batch: EditBatch, why: str) -> bool:
            try:
                undo = moderation.undo_batch(batch, by, why)
            except Refused as refused:
                self.message_user(request, f"{batch}: {refused.sentence}", messages.ERROR)
                return False
            text = lines(_text("Taken back as a batch of yours:"), batch_links(undo))
            self.message_user(request, text, messages.INFO)
            return True

        done = _("%(n)d are being taken back.")
        rows = queryset.exclude(kind=EditBatch.Kind.UNDO).exclude(
            state__in=(EditBatch.State.DRAFT, EditBatch.State.HANDED)
        )
        self.do(request, rows, undo, done, needs_reason=False)
