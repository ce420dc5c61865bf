"""What people said (Answer), the current word (Label), what the model thinks (Score)."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crawler.models import Photo, Region
from projects.models import Project, User
from projects.work import WorkQuerySet, WorkRow


class Verdict(models.TextChoices):
    YES = "yes", _("Yes")
    NO = "no", _("No")  # somebody else
    NOT_A_FACE = "not-a-face", _("Not a face")
    CANT_TELL = "cant-tell", _("Can't tell")
    BACKGROUND = "background", _("Only in the background")
    ARTWORK = "artwork", _("An artwork of the person")


class Origin(models.TextChoices):
    ASK = "ask", _("a question")
    DRAWN = "drawn", _("a box drawn by a person")
    REVIEW = "review", _("the review")
    BOOTSTRAP = "bootstrap", _("a statement that existed")
    UNDO = "undo", _("an undo")


class Answer(models.Model):
    """Append-only: who said what. Undo is a new row; `verdict` is empty where an undo leaves
    the region without a word."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="answers")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="answers")
    user = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="answers"
    )
    verdict = models.CharField(max_length=12, choices=Verdict, blank=True)
    origin = models.CharField(max_length=10, choices=Origin)
    # Made by the page, so that an answer sent twice is one answer.
    client_uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    undoes = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="undone_by"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["project", "region", "id"], name="answer_region"),
            models.Index(fields=["project", "user", "id"], name="answer_user"),
        ]


class Label(models.Model):
    """The current word on a region in a project, rebuildable from its answers."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="labels")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="labels")
    verdict = models.CharField(max_length=12, choices=Verdict)
    origin = models.CharField(max_length=10, choices=Origin)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    disputed = models.BooleanField(default=False)  # people's answers differ
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "region"], name="one_label")]
        indexes = [models.Index(fields=["project", "verdict", "id"], name="label_verdict")]


class Score(models.Model):
    """What the model thinks of a region in a project; never outranks a label."""

    UNCERTAIN = 0.05  # a face this far beyond the project's threshold may still be the person

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="scores")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="scores")
    distance = models.FloatField(null=True)  # to the centroid; null before there is one
    is_match = models.BooleanField(default=False)
    revision = models.PositiveBigIntegerField()  # Project.revision it was computed from

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "region"], name="one_score")]
        indexes = [
            models.Index(fields=["project", "is_match", "distance", "id"], name="score_match")
        ]


class Question(models.Model):
    """A question prepared ahead of the people who answer; the lowest rank is asked next."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="questions")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="questions")
    rank = models.FloatField()
    # nearest confirmed faces: region ids, nearest first, for the strip beside the face
    nearest = models.JSONField(default=list)
    leased_to = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "region"], name="one_question")]
        indexes = [models.Index(fields=["project", "rank", "id"], name="question_rank")]


class Skip(models.Model):
    """A face that somebody would rather not answer; it is asked of others, and last of them."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "region"], name="one_skip")
        ]


class Bootstrap(WorkRow):
    """Reading what the wikis already know of a project's person."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="bootstrap")
    tagged = models.PositiveIntegerField(default=0)  # files that already depict the person

    max_tries = 8
    objects = WorkQuerySet.as_manager()


class Learner(WorkRow):
    """One `infer` worker at a time owns a project; what it last computed stands here."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="learner")
    revision = models.PositiveBigIntegerField(default=0)  # Project.revision it is up to
    faces = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)  # faces that count towards min_confirmed
    matches = models.PositiveIntegerField(default=0)
    computed_at = models.DateTimeField(null=True, blank=True)

    max_tries = 1000  # it must never be given up; a failure waits longer
    objects = WorkQuerySet.as_manager()
