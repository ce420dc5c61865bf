"""The ledger."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from projects.moderation.admin_base import NOTHING, by_person, by_project, by_user
from sdc.admin.cells import OfAttempt, diff, found_words, who
from sdc.admin.filters import RevertedEdit
from sdc.models import ClaimAttempt, Edit


@admin.register(Edit)
class EditAdmin(OfAttempt[Edit]):
    """The ledger: nobody changes it here either."""

    list_display = (
        "picture", "at", "kind", "file", "person", "by", "in_batch", "change", "found",
    )  # fmt: skip
    list_display_links = ("at",)
    list_filter = (
        "kind",
        RevertedEdit,
        by_person("qid"),
        by_project("batch__project"),
        by_user("user"),
    )
    texts = ("attempt__claim__photo__title", "user__wiki_username")
    exact = ("guid", "qid", "page_id", "batch__code")
    list_select_related = (
        "attempt__claim__photo__picture", "attempt__region", "attempt__watch", "user",
        "attempt__batch__project__subject__person",
    )  # fmt: skip
    ordering = ("-id",)
    fields = (
        "large_picture",
        "at",
        "kind",
        "file",
        "person",
        "by",
        "in_batch",
        "change",
        "found",
        "guid",
        "summary",
        "answer",
    )
    readonly_fields = ("large_picture", "file", "person", "by", "in_batch", "change", "found")
    actions = None

    def attempt_of(self, edit: Edit) -> ClaimAttempt:
        return edit.attempt

    @admin.display(description=_("person"), ordering="qid")
    def person(self, edit: Edit) -> SafeString:
        return super().person(edit)

    @admin.display(description=_("user"))
    def by(self, edit: Edit) -> SafeString | str:
        return who(edit.user)

    @admin.display(description=_("change"))
    def change(self, edit: Edit) -> SafeString | str:
        return diff(edit.revision)

    @admin.display(description=_("found later"))
    def found(self, edit: Edit) -> SafeString | str:
        watch = getattr(edit.attempt, "watch", None)
        return found_words(watch) if watch and edit.kind == Edit.Kind.ADD else NOTHING
