"""People, projects and who may do what: what every other app points to."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from core.i18n import found_in, text_in
from core.models import AppendOnly, PublicIdField
from core.text import plain

if TYPE_CHECKING:
    from wiki.wikidata import PersonData


def new_invite_code() -> str:
    """Eight characters without look-alikes, easily read aloud."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(8))


def new_objection_code() -> str:
    """128 random bits: to know it is the right to read what became of an objection."""
    return secrets.token_urlsafe(16)


class User(AbstractUser):
    """An account. The wiki's `sub` under its issuer is the key; the wiki name may change."""

    public_id = PublicIdField()
    issuer = models.CharField(max_length=100, blank=True)
    sub = models.CharField(max_length=64, null=True, blank=True)
    wiki_username = models.CharField(max_length=255, blank=True)
    show_on_leaderboard = models.BooleanField(default=False)
    language = models.CharField(max_length=12, blank=True)  # of the pages; empty: the browser's
    keys = models.JSONField(default=dict, blank=True)  # command -> key, where not the usual one
    muted = models.JSONField(default=list, blank=True)  # kinds of notifications not wanted
    tours = models.JSONField(default=list, blank=True)  # which first-use tours were seen

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]

    class Meta(AbstractUser.Meta):
        constraints = [models.UniqueConstraint(fields=["issuer", "sub"], name="one_user_a_sub")]

    def __str__(self) -> str:
        return plain(self.wiki_username) or self.username

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)


class WikiCredential(models.Model):
    """The sealed OAuth 2.0 tokens of one user on one wiki."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="credentials")
    wiki = models.CharField(max_length=16)
    access_token = models.BinaryField()
    refresh_token = models.BinaryField()
    expires_at = models.DateTimeField()
    # Refresh tokens rotate: whoever holds the lease refreshes, the others wait.
    refreshing_until = models.DateTimeField(null=True, blank=True)
    generation = models.PositiveIntegerField(default=0)
    needs_login = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "wiki"], name="one_credential")]


class Person(models.Model):
    """A human on Wikidata, as read when the project was made (and refreshed by bootstrap)."""

    wiki = models.CharField(max_length=16)
    qid = models.CharField(max_length=16)
    labels = models.JSONField(default=dict)  # language code -> label
    descriptions = models.JSONField(default=dict)
    portrait = models.CharField(max_length=255, blank=True)  # title "File:…"
    commons_category = models.CharField(max_length=255, blank=True)  # without "Category:"
    # Dates as ranges: a birth in "1867" is 1867-01-01 to 1867-12-31, precision as on Wikidata.
    born_from = models.DateField(null=True, blank=True)
    born_to = models.DateField(null=True, blank=True)
    born_precision = models.PositiveSmallIntegerField(null=True, blank=True)
    died_from = models.DateField(null=True, blank=True)
    died_to = models.DateField(null=True, blank=True)
    died_precision = models.PositiveSmallIntegerField(null=True, blank=True)
    # pages of all wikis about the person
    sitelinks = models.PositiveIntegerField(default=0, db_default=0)
    fetched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(fields=["wiki", "qid"], name="one_person_a_qid")]

    def __str__(self) -> str:
        return self.label(get_language() or "en")

    @classmethod
    def from_wikidata(cls, data: PersonData) -> Person:
        """Return an unsaved row of a human as just read."""
        return cls(wiki=settings.WIKI.code, qid=data.qid, **data.fields())

    def label(self, language: str = "en") -> str:
        return text_in(self.labels, language, self.qid)

    def label_language(self, language: str = "en") -> str:
        """The language that the label is in, where it is not the one asked for."""
        code = found_in(self.labels, language)[1]
        return "" if code in ("", "mul", language, language.split("-")[0]) else code

    def description(self, language: str = "en") -> str:
        return text_in(self.descriptions, language)

    def about(self, language: str = "en") -> str:
        """The description and the years, those only once."""
        description = self.description(language)
        said = all(year in description for year in re.findall(r"\d+", self.years))
        return " · ".join(filter(None, [description, "" if said else self.years]))

    @property
    def years(self) -> str:
        """“1867–1934”, “born 1961” or nothing."""
        if self.born_from and self.died_from:
            return f"{self.born_from.year}–{self.died_from.year}"
        return _("born %(year)s") % {"year": self.born_from.year} if self.born_from else ""


class OnlySubjectDescriptor(ForwardManyToOneDescriptor[Any]):
    """Reads the subject with its person, in one query."""

    def get_queryset(self, **hints: Any) -> models.QuerySet[Any]:
        return super().get_queryset(**hints).select_related("person")


class OnlySubject(models.ForeignObject["Subject", "Subject"]):
    """A project's subject, joined by `Subject.project` as if the project pointed to it.

    It has no column. This is the one place that knows that a project has exactly one subject:
    without one, `project.subject` raises Subject.DoesNotExist; with several,
    Subject.MultipleObjectsReturned.
    """

    forward_related_accessor_class = OnlySubjectDescriptor

    def contribute_to_class(self, cls: Any, name: str, *_args: Any, **options: Any) -> None:
        super().contribute_to_class(
            cls, name, **options | {"private_only": True}
        )  # not part of migrations

    def _check_unique_target(self) -> list[Any]:
        return []  # Django wants `Subject.project` to be unique, which it will not stay

    def set_cached_value(self, instance: Any, value: Any) -> None:
        """Let `project.subject.project` be the same project, without a query."""
        super().set_cached_value(instance, value)
        if value is not None:
            value.__class__.project.field.set_cached_value(value, instance)


class ProjectQuerySet(models.QuerySet["Project"]):
    def with_subject(self) -> ProjectQuerySet:
        """Load each project's subject and its person, in the same query."""
        return self.select_related("subject__person")

    def tell_learner(self, *, only_words: bool = False, **fields: Any) -> int:
        """Something changed that the learner should see. Call in the transaction of the change;
        it holds the projects' rows until that ends. With `only_words` people said something, and
        the faces are those that were there before. Sets `fields`, too; returns how many there
        are."""
        words = {"words": F("words") + 1} if only_words else {}
        return self.update(revision=F("revision") + 1, pulse=F("pulse") + 1, **words, **fields)


class Project(models.Model):
    """A person to find in some sources, worked on by some people."""

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("public")
        PRIVATE = "private", _("private")

    class Joining(models.TextChoices):
        OPEN = "open", _("anybody may join")
        INVITE = "invite", _("by invitation")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        COMPLETED = "completed", _("completed")
        ARCHIVED = "archived", _("archived")

    class Rule(models.TextChoices):
        """How faces are judged by those that people answered."""

        EXEMPLARS = "exemplars", _("by the answered faces most alike")
        CENTROID = "centroid", _("by the distance to the mean of confirmed faces")

    public_id = PublicIdField()
    subject = OnlySubject(
        "Subject",
        on_delete=models.DO_NOTHING,
        from_fields=["id"],
        to_fields=["project"],
        related_name="+",
        editable=False,
    )
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="owned_projects")
    # owner and person while the project is live, null afterwards: one live project for both,
    # without the conditional constraint that MariaDB does not have
    active_key = models.CharField(max_length=64, null=True, unique=True, editable=False)
    visibility = models.CharField(
        max_length=8, choices=Visibility, default=Visibility.PUBLIC, db_index=True
    )
    joining = models.CharField(max_length=8, choices=Joining, default=Joining.INVITE)
    # of its own; empty: the person's label
    name = models.CharField(max_length=80, blank=True, default="", db_default="")
    state = models.CharField(max_length=9, choices=State, default=State.ACTIVE)
    rule = models.CharField(max_length=9, choices=Rule, default=Rule.EXEMPLARS)
    # These three are the centroid rule's.
    threshold = models.FloatField(default=0.6)  # distance to the centroid that is a match
    min_confirmed = models.PositiveSmallIntegerField(default=5)
    bootstrap_counts = models.BooleanField(default=False)  # towards min_confirmed
    write_region = models.BooleanField(default=True)  # the qualifier P2677
    include_artworks = models.BooleanField(default=False)  # reproductions of artworks (P6243)
    # See `tell_learner`: bumped by new faces, answers, settings of learning.
    revision = models.PositiveBigIntegerField(default=0)
    words = models.PositiveBigIntegerField(default=0)  # of these, by nothing but answers
    # Grows with whatever its page shows: a poll reads nothing else. See projects.live.pulse.
    pulse = models.PositiveBigIntegerField(default=0)
    turn_at = models.DateTimeField(default=timezone.now)  # when detection last served it
    created_at = models.DateTimeField(default=timezone.now)
    # When a person last did something in it: see projects.ledger and docs/privacy.md.
    active_at = models.DateTimeField(default=timezone.now)
    # The owner deleted it: its rows go bit by bit, and it stays itself if edits point to it.
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "turn_at"], name="project_turn")]
        permissions = [("moderate", _("Can do what moderators do"))]  # see projects.permissions

    def __str__(self) -> str:
        return plain(self.name) or str(self.person)

    def get_absolute_url(self) -> str:
        return reverse("project", args=[self.public_id])

    @property
    def person(self) -> Person:
        return self.subject.person

    @property
    def faces_revision(self) -> int:
        """As long as it is the same, the project has the same faces with the same vectors."""
        return self.revision - self.words


class Subject(models.Model):
    """A person that a project looks for. What people and the model say of a region points here."""

    class State(models.TextChoices):
        ACTIVE = "active"
        DROPPED = "dropped"  # no longer looked for, and kept because people answered about it

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="subjects")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="subjects")
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "person"], name="one_subject")]

    def __str__(self) -> str:
        return str(self.person)


class Source(models.Model):
    """Where a project's photos come from. The crawler keeps its own work rows beside it."""

    class Kind(models.TextChoices):
        CATEGORY = "category", _("category")
        FILE = "file", _("file")  # for example the person's portrait
        DEPICTS = "depicts", _("files that already depict the person")
        SEARCH = "search", _("search")
        UPLOADER = "uploader", _("an uploader’s files")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sources")
    kind = models.CharField(max_length=8, choices=Kind)
    # a category without prefix, a file's title, a Q-ID, a search as typed, a wiki user's name
    value = models.CharField(max_length=255)
    depth = models.PositiveSmallIntegerField(default=0)  # levels of subcategories
    watched = models.BooleanField(default=False)  # read again by itself; new uploads join
    watch_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    found_at = models.DateTimeField(null=True, blank=True)  # when new uploads were last found
    found = models.PositiveIntegerField(default=0)  # how many of them, then
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "kind", "value"], name="one_source")
        ]

    def __str__(self) -> str:
        return plain(self.value)


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        REVIEWER = "reviewer", _("reviewer")
        MEMBER = "member", _("member")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        LEFT = "left", _("left")
        BANNED = "banned", _("banned")
        ASKED = "asked", _("asks to join")

    class Doubt(models.TextChoices):
        """What made the guard take somebody's answers out of training."""

        FAST = "fast", _("answered faster than one can look")
        ALL_YES = "all-yes", _("said Yes to nearly everything")
        CONTRADICTS = "contradicts", _("contradicts others and faces known already")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role, default=Role.MEMBER)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    joined_at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=200, blank=True)  # said when asking to join
    # Whether their answers make labels and teach the tool; the answers themselves always stay.
    counts = models.BooleanField(default=True)
    # Why the guard set their answers aside, until the owner has looked: see Doubt.
    doubt = models.CharField(max_length=12, choices=Doubt, blank=True, default="", db_default="")
    doubted_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)  # by the owner, who let them count

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_membership")]


class Invite(models.Model):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="invites")
    code = models.CharField(max_length=8, unique=True, default=new_invite_code)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    max_uses = models.PositiveSmallIntegerField(default=50)
    uses = models.PositiveSmallIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)


class Contribution(AppendOnly):
    """Append-only: what somebody did. Leaderboards read the tally beside it."""

    class Kind(models.TextChoices):
        ANSWER = "answer", _("answers")
        REVIEW = "review", _("reviews")
        EDIT = "edit", _("edits")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="contributions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contributions")
    kind = models.CharField(max_length=8, choices=Kind)
    amount = models.SmallIntegerField(default=1)  # an undo is a row of -1
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        base_manager_name = "objects"


class Tally(models.Model):
    """The counters of Contribution by day, rebuildable from it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tallies")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tallies")
    kind = models.CharField(max_length=8, choices=Contribution.Kind)
    day = models.DateField()
    amount = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "kind", "day"], name="one_tally")
        ]
        indexes = [models.Index(fields=["day", "kind"], name="tally_day")]


class Notification(models.Model):
    """Something on the site that somebody should hear of: few, and each kind can be muted."""

    class Kind(models.TextChoices):
        READY = "ready", _("work is ready for you")
        BATCH = "batch", _("a batch is done")
        REVERTED = "reverted", _("something of yours was reverted")
        UPLOADS = "uploads", _("new uploads were found")
        PEOPLE = "people", _("somebody asks to join, or your part in a project changed")
        OMITTED = "omitted", _("somebody leaves photos out of your project")
        OBJECTED = "objected", _("somebody objects, and a moderator should look")
        WANTED = "wanted", _("somebody asks for a person about whom a moderator decides")
        CONSUMER = "consumer", _("the wiki refuses this site’s registration")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    project = models.ForeignKey(  # null: about a person for whom there is none yet
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=8, choices=Kind)
    data = models.JSONField(default=dict, blank=True)  # what its sentence needs: counts, codes
    # who is told what of which project while it is unread: the same again adds to it, see
    # projects.notifications.services
    unread_key = models.CharField(max_length=64, null=True, unique=True, editable=False)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "at"], name="notification_user")]


class DenyEntry(models.Model):
    """A person, file or category that this tool leaves alone, or the files of an uploader or
    author."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        FILE = "file", _("file")
        CATEGORY = "category", _("category")
        UPLOADER = "uploader", _("all files of an uploader")
        AUTHOR = "author", _("all files by an author")

    wiki = models.CharField(max_length=16)
    kind = models.CharField(max_length=8, choices=Kind)
    value = models.CharField(max_length=255)  # as projects.privacy.denylist writes it
    page_id = models.PositiveBigIntegerField(null=True, blank=True)  # of a file: names change
    reason = models.CharField(max_length=255, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = _("deny entries")
        constraints = [
            models.UniqueConstraint(fields=["wiki", "kind", "value"], name="one_deny_entry")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {plain(self.value)}"


class Admission(models.Model):
    """A person for whom moderators decide whether there may be projects: a living minor, or
    somebody who is known for little. See projects.privacy.admissions."""

    class Cause(models.TextChoices):
        MINOR = "minor", _("is a living minor")
        LITTLE_KNOWN = "little-known", _("is known for little")

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for a moderator")
        ALLOWED = "allowed", _("allowed")
        REFUSED = "refused", _("refused")

    public_id = PublicIdField()
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="admission")
    cause = models.CharField(max_length=12, choices=Cause)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=500, blank=True)  # of whoever asks: why this person
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)  # of the moderator

    class Meta:
        indexes = [models.Index(fields=["state", "asked_at"], name="admission_state")]

    def __str__(self) -> str:
        return str(self.person)


class Objection(models.Model):
    """Somebody objects to a person, a file or several being worked on; tracked to its end."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        FILE = "file", _("file")
        CATEGORY = "category", _("category")
        UPLOADER = "uploader", _("all files of an uploader")
        AUTHOR = "author", _("all files by an author")
        OTHER = "other", _("something else")

    class State(models.TextChoices):
        OPEN = "open", _("received")
        IN_WORK = "in-work", _("being looked at")
        UPHELD = "upheld", _("followed")
        DECLINED = "declined", _("not followed")
        LIFTED = "lifted", _("followed, and taken off the list later")

    # Whoever knows it can see what became of the objection, and nothing else.
    code = models.CharField(max_length=32, unique=True, default=new_objection_code)
    wiki = models.CharField(max_length=16)
    kind = models.CharField(max_length=8, choices=Kind)
    value = models.CharField(max_length=255, blank=True)  # a Q-ID, a title, as the form read it
    page_id = models.PositiveBigIntegerField(null=True, blank=True)  # of a file: names change
    # of what it names, held when it came; null where it names a person or nothing
    photos = models.PositiveIntegerField(null=True, blank=True)
    message = models.BinaryField()  # sealed: it may say personal things
    contact = models.BinaryField(null=True)  # sealed; how to answer, if wanted
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    # Until then nothing of it is asked or sent, while it is open; null: it pauses nothing.
    pauses_until = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)  # what the objector reads
    handled_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "created_at"], name="objection_state")]

    def __str__(self) -> str:
        about: Any = plain(self.value) or _("named in its words")
        return f"{self.pk}: {self.get_kind_display()}, {about} ({self.get_state_display()})"

    @property
    def name(self) -> str:
        """How the audit log names it."""
        return f"objection:{self.pk}"


class AuditEvent(AppendOnly):
    """Append-only: who did what to what."""

    actor = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.SET_NULL, null=True, related_name="+")
    action = models.CharField(max_length=40)  # for example "project.created"
    target = models.CharField(max_length=80, blank=True)  # for example "claim:17"
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["project", "id"], name="audit_project")]


class Census(models.Model):
    """The numbers of a large project, counted now and then, so that no page counts its faces."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="census")
    counts = models.JSONField(default=dict)  # by part; see projects.live.census
    pulse = models.PositiveBigIntegerField(default=0)  # Project.pulse it was counted at
    counted_at = models.DateTimeField(default=timezone.now)
