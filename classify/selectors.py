"""What pages and the sender read: counts, what was learned, what may be sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from classify import labels
from classify.models import Answer, Label, Learner, Origin, Score, Verdict
from classify.review.galleries import Tile, Which, likeliest_first, rows_of, tiles_of, unanswered
from crawler.models import Photo, ProjectPhoto, Region, not_paused
from crawler.selectors import photos_without_faces
from projects.live.census import part
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
    by_statement: int = 0  # of the confirmed those that nobody but a statement said

    @property
    def answered(self) -> int:
        return self.confirmed + self.rejected + self.cant_tell

    @property
    def by_people(self) -> int:
        return self.answered - self.by_statement

    @property
    def unanswered(self) -> int:
        return self.faces - self.answered


@dataclass(frozen=True)
class LearnerState:
    confirmed: int  # faces that count towards the minimum
    needed: int  # how many more it takes until there are matches
    matches: int
    faces: int
    left: int  # faces that nobody looked at, and that may bring a tag
    worth: int  # faces that are worth an answer, as long as any is asked about
    behind: bool  # something happened that it has not learned from yet
    computed_at: datetime | None

    @property
    def ready(self) -> bool:
        return self.needed == 0


def face_counts(project: Project) -> FaceCounts:
    return FaceCounts(**counted_faces(project))


@part("faces", lambda: asdict(FaceCounts(*[0] * 8)))
def counted_faces(project: Project) -> dict[str, int]:
    face = ~Q(region__origin=Region.Origin.PHOTO)
    said_no = Q(verdict__in=(Verdict.NO, Verdict.NOT_A_FACE))
    said = Label.objects.filter(subject=project.subject).aggregate(
        confirmed=Count("pk", filter=face & Q(verdict=Verdict.YES)),
        rejected=Count("pk", filter=face & said_no),
        cant_tell=Count("pk", filter=face & ~said_no & ~Q(verdict=Verdict.YES)),
        without_face=Count("pk", filter=~face & Q(verdict=Verdict.YES)),
        by_statement=Count("pk", filter=face & Q(origin=Origin.BOOTSTRAP)),
    )
    near = Q(unlikely=Score.FAR) | Q(unlikely__lt=_uncertain_below(project))
    thought = unanswered(project).aggregate(
        matches=Count("pk", filter=Q(is_match=True)),
        uncertain=Count("pk", filter=Q(is_match=False) & near),
        others=Count("pk", filter=Q(is_match=False) & ~near),
    )
    answered = said["confirmed"] + said["rejected"] + said["cant_tell"]
    return {"faces": answered + sum(thought.values()), **said, **thought}


def wordless(project: Project) -> QuerySet[Photo]:
    """Select photos in which no face was found, that nobody answered and no objection pauses."""
    unanswered = photos_without_faces(project).exclude(labels__subject=project.subject)
    return unanswered.filter(not_paused(""))


@part("wordless", int)
def wordless_count(project: Project) -> int:
    return wordless(project).count()


def has_at_least_faces(project: Project, number: int) -> bool:
    """Return whether a project had so many faces when it was last learned."""
    if "learner" in project._state.fields_cache:
        row: Any = project._state.fields_cache["learner"]
        return row is not None and row.faces >= number
    return Learner.objects.filter(project=project, faces__gte=number).exists()


def learner(project: Project) -> LearnerState:
    """As of now; of a project that was found for a page, as of then."""
    if "learner" in project._state.fields_cache:
        row, revision = project._state.fields_cache["learner"], project.revision
    else:
        row = Learner.objects.filter(project=project).first()
        revision = Project.objects.values_list("revision", flat=True).get(pk=project.pk)
    row = row or Learner(project=project)
    return LearnerState(
        confirmed=row.confirmed,
        needed=_needed(project, row.confirmed),
        matches=row.matches,
        faces=row.faces,
        left=row.left,
        worth=round(row.worth),
        behind=row.revision != revision,
        computed_at=row.computed_at,
    )


def still_needed(project: Project) -> int:
    """How many confirmed faces are lacking until there are matches, by the answers of now.

    The learner counts the same, as of the last time that it ran. No more are looked at than are
    needed.
    """
    yes = Label.objects.filter(subject=project.subject, verdict=Verdict.YES)
    faces = yes.exclude(region__origin=Region.Origin.PHOTO)
    if project.rule == Project.Rule.EXEMPLARS:
        return _needed(project, int(faces.exists()))
    if not project.bootstrap_counts:
        faces = faces.exclude(origin=Origin.BOOTSTRAP)
    return _needed(project, faces[: project.min_confirmed].count())


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


def eligible(project: Project) -> QuerySet[Label]:
    """All yes that may be sent: said by people, on what a live photo of the project shows now."""
    mine = ProjectPhoto.objects.filter(project=project, photo=OuterRef("photo"))
    return Label.objects.filter(
        Exists(mine),
        subject=project.subject,
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


def named_by_hand(project: Project, yes: Iterable[Label]) -> set[int]:
    """Keys of those of these labels in which face recognition had no part: a person drew the box,
    named the photo as a whole, or drew over the face before anybody was asked about it. Wherever
    the tool showed the face and a person said Yes, it had one."""
    rows = list(yes)
    found = [row.region_id for row in rows if row.region.origin == Region.Origin.DETECTOR]
    given = labels.standing(project).filter(region__in=found, verdict=Verdict.YES)
    first: dict[int, str] = {}
    for region, origin in given.order_by("pk").values_list("region", "origin"):
        if origin != Origin.BOOTSTRAP:
            first.setdefault(region, origin)
    return {
        row.pk
        for row in rows
        if row.region.origin != Region.Origin.DETECTOR or first.get(row.region_id) == Origin.DRAWN
    }


def history(project: Project, user: User, limit: int = 20) -> list[Answer]:
    """The user's answers that undo would take back, the next one first."""
    own = labels.standing(project).filter(user=user).select_related("region", "photo")
    return list(own.order_by("-id")[:limit])


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


def of_portraits() -> Exists:
    """Of rows with a subject and a photo those in the person's portrait."""
    held = {"project": OuterRef("subject__project"), "photo": OuterRef("photo")}
    return Exists(ProjectPhoto.objects.filter(**held, is_portrait=True))


def typical(project: Project) -> Tile | None:
    """A face that is the person if any is, to be shown beside the portrait, so not one in it: said
    to be by people, else the nearest by its score."""
    yes = rows_of(project, Which.CONFIRMED).exclude(origin=Origin.BOOTSTRAP)
    yes = yes.exclude(of_portraits())
    scored = Score.objects.filter(subject=project.subject).exclude(unlikely=Score.FAR)
    scored = scored.exclude(of_portraits())
    # those that were answered, by their scores, in whose order they lie
    confirmed = scored.filter(Exists(yes.filter(region=OuterRef("region"))), is_match=False)
    return _best(project, confirmed) or _best(project, yes) or _best(project, scored)


def _best(project: Project, rows: QuerySet[Any]) -> Tile | None:
    live = Photo.objects.filter(not_paused(""), pk=OuterRef("photo"), state=Photo.State.LIVE)
    best = likeliest_first(rows.filter(Exists(live))).values_list("key", "pk").first()
    if best is None:
        return None
    whole = rows.model._default_manager.select_related("region", "photo__picture")
    row = whole.get(pk=best[1])
    row.key = best[0]
    return next(iter(tiles_of(project, [row])), None)


def _size(region: Region) -> tuple[bool, float]:
    return (region.origin != Region.Origin.PHOTO, region.w * region.h)
