"""The current word on a region, made from its answers: reviewer over member, then the latest.

Answers of somebody whose membership says that they don't count (`Membership.counts`) stay as they
are, and are left out here and wherever `counting` is asked instead of `standing`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Self, TypeVar

from django.db import connection, models
from django.db.models import Case, OuterRef, QuerySet, Sum, When
from django.utils import timezone

from classify.models import Answer, Label, Origin
from core.events import announce
from core.transactions import atomic
from crawler.models import Region
from projects.ledger import contribute_all
from projects.models import Contribution, Membership, Project, User
from projects.permissions import membership

M = TypeVar("M", bound=models.Model)

Role = Membership.Role
RANK: dict[str, int] = {Role.OWNER: 2, Role.REVIEWER: 2, Role.MEMBER: 1}
LABEL_FIELDS = ["photo", "verdict", "origin", "answer", "user", "disputed", "decided_at"]
REVIEWED = (Origin.REVIEW, Origin.AGAIN)
MANY = 2000  # regions whose labels are made anew at once


def lock(project: Project) -> None:
    """Hold the project's row until the end of the transaction, and tell the learner of a change.

    Whatever writes answers, labels or scores of a project does this first, so that no two of
    them interleave.
    """
    Project.objects.filter(pk=project.pk).tell_learner(only_words=True)


def lock_for_answers(project: Project) -> bool:
    """The same for what somebody says, which also keeps the project awake. False, and nothing is
    held, where it is archived.

    No other table may be asked in that statement: MariaDB (innodb_snapshot_isolation) would refuse
    it whenever it had to wait for somebody else's.
    """
    open_ = Project.objects.filter(pk=project.pk).exclude(state=Project.State.ARCHIVED)
    return bool(open_.tell_learner(only_words=True, active_at=timezone.now()))


def standing(project: Project) -> QuerySet[Answer]:
    """Answers that nobody has taken back, oldest first."""
    return _standing_about(project.subject)


def _standing_about(subject: Any) -> QuerySet[Answer]:
    answers = Answer.objects.filter(subject=subject, undone_by=None)
    return answers.exclude(origin=Origin.UNDO).order_by("id")


def given_by(subject: Any, user: Any) -> QuerySet[Any, Any]:
    """How many answers of the user stand, as a subquery: each undo takes one of them back."""
    given = Answer.objects.filter(subject=subject, user=user).order_by().values("subject")
    one = Case(When(origin=Origin.UNDO, then=-1), default=1)
    return given.annotate(n=Sum(one)).values("n")


def counting(project: Project) -> QuerySet[Answer]:
    """Those of them that make labels: not of people whose answers were taken out of training."""
    left_out = Membership.objects.filter(project=project, counts=False)
    return standing(project).exclude(user__in=left_out.values("user"))


def is_counted(project: Project, user: User) -> bool:
    """Whether their answers make labels, see `counting`."""
    mine = membership(project, user)
    return mine is None or mine.counts


def said_by(subject: Any, user: Any) -> QuerySet[Answer]:
    """For Exists within rows that have a region: what the user said of it, and what stands."""
    return _standing_about(subject).order_by().filter(user=user, region=OuterRef("region"))


class Voice(NamedTuple):
    """How much somebody's word weighs in a project: 2 a reviewer's, 1 a member's, 0 of who is
    no member any more; and whether it counts at all."""

    rank: int = 0
    counts: bool = True

    @classmethod
    def of(cls, role: str, state: str, counts: bool) -> Self:
        active = state == Membership.State.ACTIVE
        return cls(RANK.get(role, 0) if active else 0, counts)


Voices = dict[int, Voice]
Credit = Counter[tuple[int, str, date]]  # user, kind of contribution, day -> how many


@dataclass(frozen=True)
class Said:
    """What people said of some regions of a project, and how much whose word weighs."""

    project: Project
    answers: dict[int, list[Answer]]  # by region, the oldest first
    voices: Voices

    are_drawn_again: bool = True  # whether some of the regions may have a better box

    @classmethod
    def read(cls, project: Project, region_ids: Collection[int]) -> Self:
        answers = list(standing(project).filter(region__in=region_ids))
        rows = project.memberships.filter(user__in={each.user_id for each in answers} - {None})
        columns = rows.values_list("user", "role", "state", "counts")
        voices = {user: Voice.of(role, state, counts) for user, role, state, counts in columns}
        return cls.of(project, answers, voices)

    @classmethod
    def of(cls, project: Project, answers: Iterable[Answer], voices: Voices) -> Self:
        """By all answers to these regions, or by those that stand."""
        every = sorted(answers, key=lambda each: each.pk)
        undone = {each.undoes_id for each in every} - {None}
        by_region: dict[int, list[Answer]] = defaultdict(list)
        for answer in every:
            if answer.origin != Origin.UNDO and answer.pk not in undone:
                by_region[answer.region_id].append(answer)
        return cls(project, by_region, voices)

    def with_answers(self, new: Iterable[Answer]) -> Said:
        """The same after these, to regions of which each is its own best box."""
        answers = {region: [*some] for region, some in self.answers.items()}
        for answer in new:
            answers.setdefault(answer.region_id, []).append(answer)
        return Said(self.project, answers, self.voices, are_drawn_again=False)

    def with_voice(self, user: User, voice: Voice) -> Said:
        """The same as if `user` had another voice."""
        return Said(self.project, self.answers, self.voices | {user.pk: voice})

    def labels(self) -> dict[int, Label]:
        """The word on each region that has one, in this project with its better boxes."""
        redrawn = _redrawn_here(self.project, self.answers) if self.are_drawn_again else set()
        heard = {region: self._heard(region) for region in self.answers if region not in redrawn}
        return {region: self._label(answers) for region, answers in heard.items() if answers}

    def credit(self) -> Credit:
        """What of these answers counts as work done: all that people said and nobody took back,
        but for what somebody overruled in a review, or by a reviewer's word."""
        credit: Credit = Counter()
        for region in self.answers:
            given = [each for each in self._heard(region) if each.origin != Origin.BOOTSTRAP]
            if not given:
                continue
            word = self._word(given)
            decides = word.origin in REVIEWED or self._rank(word) == RANK[Role.REVIEWER]
            for each in given:
                if each.user_id and (each.verdict == word.verdict or not decides):
                    credit[each.user_id, kind_of(each.origin), each.created_at.date()] += 1
        return credit

    def _heard(self, region: int) -> list[Answer]:
        voice = self.voices
        return [
            each
            for each in self.answers[region]
            if each.user_id not in voice or voice[each.user_id].counts
        ]

    def _rank(self, answer: Answer) -> int:
        if answer.origin == Origin.BOOTSTRAP:
            return -1
        return self.voices.get(answer.user_id or 0, Voice()).rank

    def _word(self, answers: list[Answer]) -> Answer:
        """The one that says what the region is."""
        return max(_latest(answers), key=lambda each: (self._rank(each), each.pk))

    def _label(self, answers: list[Answer]) -> Label:
        word = self._word(answers)
        return Label(
            subject_id=word.subject_id,
            region_id=word.region_id,
            photo_id=word.photo_id,
            verdict=word.verdict,
            origin=word.origin,
            answer=word,
            user_id=word.user_id,
            disputed=len({answer.verdict for answer in _latest(answers)}) > 1,
            decided_at=word.created_at,
        )


def relabel(
    project: Project, region_ids: Collection[int], said: Said | None = None
) -> dict[int, Label]:
    """Make the labels of these regions anew; call inside the transaction of the answer.

    Returns the labels by region id; a region without a word has none.
    """
    labels = (said or Said.read(project, region_ids)).labels()
    gone = set(region_ids) - labels.keys()
    Label.objects.filter(subject=project.subject, region__in=gone).delete()
    upsert(labels.values(), ["subject", "region"], LABEL_FIELDS)
    return labels


@atomic
def rebuild_labels(project: Project) -> int:
    """Make all labels of a project anew from its answers; returns how many there are.

    Labels hold nothing of their own, so this changes none that is right.
    """
    lock(project)
    region_ids = set(standing(project).values_list("region", flat=True))
    region_ids |= set(
        Label.objects.filter(subject=project.subject).values_list("region", flat=True)
    )
    return sum(len(relabel(project, some)) for some in _portions(region_ids))


@atomic
def reweigh(project: Project, user: User, was: Voice | None = None) -> set[int]:
    """Make the labels anew where `user` said a word: it weighs more or less by now. `was` is how
    much it weighed, so that contributions follow. Returns the regions."""
    lock(project)
    spoken = standing(project).filter(user=user).values_list("region", flat=True)
    region_ids = set(spoken.order_by())
    for some in _portions(region_ids):
        said = Said.read(project, some)
        relabel(project, some, said)
        if was is not None:
            give_credit(project, said.with_voice(user, was), said)
    announce("answers-given")
    return region_ids


def give_credit(project: Project, before: Said, after: Said) -> None:
    """Write down, for the day of the work, what counts more or less as somebody's contribution
    by what was said since `before`. Call in the transaction of the answers."""
    had, has = before.credit(), after.credit()
    changed = {key: has[key] - had[key] for key in had.keys() | has.keys() if has[key] != had[key]}
    contribute_all(project, [(*key, amount) for key, amount in sorted(changed.items())])


def kind_of(origin: str) -> str:
    return Contribution.Kind.REVIEW if origin in REVIEWED else Contribution.Kind.ANSWER


def upsert(rows: Iterable[M], unique: list[str], fields: list[str]) -> None:
    """Insert rows, or update `fields` where a row with the same `unique` fields exists."""
    rows = list(rows)
    if not rows:
        return
    conflict: dict[str, Any] = {"update_conflicts": True, "update_fields": fields}
    if connection.features.supports_update_conflicts_with_target:
        conflict["unique_fields"] = unique  # MariaDB finds the unique key by itself
    type(rows[0])._default_manager.bulk_create(rows, batch_size=200, **conflict)


def _latest(answers: list[Answer]) -> Collection[Answer]:
    """The last word of each who spoke; each statement that existed is one of its own."""
    return {answer.user_id or -answer.pk: answer for answer in answers}.values()


def _redrawn_here(project: Project, region_ids: Collection[int]) -> set[int]:
    """Regions for which this project has a better box: the word moved to that box."""
    drawn = counting(project).filter(region__origin=Region.Origin.PERSON).values("region")
    replaced = Region.objects.filter(pk__in=region_ids, replaced_by__in=drawn)
    return set(replaced.values_list("pk", flat=True))


def _portions(region_ids: Collection[int]) -> Iterable[list[int]]:
    every = sorted(region_ids)
    return (every[start : start + MANY] for start in range(0, len(every), MANY))
