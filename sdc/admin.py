"""Moderation: what will be and was written. A claim can be held, and released again."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from projects.admin import ModerationAdmin, ModerationInline, picture_tag
from projects.permissions import signed_in
from sdc import services
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch


def diff(revision: int | None) -> SafeString:
    if not revision:
        return format_html("–")
    return format_html("<a href='{}'>{}</a>", settings.WIKI.diff_url(revision), revision)


@admin.register(Claim)
class ClaimAdmin(ModerationAdmin[Claim]):
    list_display = (
        "picture",
        "file",
        "qid",
        "state",
        "held",
        "held_reason",
        "project",
        "updated_at",
    )
    list_filter = ("state", "held", "wiki")
    search_fields = ("photo__title", "=qid", "=page_id", "=project__public_id")
    list_select_related = ("photo", "project__person", "held_by")
    ordering = ("-id",)
    actions = ("hold", "release")

    @admin.display(description=_("picture"))
    def picture(self, claim: Claim) -> SafeString:
        return picture_tag(claim.photo.thumb(120), claim.photo.name)

    @admin.display(description=_("file"))
    def file(self, claim: Claim) -> SafeString:
        return format_html("<a href='{}'>{}</a>", claim.photo.page_url, claim.photo.name)

    @admin.action(permissions=["moderate"], description=_("Hold: not sent until released"))
    def hold(self, request: HttpRequest, queryset: QuerySet[Claim]) -> None:
        for claim in queryset:
            services.hold(claim, signed_in(request), gettext("held in moderation"))
        self.message_user(request, _("Held. They are not sent until somebody releases them."))

    @admin.action(permissions=["moderate"], description=_("Release: may be sent again"))
    def release(self, request: HttpRequest, queryset: QuerySet[Claim]) -> None:
        for claim in queryset:
            services.release(claim, signed_in(request))
        self.message_user(request, _("Released. They may be sent again."))


class AttemptInline(ModerationInline[ClaimAttempt, EditBatch]):
    model = ClaimAttempt
    show_change_link = True
    fields = ("claim", "outcome", "reason", "revision", "tries", "ended_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClaimAttempt]:
        return super().get_queryset(request).select_related("claim")


@admin.register(EditBatch)
class EditBatchAdmin(ModerationAdmin[EditBatch]):
    list_display = ("batch", "project", "user", "state", "reason", "confirmed_at", "finished_at")
    list_filter = ("state", "wiki")
    search_fields = ("=code", "user__wiki_username", "=project__public_id")
    list_select_related = ("project__person", "user")
    ordering = ("-id",)
    inlines = (AttemptInline,)
    actions = ("stop",)

    @admin.display(description=_("batch"), ordering="code")
    def batch(self, batch: EditBatch) -> SafeString:
        address = reverse("batch", args=[batch.project.public_id, batch.code])
        return format_html("{} (<a href='{}'>↗</a>)", batch.code, address)

    @admin.action(
        permissions=["moderate"], description=_("Stop: what is not sent yet stays unsent")
    )
    def stop(self, request: HttpRequest, queryset: QuerySet[EditBatch]) -> None:
        for batch in queryset:
            services.stop(batch, signed_in(request))


@admin.register(ClaimAttempt)
class ClaimAttemptAdmin(ModerationAdmin[ClaimAttempt]):
    list_display = (
        "picture",
        "file",
        "batch",
        "outcome",
        "reason",
        "edit",
        "tries",
        "began_at",
        "ended_at",
    )
    list_filter = ("outcome", "reason", "state")
    search_fields = ("=guid", "=batch__code", "claim__photo__title", "=claim__qid")
    list_select_related = ("batch", "claim__photo")
    ordering = ("-id",)

    @admin.display(description=_("picture"))
    def picture(self, attempt: ClaimAttempt) -> SafeString:
        return picture_tag(attempt.claim.photo.thumb(120), attempt.claim.photo.name)

    @admin.display(description=_("file"))
    def file(self, attempt: ClaimAttempt) -> SafeString:
        photo = attempt.claim.photo
        return format_html("<a href='{}'>{}</a>", photo.page_url, photo.name)

    @admin.display(description=_("edit"))
    def edit(self, attempt: ClaimAttempt) -> SafeString:
        return diff(attempt.revision)


@admin.register(Edit)
class EditAdmin(ModerationAdmin[Edit]):
    list_display = ("picture", "at", "kind", "file", "qid", "user", "change")
    list_filter = ("kind", "wiki")
    search_fields = ("=guid", "=qid", "=page_id", "user__wiki_username", "=attempt__batch__code")
    list_select_related = ("attempt__claim__photo", "user")
    ordering = ("-id",)

    @admin.display(description=_("picture"))
    def picture(self, edit: Edit) -> SafeString:
        return picture_tag(edit.attempt.claim.photo.thumb(120), edit.attempt.claim.photo.name)

    @admin.display(description=_("file"))
    def file(self, edit: Edit) -> SafeString:
        photo = edit.attempt.claim.photo
        return format_html("<a href='{}'>{}</a>", photo.page_url, photo.name)

    @admin.display(description=_("change"))
    def change(self, edit: Edit) -> SafeString:
        return diff(edit.revision)
