"""Our intention (Claim), each try at it (ClaimAttempt), batches, and the edits made."""

from __future__ import annotations

import secrets
import uuid

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from classify.models import Label
from crawler.models import Photo, Region
from projects.models import Project, User
from projects.work import WorkQuerySet, WorkRow
from sdc.reasons import Reason, sentence, title
from sdc.statements import place_in


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
        UNDONE = "undone", _("taken back")

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


class EditBatch(models.Model):
    """What one person confirmed to send at once, and how it goes."""

    class State(models.TextChoices):
        DRAFT = "draft", _("preview")
        RUNNING = "running", _("sending")
        PAUSED = "paused", _("paused")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")

    code = models.CharField(max_length=12, unique=True, default=new_batch_code)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="batches")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="batches")
    wiki = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    reason = models.CharField(max_length=40, blank=True)  # code: why it is paused or stopped
    resume_at = models.DateTimeField(null=True, blank=True)  # paused by the wiki: until then
    turn_at = models.DateTimeField(default=timezone.now)  # when an edit of it was last tried
    revision = models.PositiveBigIntegerField(default=0)  # Project.revision it was prepared from
    summary = models.CharField(max_length=400)
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
        return reverse("batch", args=[self.project.public_id, self.code])

    @property
    def why_title(self) -> str:
        """Why it is paused or stopped, in a few words."""
        return title(self.reason)

    @property
    def why(self) -> str:
        """The same as a sentence with what to do."""
        return sentence(self.reason)


class Writer(WorkRow):
    """A user's turn to write: one worker at a time edits in the name of one user."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="writers")
    wiki = models.CharField(max_length=16)

    max_tries = 1_000_000  # it is never given up; trouble with the wiki makes it wait longer
    objects = WorkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wiki", "user"], name="one_writer")]
        indexes = [models.Index(fields=["state", "due_at"], name="writer_due")]


class ClaimAttempt(WorkRow):
    """One try at a claim: its own GUID, batch, actor and outcome. A GUID is never used twice
    for different intentions."""

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
    guid = models.CharField(max_length=64, unique=True)  # "M123$" + UUID, stored before the call
    statement = models.JSONField()  # exactly what is or was to be sent
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
        return self.guid

    @property
    def name(self) -> str:
        return self.title.removeprefix("File:")

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


class Edit(models.Model):
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
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["guid", "kind"], name="one_edit")]
        indexes = [models.Index(fields=["wiki", "page_id"], name="edit_page")]
