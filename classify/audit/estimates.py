"""What can be said for certain of a project, and the sentences that say it.

All of it are counts of what people saw in random samples, see `learning.guarantees` and
`looks`; what the model thinks is not in it. Each interval holds 95 % of the time or more, as long
as who looks again is right.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from math import ceil, floor
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from classify.audit import rounds as audit_rounds
from classify.labels import counting
from classify.learning import Interval, intervals
from classify.learning.choose_screen import EXPECTED, SCREEN_SIZE
from classify.models import Answer, Label, Learner, Look, Origin, Round, Verdict
from crawler.models import Region
from projects.live.census import is_large, part
from projects.models import Project

About, Why = Round.About, Look.Why
SMALL = 300  # with fewer faces no sample can show 99 %, so counts are said instead of shares


@dataclass(frozen=True)
class Approved:
    """The faces that people said Yes to."""

    faces: int  # all of them
    covered: int  # of these, what the rounds that are finished speak for
    twice: int  # of these, what was looked at again
    precision: Interval | None  # of what is covered; None while nothing is

    @property
    def waiting(self) -> int:
        """Not looked at twice yet, nor spoken for by a sample."""
        return self.faces - self.covered

    @property
    def once(self) -> int:
        """Spoken for by a sample alone."""
        return self.covered - self.twice

    @property
    def all_twice(self) -> bool:
        return 0 < self.faces == self.twice

    @property
    def sentence(self) -> str:
        """“About 99.2 % of 840 approved faces are right: between 97.6 % and 100 %, …”, or
        “All 60 approved faces were seen, 20 of them twice: 5 of the others are wrong at most.”"""
        if self.precision is None:
            return ""
        n = {"n": _number(self.covered)}
        if self.precision.all_seen:
            return (self._some_twice if self.waiting else self._every_twice) % n
        if self.covered < SMALL:
            return self._counted
        low, high = _down(100 * self.precision.low), _up(100 * self.precision.high)
        figures = {
            "estimate": _number(100 * self.precision.estimate, 1),
            "low": _number(low, 1),
            "high": _number(high, 1),
            "width": _number(high - low, 1),
        }
        sentence = _(
            "About %(estimate)s %% of %(n)s approved faces are right: between %(low)s %% and "
            "%(high)s %%, %(width)s points wide."
        )
        return sentence % (n | figures)

    @property
    def _every_twice(self) -> str:
        return ngettext(
            "The one approved face was seen twice.",
            "All %(n)s approved faces were seen twice.",
            self.covered,
        )

    @property
    def _some_twice(self) -> str:
        return ngettext(
            "%(n)s approved face was seen twice.",
            "%(n)s approved faces were seen twice.",
            self.covered,
        )

    @property
    def _counted(self) -> str:
        assert self.precision is not None
        most = floor(self.covered * (1 - self.precision.low) + 1e-6)
        every = ngettext(
            "All %(n)s approved faces were seen, %(twice)s of them twice: "
            "%(most)s of the others is wrong at most.",
            "All %(n)s approved faces were seen, %(twice)s of them twice: "
            "%(most)s of the others are wrong at most.",
            most,
        )
        some = ngettext(
            "%(n)s approved faces were seen, %(twice)s of them twice: "
            "%(most)s of the others is wrong at most.",
            "%(n)s approved faces were seen, %(twice)s of them twice: "
            "%(most)s of the others are wrong at most.",
            most,
        )
        figures = {"n": self.covered, "twice": self.twice, "most": most}
        sentence = some if self.waiting else every
        return sentence % {name: _number(value) for name, value in figures.items()}

    @property
    def waiting_sentence(self) -> str:
        if not self.waiting:
            return ""
        sentence = ngettext(
            "%(n)s face not looked at twice yet",
            "%(n)s faces not looked at twice yet",
            self.waiting,
        )
        return sentence % {"n": _number(self.waiting)}


@dataclass(frozen=True)
class Left:
    """The faces that nobody looked at."""

    faces: int
    seen: int = 0  # that people answered; counted only where nothing is left
    looked: int = 0  # of what was left, drawn at random
    number: Interval | None = None  # of the person's among `faces`; None: nothing is known
    came: int = 0  # faces since then, of which it says nothing

    @property
    def may_stop(self) -> bool:
        """Whether a further screen, drawn at random, is worth less than asking on is.

        See `learning.choose`, which goes by the same measure, but by the model's opinion.
        """
        if self.number is None or self.came:
            return False
        return self.number.estimate * SCREEN_SIZE < EXPECTED * max(self.faces, SCREEN_SIZE)

    @property
    def sentence(self) -> str:
        """“About 7 more in the 412 left, 39 at most.”"""
        if self.number is None:
            return ""
        if self.number.all_seen:
            one = _("The one face was seen: nothing is left.")
            several = _("All %(n)s were seen: nothing is left.") % {"n": _number(self.seen)}
            return one if self.seen == 1 else several
        figures = {
            "looked": _number(self.looked),
            "about": _number(round(self.number.estimate)),
            "low": _number(ceil(self.number.low)),
            "high": _number(floor(self.number.high)),
            "left": _number(self.faces),
        }
        if not round(self.number.estimate):
            sentence = _("None found among %(looked)s; in the %(left)s left %(high)s at most.")
        elif not self.number.low:
            sentence = _("About %(about)s more in the %(left)s left, %(high)s at most.")
        else:
            sentence = _("About %(about)s more in the %(left)s left, between %(low)s and %(high)s.")
        return sentence % figures

    @property
    def came_sentence(self) -> str:
        if not self.came or self.number is None:
            return ""
        sentence = ngettext(
            "%(n)s face came since and is not in it.",
            "%(n)s faces came since and are not in it.",
            self.came,
        )
        return sentence % {"n": _number(self.came)}


@dataclass(frozen=True)
class Certainty:
    approved: Approved
    left: Left
    wanted: audit_rounds.Wanted

    @property
    def may_stop(self) -> bool:
        """Shown, not thought: the sample of what is left says so, and no look waits.

        “You can stop. About 7 more in the 412 left, 39 at most.”
        """
        return self.left.may_stop and not self.wanted.faces


def of(project: Project) -> Certainty:
    """In a bounded number of queries, none of which opens a vector."""
    if is_large(project):
        yes, rest = approved_counts(project), left_counts(project)
        return Certainty(
            Approved(**yes | {"precision": _interval(yes["precision"])}),
            Left(**rest | {"number": _interval(rest["number"])}),
            audit_rounds.wanted(project),
        )
    revision = Project.objects.values_list("revision", flat=True).get(pk=project.pk)
    approved = _approved_at(project, revision)
    return Certainty(approved, _left(project, revision), audit_rounds.wanted(project))


def _interval(kept: dict[str, Any] | None) -> Interval | None:
    return Interval(**kept) if kept else None


@part("approved", lambda: asdict(Approved(0, 0, 0, precision=None)))
def approved_counts(project: Project) -> dict[str, Any]:
    return asdict(_approved(project))


@part("left", lambda: asdict(Left(0)))
def left_counts(project: Project) -> dict[str, Any]:
    revision = Project.objects.values_list("revision", flat=True).get(pk=project.pk)
    return asdict(_left(project, revision))


@dataclass
class _Counted:
    """What a round found, of the faces that were not drawn on purpose; see `_errors`."""

    looked: int = 0  # drawn at random and looked at
    wrong: int = 0  # of these
    rest: int = 0  # not drawn
    kept: int = 0  # of these, still approved and seen once only
    rejected: int = 0  # of these, found to be wrong all the same, elsewhere


def _approved_at(project: Project, revision: int) -> Approved:
    """Counted once for what people said until this revision and the rounds that are finished:
    of thousands it takes a while, and pages ask every few seconds."""
    finished = Round.objects.filter(subject=project.subject, done_at__isnull=False).count()
    key = f"approved:{project.public_id}:{revision}:{finished}"
    found: Approved | None = cache.get(key)
    if found is None:
        found = _approved(project)
        cache.set(key, found)
    return found


def _approved(project: Project) -> Approved:
    faces = audit_rounds.approved(project)
    looked = audit_rounds.covering(project).exclude(why=Why.FRAME)
    counts = faces.aggregate(
        faces=Count("pk"),
        covered=Count("pk", filter=Exists(audit_rounds.covering(project))),
        twice=Count("pk", filter=Exists(looked)),
    )
    if not counts["covered"]:
        return Approved(**counts, precision=None)
    outvoted = set(_outvoted(project).values_list("region", flat=True))
    errors = _errors(list(_rounds(project, outvoted).values()), len(outvoted))
    return Approved(**counts, precision=_share_right(errors, counts["covered"]))


def _share_right(errors: Interval, covered: int) -> Interval:
    low, estimate, high = (
        min(1.0, count / covered) for count in (errors.low, errors.estimate, errors.high)
    )
    return Interval(1 - estimate, 1 - high, 1 - low, all_seen=errors.all_seen)


def _errors(rounds: list[_Counted], outvoted: int) -> Interval:
    """How many of the approved faces that finished rounds speak for are wrong still.

    Of a round, `guarantees.number` says how many errors were among the faces that it drew from
    at random, when it drew. Errors that were seen are out. What people say later changes that
    number in one direction only, so the interval stays valid without a new sample:

    * No face of the frame became wrong since. So among those that are still approved there are at
      most as many errors as there were among all; those of a photo that was withdrawn may have
      been right, so none is subtracted from the upper end.
    * Any face that is no longer approved, or was seen twice since, may have been one of the
      errors, so each is subtracted from the lower end; and from the estimate, where people said
      No to it.
    * Faces that were withdrawn before anybody looked at them again fall out of the sample, as if
      they had not been drawn. Those in the rest are unknown: the upper end is taken as if they
      were there, the lower one as if not.

    Several rounds drew from different faces. Their ends are added, each at the level
    1 − 0.05 / k, so that all k hold at once 95 % of the time (C. E. Bonferroni, 1936): wider than
    need be, never too narrow. Rounds of which all was seen add nothing and take no level.

    `outvoted`: a face that a volunteer rejected and a reviewer's word keeps is counted as wrong.
    """
    sampled = [each for each in rounds if each.kept]
    level = 1 - (1 - intervals.LEVEL) / max(1, len(sampled))
    estimate = low = high = 0.0
    for each in sampled:
        unseen = intervals.left_over(each.wrong, each.looked, each.looked + each.rest, level)
        surely = intervals.left_over(each.wrong, each.looked, each.looked + each.kept, level)
        most = min(unseen.high, each.kept)
        least = min(max(0.0, surely.low - (each.rest - each.kept)), most)
        estimate += min(max(unseen.estimate - each.rejected, least), most)
        low, high = low + least, high + most
    return Interval(estimate + outvoted, low, high + outvoted, all_seen=not sampled)


def _rounds(project: Project, outvoted: set[int]) -> dict[int, _Counted]:
    """What the finished rounds about what is approved found, counted in the database."""
    yes = Label.objects.filter(
        subject=project.subject, region=OuterRef("region"), verdict=Verdict.YES
    )
    yes = yes.exclude(region__in=outvoted)
    drawn = Look.objects.filter(subject=project.subject, round__about=About.APPROVED)
    # A later round may have shown what an earlier one left to its sample: that is known then.
    seen = audit_rounds.covering(project).exclude(why=Why.FRAME)
    rows = (
        drawn.filter(Q(why=Why.FRAME) | Q(why=Why.SAMPLED) & ~Q(said=""))
        .filter(round__done_at__isnull=False)
        .annotate(
            # A face that was drawn anew is no error: its word moved to the better box.
            right=Exists(yes) | Q(region__replaced_by__isnull=False),
            kept=Exists(audit_rounds.approved(project).filter(region=OuterRef("region")))
            & ~Exists(seen),
        )
        .order_by()
        .values("round", "why", "right", "kept")
        .annotate(n=Count("pk"))
    )
    rounds: dict[int, _Counted] = defaultdict(_Counted)
    for round_, why, right, kept, n in rows.values_list("round", "why", "right", "kept", "n"):
        counted = rounds[round_]
        if why == Why.SAMPLED:
            counted.looked += n
            counted.wrong += 0 if right else n
        else:
            counted.rest += n
            counted.kept += n if kept else 0
            counted.rejected += 0 if right else n
    return rounds


def _outvoted(project: Project) -> QuerySet[Label]:
    """Approved faces whose last word is another one, by somebody whose word weighs less."""
    last = counting(project).filter(region=OuterRef("region")).order_by("-id").values("verdict")
    differed = Look.objects.filter(subject=project.subject, region=OuterRef("region"))
    doubtful = audit_rounds.approved(project).filter(
        Exists(differed.exclude(said__in=("", Verdict.YES))), disputed=True
    )
    return doubtful.annotate(last=Subquery(last[:1])).exclude(last=Verdict.YES)


def _left(project: Project, revision: int) -> Left:
    """What is left, by the last sample of it.

    A face that somebody answers later only leaves the frame: the number that was stated as the
    most stays the most, and each face that is gone is subtracted from the least. The estimate
    goes down by each face that was found since. Of the sample counts the word of now, should
    somebody have corrected it.
    """
    learner = Learner.objects.filter(project=project).first() or Learner()
    faces = learner.left
    rounds = Round.objects.filter(subject=project.subject, about=About.LEFT, done_at__isnull=False)
    last = rounds.order_by("id").last()
    if (
        not faces
        and learner.faces
        and learner.revision == revision
        and (answered := _answered(project))
    ):
        return Left(0, answered, number=Interval(0, 0, 0, all_seen=True))
    if last is None:
        return Left(faces)
    yes = Label.objects.filter(
        subject=project.subject, region=OuterRef("region"), verdict=Verdict.YES
    )
    redrawn = Q(said=Verdict.YES, region__replaced_by__isnull=False)
    seen = last.looks.exclude(said="").aggregate(
        looked=Count("pk"), hits=Count("pk", filter=Exists(yes) | redrawn)
    )
    came = max(0, learner.faces - last.faces)
    whole = intervals.left_over(seen["hits"], seen["looked"], last.frame)
    unseen = last.frame - seen["looked"]
    still = max(0, min(unseen, faces - came))
    high = min(whole.high, still)
    low = min(max(0.0, whole.low - (unseen - still)), high)
    estimate = min(max(whole.estimate - _found_since(last), low), high)
    number = Interval(estimate, low, high)
    return Left(faces, looked=seen["looked"], number=number, came=came)


def _answered(project: Project) -> int:
    """Faces that people said a word about."""
    said = Label.objects.filter(subject=project.subject).exclude(origin=Origin.BOOTSTRAP)
    return said.exclude(region__origin=Region.Origin.PHOTO).count()


def _found_since(last: Round) -> int:
    """Faces of the person that people found since, outside of the sample."""
    before = Answer.objects.filter(
        subject=last.subject_id, region=OuterRef("region"), pk__lte=last.after
    )
    found = Label.objects.filter(
        ~Exists(before), subject=last.subject_id, verdict=Verdict.YES, answer__gt=last.after
    )
    return found.exclude(region__in=last.looks.values("region")).count()


def _number(value: float, places: int | None = None) -> str:
    """By the reader's locale; “99.0” is “99”."""
    if places and round(value, places) == round(value):
        places = 0
    return number_format(value, places, force_grouping=True)


def _down(percent: float) -> float:
    return floor(percent * 10 + 1e-9) / 10


def _up(percent: float) -> float:
    return ceil(percent * 10 - 1e-9) / 10
