"""What is looked at (Picture), where it stands (Photo), and the places in it (Region)."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from core.models import PublicIdField
from core.text import plain
from core.work import WorkQuerySet, WorkRow
from crawler.engines.base import TRUSTED
from projects.creation.source_lookup import refused_search
from projects.models import Project, Source, User


class EngineVersionQuerySet(models.QuerySet["EngineVersion"]):
    def update(self, **values: Any) -> int:
        """Update rows. Raises ValueError for a field that never changes."""
        if fixed := sorted(EngineVersion.IMMUTABLE.intersection(values)):
            raise ValueError(f"{', '.join(fixed)} of an engine version never changes")
        return super().update(**values)


class EngineVersion(models.Model):
    """One version of a detector, which finds faces, or of an embedder, which makes vectors.

    Vectors of one version can be compared with each other only, so what they depend on never
    changes: other weights are another version. See `crawler.registry.versions`.
    """

    class Part(models.TextChoices):
        DETECTOR = "detector", _("detector")
        EMBEDDER = "embedder", _("embedder")

    class State(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        RETIRED = "retired", _("retired")

    IMMUTABLE = frozenset({"name", "part", "weights", "dimension", "metric", "match"})

    name = models.CharField(max_length=64, unique=True)
    part = models.CharField(max_length=8, choices=Part)
    weights = models.JSONField()  # file name -> sha256, 64 hex digits
    # How vectors look and are compared; 0 and "" for a detector.
    dimension = models.PositiveSmallIntegerField(default=0)
    metric = models.CharField(max_length=16, blank=True)  # "cosine" or "euclidean"
    match = models.FloatField(default=0)  # in this metric: what its makers call the same person
    licence_code = models.CharField(max_length=100)
    licence_weights = models.CharField(max_length=100)
    prior = models.JSONField(default=dict, blank=True)  # see `classify.learning.Prior.of`
    state = models.CharField(max_length=8, choices=State, default=State.ACCEPTED)
    created_at = models.DateTimeField(default=timezone.now)

    objects = EngineVersionQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def save(self, **kwargs: Any) -> None:
        """Save the row. Raises ValueError where a field changed that never does."""
        if self.pk and (fixed := self._changed_fields()):
            raise ValueError(f"{', '.join(fixed)} of {self} never changes")
        super().save(**kwargs)

    def _changed_fields(self) -> list[str]:
        names = sorted(self.IMMUTABLE)
        saved = EngineVersion.objects.filter(pk=self.pk).values(*names).first()
        return [name for name in names if saved and saved[name] != getattr(self, name)]


class CrawlStep(WorkRow):
    """One listing to read to its end: a category of a source, a file, a search.

    A category found twice, or in a cycle, is one step. `cursor` holds MediaWiki's whole
    `continue` object after the last page that was committed with its photos. The step without
    a title looks after the photos that a re-crawl did not see again.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="steps")
    title = models.CharField(max_length=255)  # a category without prefix, or the source's value
    depth = models.PositiveSmallIntegerField(default=0)  # levels still to go below
    cursor = models.JSONField(default=dict, blank=True)
    files = models.PositiveIntegerField(default=0)  # pictures seen so far in this round
    others = models.PositiveIntegerField(default=0)  # files that are no bitmap pictures
    round = models.PositiveIntegerField(default=1)  # a re-crawl starts the next one
    served_at = models.DateTimeField(null=True, blank=True)  # when last taken: turns are fair

    STEP = "crawl"
    max_tries = 8
    objects = WorkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "title"], name="one_step")]
        indexes = [models.Index(fields=["state", "due_at"], name="step_due")]

    @property
    def reason(self) -> str:
        """Why it could not be read, for people; nothing where it could."""
        if self.error in ("invalidtitle", "invalidcategory"):
            return _text("The wiki knows no such title")
        if self.error == "nosuchuser":
            return _text("The wiki has no such user")
        if refused_search(self.error):
            return _text("The wiki does not understand this search")
        if self.error in ("maxlag", "ratelimited", "readonly"):
            return _text("The wiki was busy for too long")
        if self.error in ("network", "not-json") or self.error.startswith("http-"):
            return _text("The wiki did not answer")
        if self.error == "unreadable":
            return _text("The wiki’s answer made no sense")
        if self.error == "crashed":
            return _text("Reading it went wrong")
        if self.error == "denied":
            return _text("Left alone on request")
        return _text("The wiki refused: %(code)s") % {"code": self.error} if self.error else ""


class Picture(WorkRow):
    """Pixels, looked at once whatever the number of photos and projects that show them."""

    class Error(models.TextChoices):
        BROKEN = "broken", _("Damaged file: it can't be decoded")
        NOT_A_PICTURE = "not-a-picture", _("Not a picture")
        TOO_LARGE = "too-large", _("Too many pixels")
        TOO_MANY_BYTES = "too-many-bytes", _("The file is too large to download")
        NO_THUMBNAIL = "no-thumbnail", _("The wiki can't make a thumbnail of it")
        GONE = "gone", _("The file is gone from the wiki")
        NETWORK = "network", _("The download ended early")
        MEMORY = "memory", _("Looking at it took too much memory")
        CRASHED = "crashed", _("Looking at it took too long or stopped the worker")
        FORBIDDEN_HOST = "forbidden-host", _("Its address is not one we may fetch from")
        OVERWRITTEN = "overwritten", _("Another picture was uploaded under its name since")

    sha1 = models.CharField(max_length=40, unique=True)
    width = models.PositiveIntegerField()  # of the upright original, pixels
    height = models.PositiveIntegerField()
    mime = models.CharField(max_length=64)
    detector = models.ForeignKey(  # of the engine that looked at it first
        EngineVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"part": EngineVersion.Part.DETECTOR},
    )
    engine = models.ForeignKey(  # the embedder of that engine
        EngineVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    faces = models.PositiveSmallIntegerField(null=True)  # found by the detector
    looked_at = models.DateTimeField(null=True, blank=True)
    # The project whose turn it is being looked at in; its pictures in flight are counted by it.
    held_for = models.ForeignKey(
        Project, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    STEP = "detect"
    objects = WorkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "due_at"], name="picture_due")]

    def __str__(self) -> str:
        return self.sha1

    @property
    def reason(self) -> str:
        """Why it was set aside, for people; nothing where it wasn't."""
        known = dict(self.Error.choices)
        return str(known.get(self.error, self.error))


class Photo(models.Model):
    """A file page of a wiki, which shows a picture now. The page id is its identity."""

    class State(models.TextChoices):
        LIVE = "live", _("live")
        WITHDRAWN = "withdrawn", _("withdrawn from the wiki")
        DENIED = "denied", _("left alone on request")  # see crawler.denylist

    public_id = PublicIdField()
    wiki = models.CharField(max_length=16)
    page_id = models.PositiveBigIntegerField()
    title = models.CharField(max_length=255)  # "File:…", with spaces
    picture = models.ForeignKey(Picture, on_delete=models.PROTECT, related_name="photos")
    state = models.CharField(max_length=10, choices=State, default=State.LIVE)
    # At the step we detect on, without the origin that pictures come from (the sandbox's may
    # change). As the wiki gave it otherwise: a long name is in it twice, percent-encoded.
    thumb_path = models.CharField(max_length=2000, blank=True)
    uploader = models.CharField(max_length=255, blank=True)
    uploaded_at = models.DateTimeField(null=True, blank=True)
    author = models.CharField(max_length=255, blank=True)  # plain text, HTML taken out
    licence = models.CharField(max_length=100, blank=True)
    taken_from = models.DateField(null=True, blank=True)
    taken_to = models.DateField(null=True, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)
    # Somebody objected to it: nothing is asked or sent until then, see crawler.photo_pauses.
    paused_until = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wiki", "page_id"], name="one_photo")]
        indexes = [models.Index(fields=["uploader", "wiki"], name="photo_uploader")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_paused(self) -> bool:
        """Whether somebody objects to it now; the person may be paused besides."""
        return self.paused_until is not None and self.paused_until > timezone.now()

    @property
    def name(self) -> str:
        return plain(self.title.removeprefix("File:"))

    @property
    def mid(self) -> str:
        return f"M{self.page_id}"

    @property
    def page_url(self) -> str:
        return settings.WIKI.page_url(self.title)

    @property
    def thumb_url(self) -> str:
        """The address of the thumbnail we detect on; nothing where the wiki gave none."""
        origin = settings.WIKI.image_hosts[0] if self.thumb_path.startswith("/") else ""
        return f"{origin}{self.thumb_path}"

    def thumb(self, width: int) -> str:
        """The address of a thumbnail at one of the real steps; `thumb_url` is the one at 960."""
        return settings.WIKI.file_path(self.title, width)

    @property
    def year(self) -> str:
        """“1921”, “1920–1923” or nothing: when it was taken."""
        if not self.taken_from:
            return ""
        first, last = self.taken_from.year, (self.taken_to or self.taken_from).year
        return str(first) if first == last else f"{first}–{last}"


def not_paused(photo: str = "photo", now: Any = None) -> models.Q:
    """Of rows with a photo at this path those to which nobody objects now."""
    until = f"{photo}__paused_until" if photo else "paused_until"
    return models.Q(**{until: None}) | models.Q(**{f"{until}__lte": now or timezone.now()})


class ProjectPhotoQuerySet(models.QuerySet["ProjectPhoto"]):
    def live(self) -> Self:
        """Those whose page is on the wiki and that people did not leave out."""
        return self.filter(photo__state=Photo.State.LIVE, left_out=False)


class ProjectPhoto(models.Model):
    """A photo that belongs to a project, and what that project must know of it."""

    LEAVING = 0  # its source was taken away, and no other one has brought it again so far

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="project_photos")
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="project_photos")
    source = models.ForeignKey(
        Source, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    is_portrait = models.BooleanField(default=False)
    # The file already had this person's depicts when last read; nothing is added to it then.
    already_depicts = models.BooleanField(default=False)
    # Nobody needs to look at it in this project: see crawler.omissions.
    left_out = models.BooleanField(default=False)
    left_out_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    left_out_at = models.DateTimeField(null=True, blank=True)
    round = models.PositiveIntegerField(default=1)  # of the step that last saw it, or LEAVING
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProjectPhotoQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "photo"], name="one_photo_a_project")
        ]
        indexes = [models.Index(fields=["project", "left_out", "photo"], name="photo_left_out")]


class Region(models.Model):
    """A place in a picture that may hold a face; boxes are 0–1 of the upright picture."""

    class Origin(models.TextChoices):
        DETECTOR = "detector", _("found by the detector")
        PERSON = "person", _("drawn by a person")
        PHOTO = "photo", _("the photo as a whole, no usable face")

    public_id = PublicIdField()
    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="regions")
    origin = models.CharField(max_length=8, choices=Origin)
    x = models.FloatField()  # left edge
    y = models.FloatField()  # top edge
    w = models.FloatField()
    h = models.FloatField()
    score = models.FloatField(null=True, blank=True)  # the detector's
    face_px = models.PositiveIntegerField(default=0)  # height of the box in the looked-at picture
    # 0–1 by size, sharpness and turn; null where nobody measured it
    quality = models.FloatField(null=True, blank=True)
    # Perceptual hash of the face, 32 hex digits: alike for crops and re-uploads of a photo
    phash = models.CharField(max_length=32, blank=True)
    # The version that placed the landmarks, also in a box that a person drew.
    detector = models.ForeignKey(
        EngineVersion,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"part": EngineVersion.Part.DETECTOR},
    )
    # Points [x, y], 0–1 of the upright picture, so that any later embedder that aligns by this
    # detector's needs to detect nothing again. They go with the vectors.
    landmarks = models.JSONField(null=True, blank=True)
    drawn_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # A box that a person redrew points to the one that stands instead.
    replaced_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="replaces"
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["picture", "id"], name="region_picture")]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height, each 0–1 of the upright picture."""
        return (self.x, self.y, self.w, self.h)

    @property
    def trusted(self) -> bool:
        """Is it large, sharp and frontal enough that its vector says who it is? Otherwise people
        are asked, and nothing is guessed."""
        return self.quality is None or self.quality >= TRUSTED


class EmbedJob(WorkRow):
    """A region drawn by a person that still wants its crop and vector."""

    region = models.OneToOneField(Region, on_delete=models.CASCADE, related_name="embed_job")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    # By a person who gave it up: see crawler.omissions.
    released_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)

    STEP = "embed"
    objects = WorkQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "due_at"], name="embed_due")]


class Embedding(models.Model):
    """The sealed vector of a region by one engine version. Vectors stand apart from regions."""

    region = models.ForeignKey(Region, on_delete=models.CASCADE, related_name="embeddings")
    engine = models.ForeignKey(EngineVersion, on_delete=models.PROTECT, related_name="+")
    vector = (
        models.BinaryField()
    )  # float32, little-endian, sealed: see crawler.detection.embeddings
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "engine"], name="one_embedding")]


class ProjectEngine(models.Model):
    """Whose vectors serve a project. A project without a row has the deployment's engine."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="engine_row")
    # The embedder whose vectors are compared.
    serving = models.ForeignKey(EngineVersion, on_delete=models.PROTECT, related_name="+")
    # By an operator; without one the deployment's.
    chosen = models.ForeignKey(
        EngineVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    checked = models.BigIntegerField(default=-1)  # Project.revision at which no vector lacked
    changed_at = models.DateTimeField(default=timezone.now)


class EngineLook(WorkRow):
    """A picture looked at by one engine more than the first that did (`Picture.engine`)."""

    picture = models.ForeignKey(Picture, on_delete=models.CASCADE, related_name="looks")
    engine = models.ForeignKey(EngineVersion, on_delete=models.PROTECT, related_name="+")
    # whose turn it is in: those of the newest projects come first
    project = models.ForeignKey(
        Project, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    STEP = "look"
    objects = WorkQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["picture", "engine"], name="one_look")]
        indexes = [models.Index(fields=["state", "due_at"], name="look_due")]
