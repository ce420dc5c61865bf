"""What people said (Answer), the current word (Label), what the model thinks (Score)."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.work import WorkQuerySet, WorkRow
from crawler.models import Photo, Region
from projects.models import Project, Subject, User


class Verdict(models.TextChoices):
    YES = "yes", _("Yes")
    NO = "no", _("No")  # somebody else
    NOT_A_FACE = "not-a-face", _("Not a face")
    CANT_TELL = "cant-tell", _("Can't tell")
    BACKGROUND = "background", _("Only in the background")
    ARTWORK = "artwork", _("An artwork of the person")


class Origin(models.TextChoices):
    ASK = "ask", _("a question")
    GRID = "grid", _("a screen of faces")
    AGAIN = "again", _("a second look")
    DRAWN = "drawn", _("a box drawn by a person")
    REVIEW = "review", _("the review")
    BOOTSTRAP = "bootstrap", _("a statement that existed")
    UNDO = "undo", _("an undo")


class Answer(models.Model):
    """Append-only: who said what. Undo is a new row; `verdict` is empty where an undo leaves
    the region without a word."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="answers")
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
    # When it was given; what waited in a browser without network came later.
    created_at = models.DateTimeField(default=timezone.now)
    # What the model thought when it was asked, 0–1: the guard compares with it.
    chance = models.FloatField(null=True)

    changes = False  # whether it changes the mind of who gave it; known of one just given

    class Meta:
        indexes = [
            models.Index(fields=["subject", "region", "id"], name="answer_region"),
            models.Index(fields=["subject", "user", "id"], name="answer_user"),
        ]


class Label(models.Model):
    """The current word on a region about a subject, rebuildable from its answers."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="labels")
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
        constraints = [models.UniqueConstraint(fields=["subject", "region"], name="one_label")]
        indexes = [models.Index(fields=["subject", "verdict", "id"], name="label_verdict")]


class Score(models.Model):
    """What the model thinks of a region about a subject; never outranks a label."""

    UNCERTAIN = 0.05  # a face this far beyond the project's threshold may still be the person
    FAR = 99.0  # before anything is known

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="scores")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="scores")
    # 0 is the likeliest: 1 − the probability by exemplars, the distance by the centroid rule
    unlikely = models.FloatField(default=FAR)
    # Likely the person, and nobody had answered it when that was computed: see galleries.unanswered
    is_match = models.BooleanField(default=False)
    doubt = models.FloatField(null=True)  # log-odds of all the rest against what people said
    revision = models.PositiveBigIntegerField()  # Project.revision it was computed from

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "region"], name="one_score")]
        indexes = [
            models.Index(fields=["subject", "is_match", "unlikely", "id"], name="score_likely"),
            models.Index(fields=["subject", "doubt"], name="score_doubt"),
        ]


class Leased(models.Model):
    """A face that is asked about, and who is looking at it."""

    leased_to = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Question(Leased):
    """A question prepared ahead of the people who answer; the lowest rank is asked next.

    Questions of one `screen` are asked together in a grid, in the order of their ranks.
    """

    class Kind(models.TextChoices):
        """See classify.learning.choose_screen.Kind."""

        LIKELY = "likely", _("likely ones")
        ONE = "one", _("a single face")
        OTHERS = "others", _("hardly the person")
        COMMON = "common", _("those seen most often")
        THIRD = "third", _("answered twice and differently")

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="questions")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="questions")
    rank = models.FloatField()
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.ONE)
    screen = models.PositiveIntegerField(default=0)
    marked = models.BooleanField(default=False)  # Yes is set already in a grid
    chance = models.FloatField(null=True)  # what the model thinks; shown on request only
    # nearest confirmed faces: region ids, nearest first, for the strip beside the face
    nearest = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "region"], name="one_question")]
        indexes = [models.Index(fields=["subject", "rank", "id"], name="question_rank")]


class Skip(models.Model):
    """A face that somebody would rather not answer; it is asked of others, and last of them."""

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="skips")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "user", "region"], name="one_skip")
        ]


class Round(models.Model):
    """Faces drawn to be looked at, so that something can be said for certain.

    `frame` faces were there when they were drawn: all that were approved and no round before
    had, or all that nobody had looked at.
    """

    class About(models.TextChoices):
        APPROVED = "approved", _("what is approved")
        LEFT = "left", _("what is left")

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="rounds")
    about = models.CharField(max_length=8, choices=About)
    frame = models.PositiveIntegerField()
    faces = models.PositiveIntegerField(default=0)  # of the project, answered ones among them
    revision = models.PositiveBigIntegerField()  # Project.revision it was drawn from
    after = models.PositiveBigIntegerField(default=0)  # id of the last answer when it was drawn
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)  # when all its looks were given


class Look(Leased):
    """A face of a round, looked at once more (or, of what is left, for the first time).

    A round about what is approved lists the whole of its frame, so that it stands written which
    faces its sample speaks for; those that were not drawn are never asked.
    """

    class Why(models.TextChoices):
        """Nobody who looks is told which is which. See classify.learning.review."""

        UNLIKELY = "unlikely", _("the least likely Yes")
        SAMPLED = "sampled", _("drawn at random")
        TRAP = "trap", _("surely No")
        FRAME = "frame", _("not drawn")

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="looks")
    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="looks")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="+")
    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="looks")
    why = models.CharField(max_length=8, choices=Why)
    rank = models.PositiveIntegerField()  # looks are mixed; screens are cut from this order
    before = models.CharField(max_length=12, choices=Verdict, blank=True)  # when it was drawn
    said = models.CharField(max_length=12, choices=Verdict, blank=True)  # now; empty: still open
    third = models.BooleanField(default=False)  # said differently, so asked a third time

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "region"], name="one_look_a_round")]
        indexes = [models.Index(fields=["subject", "said", "id"], name="look_open")]


class Bootstrap(WorkRow):
    """Reading what the wikis already know of a project's person."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="bootstrap")
    tagged = models.PositiveIntegerField(default=0)  # files that already depict the person

    STEP = "bootstrap"
    max_tries = 8
    objects = WorkQuerySet.as_manager()


class Learner(WorkRow):
    """One `infer` worker at a time owns a project; what it last computed stands here."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="learner")
    revision = models.PositiveBigIntegerField(default=0)  # Project.revision it is up to
    faces = models.PositiveIntegerField(default=0)
    confirmed = models.PositiveIntegerField(default=0)  # faces that count towards min_confirmed
    matches = models.PositiveIntegerField(default=0)
    worth = models.FloatField(default=0)  # faces still worth an answer, by the model's opinion
    left = models.PositiveIntegerField(default=0)  # faces that nobody looked at
    computed_at = models.DateTimeField(null=True, blank=True)

    STEP = "infer"
    max_tries = 1000  # it must never be given up; a failure waits longer
    objects = WorkQuerySet.as_manager()


class Forecast(models.Model):
    """What the learner expected after so many answers: the course of a project.

    `precision` and `recall` are 0–1 by the model's own probabilities; nothing is promised by
    them, see `classify.audit.estimates` for what is.
    """

    subject = models.ForeignKey(Subject, on_delete=models.CASCADE, related_name="forecasts")
    answers = models.PositiveIntegerField()  # given by people until then
    precision = models.FloatField(null=True)  # of what is taken for the person
    recall = models.FloatField(null=True)  # of the photos that show the person
    worth = models.FloatField(default=0)  # faces still worth an answer
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["subject", "answers"], name="forecast_course")]
