"""Moderation: what will be and was written, who may not, and the deeds of moderators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from crawler.admin import LARGE, boxed, face_and_photo, file_links
from crawler.models import Region
from projects.admin import ProjectAdmin, UserAdmin
from projects.models import Project, User
from projects.moderation import (
    NOTHING,
    SHOWN,
    ModerationAdmin,
    by_person,
    by_project,
    by_user,
    lines,
    link,
    list_of,
    page_of,
    table,
)
from projects.permissions import signed_in
from projects.refusal import Refused
from sdc import moderating
from sdc.listing import (
    REVERTED,
    Holds,
    InTrouble,
    MayNotSend,
    Reverted,
    RevertedClaim,
    RevertedEdit,
    RevertedWatch,
    Risk,
    RiskOfClaim,
    Why,
    batch_links,
    diff,
    found_words,
    item,
    one_below_the_other,
    project_links,
    said,
    warnings,
    who,
)
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch, WritingStop
from sdc.rights import stops

Finding, State, Outcome = Watch.Finding, EditBatch.State, ClaimAttempt.Outcome


# Claims -----------------------------------------------------------------------------------


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
    list_select_related = ("photo__picture", "project__person", "held_by")
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
        return item(claim.qid)

    @admin.display(description=_("state"), ordering="state")
    def now(self, claim: Claim) -> SafeString:
        held = _text("held by a moderator") if claim.held else ""
        by = f"{claim.held_by}: {claim.held_reason}" if claim.held_reason else ""
        return lines(claim.get_state_display(), held, by, self._found(claim))

    def _found(self, claim: Claim) -> str:
        for attempt in claim.attempts.all():
            watch = getattr(attempt, "watch", None)
            if watch and watch.finding != Finding.STANDS:
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
        self.do(request, queryset, lambda row, why: moderating.hold(row, by, why), done)

    @admin.action(permissions=["moderate"], description=_("Release: may be sent again"))
    def release(self, request: HttpRequest, queryset: QuerySet[Claim]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, why: moderating.release(row, by, why),
            _("%(n)d released. They may be sent again."),
            needs_reason=False,
        )

    @admin.action(permissions=["moderate"], description=_("Reject: never sent"))
    def reject(self, request: HttpRequest, queryset: QuerySet[Claim]) -> None:
        by = signed_in(request)
        done = _("%(n)d rejected. What is on the wiki already has to be taken back.")
        self.do(request, queryset, lambda row, why: moderating.reject(row, by, why), done)


def attempts_table(attempts: list[ClaimAttempt]) -> SafeString | str:
    head = (_("attempt"), _("batch"), _("user"), _("outcome"), _("why"), _("change"), _("ended"))
    return table(
        head,
        [
            (
                page_of(attempt, attempt.claim),
                batch_links(attempt.batch),
                who(attempt.batch.user),
                attempt.get_outcome_display(),
                said(attempt),
                diff(attempt.revision),
                f"{attempt.ended_at:%Y-%m-%d %H:%M}" if attempt.ended_at else NOTHING,
            )
            for attempt in attempts
        ],
    )


def edits_table(edits: list[Edit]) -> SafeString | str:
    head = (_("when"), _("what"), _("user"), _("batch"), _("change"), _("summary"))
    return table(
        head,
        [
            (
                page_of(edit, f"{edit.at:%Y-%m-%d %H:%M}"),
                edit.get_kind_display(),
                who(edit.user),
                batch_links(edit.batch),
                diff(edit.revision),
                edit.summary,
            )
            for edit in edits
        ],
    )


# Batches ----------------------------------------------------------------------------------


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
        by_person("project__person__qid"),
        by_project("project"),
        by_user("user"),
    )
    texts = ("user__wiki_username",)
    exact = ("code", "project__public_id", "project__person__qid")
    list_select_related = ("project__person", "user")
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
        "created_at",
        "confirmed_at",
        "finished_at",
        "taken_back_by",
        "tried",
        "deeds",
    )
    readonly_fields = ("page", "in_project", "sent_by", "now", "taken_back_by", "tried", "deeds")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EditBatch]:
        written = Count("attempts", filter=Q(attempts__outcome=Outcome.WRITTEN))
        return super().get_queryset(request).annotate(n_written=written, n_all=Count("attempts"))

    def audit_target(self, row: EditBatch) -> str:
        return f"batch:{row.code}"

    @admin.display(description=_("page"))
    def page(self, batch: EditBatch) -> SafeString:
        return link(batch.get_absolute_url(), _("batch page"))

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
        self.do(request, queryset, lambda row, why: moderating.stop_batch(row, by, why), done)

    @admin.action(
        permissions=["moderate"], description=_("Take back what it wrote, in my own name")
    )
    def undo_batches(self, request: HttpRequest, queryset: QuerySet[EditBatch]) -> None:
        by = signed_in(request)

        def undo(batch: EditBatch, why: str) -> bool:
            try:
                undo = moderating.undo_batch(batch, by, why)
            except Refused as refused:
                self.message_user(request, f"{batch}: {refused.sentence}", messages.ERROR)
                return False
            text = lines(_text("Taken back as a batch of yours:"), batch_links(undo))
            self.message_user(request, text, messages.INFO)
            return True

        done = _("%(n)d are being taken back.")
        rows = queryset.exclude(kind=EditBatch.Kind.UNDO).exclude(
            state__in=(State.DRAFT, State.HANDED)
        )
        self.do(request, rows, undo, done, needs_reason=False)


@admin.register(ClaimAttempt)
class ClaimAttemptAdmin(ModerationAdmin[ClaimAttempt]):
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
        "batch__user", "batch__project__person", "claim__photo__picture", "region", "label",
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

    @admin.display(description=_("face and photo"))
    def picture(self, attempt: ClaimAttempt) -> SafeString:
        return face_and_photo(attempt.batch.project, attempt.claim.photo, attempt.region)

    @admin.display(description=_("photo"))
    def large_picture(self, attempt: ClaimAttempt) -> SafeString:
        return boxed(attempt.claim.photo, attempt.region, LARGE)

    @admin.display(description=_("file"))
    def file(self, attempt: ClaimAttempt) -> SafeString:
        return file_links(attempt.claim.photo)

    @admin.display(description=_("person"))
    def person(self, attempt: ClaimAttempt) -> SafeString:
        return lines(item(attempt.claim.qid), page_of(attempt.claim, _("claim")))

    @admin.display(description=_("batch"))
    def in_batch(self, attempt: ClaimAttempt) -> SafeString:
        return batch_links(attempt.batch)

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


@admin.register(Edit)
class EditAdmin(ModerationAdmin[Edit]):
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
        "batch__project__person",
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

    @admin.display(description=_("face and photo"))
    def picture(self, edit: Edit) -> SafeString:
        return face_and_photo(edit.batch.project, edit.attempt.claim.photo, edit.attempt.region)

    @admin.display(description=_("photo"))
    def large_picture(self, edit: Edit) -> SafeString:
        return boxed(edit.attempt.claim.photo, edit.attempt.region, LARGE)

    @admin.display(description=_("file"))
    def file(self, edit: Edit) -> SafeString:
        return file_links(edit.attempt.claim.photo)

    @admin.display(description=_("person"), ordering="qid")
    def person(self, edit: Edit) -> SafeString:
        return lines(item(edit.qid), page_of(edit.attempt.claim, _("claim")))

    @admin.display(description=_("user"))
    def by(self, edit: Edit) -> SafeString | str:
        return who(edit.user)

    @admin.display(description=_("batch"))
    def in_batch(self, edit: Edit) -> SafeString:
        return batch_links(edit.batch)

    @admin.display(description=_("change"))
    def change(self, edit: Edit) -> SafeString | str:
        return diff(edit.revision)

    @admin.display(description=_("found later"))
    def found(self, edit: Edit) -> SafeString | str:
        watch = getattr(edit.attempt, "watch", None)
        return found_words(watch) if watch and edit.kind == Edit.Kind.ADD else NOTHING


# Watch, stops -----------------------------------------------------------------------------


@admin.register(Watch)
class WatchAdmin(ModerationAdmin[Watch]):
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

    @admin.display(description=_("face and photo"))
    def picture(self, watch: Watch) -> SafeString:
        attempt = watch.claim_attempt
        return face_and_photo(attempt.batch.project, attempt.claim.photo, attempt.region)

    @admin.display(description=_("photo"))
    def large_picture(self, watch: Watch) -> SafeString:
        return boxed(watch.claim_attempt.claim.photo, watch.claim_attempt.region, LARGE)

    @admin.display(description=_("file"))
    def file(self, watch: Watch) -> SafeString:
        return file_links(watch.claim_attempt.claim.photo)

    @admin.display(description=_("person"))
    def person(self, watch: Watch) -> SafeString:
        claim = watch.claim_attempt.claim
        return lines(item(claim.qid), page_of(claim, _("claim")))

    @admin.display(description=_("finding"), ordering="finding")
    def found(self, watch: Watch) -> SafeString:
        return found_words(watch)

    @admin.display(description=_("second look"))
    def second_look(self, watch: Watch) -> SafeString | str:
        if watch.looked_at:
            return lines(watch.looked_by, f"{watch.looked_at:%Y-%m-%d}")
        return _text("not yet") if watch.finding in REVERTED else NOTHING

    @admin.display(description=_("batch"))
    def in_batch(self, watch: Watch) -> SafeString:
        return batch_links(watch.claim_attempt.batch)


@admin.register(WritingStop)
class WritingStopAdmin(ModerationAdmin[WritingStop]):
    list_display = (
        "scope", "whom", "source", "reason", "placed_by", "placed_at", "lifted_by", "lifted_at",
    )  # fmt: skip
    list_filter = (Holds, "scope", "source", by_user("user"), by_project("project"))
    texts = ("reason", "user__wiki_username", "placed_by__wiki_username")
    exact = ("project__public_id", "project__person__qid")
    list_select_related = ("user", "project__person", "placed_by", "lifted_by")
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
            lambda row, why: moderating.let_write(row, by, why),
            _("%(n)d released."),
            needs_reason=False,
        )
        if queryset.filter(lifted_at=None, source=WritingStop.Source.PAGE).exists():
            text = _text("A page of the wiki stops all writing until it is blank: change it there.")
            self.message_user(request, text, messages.WARNING)


# Who may send -----------------------------------------------------------------------------


Deed = Callable[[Any, str], Any]


class StopsSending(ModerationAdmin[Any]):
    """Adds to a list of users or projects who may not send, and the deeds for that."""

    def stop_words(self, row: User | Project) -> SafeString | str:
        return lines(
            *(
                page_of(stop, f"{stop.get_source_display()}: {stop.reason}")
                for stop in row.writing_stops.all()
                if stop.lifted_at is None
            )
        ) or _text("yes")

    def with_stops(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.prefetch_related(Prefetch("writing_stops", queryset=stops.active()))


admin.site.unregister(User)
admin.site.unregister(Project)


@admin.register(User)
class SenderAdmin(UserAdmin, StopsSending):
    list_display = (*UserAdmin.list_display, "may_send")
    list_filter = (*UserAdmin.list_filter, MayNotSend)
    actions = ("stop_users", "release_users")
    fields = (*UserAdmin.fields[:-1], "may_send", "batches", "deeds")
    readonly_fields = (*UserAdmin.readonly_fields, "may_send", "batches")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return self.with_stops(super().get_queryset(request))

    @admin.display(description=_("may send"))
    def may_send(self, user: User) -> SafeString | str:
        return self.stop_words(user)

    @admin.display(description=_("what they sent"))
    def batches(self, user: User) -> SafeString:
        return sent_lists(user=user.wiki_username)

    @admin.action(permissions=["moderate"], description=_("Stop: nothing is sent in their name"))
    def stop_users(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        by = signed_in(request)
        done = _("%(n)d stopped from sending.")
        self.do(request, queryset, lambda row, why: moderating.stop_user(row, by, why), done)

    @admin.action(permissions=["moderate"], description=_("Release: may send again"))
    def release_users(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, why: moderating.release_user(row, by, why),
            _("%(n)d released."),
            needs_reason=False,
        )


@admin.register(Project)
class SendingProjectAdmin(ProjectAdmin, StopsSending):
    list_display = (*ProjectAdmin.list_display, "may_send")
    list_filter = (*ProjectAdmin.list_filter, MayNotSend)
    actions = (*ProjectAdmin.actions, "stop_projects", "release_projects")
    fields = (*ProjectAdmin.fields[:-1], "may_send", "batches", "deeds")
    readonly_fields = (*ProjectAdmin.readonly_fields, "may_send", "batches")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        return self.with_stops(super().get_queryset(request))

    @admin.display(description=_("may send"))
    def may_send(self, project: Project) -> SafeString | str:
        return self.stop_words(project)

    @admin.display(description=_("what it sent"))
    def batches(self, project: Project) -> SafeString:
        return sent_lists(project=project.public_id)

    @admin.action(permissions=["moderate"], description=_("Stop: nothing is sent for it"))
    def stop_projects(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        by = signed_in(request)
        done = _("%(n)d stopped from sending.")
        self.do(request, queryset, lambda row, why: moderating.stop_project(row, by, why), done)

    @admin.action(permissions=["moderate"], description=_("Release: may be sent for again"))
    def release_projects(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, why: moderating.release_project(row, by, why),
            _("%(n)d released."),
            needs_reason=False,
        )


def sent_lists(**narrowed: str) -> SafeString:
    return lines(
        *(
            link(list_of(model, **narrowed), model._meta.verbose_name_plural)
            for model in (Claim, EditBatch, Edit, Watch)
        )
    )
