"""What stands beside a face that is asked about: confirmed faces to compare it with, what is said
of this very face in other projects, and, for who asks, why it is asked and what the tool thinks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from classify.learning.copies import BITS
from classify.models import Label, Origin, Question, Verdict
from classify.review.galleries import Tile
from core.prepared_queries import prepared
from crawler.models import Region
from projects.models import Person, Project
from projects.privacy import denylist

ENOUGH = 6  # confirmed faces
LATEST = 60  # confirmed faces from which these are chosen where no question names the nearest
KEYS = 9  # faces of a photo, of which each has a number and a key


@dataclass(frozen=True)
class Named:
    """Somebody said in another, public project who this very face is."""

    project: Project
    person: Person  # whom it looks for
    is_same: bool  # the person who is asked about


@dataclass(frozen=True)
class Beside:
    """What stands beside faces: confirmed ones, the nearest first, and names by region id; and,
    where that was asked for, all faces of a picture, and those of them among which one may choose
    the person, see `_choice`."""

    confirmed: list[Tile]
    named: dict[int, list[Named]]
    boxes: list[Region] = field(default_factory=list)
    choice: list[Region] = field(default_factory=list)


WITH_WORDS: Any = ("word__photo__picture", "word__subject__person", "word__subject__project")


def beside(
    project: Project,
    nearest: Sequence[int],
    region_ids: Collection[int],
    picture_id: int | None = None,
) -> Beside:
    """For faces of one question or screen (`region_ids`), of which `nearest` has the region ids
    of confirmed faces: those that still are. Without these the latest, of different years.

    Names are what people say of these very regions in other projects that are public: nobody is
    looked for by their face. Where people differ nothing is confirmed, and persons that are left
    alone are not named. All of it is one query, the next question waits for it.
    """
    rows = _faces(project.subject.pk, sorted({*nearest, *region_ids}), picture_id)
    words = list({word.pk: word for word in map(_word_of, rows) if word}.values())
    by_region = {word.region_id: word for word in words if word.subject_id == project.subject.pk}
    confirmed = _tiles(by_region[region] for region in nearest if region in by_region)
    asked = [word for word in words if word.region_id in region_ids]
    shown = _different(confirmed if nearest else _latest(project))
    boxes = _boxes(rows, picture_id)
    return Beside(shown, _names(project, asked), boxes, _choice(boxes, region_ids))


@prepared
def _faces(subject: Any, region_ids: Any, picture_id: Any) -> QuerySet[Any]:
    """These, and those of the picture, each with whoever it is said to be in any project."""
    yes = Q(labels__verdict=Verdict.YES)
    answered = Label.objects.filter(subject=subject, region=OuterRef("pk"))
    faces = Region.objects.annotate(word=FilteredRelation("labels", condition=yes))
    faces = faces.annotate(is_answered=Exists(answered)).select_related(*WITH_WORDS)
    found = faces.filter(pk__in=region_ids)
    if picture_id is None:
        return found
    return found.union(faces.filter(picture=picture_id), all=True)  # each by its index


def _word_of(row: Any) -> Label | None:
    word: Label | None = row.__dict__.get("word")  # Django sets it only where there is one
    if word:
        word.region = row
    return word


def _latest(project: Project) -> list[Tile]:
    yes = Label.objects.filter(subject=project.subject, verdict=Verdict.YES)
    faces = yes.exclude(region__origin=Region.Origin.PHOTO).order_by("-id")[:LATEST]
    return _of_all_times(_tiles(faces.select_related("region", "photo")))


def _names(project: Project, words: Iterable[Label]) -> dict[int, list[Named]]:
    told = [
        word
        for word in words
        if word.subject_id != project.subject.pk
        and word.subject.project.visibility == Project.Visibility.PUBLIC
        and word.subject.person.wiki == project.person.wiki
        and word.origin != Origin.BOOTSTRAP
        and not word.disputed
    ]
    if not told:  # as nearly always
        return {}
    qids = [word.subject.person.qid for word in told]
    alone = set(denylist.denied_qids().filter(value__in=qids))
    found: dict[int, dict[int, Named]] = defaultdict(dict)
    for word in sorted(told, key=lambda word: word.pk):
        person = word.subject.person
        if person.qid not in alone:
            same = person.qid == project.person.qid
            found[word.region_id].setdefault(person.pk, Named(word.subject.project, person, same))
    return {region: list(names.values()) for region, names in found.items()}


def _boxes(rows: Iterable[Any], picture_id: int | None) -> list[Any]:
    boxes = {
        row.pk: row
        for row in rows
        if row.picture_id == picture_id
        and row.replaced_by_id is None
        and row.origin != Region.Origin.PHOTO
    }
    return [boxes[key] for key in sorted(boxes)]


def _choice(boxes: Iterable[Any], region_ids: Collection[int]) -> list[Region]:
    """The unanswered faces of a picture from left to right, where several are to be told apart at
    a glance: the asked one with a few others."""
    among = sorted((box for box in boxes if not box.is_answered), key=lambda box: (box.x, box.pk))
    is_asked = set(region_ids) <= {box.pk for box in among}
    return among if is_asked and 1 < len(among) <= KEYS else []


def why(kind: str, rank: float = 0) -> str:
    """Why the tool asks about a face, or about a screen of them."""
    match kind:
        case Question.Kind.THIRD:
            return _("Answered twice and differently, so asked a third time.")
        case _ if rank < 0:
            return _("An answer was taken back, so it is asked again.")
        case Question.Kind.ONE:
            return _("This one answer tells much, also about the faces like this one.")
        case Question.Kind.LIKELY:
            return _("Among the likeliest of the faces that nobody has answered.")
        case Question.Kind.OTHERS:
            return _("Hardly the person; a look makes sure that nobody is missed.")
        case Question.Kind.COMMON:
            return _("Seen often in these photos, and no face of the person is known yet.")
    return ""


def guess(chance: float | None) -> str:
    """What the model thinks of a face, in a sentence."""
    if chance is None:
        return _("It has no guess about this face.")
    said = {"percent": percent(chance)}
    if chance >= 0.5:
        return _("Probably the person: %(percent)s likely.") % said
    return _("Probably somebody else: %(percent)s likely to be the person.") % said


def percent(chance: float | None) -> str:
    """No finer than it is good for, and never certain."""
    if chance is None:
        return "?"
    return _("%(n)d%%") % {"n": min(max(round(100 * chance), 1), 99)}


def _tiles(labels: Iterable[Label]) -> list[Tile]:
    shown = (label for label in labels if not label.photo.is_paused)
    return [Tile(label.region, label.photo, label) for label in shown]


def are_alike(one: str, other: str) -> bool:
    """Whether these perceptual hashes, if there are two, are of copies of one picture."""
    return bool(one and other) and (int(one, 16) ^ int(other, 16)).bit_count() <= BITS


def _different(tiles: Iterable[Tile]) -> list[Tile]:
    """Of copies of one picture the first: the others have nothing more to compare with."""
    kept: list[Tile] = []
    for tile in tiles:
        if not any(are_alike(tile.region.phash, each.region.phash) for each in kept):
            kept.append(tile)
    return kept


def _of_all_times(tiles: list[Tile]) -> list[Tile]:
    """Some from the first to the last year, evenly; those without a year fill what is left."""
    dated = sorted((tile for tile in tiles if tile.photo.year), key=lambda tile: tile.photo.year)
    others = [tile for tile in tiles if not tile.photo.year]
    count = min(len(dated), ENOUGH)
    steps = [round(at * (len(dated) - 1) / max(count - 1, 1)) for at in range(count)]
    return [*(dated[step] for step in steps), *others][:ENOUGH]
