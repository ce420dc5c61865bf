"""“This is somebody else, and I know who”: No here, and Yes in the project of that person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID, uuid5

from django.db.models import Q
from django.utils.translation import gettext as _

from classify import answers as classify_answers
from classify import labels
from classify.answers import Given
from classify.models import Answer, Label, Origin, Question, Score, Verdict
from core.transactions import atomic
from core.user_errors import Refused
from crawler import services as crawler
from crawler.models import Photo, ProjectPhoto
from projects.ledger import audit
from projects.members import services as members
from projects.models import AuditEvent, Membership, Project, User
from projects.permissions import Can, may
from projects.privacy import denylist, pauses

MOST = 400  # projects that are looked through for a name
OFFERED = 12


def offered(project: Project, user: User, faces: Iterable[int], words: str = "") -> list[Project]:
    """Live projects in which `user` may say Yes, those first whose people named one of these
    faces (keys of regions) already, then the user's own; `words` of the person's name, in any
    language."""
    mine = Membership.objects.filter(user=user, state=Membership.State.ACTIVE)
    shut = Membership.objects.filter(user=user, state=Membership.State.BANNED)
    public = Q(visibility=Project.Visibility.PUBLIC)
    anybodys = public & Q(joining=Project.Joining.OPEN)
    member = Q(pk__in=mine.values("project"))
    found = Project.objects.filter(member | anybodys).exclude(pk=project.pk)
    found = found.exclude(state=Project.State.ARCHIVED).exclude(pk__in=shut.values("project"))
    found = found.exclude(subject__person__qid__in=denylist.denied_qids()).exclude(
        pauses.is_paused()
    )
    looked_at = found.with_subject().order_by("-active_at", "-pk")[:MOST]
    named = set(
        Label.objects.filter(region__in=faces, verdict=Verdict.YES).values_list(
            "subject__project", flat=True
        )
    )
    own = set(mine.values_list("project", flat=True))
    fitting = [each for each in looked_at if _is_called(each, words)]
    fitting.sort(key=lambda each: (each.pk not in named, each.pk not in own))
    return fitting[:OFFERED]


def joins(project: Project, user: User) -> bool:
    """Whether saying Yes in a project makes `user` a member of it."""
    return not may(user, Can.ANSWER, project)


@atomic
def reassign(project: Project, other: Project, given: Sequence[Given], user: User) -> list[Answer]:
    """No on these faces here and Yes in the other project, which gets their photos: all or
    nothing. Returns the answers given here. An open project is joined by it.

    Raises Refused like `services.answer`, not-allowed, and what joining raises.
    """
    if not may(user, Can.VIEW, other):
        raise Refused("unknown", _("There is no such project."))
    if other.pk == project.pk:
        raise Refused("same", _("Choose another project."))
    for one in sorted((project, other), key=lambda one: one.pk):
        labels.lock(one)  # in one order, whichever way people reassign
    if joins(other, user):
        members.join_open(other, user)
    if not may(user, Can.ANSWER, other):
        raise Refused("not-allowed", _("You can't answer in that project."))
    here = classify_answers.answer_many(project, given, user, Verdict.NO, Origin.REVIEW)
    for each in given:
        crawler.add_photo(other, each.photo, user)
    there = [Given(each.region, each.photo, beside(each.client_uuid)) for each in given]
    classify_answers.answer_many(other, there, user, Verdict.YES, Origin.REVIEW)
    return here


def take_back(user: User, client_uuids: Iterable[UUID]) -> None:
    """Take back what was said in other projects together with these answers, and the photos
    that only this brought there."""
    names = [beside(each) for each in client_uuids]
    said = Answer.objects.filter(user=user, client_uuid__in=names, undone_by=None)
    by_project: dict[Project, list[Answer]] = defaultdict(list)
    for answer in said.select_related("subject__project__subject__person", "photo"):
        by_project[answer.subject.project].append(answer)
    for project, answers in by_project.items():
        if not may(user, Can.ANSWER, project):
            continue
        _undo(project, user, answers)


@atomic
def _undo(project: Project, user: User, answers: list[Answer]) -> None:
    classify_answers.undo_many(project, user, [answer.client_uuid for answer in answers])
    for photo in {answer.photo for answer in answers}:
        _remove(project, photo, user)


def beside(client_uuid: UUID) -> UUID:
    """The UUID of the answer in the other project."""
    return uuid5(client_uuid, "there")


def _is_called(project: Project, words: str) -> bool:
    person = project.person
    names = " ".join([*map(str, person.labels.values()), person.qid, project.name]).casefold()
    return all(word in names for word in words.casefold().split())


def _remove(project: Project, photo: Photo, user: User) -> None:
    """A photo that `user` added by hand, that no source has and of which nobody says a word."""
    added = AuditEvent.objects.filter(
        actor=user, project=project, action="photo.added", target=f"photo:{photo.pk}"
    )
    held = ProjectPhoto.objects.filter(project=project, photo=photo, source=None)
    if not added.exists() or labels.standing(project).filter(photo=photo).exists():
        return
    if held.filter(is_portrait=False).delete()[0]:
        Score.objects.filter(subject=project.subject, photo=photo).delete()
        Question.objects.filter(subject=project.subject, photo=photo).delete()
        audit(user, "photo.taken-back", project, f"photo:{photo.pk}")
