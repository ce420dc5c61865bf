"""Our intention (Claim), each try at it (ClaimAttempt), batches, the edits made and their watch."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classify.models import Label
from core.models import AppendOnly
from core.text import plain
from core.work import WorkQuerySet, WorkRow
from crawler.models import Photo, Region
from projects.models import AuditEvent, Project, User
from sdc.files.statements import place_in
from sdc.writing.reasons import Reason, sentence, title


def new_batch_code() -> str:
    """Twelve hex digits, as EditGroups wants a batch to be named in summaries."""
    return secrets.token_hex(6)


class Claim(models.Model):
    """One row for (wiki, page, person): the lock across projects, and the current state."""

    class State(models.TextChoices):
        FREE = "free", _("not sent")
        SENDING = "sending", _("being sent")
        WRITTEN = "written", _("on the wiki")
        PRESENT = "present", _("was already there")
        REMOVED = "removed", _("removed by somebody")
        UNDOING = "undoing", _("being taken back")
        UNDONE = "undone", _("taken back")
        REJECTED = "rejected", _("rejected by a moderator")

    # Somebody said that it does not belong there: only a person who asks for this very file
    # brings it back.
    SPOKEN_AGAINST = (State.REMOVED, State.UNDONE, State.REJECTED)

    wiki = models.CharField(max_length=16)
    page_id = models.PositiveBigIntegerField()
    qid = models.CharField(max_length=16)
    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="claims")
    state = models.CharField(max_length=8, choices=State, default=State.FREE)
    project = models.ForeignKey(  # that holds or held it
        Project, on_delete=models.SET_NULL, null=True, blank=True, related_name="claims"
    )
    held = models.BooleanField(default=False)  # by a moderator: not sent until released
    held_reason = models.CharField(max_length=255, blank=True)
    held_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wiki", "page_id", "qid"], name="one_claim")]
        indexes = [models.Index(fields=["project", "state", "id"], name="claim_project")]

    def __str__(self) -> str:
        return f"M{self.page_id} {self.qid}"

    def under_way(self, project: Project) -> Reason | None:
        """What keeps this project from sending it at the moment."""
        if self.held:
            return Reason.HELD
        if self.state == self.State.SENDING:
            return Reason.SENDING if self.project_id == project.pk else Reason.CLAIMED
        return None

    def spoken_against(self) -> Reason | None:
        """How somebody said, or is saying, that it does not belong there."""
        if self.state == self.State.REMOVED:
            return Reason.REMOVED
        if self.state in (self.State.UNDONE, self.State.UNDOING):
            return Reason.TAKEN_BACK
        return Reason.REJECTED if self.state == self.State.REJECTED else None


class EditBatch(models.Model):
    """What one person confirmed to send at once, and how it goes."""

    class Kind(models.TextChoices):
        ADD = "add", _("add")
        UNDO = "undo", _("take back")

    class State(models.TextChoices):
        DRAFT = "draft", _("preview")
        HANDED = "handed", _("handed over")  # by who may not send, to a member who may
        RUNNING = "running", _("sending")
        PAUSED = "paused", _("paused")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")

    code = models.CharField(max_length=12, unique=True, default=new_batch_code)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="batches")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="batches")
    wiki = models.CharField(max_length=16)
    kind = models.CharField(max_length=4, choices=Kind, default=Kind.ADD)
    undoes = models.ForeignKey(  # the batch whose edits, or one of them, this one takes back
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by"
    )
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    reason = models.CharField(max_length=40, blank=True)  # code: why it is paused or stopped
    resume_at = models.DateTimeField(null=True, blank=True)  # paused by the wiki: until then
    turn_at = models.DateTimeField(default=timezone.now)  # when an edit of it was last tried
    revision = models.PositiveBigIntegerField(default=0)  # Project.revision it was prepared from
    summary = models.CharField(max_length=400)
    # the correlation id of the click on Send
    trace = models.CharField(max_length=32, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = _("edit batches")
        indexes = [
            models.Index(fields=["project", "id"], name="batch_project"),
            models.Index(fields=["state", "resume_at"], name="batch_state"),
        ]

    def __str__(self) -> str:
        return self.code

    def get_absolute_url(self) -> str:
        """Return the address that names no project: it leads whoever sees the project to it."""
        return reverse("sent-batch", args=[self.code])

    @property
    def project_url(self) -> str:
        """Its page in the project, for pages of those who see the project."""
        return reverse("batch", args=[self.project.public_id, self.code])

    @property
    def stopped_for(self) -> Reason:
        """Why what is left of a stopped batch is not sent."""
        return Reason(self.reason) if self.reason in Reason.values else Reason.STOPPED

    @property
    def why_title(self) -> str:
        """Why it is paused or stopped, in a few words."""
        return title(self.reason)

    @property
    def why(self) -> str:
        """The same as a sentence with what to do."""
        return sentence(self.reason)

    def get_undo_reasons(self) -> dict[str, str]:
        """Map the codes of the batches that undo this one to the reasons given for them."""
        events = AuditEvent.objects.filter(
            project=self.project_id, action="batch.undone", target=f"batch:{self.code}"
        )
        return {event.data["by"]: event.data.get("reason", "") for event in events}


class Writer(WorkRow):
    """A user who writes: their turn (one worker at a time edits in the name of one user), and
    how the wiki knows them."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="writers")
    wiki = models.CharField(max_length=16)
    desk = models.CharField(
        max_length=16, blank=True
    )  # of the last turn, see sdc.writing.worker_locks
    # As the wiki said when last asked, see sdc/sending_rights/limits.py.
    autoconfirmed = models.BooleanField(default=False)
    edit_count = models.PositiveIntegerField(default=0)
    edit_limit = models.FloatField(null=True, blank=True)  # edits a minute; null: no limit
    asked_at = models.DateTimeField(null=True, blank=True)
    # Whether they roll back or patrol edits there, see sdc/sending_rights/patrollers.py.
    patrols = models.BooleanField(default=False, db_default=False)
    patrols_asked_at = models.DateTimeField(null=True, blank=True)
    # Their first batch is small; they said that they looked at it on the wiki.
    looked_at = models.DateTimeField(null=True, blank=True)

    STEP = "turn"
    max_tries = 1_000_000  # it is never given up; trouble with the wiki makes it wait longer
    objects = WorkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wiki", "user"], name="one_writer")]
        indexes = [models.Index(fields=["state", "due_at"], name="writer_due")]


class ClaimAttempt(WorkRow):
    """One try at a claim, or at taking one back: its batch, actor and outcome. To add it has its
    own GUID, never used for a second intention; to take back it names the attempt it undoes."""

    class Outcome(models.TextChoices):
        PLANNED = "planned", _("planned")
        EXCLUDED = "excluded", _("left out")
        WRITTEN = "written", _("written")
        PRESENT = "present", _("already there")
        SKIPPED = "skipped", _("skipped")
        REFUSED = "refused", _("refused")

    batch = models.ForeignKey(EditBatch, on_delete=models.PROTECT, related_name="attempts")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="attempts")
    label = models.ForeignKey(Label, on_delete=models.SET_NULL, null=True, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.SET_NULL, null=True, related_name="+")
    guid = models.CharField(  # "M123$" + UUID, stored before the call; null where it takes back
        max_length=64, unique=True, null=True, blank=True
    )
    undoes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by"
    )
    statement = models.JSONField()  # exactly what is or was to be sent, or to be removed
    # of its edit, where it is not its batch's
    own_summary = models.CharField(max_length=400, blank=True, default="", db_default="")
    # The claim's state that confirming expects, and that comes back if nothing is written.
    claim_was = models.CharField(max_length=8, choices=Claim.State, default=Claim.State.FREE)
    cautions = models.CharField(max_length=100, blank=True)  # codes of sdc.preview.warnings
    # What the preview showed and the confirmation was about; what changed since is not sent.
    sha1 = models.CharField(max_length=40)  # of the picture that was looked at
    title = models.CharField(max_length=255, default="")  # "File:…"
    base_revision = models.PositiveBigIntegerField(default=0)  # of the page
    has_now = models.JSONField(null=True)  # [{"qid", "label", "rank"}]; null: no structured data
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.PLANNED)
    reason = models.CharField(max_length=40, blank=True)  # code of why skipped or refused
    revision = models.PositiveBigIntegerField(null=True, blank=True)
    in_doubt = models.BooleanField(default=False)  # a call was made whose effect is not known
    began_at = models.DateTimeField(null=True, blank=True)  # last time it was sent
    ended_at = models.DateTimeField(null=True, blank=True)

    STEP = "write"
    max_tries = 6
    objects = WorkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "claim"], name="one_attempt_a_batch")
        ]
        indexes = [
            models.Index(fields=["batch", "outcome", "id"], name="attempt_batch"),
            models.Index(fields=["state", "due_at"], name="attempt_due"),
        ]

    def __str__(self) -> str:
        return self.guid or f"undo of {self.undoes_id}"

    @property
    def step(self) -> str:
        return "undo" if self.undoes_id else self.STEP

    def told(self) -> dict[str, Any]:
        batch = {"batch": self.batch.code, "trace": self.batch.trace}
        return {"claim": self.claim_id, **batch}

    @property
    def statement_guid(self) -> str:
        """The GUID on the wiki that it is about."""
        return str(self.statement["id"])

    @property
    def asked_for(self) -> bool:
        """A person asked for this very file, although somebody had spoken against it."""
        return self.undoes_id is None and self.claim_was in Claim.SPOKEN_AGAINST

    @property
    def name(self) -> str:
        return plain(self.title.removeprefix("File:"))

    @property
    def why_title(self) -> str:
        """Why it ended otherwise than planned, or still waits, in a few words."""
        return title(self.reason or self.error)

    @property
    def why(self) -> str:
        """The same as a sentence with what to do."""
        return sentence(self.reason or self.error)

    @property
    def place(self) -> str:
        return place_in(self.statement)

    @property
    def summary(self) -> str:
        """The exact summary of its edit, after the wiki's own words."""
        return self.own_summary or self.batch.summary

    @property
    def exhausted(self) -> bool:
        """No more calls are made for it; it only waits for its last word."""
        return self.tries >= self.max_tries

    @property
    def last_reason(self) -> Reason:
        """Why the last try did not end it."""
        return Reason(self.error) if self.error in Reason.values else Reason.CRASHED

    @staticmethod
    def new_guid(page_id: int) -> str:
        return f"M{page_id}${uuid.uuid4()}"


class Edit(AppendOnly):
    """Append-only public ledger: each edit that this tool made on a wiki."""

    class Kind(models.TextChoices):
        ADD = "add", _("added")
        REMOVE = "remove", _("taken back")

    attempt = models.ForeignKey(ClaimAttempt, on_delete=models.PROTECT, related_name="edits")
    kind = models.CharField(max_length=6, choices=Kind)
    wiki = models.CharField(max_length=16)
    page_id = models.PositiveBigIntegerField()
    qid = models.CharField(max_length=16)
    guid = models.CharField(max_length=64)
    revision = models.PositiveBigIntegerField(null=True)  # null where only its effect was seen
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="edits")
    batch = models.ForeignKey(EditBatch, on_delete=models.PROTECT, related_name="edits")
    summary = models.CharField(max_length=400)
    # What the wiki answered, without the entity; {"found": …} where the answer was lost and the
    # edit was found by reading.
    answer = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        base_manager_name = "objects"
        constraints = [models.UniqueConstraint(fields=["attempt", "kind"], name="one_edit")]
        indexes = [models.Index(fields=["wiki", "page_id"], name="edit_page")]


class Watch(WorkRow):
    """A statement that we wrote, looked at again after a day, a week and a month."""

    class Finding(models.TextChoices):
        STANDS = "stands", _("stands")
        REMOVED = "removed", _("removed by somebody")
        CHANGED = "changed", _("changed by somebody")
        GONE = "gone", _("the file is gone")

    claim_attempt = models.OneToOneField(
        ClaimAttempt, on_delete=models.CASCADE, related_name="watch"
    )
    checks = models.PositiveSmallIntegerField(default=0)  # how many of the looks are done
    checked_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(max_length=8, choices=Finding, default=Finding.STANDS)
    # Of what was found: the revision that did it, by whom (a wiki name), with which words.
    revision = models.PositiveBigIntegerField(null=True, blank=True)
    by = models.CharField(max_length=255, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    found_at = models.DateTimeField(null=True, blank=True)
    # A person looked at the face a second time, after something was found.
    looked_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    looked_at = models.DateTimeField(null=True, blank=True)

    STEP = "watch"
    max_tries = 1_000_000  # it is never given up; a failure waits longer
    objects = WorkQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("watches")
        indexes = [
            models.Index(fields=["state", "due_at"], name="watch_due"),
            models.Index(fields=["finding", "looked_at"], name="watch_finding"),
        ]


class WritingStop(models.Model):
    """Stops one user, one project or everybody from sending, until it is lifted."""

    class Scope(models.TextChoices):
        EVERYTHING = "all", _("everything")
        PROJECT = "project", _("a project")
        USER = "user", _("a user")

    class Source(models.TextChoices):
        MODERATOR = "moderator", _("a moderator")
        SHARE = "share", _("too much of it was removed")
        PAGE = "page", _("a page of the wiki")

    wiki = models.CharField(max_length=16)
    scope = models.CharField(max_length=8, choices=Scope)
    source = models.CharField(max_length=10, choices=Source)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="writing_stops"
    )
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="writing_stops"
    )
    reason = models.CharField(max_length=255, blank=True)  # the words of whoever placed it
    # wiki, scope, source and object while it holds, null once lifted: one of each at a time,
    # without the conditional constraint that MariaDB does not have
    active_key = models.CharField(max_length=80, null=True, unique=True, editable=False)
    placed_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    placed_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["wiki", "lifted_at"], name="stop_lifted")]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.get_source_display()}"
