"""Looking again: faces drawn by chance and looked at, so that something can be said for certain.

The `infer` worker draws a round when nothing more is worth asking: of what is approved (the least
likely Yes, some at random, and a few that are surely No), and of what nobody looked at. What was
said of a look is read from the answers that stand since its round was drawn, on whatever page
they were given; so it may be made anew at any time (`settle`). `certainty` says what follows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import numpy as np
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from classify import learning, selectors
from classify.asking import queue as asking_queue
from classify.asking.screens import Face, Screen
from classify.labels import counting, is_counted, said_by, upsert
from classify.learning.choose_screen import SCREEN_SIZE
from classify.learning.distances import Ints, Mask
from classify.models import Answer, Label, Look, Origin, Question, Round, Verdict
from classify.review import galleries
from core.transactions import atomic
from crawler.models import ProjectPhoto, Region, not_paused
from projects.models import Project, User
from projects.privacy import denylist, pauses

SAMPLE = 60  # of what is left: three screens
NEARBY = 5  # confirmed faces shown for comparison
CAME = 0.05  # faces that came, as a share of what was left: then what is left is drawn anew
MANY = 40  # other faces answered since then: the same
FIRST = -1e12  # rank of a third look: before what an undo put back

About, Why = Round.About, Look.Why
Drawn = tuple[int, int, str, str]  # region, photo, why, the word before


class Faces(Protocol):
    """The rows of a model, see classify.learner.project_arrays."""

    @property
    def region_ids(self) -> Ints: ...
    @property
    def photo_ids(self) -> Ints: ...


@dataclass(frozen=True)
class Draft:
    """A round that was drawn and is not open yet; see Round."""

    about: str
    frame: int
    faces: int
    looks: Sequence[Drawn]  # in the order of their ranks


@dataclass(frozen=True)
class Wanted:
    """Looks that nobody has given yet, and that no objection pauses."""

    approved: int
    left: int

    @property
    def faces(self) -> int:
        return self.approved + self.left

    @property
    def screens(self) -> int:
        return ceil(self.approved / SCREEN_SIZE) + ceil(self.left / SCREEN_SIZE)


def wanted(project: Project) -> Wanted:
    if not _open_rounds(project):
        return Wanted(0, 0)
    open_ = _unsaid(project).filter(not_paused()).order_by()
    rows = open_.values("round__about").annotate(n=Count("pk"))
    counts = dict(rows.values_list("round__about", "n"))
    return Wanted(counts.get(About.APPROVED, 0), counts.get(About.LEFT, 0))


def wanted_by(projects: Iterable[Project]) -> dict[int, int]:
    """Count the looks of `wanted` by the key of the project, in two queries."""
    open_ = _pending(projects).filter(not_paused(), said="").order_by()
    rows = open_.values("subject__project").annotate(n=Count("pk"))
    return dict(rows.values_list("subject__project", "n"))


def draft(
    project: Project, faces: Faces, model: learning.Model, open_: Mask, rng: np.random.Generator
) -> list[Draft]:
    """Draw what is to be looked at, where no round is open and there is something new.

    `model` and `open_` bool[n] are of the n rows of `faces`; open are faces that may be asked.
    Of thousands it takes a while, so nothing is held meanwhile: see `begin`.
    """
    opened = _open_rounds(project)
    drafts = []
    if About.APPROVED not in opened:
        drafts.append(_draft_approved(project, faces, model, rng))
    if About.LEFT not in opened:
        drafts.append(_draft_left(project, faces, open_ & ~model.answered, rng))
    return [each for each in drafts if each is not None]


def begin(project: Project, drafts: Iterable[Draft]) -> None:
    """Open these rounds. Call inside a transaction that holds the project, when nobody has said
    a word since they were drafted."""
    opened = _open_rounds(project)
    last = Answer.objects.filter(subject=project.subject).aggregate(last=Max("pk"))["last"]
    for each in drafts:
        if each.about not in opened:
            round_ = Round.objects.create(
                subject=project.subject,
                about=each.about,
                frame=each.frame,
                faces=each.faces,
                revision=project.revision,
                after=last or 0,
            )
            _write(round_, each.looks)


@atomic
def draw_rest(project: Project, rng: np.random.Generator) -> int:
    """Draw all that finished rounds have left to their samples, for who wants certainty instead
    of a percentage; returns how many. What was stated stays until all of these are seen."""
    Project.objects.select_for_update().get(pk=project.pk)
    if Round.objects.filter(subject=project.subject, about=About.APPROVED, done_at=None).exists():
        return 0
    once = approved(project).filter(Exists(covering(project)))
    once = once.exclude(Exists(covering(project).exclude(why=Why.FRAME)))
    photo_of = dict(once.order_by("pk").values_list("region", "photo"))
    if not photo_of:
        return 0
    mixed = rng.permutation(np.array(list(photo_of), np.int64)).tolist()
    looks = [(each, photo_of[each], Why.UNLIKELY, Verdict.YES) for each in mixed]
    begin(project, [Draft(About.APPROVED, len(mixed), 0, looks)])
    return len(mixed)


def approved(project: Project) -> QuerySet[Label]:
    """Faces that people said Yes to, as far as they are to be seen: what is looked at again."""
    faces = selectors.eligible(project).exclude(region__origin=Region.Origin.PHOTO)
    return faces.filter(region__replaced_by=None)


def covering(project: Project) -> QuerySet[Look]:
    """For Exists with `region`: looks by which a finished round speaks for a face."""
    speaks = Q(why=Why.FRAME) | ~Q(said="") & ~Q(why=Why.TRAP) | Q(said=Verdict.YES)
    return Look.objects.filter(
        speaks,
        subject=project.subject,
        region=OuterRef("region"),
        round__about=About.APPROVED,
        round__done_at__isnull=False,
    )


def next_screen(project: Project, user: User, exclude: Collection[str] = ()) -> Screen | None:
    """Up to 20 faces for `user` to look at, leased to them for two minutes; None while there
    are none, as in an archived project or in one for a person that is left alone.

    What is approved comes before what is left; all of the former are marked, none of the latter.
    The same user gets the same screen again until they answer it. `exclude` holds public ids of
    faces that the page shows or has fetched already.
    """
    if project.state == Project.State.ARCHIVED or denylist.denied_project(project):
        return None
    if pauses.of_project(project):
        return None
    if not _choose(project, user, exclude):
        return None  # the usual answer to a page that waits: it holds nobody up
    chosen = _lease(project, user, exclude)
    return _screen(project, chosen) if chosen else None


@atomic
def _lease(project: Project, user: User, exclude: Collection[str]) -> list[Look]:
    # one after the other, so that two people do not get half of a screen each
    Project.objects.select_for_update().get(pk=project.pk)
    chosen = _choose(project, user, exclude)
    until = timezone.now() + asking_queue.LEASE
    leased = Look.objects.filter(pk__in=[look.pk for look in chosen])
    leased.update(leased_to=user, leased_until=until)
    return chosen


def keep(project: Project, user: User, faces: Collection[str]) -> set[str]:
    """See questions.keep."""
    return asking_queue.keep(project, _unsaid(project), user, faces)


def settle(project: Project, region_ids: Collection[int]) -> None:
    """Bring the looks at these faces in line with the answers; call with the project locked.

    The first word since the round was drawn is the look. Where it differs from the word before,
    the face is asked once more, alone; the word after that settles it. An undo opens it again.
    """
    drawn = Look.objects.filter(subject=project.subject, region__in=region_ids).exclude(
        why=Why.FRAME
    )
    looks = list(drawn.select_related("round"))
    if not looks:
        return
    words = _words(project, {look.region_id for look in looks})
    changed = [look for look in looks if _reread(look, words[look.region_id])]
    Look.objects.bulk_update(changed, ["said", "third", "leased_to", "leased_until"])
    _ask_third(project, looks)
    opened = {look.round_id for look in changed if not look.said or look.third}
    Round.objects.filter(pk__in=opened).update(done_at=None)
    close(project)


def put_back(project: Project, region_ids: Collection[int], user: User) -> None:
    """Lease the looks that `user` has just taken back to them, before what they hold already."""
    now = timezone.now()
    mine = asking_queue.free() | Q(leased_to=user)
    opened = list(_unsaid(project).filter(mine, region__in=region_ids).values_list("pk", flat=True))
    if not opened:
        return
    held = Look.objects.filter(subject=project.subject, leased_to=user, leased_until__gte=now)
    held.update(leased_until=F("leased_until") + asking_queue.LEASE)
    put = Look.objects.filter(pk__in=opened)
    put.update(leased_to=user, leased_until=now + asking_queue.LEASE)


def others_look(project: Project, user: User) -> bool:
    """Whether somebody else holds looks that are still to be given."""
    held = _unsaid(project).exclude(asking_queue.free())
    return held.exclude(leased_to=user).exists()


def close(project: Project) -> None:
    """End the rounds in which nothing is to be looked at any more.

    Faces that were withdrawn, denied or drawn anew meanwhile hold nothing up.
    """
    waiting = _pending([project]).order_by().values("round")
    rounds = Round.objects.filter(subject=project.subject, done_at=None).exclude(pk__in=waiting)
    ended = list(rounds.values_list("pk", flat=True))  # MariaDB reads no table that it updates
    Round.objects.filter(pk__in=ended).update(done_at=timezone.now())


def _draft_approved(
    project: Project, faces: Faces, model: learning.Model, rng: np.random.Generator
) -> Draft | None:
    new = approved(project).filter(~Exists(covering(project)))
    frame = dict(new.values_list("region", "photo"))
    if not frame:
        return None
    rows = np.isin(faces.region_ids, list(frame))
    why: dict[int, str] = {}
    if rows.any():
        drawn = learning.second_looks(model, rows, rng)
        why |= dict.fromkeys(faces.region_ids[drawn.unlikely].tolist(), Why.UNLIKELY)
        why |= dict.fromkeys(faces.region_ids[drawn.sampled].tolist(), Why.SAMPLED)
        traps = _still_no(project, faces.region_ids[drawn.traps].tolist())
        why |= dict.fromkeys(traps, Why.TRAP)
        frame |= traps
    # Of a face without a vector the model knows nothing: it is looked at.
    bare = frame.keys() - set(faces.region_ids.tolist())
    why |= dict.fromkeys(sorted(bare), Why.UNLIKELY)
    mixed = rng.permutation(np.array(list(why), np.int64)).tolist()
    rest = [region for region in frame if region not in why]
    size = sum(reason != Why.TRAP for reason in why.values()) + len(rest)
    looks = [
        (region, frame[region], reason, Verdict.NO if reason == Why.TRAP else Verdict.YES)
        for region in mixed + rest
        for reason in [why.get(region, Why.FRAME)]
    ]
    return Draft(About.APPROVED, size, len(faces.region_ids), looks)


def _draft_left(
    project: Project, faces: Faces, left: Mask, rng: np.random.Generator
) -> Draft | None:
    last = Round.objects.filter(subject=project.subject, about=About.LEFT).order_by("id").last()
    if last and not _much_happened(project, last, faces):
        return None
    said = Label.objects.filter(subject=project.subject).exclude(origin=Origin.BOOTSTRAP)
    left = left & ~np.isin(faces.region_ids, list(said.values_list("region", flat=True)))
    rows = np.flatnonzero(left)
    if not len(rows):
        return None
    sample = rng.permutation(rows)[:SAMPLE]
    regions, photos = faces.region_ids[sample].tolist(), faces.photo_ids[sample].tolist()
    looks = [(*each, Why.SAMPLED, "") for each in zip(regions, photos, strict=True)]
    return Draft(About.LEFT, len(rows), len(faces.region_ids), looks)


def _much_happened(project: Project, last: Round, faces: Faces) -> bool:
    """Whether what is left has become another crowd since it was last drawn from."""
    if len(faces.region_ids) - last.faces > CAME * last.frame:
        return True
    since = counting(project).filter(pk__gt=last.after).exclude(origin=Origin.BOOTSTRAP)
    elsewhere = since.exclude(region__in=last.looks.values("region"))
    return elsewhere.order_by().values("region").distinct().count() >= MANY


def _still_no(project: Project, region_ids: list[int]) -> dict[int, int]:
    """Of these regions those that people say No to by now, with their photos."""
    said = Label.objects.filter(subject=project.subject, region__in=region_ids, verdict=Verdict.NO)
    return dict(said.exclude(origin=Origin.BOOTSTRAP).values_list("region", "photo"))


def _open(projects: Iterable[Project]) -> QuerySet[Round]:
    return Round.objects.filter(subject__in=[each.subject for each in projects], done_at=None)


def _open_rounds(project: Project) -> set[str]:
    return set(_open([project]).values_list("about", flat=True))


def _write(round_: Round, looks: Sequence[Drawn]) -> None:
    rows = (
        Look(
            round=round_,
            subject_id=round_.subject_id,
            rank=rank,
            region_id=region,
            photo_id=photo,
            why=why,
            before=before,
        )
        for rank, (region, photo, why, before) in enumerate(looks)
    )
    Look.objects.bulk_create(rows, batch_size=1000)


def _pending(projects: Iterable[Project]) -> QuerySet[Look]:
    """Looks that hold their round open: to be given for the first or (third) once more."""
    held = ProjectPhoto.objects.live().filter(
        project=OuterRef("subject__project"), photo=OuterRef("photo")
    )
    word = Label.objects.filter(subject=OuterRef("subject"), region=OuterRef("region"))
    return Look.objects.filter(
        Q(said="") | Q(third=True),
        Q(before="") | Exists(word),  # an undo may have left nothing to be looked at again
        Exists(held),
        # no look of other rounds is read
        round__in=list(_open(projects).values_list("pk", flat=True)),
        region__picture=F("photo__picture"),
        region__replaced_by=None,
    ).exclude(why=Why.FRAME)


def _unsaid(project: Project) -> QuerySet[Look]:
    return _pending([project]).filter(said="")


def _choose(project: Project, user: User, exclude: Collection[str]) -> list[Look]:
    """The next screen of one round, by rank; what somebody else said before comes first.

    Of several screens that are leased to the user it is the one they were given first.
    """
    looks = _unsaid(project).filter(not_paused())
    looks = looks.exclude(region__public_id__in=list(exclude))
    if not is_counted(project, user):
        looks = looks.exclude(Exists(said_by(project.subject, user)))
    own = looks.filter(leased_to=user, leased_until__gte=timezone.now())
    if held := list(own.order_by("leased_until", "rank")):
        return [look for look in held if look.leased_until == held[0].leased_until]
    free = looks.filter(asking_queue.free()).order_by("round__about", "round", "rank")
    first = free.first()
    if first is None:
        return []
    here = list(free.filter(round=first.round_id))
    said = Label.objects.filter(subject=project.subject, user=user)
    mine = set(said.filter(region__in=[look.region_id for look in here]).values_list("region_id"))
    here.sort(key=lambda look: (look.region_id,) in mine)  # stable: by rank within both
    return here[:SCREEN_SIZE]


def _screen(project: Project, chosen: list[Look]) -> Screen:
    """What page shows them: the marks say what was said before, or are empty for what is left."""
    keys = [look.pk for look in chosen]
    full = Look.objects.select_related("region", "photo__picture", "round").in_bulk(keys)
    about = full[keys[0]].round.about
    faces = [
        Face(full[key].region, full[key].photo, marked=about == About.APPROVED) for key in keys
    ]
    shown = {face.region.pk for face in faces}
    known = galleries.gallery(project, galleries.Which.CONFIRMED, limit=NEARBY + SCREEN_SIZE).tiles
    others = [tile for tile in known if tile.region.pk not in shown and not tile.photo.is_paused]
    return Screen(about, faces, others[:NEARBY])


def _words(project: Project, region_ids: Collection[int]) -> dict[int, list[tuple[int, str]]]:
    """What people said of each face that stands: (answer, verdict), oldest first."""
    words: dict[int, list[tuple[int, str]]] = defaultdict(list)
    given = counting(project).filter(region__in=region_ids).exclude(origin=Origin.BOOTSTRAP)
    for pk, region, verdict in given.values_list("pk", "region", "verdict"):
        words[region].append((pk, verdict))
    return words


def _reread(look: Look, words: list[tuple[int, str]]) -> bool:
    """Set what was said from the words since the round was drawn; whether it changed."""
    since = [verdict for pk, verdict in words if pk > look.round.after]
    said = since[0] if since else ""
    third = bool(look.before) and len(since) == 1 and said != look.before
    changed = (look.said, look.third) != (said, third)
    look.said, look.third = said, third
    if said:
        look.leased_to, look.leased_until = None, None
    return changed


def _ask_third(project: Project, looks: list[Look]) -> None:
    """Ask, before all others, those that are open a third time; each is a screen by itself."""
    third = {look.region_id: look for look in looks if look.third}
    settled = {look.region_id for look in looks} - third.keys()
    asked = Question.objects.filter(subject=project.subject, kind=Question.Kind.THIRD)
    asked.filter(region__in=settled).delete()
    rows = [
        Question(
            subject=project.subject,
            region_id=look.region_id,
            photo_id=look.photo_id,
            kind=Question.Kind.THIRD,
            rank=FIRST,
            screen=look.pk % 2**31,
        )
        for look in third.values()
    ]
    upsert(rows, ["subject", "region"], ["photo", "kind", "rank", "screen"])
