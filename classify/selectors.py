"""What pages and the sender read: counts, galleries, what was learned, what may be sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import (
    Count,
    Exists,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from classify import labels
from classify.models import Answer, Label, Learner, Origin, Question, Score, Verdict
from crawler.models import Photo, ProjectPhoto, Region
from projects import denials
from projects.models import Project, User


@dataclass(frozen=True)
class FaceCounts:
    """Faces of a project by what is known of them; whole-photo labels are not faces."""

    faces: int  # all that were found or drawn
    confirmed: int  # yes, by people or by a statement that existed
    rejected: int  # somebody else, or not a face
    cant_tell: int  # can't tell, background, artwork
    matches: int  # likely the person, not answered: to be reviewed
    uncertain: int  # not a match, yet not far from one
    others: int  # probably somebody else
    without_face: int  # photos said to show the person with no usable face

    @property
    def answered(self) -> int:
        return self.confirmed + self.rejected + self.cant_tell

    @property
    def unanswered(self) -> int:
        return self.faces - self.answered


@dataclass(frozen=True)
class LearnerState:
    confirmed: int  # faces that count towards the minimum
    needed: int  # how many more it takes until there are matches
    matches: int
    faces: int
    worth: int  # about how many answers are still worth giving, by the model's opinion
    left: int  # faces that nobody looked at, and that may bring a tag
    behind: bool  # something happened that it has not learned from yet
    computed_at: datetime | None

    @property
    def ready(self) -> bool:
        return self.needed == 0


class Which(models.TextChoices):
    """The filters of the gallery."""

    MATCHES = "matches", _("To review")
    CONFIRMED = "confirmed", _("Confirmed")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    DISPUTED = "disputed", _("Answers differ")
    DOUBTED = "doubted", _("Doubted")
    ON_COMMONS = "on-commons", _("On Commons")
    OTHERS = "others", _("Others")


class Order(models.TextChoices):
    BEST = "best", _("Most likely first")
    WORST = "worst", _("Least likely first")
    NEWEST = "newest", _("Newest first")


Cursor = tuple[float, int]


@dataclass(frozen=True)
class Tile:
    """One face in a gallery; `label` or `score` or both."""

    region: Region
    photo: Photo
    label: Label | None = None
    score: Score | None = None


@dataclass(frozen=True)
class GalleryPage:
    tiles: list[Tile]
    after: Cursor | None  # pass it back for the next page; None at the end


def face_counts(project: Project) -> FaceCounts:
    face = ~Q(region__origin=Region.Origin.PHOTO)
    said_no = Q(verdict__in=(Verdict.NO, Verdict.NOT_A_FACE))
    said = Label.objects.filter(project=project).aggregate(
        confirmed=Count("pk", filter=face & Q(verdict=Verdict.YES)),
        rejected=Count("pk", filter=face & said_no),
        cant_tell=Count("pk", filter=face & ~said_no & ~Q(verdict=Verdict.YES)),
        without_face=Count("pk", filter=~face & Q(verdict=Verdict.YES)),
    )
    near = Q(unlikely=Score.FAR) | Q(unlikely__lt=_uncertain_below(project))
    thought = _unanswered(project).aggregate(
        matches=Count("pk", filter=Q(is_match=True)),
        uncertain=Count("pk", filter=Q(is_match=False) & near),
        others=Count("pk", filter=Q(is_match=False) & ~near),
    )
    answered = said["confirmed"] + said["rejected"] + said["cant_tell"]
    return FaceCounts(faces=answered + sum(thought.values()), **said, **thought)


def learner(project: Project) -> LearnerState:
    row = Learner.objects.filter(project=project).first() or Learner(project=project)
    revision = Project.objects.values_list("revision", flat=True).get(pk=project.pk)
    return LearnerState(
        confirmed=row.confirmed,
        needed=_needed(project, row.confirmed),
        matches=row.matches,
        faces=row.faces,
        worth=round(row.worth),
        left=row.left,
        behind=row.revision != revision,
        computed_at=row.computed_at,
    )


def still_needed(project: Project) -> int:
    """How many confirmed faces are lacking until there are matches, by the answers of now.

    The learner counts the same, as of the last time that it ran.
    """
    yes = Label.objects.filter(project=project, verdict=Verdict.YES)
    faces = yes.exclude(region__origin=Region.Origin.PHOTO)
    if project.rule == Project.Rule.CENTROID and not project.bootstrap_counts:
        faces = faces.exclude(origin=Origin.BOOTSTRAP)
    return _needed(project, faces.count())


def _needed(project: Project, confirmed: int) -> int:
    """By exemplars a single one is enough, or the person's portrait."""
    if project.rule == Project.Rule.CENTROID:
        return max(0, project.min_confirmed - confirmed)
    return 0 if confirmed or portrait(project) else 1


def match_below(project: Project) -> float:
    """What Score.unlikely is below where a face is taken for the person."""
    return project.threshold if project.rule == Project.Rule.CENTROID else 0.5


def _uncertain_below(project: Project) -> float:
    """And where it may still be."""
    return project.threshold + Score.UNCERTAIN if project.rule == Project.Rule.CENTROID else 0.8


def gallery(
    project: Project,
    which: str = Which.MATCHES,
    order: str = Order.BEST,
    after: Cursor | None = None,
    limit: int = 60,
) -> GalleryPage:
    """A page of faces, keyset-paged: `after` is the `after` of the page before.

    Raises ValueError for an unknown filter or order.
    """
    rows = _ordered(_rows(project, Which(which)), Order(order), by_doubt=which == Which.DOUBTED)
    descending = order != Order.BEST
    if after is not None:
        key, pk = after
        beyond = "lt" if descending else "gt"
        rows = rows.filter(Q(**{f"key__{beyond}": key}) | Q(key=key, **{f"pk__{beyond}": pk}))
    found = list(rows.select_related("region", "photo__picture")[: limit + 1])
    page = found[:limit]
    last = page[-1] if len(found) > limit else None
    return GalleryPage(_tiles(project, page), (last.key, last.pk) if last else None)


def gallery_counts(project: Project) -> dict[str, int]:
    """How many faces each filter of the gallery shows, by its value."""
    return {which.value: _rows(project, which).count() for which in Which}


def eligible(project: Project) -> QuerySet[Label]:
    """All yes that may be sent: said by people, on what a live photo of the project shows now."""
    mine = ProjectPhoto.objects.filter(project=project, photo=OuterRef("photo"))
    return Label.objects.filter(
        Exists(mine),
        project=project,
        verdict=Verdict.YES,
        photo__state=Photo.State.LIVE,
        region__picture=F("photo__picture"),
    ).exclude(origin=Origin.BOOTSTRAP)  # a person must have seen what is sent


def eligible_labels(project: Project) -> list[Label]:
    """What may be sent: one of the eligible labels a photo, see `best_of`.

    Photos that already depict the person are among them; the sender skips these when it reads
    them fresh.
    """
    return best_of(eligible(project).select_related("photo__picture", "region", "user", "answer"))


def best_of(labels: Iterable[Label]) -> list[Label]:
    """One label a photo: of several faces the largest; a face goes before the photo as a whole
    (whose region has `origin` PHOTO: it has no box)."""
    best: dict[int, Label] = {}
    for label in labels:
        rival = best.get(label.photo_id)
        if rival is None or _size(label.region) > _size(rival.region):
            best[label.photo_id] = label
    return sorted(best.values(), key=lambda label: label.photo_id)


def history(project: Project, user: User, limit: int = 20) -> list[Answer]:
    """The user's answers that undo would take back, the next one first."""
    own = labels.standing(project).filter(user=user).select_related("region", "photo")
    return list(own.order_by("-id")[:limit])


def nearest_confirmed(question: Question) -> list[Tile]:
    """The confirmed faces most like the one in question, nearest first."""
    found = Label.objects.filter(
        project=question.project_id, region__in=question.nearest, verdict=Verdict.YES
    ).select_related("region", "photo__picture")
    by_region = {label.region_id: Tile(label.region, label.photo, label) for label in found}
    return [by_region[region] for region in question.nearest if region in by_region]


def portrait(project: Project) -> Tile | None:
    """The largest face of the person's portrait, if it was found."""
    shown = ProjectPhoto.objects.filter(project=project, is_portrait=True).select_related(
        "photo__picture"
    )
    if (held := shown.first()) is None:
        return None
    faces = Region.objects.filter(picture=held.photo.picture_id, replaced_by=None)
    faces = faces.exclude(origin=Region.Origin.PHOTO)
    largest = max(faces, key=lambda region: region.w * region.h, default=None)
    return Tile(largest, held.photo) if largest else None


def typical(project: Project) -> Tile | None:
    """A face that is the person if any is: said to be by people, else in the portrait, else the
    nearest by its score."""
    yes = _rows(project, Which.CONFIRMED).exclude(origin=Origin.BOOTSTRAP)
    scored = Score.objects.filter(project=project).exclude(unlikely=Score.FAR)
    return _best(project, yes) or portrait(project) or _best(project, scored)


def _best(project: Project, rows: QuerySet[Any]) -> Tile | None:
    live = rows.filter(photo__state=Photo.State.LIVE)
    best = _ordered(live, Order.BEST).select_related("region", "photo__picture")[:1]
    return next(iter(_tiles(project, list(best))), None)


def _size(region: Region) -> tuple[bool, float]:
    return (region.origin != Region.Origin.PHOTO, region.w * region.h)


def _unanswered(project: Project) -> QuerySet[Score]:
    said = Label.objects.filter(project=project, region=OuterRef("region"))
    return _left_in_peace(Score.objects.filter(~Exists(said), project=project))


def _left_in_peace(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Without faces in files, and of persons, that are left alone."""
    listed = denials.denied_qids()
    return rows.exclude(photo__state=Photo.State.DENIED).exclude(project__person__qid__in=listed)


def _rows(project: Project, which: Which) -> QuerySet[Any]:
    said = _left_in_peace(Label.objects.filter(project=project))
    said = said.exclude(region__origin=Region.Origin.PHOTO)
    yes = said.filter(verdict=Verdict.YES)
    depicting = ProjectPhoto.objects.filter(
        project=project, photo=OuterRef("photo"), already_depicts=True
    )
    match which:
        case Which.MATCHES:
            return _unanswered(project).filter(is_match=True)
        case Which.OTHERS:
            return _unanswered(project).filter(is_match=False)
        case Which.CONFIRMED:
            return yes
        case Which.APPROVED:
            return yes.filter(origin=Origin.REVIEW)
        case Which.REJECTED:
            return said.exclude(verdict=Verdict.YES)
        case Which.DISPUTED:
            return said.filter(disputed=True)
        case Which.DOUBTED:
            return _doubted(project, said)
        case Which.ON_COMMONS:
            return yes.filter(Exists(depicting))


def _doubted(project: Project, said: QuerySet[Label]) -> QuerySet[Label]:
    """Answers that the other faces contradict; a word that was said twice stays and is not."""
    score = Score.objects.filter(project=project, region=OuterRef("region"))
    same = labels.standing(project).filter(region=OuterRef("region"), verdict=OuterRef("verdict"))
    same = same.exclude(origin=Origin.BOOTSTRAP).order_by()
    times = same.values("region").annotate(times=Count("pk")).values("times")
    doubted = said.filter(Exists(score.filter(doubt__isnull=False)))
    return doubted.annotate(times=Subquery(times)).filter(times=1)


def _ordered(rows: QuerySet[Any], order: Order, by_doubt: bool = False) -> QuerySet[Any]:
    """By how unlikely they are, or by how much is against what was said, the worst first."""
    key: Any
    if order is Order.NEWEST:
        key = Value(0.0)
    elif by_doubt:
        scored = Score.objects.filter(project=OuterRef("project"), region=OuterRef("region"))
        key = Coalesce(-Subquery(scored.values("doubt")[:1], FloatField()), Value(0.0))
    elif rows.model is Score:
        key = F("unlikely")
    else:
        scored = Score.objects.filter(project=OuterRef("project"), region=OuterRef("region"))
        key = Coalesce(Subquery(scored.values("unlikely")[:1]), Value(Score.FAR))
    keyed: QuerySet[Any] = rows.annotate(key=key)
    return keyed.order_by("key", "pk") if order is Order.BEST else keyed.order_by("-key", "-pk")


def _tiles(project: Project, rows: Sequence[Any]) -> list[Tile]:
    if rows and isinstance(rows[0], Score):
        return [Tile(row.region, row.photo, score=row) for row in rows]
    scores = Score.objects.filter(project=project, region__in=[row.region_id for row in rows])
    by_region = {score.region_id: score for score in scores}
    return [Tile(row.region, row.photo, row, by_region.get(row.region_id)) for row in rows]
