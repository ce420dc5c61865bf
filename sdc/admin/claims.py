"""Claims: what is between us and each file."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, Prefetch, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from crawler.admin import LARGE, boxed, face_and_photo, file_links
from crawler.models import Region
from projects.models import User
from projects.moderation.admin_base import (
    NOTHING,
    SHOWN,
    ModerationAdmin,
    by_person,
    by_project,
    by_user,
    item_link,
    lines,
)
from projects.permissions import signed_in
from sdc.admin.cells import (
    attempts_table,
    edits_table,
    one_below_the_other,
    project_links,
    warnings,
    who,
)
from sdc.admin.filters import RevertedClaim, RiskOfClaim
from sdc.batches import moderation
from sdc.models import Claim, ClaimAttempt, Edit, Watch


@admin.register(Claim)
class ClaimAdmin(ModerationAdmin[Claim]):
    list_display = ("picture", "file", "person", "now", "risk", "in_project", "sent_by", "changed")
    list_display_links = ("changed",)
    list_filter = (
        "state",
        "held",
        RevertedClaim,
        RiskOfClaim,
        by_person("qid"),
        by_project("project"),
        by_user("attempts__batch__user"),
    )
    texts = ("photo__title",)
    exact = ("qid", "page_id", "project__public_id")
    list_select_related = ("photo__picture", "project__subject__person", "held_by")
    ordering = ("-id",)
    actions = ("hold", "release", "reject")
    fields = (
        "large_picture",
        "file",
        "person",
        "now",
        "risk",
        "in_project",
        "updated_at",
        "tried",
        "edits",
        "deeds",
    )
    readonly_fields = (
        "large_picture", "file", "person", "now", "risk", "in_project", "tried", "edits", "deeds",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Claim]:
        attempts = ClaimAttempt.objects.select_related(
            "region", "label", "batch__user", "batch__project", "watch"
        )
        newest_first = Prefetch("attempts", queryset=attempts.order_by("-pk"))
        return super().get_queryset(request).prefetch_related(newest_first)

    def matches(self, word: str) -> Any:
        """By who sent it, too."""
        yield from super().matches(word)
        named = User.objects.alias(name=Lower(F("wiki_username")))
        users = named.filter(name__contains=word.replace("_", " ").lower())
        yield Q(pk__in=ClaimAttempt.objects.filter(batch__user__in=users).values("claim"))

    def audit_target(self, row: Claim) -> str:
        return f"claim:{row.pk}"

    def _region(self, claim: Claim) -> Region | None:
        return next((each.region for each in claim.attempts.all() if each.region), None)

    @admin.display(description=_("face and photo"))
    def picture(self, claim: Claim) -> SafeString:
        attempt = next((each for each in claim.attempts.all() if each.region), None)
        project = attempt.batch.project if attempt else claim.project
        return face_and_photo(project, claim.photo, attempt.region if attempt else None)

    @admin.display(description=_("photo"))
    def large_picture(self, claim: Claim) -> SafeString:
        return boxed(claim.photo, self._region(claim), LARGE)

    @admin.display(description=_("file"), ordering="photo__title")
    def file(self, claim: Claim) -> SafeString:
        return file_links(claim.photo)

    @admin.display(description=_("person"), ordering="qid")
    def person(self, claim: Claim) -> SafeString:
        return item_link(claim.qid)

    @admin.display(description=_("state"), ordering="state")
    def now(self, claim: Claim) -> SafeString:
        held = _text("held by a moderator") if claim.held else ""
        by = f"{claim.held_by}: {claim.held_reason}" if claim.held_reason else ""
        return lines(claim.get_state_display(), held, by, self._found(claim))

    def _found(self, claim: Claim) -> str:
        for attempt in claim.attempts.all():
            watch = getattr(attempt, "watch", None)
            if watch and watch.finding != Watch.Finding.STANDS:
                return f"{watch.get_finding_display()} {watch.by}".strip()
        return ""

    @admin.display(description=_("look twice"))
    def risk(self, claim: Claim) -> SafeString | str:
        found = [each for attempt in claim.attempts.all()[:1] for each in warnings(attempt)]
        return one_below_the_other(found)

    @admin.display(description=_("project"))
    def in_project(self, claim: Claim) -> SafeString | str:
        return project_links(claim.project)

    @admin.display(description=_("sent by"))
    def sent_by(self, claim: Claim) -> SafeString | str:
        attempt = next(iter(claim.attempts.all()), None)
        return who(attempt.batch.user) if attempt else NOTHING

    @admin.display(description=_("changed"), ordering="updated_at")
    def changed(self, claim: Claim) -> str:
        return f"{claim.updated_at:%Y-%m-%d %H:%M}"

    @admin.display(description=_("attempts"))
    def tried(self, claim: Claim) -> SafeString | str:
        return attempts_table(list(claim.attempts.all()[:SHOWN]))

    @admin.display(description=_("edits"))
    def edits(self, claim: Claim) -> SafeString | str:
        rows = Edit.objects.filter(attempt__claim=claim).select_related("user", "batch__project")
        return edits_table(list(rows.order_by("-pk")[:SHOWN]))

    @admin.action(permissions=["moderate"], description=_("Hold: not sent until released"))
    def hold(self, request: HttpRequest, queryset: QuerySet[Claim]) -> None:
        by = signed_in(request)
        done = _("%(n)d held. They are not sent until somebody releases them.")
        self.do(request, queryset, lambda row, why: moderation.hold(row, by, why), done)

    @admin.action(permissions=["moderate"], description=_("Release: may be sent again"))
    def release(self, request: HttpRequest, queryset: QuerySet[Claim]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, why: moderation.release(row, by, why),
            _("%(n)d released. They may be sent again."),
            needs_reason=False,
        )

    @admin.action(permissions=["moderate"], description=_("Reject: never sent"))
    def reject(self, request: HttpRequest, queryset: QuerySet[Claim]) -> None:
        by = signed_in(request)
        done = _("%(n)d rejected. What is on the wiki already has to be taken back.")
        self.do(request, queryset, lambda row, why: moderation.reject(row, by, why), done)
