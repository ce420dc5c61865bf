"""What people do with faces: answer, undo, skip, draw. Each is one short transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid5

from django.db import IntegrityError
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from classify import selectors
from classify.asking import queue as asking_queue
from classify.asking.queue import next_question
from classify.audit import rounds
from classify.labels import (
    Said,
    give_credit,
    lock_for_answers,
    rebuild_labels,
    relabel,
    standing,
    upsert,
)
from classify.models import Answer, Origin, Question, Score, Skip, Verdict
from classify.pages.facts import Facts
from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused, archived
from crawler import omissions
from crawler import services as crawler
from crawler.models import Photo, ProjectPhoto, Region
from projects.ledger import audit
from projects.models import Project, User
from projects.privacy import denylist

__all__ = [
    "Given",
    "Refused",
    "answer",
    "answer_many",
    "answer_screen",
    "changed_minds",
    "draw",
    "next_question",
    "no_usable_face",
    "not_here",
    "rebuild_labels",
    "redrawn_by",
    "skip",
    "undo",
    "undo_many",
    "undo_redrawn",
    "undone_with",
]

Box = tuple[float, float, float, float]  # left, top, width, height, 0–1 of the upright picture


@dataclass(frozen=True)
class Given:
    """One answer as it comes from a page."""

    region: Region
    photo: Photo
    client_uuid: UUID
    waited: float = 0  # seconds in the browser, until the network was there


def answer(
    project: Project,
    region: Region,
    photo: Photo,
    user: User,
    verdict: str,
    origin: str,
    client_uuid: UUID,
    waited: float = 0,
) -> Answer:
    """Write down what `user` says of a face; sent twice with one `client_uuid` it is one answer.

    Raises Refused: archived, not-in-project, withdrawn, changed, replaced, unknown-verdict,
    used-twice.
    """
    given = Given(region, photo, client_uuid, waited)
    return answer_many(project, [given], user, verdict, origin)[0]


def answer_many(
    project: Project,
    given: Sequence[Given],
    user: User,
    verdict: str,
    origin: str = Origin.REVIEW,
) -> list[Answer]:
    """The same verdict on several faces, all or none: what is on the screen of a review."""
    return answer_screen(project, user, [(each, verdict) for each in given], origin)


@contextmanager
def _once() -> Iterator[None]:
    """Turns the loss of a race for one client_uuid, across projects, into Refused."""
    try:
        yield
    except IntegrityError as error:
        raise Refused("used-twice", _("This answer was sent before.")) from error


@_once()
@atomic
def answer_screen(
    project: Project,
    user: User,
    given: Sequence[tuple[Given, str]],
    origin: str = Origin.GRID,
    untold: Sequence[Region] = (),
) -> list[Answer]:
    """A verdict of its own on each of several faces, all or none: what a grid was marked with.

    `untold` are faces of the screen of which nothing is said: they are asked again where that
    is worth it by what is known now.
    Undo takes it back as one deed. Raises Refused like `answer`.
    """
    if any(verdict not in Verdict.values for _each, verdict in given):
        raise Refused("unknown-verdict", _("That is not an answer we know."))
    _hold(project)
    if untold:
        asking_queue.let_go(project, untold, user)
    return _record(project, given, user, origin)


def changed_minds(answers: Sequence[Answer]) -> int:
    """Of how many faces whoever gave these said otherwise before, and never took it back: in
    another tab, or on a page they went back to. Their last word counts."""
    return sum(each.changes for each in answers)


@_once()
@atomic
def undo(project: Project, user: User, client_uuid: UUID) -> Answer | None:
    """Take back the user's last answer that stands; None when there is none left.

    With it goes what was answered by the same button: a whole screen. The label is what the
    remaining answers say. A face without a word is asked again first.
    """
    _enter(project)
    if done := _already([client_uuid], project, user):
        return done[client_uuid]
    last = standing(project).filter(user=user).last()
    if last is None:
        return None
    deed = standing(project).filter(user=user, created_at=last.created_at)
    undone = _take_back(project, list(deed.select_related("region")), {last.pk: client_uuid})
    return next(each for each in undone if each.client_uuid == client_uuid)


def undone_with(undo: Answer) -> list[Answer]:
    """The undos of the deed that this one is part of, the last answer's first."""
    deed = Answer.objects.filter(
        subject=undo.subject_id, user=undo.user_id, origin=Origin.UNDO, created_at=undo.created_at
    )
    return list(deed.select_related("undoes").order_by("id"))


@atomic
def undo_many(project: Project, user: User, client_uuids: Sequence[UUID]) -> list[Answer]:
    """Take back those answers of the user, named by their `client_uuid`, as one deed.

    Answers that were taken back before are left as they are, so that it may be sent twice.
    """
    _enter(project)
    answers = standing(project).filter(user=user, client_uuid__in=client_uuids)
    return _take_back(project, list(answers.select_related("region")))


def skip(project: Project, region: Region, user: User) -> None:
    """Leave a face to others; it comes back to this user after all others."""
    skip_screen(project, [region], user)


@atomic
def skip_screen(project: Project, regions: Sequence[Region], user: User) -> None:
    """Leave all faces of a screen to others."""
    _enter(project)
    now = timezone.now()
    rows = [
        Skip(subject=project.subject, user=user, region=each, created_at=now) for each in regions
    ]
    upsert(rows, ["subject", "user", "region"], ["created_at"])
    asking_queue.release(project, [region.pk for region in regions], user)
    announce("answers-given")


@_once()
@atomic
def draw(
    project: Project,
    photo: Photo,
    box: Box,
    user: User,
    client_uuid: UUID,
    replaces: Region | None = None,
) -> Answer:
    """Yes on a box that the user drew; `replaces` is the region it is drawn better than.

    The replaced region loses its label, score and question here; undo gives them back.
    Raises Refused: bad-box, and what `answer` raises.
    """
    _enter(project)
    if done := _already([client_uuid], project, user):
        return done[client_uuid]
    _check_photo(project, photo)
    if replaces:
        omissions.check_counts(project, user)
        replaces.refresh_from_db(fields=["replaced_by"])
        _refuse_face(replaces, photo)
    try:
        region = crawler.draw_region(project, photo, box, user, replaces)
    except crawler.BadBox as bad:
        raise Refused("bad-box", str(bad)) from None
    drawn = Given(region, photo, client_uuid)
    [made] = _record(project, [(drawn, Verdict.YES)], user, Origin.DRAWN)
    if replaces:
        Score.objects.filter(subject=project.subject, region=replaces).delete()
        Question.objects.filter(subject=project.subject, region=replaces).delete()
        relabel(project, [replaces.pk])
        audit(user, "region.redrawn", project, f"region:{replaces.pk}", by=region.pk)
    return made


def redrawn_by(project: Project, user: User) -> QuerySet[Answer]:
    """The answers by which one person drew better boxes than those that were there."""
    drawn = standing(project).filter(user=user, origin=Origin.DRAWN)
    return drawn.filter(Exists(Region.objects.filter(replaced_by=OuterRef("region"))))


@atomic
def undo_redrawn(project: Project, user: User, by: User) -> int:
    """Undo all better boxes that `user` drew, so that the old ones count again; return how
    many."""
    uuids = list(redrawn_by(project, user).values_list("client_uuid", flat=True))
    undone = undo_many(project, user, uuids)
    if undone:
        audit(by, "regions.put-back", project, f"user:{user.pk}", boxes=len(undone))
    return len(undone)


def no_usable_face(project: Project, photo: Photo, user: User, client_uuid: UUID) -> Answer:
    """The person is in the photo, but no face can be used: a yes on the whole photo."""
    return _answer_photo(project, photo, user, Verdict.YES, client_uuid)


def not_here(project: Project, photo: Photo, user: User, client_uuid: UUID) -> Answer:
    """The person is not in a photo in which no face was found: nobody needs to look again."""
    return _answer_photo(project, photo, user, Verdict.NO, client_uuid)


@_once()
@atomic
def _answer_photo(
    project: Project, photo: Photo, user: User, verdict: str, client_uuid: UUID
) -> Answer:
    _enter(project)
    if done := _already([client_uuid], project, user):
        return done[client_uuid]
    _check_photo(project, photo)
    given = Given(crawler.whole_photo_region(photo, user), photo, client_uuid)
    return _record(project, [(given, verdict)], user, Origin.DRAWN)[0]


def _enter(project: Project) -> None:
    """Hold the project for one deed; in an archived one, and for a person who is left alone, there
    are none. Raises Refused."""
    _hold(project)
    denylist.refuse_project(project)


def _hold(project: Project) -> None:
    """The same where the deed is recorded, which sees whether the person is left alone."""
    if not lock_for_answers(project):
        raise archived()


def _record(
    project: Project, given: Sequence[tuple[Given, str]], user: User, origin: str
) -> list[Answer]:
    """Answers, labels, contributions; call with the project locked."""
    every = [each for each, _verdict in given]
    facts = Facts.read(
        project, user, (each.region.pk for each in every), (each.photo.pk for each in every)
    )
    if facts.is_left_alone:
        denylist.refuse_project(project)
    sent = {each.client_uuid for each in every}
    made = {own: answer for own, answer in facts.sent.items() if own in sent}
    if any(answer.user_id != user.pk for answer in made.values()):
        raise _sent_before()
    new = [(each, verdict) for each, verdict in given if each.client_uuid not in made]
    if any((each.region.pk, each.photo.pk) not in facts.right for each, _verdict in new):
        _check_faces(project, [each for each, _verdict in new])
    region_ids = [each.region.pk for each, _verdict in new]
    # one moment for all: by it undo knows what was one deed
    at = timezone.now() - timedelta(seconds=max((each.waited for each, _verdict in new), default=0))
    fields = {"subject": project.subject, "user": user, "origin": origin, "created_at": at}
    answers = Answer.objects.bulk_create(
        Answer(
            **fields,
            verdict=verdict,
            photo=each.photo,
            region=each.region,
            client_uuid=each.client_uuid,
            chance=facts.chances.get(each.region.pk),
        )
        for each, verdict in new
    )
    made |= {answer.client_uuid: answer for answer in answers}
    if new:
        after = facts.said.with_answers(answers)
        relabel(project, region_ids, after)
        Question.objects.filter(subject=project.subject, region__in=region_ids).delete()
        if facts.looked:
            rounds.settle(project, region_ids)
        give_credit(project, facts.said, after)
        announce("answers-given")
    for answer in made.values():
        answer.changes = _changes(facts.said.answers.get(answer.region_id, []), answer)
    return [made[each.client_uuid] for each in every]


def _changes(standing: Sequence[Answer], answer: Answer) -> bool:
    """Whether whoever gave an answer had said otherwise before, and never took it back."""
    own = [each for each in standing if each.user_id == answer.user_id and each.pk < answer.pk]
    return bool(own) and own[-1].verdict != answer.verdict


def _take_back(
    project: Project, answers: list[Answer], uuids: dict[int, UUID] | None = None
) -> list[Answer]:
    """Take back these answers as one deed, the last one first; `uuids` has, by the keys of
    their answers, what some of the undos are sent under."""
    now, region_ids = timezone.now(), {taken.region_id for taken in answers}
    before = Said.read(project, region_ids)
    undone = Answer.objects.bulk_create(
        Answer(
            subject=project.subject,
            photo_id=taken.photo_id,
            region=taken.region,
            user_id=taken.user_id,
            origin=Origin.UNDO,
            undoes=taken,
            client_uuid=(uuids or {}).get(taken.pk) or uuid5(taken.client_uuid, "undo"),
            created_at=now,
        )
        for taken in reversed(answers)
    )
    after = Said.read(project, region_ids)
    labels = relabel(project, region_ids, after)
    worded = [made for made in undone if made.region_id in labels]
    for made in worded:
        made.verdict = labels[made.region_id].verdict
    Answer.objects.bulk_update(worded, ["verdict"])
    bare = [made.region for made in undone if made.region_id not in labels]
    drawn = [region for region in bare if region.origin == Region.Origin.PERSON]
    for box in drawn:
        _withdraw_box(project, box)
    if drawn:
        Project.objects.filter(pk=project.pk).tell_learner()  # it has other faces now
    _match_again(project, [region.pk for region in bare if region not in drawn])
    wordless = [made for made in undone if made.region_id not in labels]
    asking_queue.put_back(project, [made for made in wordless if _is_asked_again(made)])
    rounds.settle(project, {made.region_id for made in undone})
    seen_again = {taken.region_id for taken in answers if taken.origin == Origin.AGAIN}
    if seen_again and (user := answers[0].user):
        rounds.put_back(project, seen_again, user)
    give_credit(project, before, after)
    if undone:
        announce("answers-given")
    return undone


def _is_asked_again(undo: Answer) -> bool:
    asked = undo.undoes is not None and undo.undoes.origin in (Origin.ASK, Origin.GRID)
    return asked and undo.region.origin != Region.Origin.PERSON


def _match_again(project: Project, region_ids: Collection[int]) -> None:
    """Back to the review at once, by the distances they had; the learner looks closer."""
    if region_ids and selectors.still_needed(project) == 0:
        near = Score.objects.filter(
            subject=project.subject, unlikely__lt=selectors.match_below(project)
        )
        near.filter(region__in=region_ids).update(is_match=True)


def _withdraw_box(project: Project, box: Region) -> None:
    """Nobody stands by a drawn box any more: what it replaced stands again.

    The box itself is replaced by what was drawn after it or, for the want of that, by itself:
    it is no face of any picture then, yet its answers stay.
    """
    standing_by = Answer.objects.filter(region=OuterRef("pk"), undone_by=None)
    withdrawn = Region.objects.filter(
        ~Exists(standing_by.exclude(origin=Origin.UNDO)), origin=Region.Origin.PERSON
    )
    if not withdrawn.filter(pk=box.pk).exists():
        return
    replaced = Region.objects.filter(replaced_by=box)
    region_ids = list(replaced.values_list("pk", flat=True))
    replaced.update(replaced_by=box.replaced_by)
    withdrawn.filter(pk__in=[box.pk, *region_ids], replaced_by=None).update(replaced_by=F("pk"))
    relabel(project, region_ids)


def _already(uuids: Sequence[UUID], project: Project, user: User) -> dict[UUID, Answer]:
    """The answers that were sent before under these uuids."""
    made = {each.client_uuid: each for each in Answer.objects.filter(client_uuid__in=uuids)}
    if any(
        (each.subject_id, each.user_id) != (project.subject.pk, user.pk) for each in made.values()
    ):
        raise _sent_before()
    return made


def _sent_before() -> Refused:
    return Refused("used-twice", _("This answer was sent before, by somebody else."))


def _check_photo(project: Project, photo: Photo) -> None:
    """Reads afresh: the page may have been open for long."""
    photo.refresh_from_db(fields=["state", "picture"])
    held = ProjectPhoto.objects.filter(project=project, photo=photo)
    _refuse_photo(photo, is_held=held.exists())


def _check_faces(project: Project, given: Sequence[Given]) -> None:
    """The same for many faces and their photos, in three queries."""
    photos = Photo.objects.in_bulk({each.photo.pk for each in given})
    regions = Region.objects.in_bulk({each.region.pk for each in given})
    rows = ProjectPhoto.objects.filter(project=project, photo__in=photos)
    held = set(rows.values_list("photo", flat=True))
    for each in given:
        photo = photos[each.photo.pk]
        _refuse_photo(photo, is_held=photo.pk in held)
        _refuse_face(regions[each.region.pk], photo)


def _refuse_photo(photo: Photo, *, is_held: bool) -> None:
    if not is_held:
        raise Refused("not-in-project", _("This photo is not part of the project."))
    if photo.state != Photo.State.LIVE:
        raise Refused("withdrawn", _("This photo was withdrawn from the wiki."))


def _refuse_face(region: Region, photo: Photo) -> None:
    if region.picture_id != photo.picture_id:
        raise Refused("changed", _("The photo shows another picture by now. Load the page again."))
    if region.replaced_by_id is not None:
        raise Refused("replaced", _("Somebody drew a better box for this face."))
