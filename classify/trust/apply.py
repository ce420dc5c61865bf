"""What the guard (see `guard`) says of people's answers, and what becomes of it.

A worker looks every few seconds at who answered since. The answers of whom it doubts are kept and
left out of training, until somebody has looked: the owner; of the owner's own, a reviewer or a
moderator. Who looks may let them count or keep them out. After that only what is answered later
can raise the guard again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django.db.models import Max, QuerySet
from django.utils import timezone

from classify.labels import counting
from classify.models import Answer, Look, Origin, Verdict
from classify.trust import rules as trust_rules
from classify.trust.exclude import weigh
from core.transactions import atomic
from projects.ledger import audit
from projects.models import Membership, Notification, Project, User
from projects.notifications.services import notify
from projects.permissions import moderates, moderators

WINDOW = 1000  # answers of somebody that are looked at
BEFORE = 2000  # answers that a worker looks at when it starts
PEOPLE = 200  # at once
Role = Membership.Role
ASKED = (Origin.ASK, Origin.GRID, Origin.AGAIN)  # what the tool chose, not the person
SURE = (Verdict.YES, Verdict.NO, Verdict.NOT_A_FACE)
_seen: dict[str, int] = {}  # how far this process has looked


def watch() -> int:
    """Look at all who answered since this process looked last; returns how many are doubted now."""
    newest = Answer.objects.aggregate(last=Max("pk"))["last"] or 0
    after = _seen.get("answer", max(0, newest - BEFORE))
    since = Answer.objects.filter(pk__gt=after, pk__lte=newest, origin__in=ASKED)
    found = sum(_judge(theirs, trust_rules.doubt(deeds_of(theirs))) for theirs in _members(since))
    again = since.filter(origin=Origin.AGAIN).order_by()
    seen_again = {"region__in": again.values("region"), "subject__in": again.values("subject")}
    for theirs in _members(Answer.objects.filter(origin=Origin.REVIEW, **seen_again)):
        why = Membership.Doubt.CONTRADICTS if trust_rules.contradicts(reviews_of(theirs)) else ""
        found += _judge(theirs, why)
    _seen["answer"] = newest
    return found


def _members(answers: QuerySet[Answer]) -> Iterator[Membership]:
    """Who gave these answers, if they count; read one by one, as those before them are judged."""
    pairs = answers.order_by().exclude(user=None).values_list("subject__project", "user").distinct()
    for project_id, user_id in list(pairs[:PEOPLE]):
        rows = Membership.objects.filter(project=project_id, user=user_id, counts=True)
        if theirs := rows.select_related("project__subject__person", "user").first():
            yield theirs


def _judge(theirs: Membership, why: str) -> bool:
    return bool(why) and set_aside(theirs, why)


def deeds_of(theirs: Membership) -> list[trust_rules.Deed]:
    """What somebody was asked and answered lately, and nobody has looked at yet."""
    answers = _answers_of(theirs, ASKED)
    known = _known(theirs.project, theirs.user, {each.region_id for each in answers})
    deeds = [
        trust_rules.Deed(at.timestamp(), [_said(each, known) for each in some])
        for at, some in groupby(answers, lambda each: each.created_at)
    ]
    return sorted(deeds, key=lambda deed: deed.at)  # what waited for the network came later


def reviews_of(theirs: Membership) -> list[trust_rules.Deed]:
    """What somebody said in the review of faces that second looks drew at random afterwards.

    In the review people choose the faces, and it is their part to overrule others, so that only
    what the tool drew says how careful they were.
    """
    answers = _answers_of(theirs, (Origin.REVIEW,))
    said_again = _said_again(theirs, {each.region_id: each.pk for each in answers})
    deeds = []
    for at, some in groupby(answers, lambda each: each.created_at):
        right = [_agrees(each, said_again.get(each.region_id, [])) for each in some]
        deeds.append(
            trust_rules.Deed(at.timestamp(), [trust_rules.Said(None, right=each) for each in right])
        )
    return deeds


def _answers_of(theirs: Membership, origins: Sequence[str]) -> list[Answer]:
    """The latest of these kinds, the oldest first, at which nobody has looked yet."""
    mine = Answer.objects.filter(subject=theirs.project.subject, user=theirs.user, undone_by=None)
    if theirs.looked_at:
        mine = mine.filter(created_at__gt=theirs.looked_at)
    return list(mine.filter(origin__in=origins).order_by("-pk")[:WINDOW])[::-1]


def _said_again(theirs: Membership, after: dict[int, int]) -> dict[int, list[bool]]:
    """Face -> what each of the others said at a second look that was drawn at random, `after` the
    answer of this key."""
    project = theirs.project
    drawn = Look.objects.filter(subject=project.subject, region__in=after, why=Look.Why.SAMPLED)
    words = counting(project).filter(region__in=drawn.values("region"), origin=Origin.AGAIN)
    sure = words.filter(verdict__in=SURE).exclude(user=theirs.user).order_by("pk")
    last: dict[int, dict[int | None, bool]] = {}
    for each in sure:
        if each.pk > after[each.region_id]:
            last.setdefault(each.region_id, {})[each.user_id] = each.verdict == Verdict.YES
    return {region: list(by_user.values()) for region, by_user in last.items()}


def _agrees(answer: Answer, others: list[bool]) -> bool | None:
    """Whether others agree: one who does is enough, against it there must be two (None: neither);
    a face that is said differently is asked a third time."""
    mine = {Verdict.YES: True, Verdict.NO: False}.get(Verdict(answer.verdict))
    if mine is None:
        return None
    with_me = sum(each == mine for each in others)
    if len(others) - with_me >= 2 and not with_me:
        return False
    return True if with_me and with_me == len(others) else None


@atomic
def set_aside(theirs: Membership, why: str) -> bool:
    """Take these answers out of training until somebody has looked, and tell who may."""
    project, user = theirs.project, theirs.user
    if weigh(project, user, counts=False) is None:
        return False  # somebody was quicker
    rows = Membership.objects.filter(pk=theirs.pk)
    rows.update(doubt=why, doubted_at=timezone.now())
    audit(None, "member.doubted", project, f"user:{user.pk}", why=why)
    told = {"code": "doubted", "of": user.public_id, "who": str(user)}
    notify(_who_looks(theirs), project, Notification.Kind.PEOPLE, **told)
    notify([user], project, Notification.Kind.PEOPLE, code="doubted-you")
    return True


def may_look(user: Any, theirs: Membership) -> bool:
    """Nobody judges their own: an owner's answers are looked at by a reviewer or a moderator."""
    if user == theirs.user:
        return False
    rows = theirs.project.memberships.filter(user=user, state=Membership.State.ACTIVE)
    role = rows.values_list("role", flat=True).first()
    if theirs.role == Role.OWNER:
        return role == Role.REVIEWER or moderates(user)
    return role == Role.OWNER or moderates(user)


def _who_looks(theirs: Membership) -> list[User]:
    role = Role.REVIEWER if theirs.role == Role.OWNER else Role.OWNER
    rows = theirs.project.memberships.filter(role=role, state=Membership.State.ACTIVE)
    people = [row.user for row in rows.exclude(user=theirs.user).select_related("user")]
    return people or list(moderators().exclude(pk=theirs.user_id))


def _said(answer: Answer, known: dict[int, str]) -> trust_rules.Said:
    yes = {Verdict.YES: True, Verdict.NO: False}.get(Verdict(answer.verdict))
    word = known.get(answer.region_id)
    right = None if word is None or yes is None else yes == (word == Verdict.YES)
    return trust_rules.Said(yes, answer.chance, right)


def _known(project: Project, user: User, regions: set[int]) -> dict[int, str]:
    """What is known of faces by others' words that count, the latest last, and as traps."""
    traps = Look.objects.filter(subject=project.subject, region__in=regions, why=Look.Why.TRAP)
    known: dict[int, str] = dict(traps.values_list("region", "before"))
    words = counting(project).filter(region__in=regions).exclude(user=user)
    sure = words.filter(verdict__in=SURE)
    known.update(sure.exclude(origin=Origin.BOOTSTRAP).values_list("region", "verdict"))
    return known
