"""What became of what was written."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import F
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from projects.moderation.admin_base import NOTHING, by_person, by_project, by_user, lines
from sdc.admin.cells import OfAttempt, found_words
from sdc.admin.filters import REVERTED, RevertedWatch
from sdc.models import ClaimAttempt, Watch


@admin.register(Watch)
class WatchAdmin(OfAttempt[Watch]):
    list_display = (
        "picture", "file", "person", "found", "found_at", "second_look", "in_batch", "checked_at",
    )  # fmt: skip
    list_display_links = ("found_at", "checked_at")
    list_filter = (
        RevertedWatch,
        by_person("claim_attempt__claim__qid"),
        by_project("claim_attempt__batch__project"),
        by_user("claim_attempt__batch__user"),
    )
    texts = (
        "claim_attempt__claim__photo__title",
        "claim_attempt__batch__user__wiki_username",
        "by",
    )
    exact = (
        "claim_attempt__guid", "claim_attempt__batch__code", "claim_attempt__claim__qid",
        "claim_attempt__claim__page_id",
    )  # fmt: skip
    list_select_related = (
        "claim_attempt__claim__photo__picture", "claim_attempt__region",
        "claim_attempt__batch__project", "looked_by",
    )  # fmt: skip
    ordering = (F("found_at").desc(nulls_last=True), "-id")
    fields = (
        "large_picture",
        "file",
        "person",
        "found",
        "found_at",
        "second_look",
        "in_batch",
        "checks",
        "checked_at",
        "due_at",
    )
    readonly_fields = ("large_picture", "file", "person", "found", "second_look", "in_batch")
    actions = None

    def attempt_of(self, watch: Watch) -> ClaimAttempt:
        return watch.claim_attempt

    @admin.display(description=_("finding"), ordering="finding")
    def found(self, watch: Watch) -> SafeString:
        return found_words(watch)

    @admin.display(description=_("second look"))
    def second_look(self, watch: Watch) -> SafeString | str:
        if watch.looked_at:
            return lines(watch.looked_by, f"{watch.looked_at:%Y-%m-%d}")
        return _text("not yet") if watch.finding in REVERTED else NOTHING
