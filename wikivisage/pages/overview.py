"""What a project's page says: how far each step is, and the one next thing to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from classify.asking.queue import worth
from classify.audit import estimates
from classify.audit.estimates import Certainty
from classify.learner import forecasts
from classify.models import Forecast
from classify.review import years
from classify.review.galleries import Tile, gallery
from classify.selectors import FaceCounts, LearnerState, face_counts, learner, wordless_count
from core.work import WorkState
from crawler.models import CrawlStep
from crawler.selectors import CrawlProgress, crawl_progress
from projects.live.census import is_being_counted
from projects.models import Project
from projects.templatetags.ui import duration
from sdc.models import EditBatch
from sdc.preview.eligibility import on_wiki_count, passed_over_count, ready_count
from sdc.selectors import batches
from sdc.watch.findings import look_again_count
from wikivisage.pages.cards import minutes
from wikivisage.pages.failures import Failures, failures

PREVIEW_FACES = 3
BATCHES_SHOWN = 5
SOON = timedelta(seconds=30)  # after which “within seconds” is no longer true

Series = list[tuple[str, str, list[tuple[int, float]]]]  # for {% lines %}


class Next(StrEnum):
    """The next thing to do, chosen by what waits; each has its words in the template."""

    SENDING = "sending"
    FIRST = "first"  # answer until there are enough confirmed faces
    REVIEW = "review"
    AGAIN = "again"  # second looks
    ASK = "ask"
    SEND = "send"
    LISTING = "listing"
    LOOKING = "looking"
    NO_PHOTOS = "no-photos"
    PAUSED = "paused"
    TRAY = "tray"  # all faces are answered, none was found in some photos
    PASSED_OVER = "passed-over"  # left out or skipped: never the next thing, only besides
    DONE = "done"
    COMPLETED = "completed"  # the owner said so: nothing more is asked
    COUNTING = "counting"  # a large project of which no figure is known yet


class Pace(StrEnum):
    WAITING = ""
    MOVING = "moving"
    DONE = "done"


@dataclass(frozen=True)
class Step:
    """One of the six steps. `value` of `whole` is its bar."""

    name: str
    count: int
    word: str
    note: str
    value: int
    whole: int
    pace: Pace

    @property
    def pair(self) -> str:
        return f"{self.count} {self.word}"


@dataclass(frozen=True)
class Overview:
    project: Project
    crawl: CrawlProgress
    faces: FaceCounts
    learner: LearnerState
    worth: int  # faces that are still worth an answer
    ready: int  # statements that could be sent
    passed_over: int  # left out of the last preview, or skipped by it
    on_wiki: int
    running: EditBatch | None
    without_faces: int  # photos looked at, no face found, nothing said about them
    sure: Certainty  # what second looks say for certain
    look_again: int  # statements that somebody removed or changed, the face not looked at since
    course: list[Forecast]  # what was expected, answer by answer
    years: years.Years
    failures: Failures
    listings: int  # categories, searches … that are still to be read
    alone: bool  # whether the reader likes to be asked about one face at a time
    is_being_counted: bool  # a large project: all its figures are 0 until they are known

    @property
    def moves(self) -> bool:
        """Whether something changes without anybody doing anything."""
        live = self.project.state == Project.State.ACTIVE
        working = self.crawl.crawling or self.crawl.detecting or self.learner.behind
        return (live and working) or self.running is not None or self.is_being_counted

    @property
    def is_completed(self) -> bool:
        return self.project.state == Project.State.COMPLETED

    @property
    def unseen(self) -> int:
        """Photos that were found and not looked at yet, as those that come after completion."""
        return max(0, self.crawl.photos - self.crawl.looked_at - self.crawl.set_aside)

    @property
    def is_slow(self) -> bool:
        """Whether the last deed here, from which on it lists, was a while ago."""
        return timezone.now() - self.project.active_at > SOON

    @property
    def asks_likely(self) -> bool:
        """By exemplars likely faces are asked about, by the centroid rule they are reviewed."""
        return self.project.rule == Project.Rule.EXEMPLARS

    @property
    def _prepares(self) -> bool:
        """Whether likely faces will be asked about in a moment."""
        live = self.project.state == Project.State.ACTIVE
        return live and self.learner.behind and self.faces.matches > 0

    @property
    def next(self) -> Next:
        if self.running:
            return Next.SENDING
        if self.is_completed:
            return Next.COMPLETED
        if self.worth and not self.learner.ready:
            return Next.FIRST
        if self.asks_likely and (self.worth or self._prepares):
            return Next.ASK
        if self.faces.matches:
            return Next.REVIEW
        if self.sure.wanted.approved:
            return Next.AGAIN
        if self.ready:
            return Next.SEND
        if self.worth:
            return Next.ASK
        if self.sure.wanted.left:
            return Next.AGAIN
        return self._nothing_waits()

    def _nothing_waits(self) -> Next:
        if self.is_being_counted:
            return Next.COUNTING
        if self.project.state != Project.State.ACTIVE:
            return Next.PAUSED
        if self.crawl.crawling and not self.crawl.photos:
            return Next.LISTING
        if self.crawl.crawling or self.crawl.detecting or self.learner.behind:
            return Next.LOOKING
        if not self.crawl.photos:
            return Next.NO_PHOTOS
        return Next.TRAY if self.without_faces else Next.DONE

    @property
    def expects(self) -> Series:
        """The course as two lines; none before there are two points to draw one between."""
        if len(self.course) < 2:
            return []
        precision = [(row.answers, row.precision) for row in self.course]
        recall = [(row.answers, row.recall) for row in self.course]
        drawn = [(_("Expected precision"), "act", precision), (_("Expected recall"), "yes", recall)]
        return [
            (name, colour, [(x, y) for x, y in points if y is not None])
            for name, colour, points in drawn
        ]

    @property
    def by_year(self) -> list[tuple[str, int, str, int]]:
        """Bars: photos of each year, those with the person in full colour, the review behind."""
        review = reverse("review", args=[self.project.public_id])
        return [
            (
                span.name,
                span.photos,
                f"{review}?year={span.narrow}" if span.narrow and span.photos else "",
                span.found,
            )
            for span in self.years.spans
        ]

    @property
    def answer_minutes(self) -> int:
        return minutes(self.worth, alone=self.alone)

    @property
    def beside(self) -> int:
        """Faces without an answer that can bring no tag: in their photos somebody was confirmed,
        or the wiki says who is there. Nobody is asked about them."""
        if self.learner.behind or not self.asks_likely:
            return 0
        return max(0, self.faces.unanswered - self.learner.left)

    @property
    def more_likely(self) -> int:
        return max(0, self.faces.matches - PREVIEW_FACES)

    @property
    def also(self) -> list[tuple[str, int]]:
        """What waits besides the next thing: (kind, how many).

        By exemplars the likely faces are those that are asked about: they are named once.
        """
        asked = Next.ASK if self.learner.ready else Next.FIRST
        asks_them = self.asks_likely and (self.worth or self._prepares)
        waits = [
            (asked, self.worth),
            (Next.REVIEW, 0 if asks_them else self.faces.matches),
            (Next.AGAIN, self.sure.wanted.faces),
            (Next.SEND, self.ready),
            (Next.PASSED_OVER, self.passed_over),
            (Next.TRAY, self.without_faces),
        ]
        return [(kind.value, count) for kind, count in waits if count and kind != self.next]

    @property
    def said(self) -> str:
        """What a screen reader hears when it changes: coarse, so that it is not chatty."""
        if self.running:
            return _("Sending to Commons.")
        if self.is_being_counted:
            return _("Counting the photos and faces.")
        if self.crawl.crawling:
            return _("Listing photos.")
        if self.crawl.detecting:
            return _("Looking at photos.")
        if self.learner.behind:
            return _("Learning from the answers.")
        return _("Up to date.")

    @property
    def steps(self) -> list[Step]:
        return [*_looking(self), _learning(self), _asking(self), _review(self), _send(self)]

    @property
    def states(self) -> list[tuple[str, int, str, str]]:
        """Faces by state: word, count, colour, filter of the gallery (or "ask")."""
        faces = self.faces
        asked = (_("Uncertain, to ask"), "ask") if self.worth else (_("Uncertain"), "")
        return [
            (_("Confirmed"), faces.confirmed, "yes", "confirmed"),
            (_("Likely, to check"), faces.matches, "face", "matches"),
            (asked[0], faces.uncertain, "warn", asked[1]),
            (_("Probably somebody else"), faces.others, "other", "others"),
            (_("Not the person"), faces.rejected, "not", "rejected"),
            (_("Can’t tell"), faces.cant_tell, "none", ""),
        ]

    @property
    def bar(self) -> list[tuple[str, int, str]]:
        return [(word, count, colour) for word, count, colour, _which in self.states]


def overview(project: Project, *, alone: bool = False) -> Overview:
    """A bounded number of queries, whatever the size of the project."""
    crawl = crawl_progress(project)
    running = EditBatch.objects.filter(project=project, state=EditBatch.State.RUNNING)
    return Overview(
        project=project,
        crawl=crawl,
        faces=face_counts(project),
        learner=learner(project),
        worth=worth(project),
        ready=ready_count(project),
        passed_over=passed_over_count(project),
        on_wiki=on_wiki_count(project),
        sure=estimates.of(project),
        running=running.order_by("-id").first(),
        without_faces=wordless_count(project),
        look_again=look_again_count(project),
        course=forecasts.course(project),
        years=years.of(project, crawl.photos),
        failures=failures(project, crawl),
        listings=_listings(project) if crawl.crawling else 0,
        alone=alone,
        is_being_counted=is_being_counted(project),
    )


def _listings(project: Project) -> int:
    steps = CrawlStep.objects.filter(source__project=project)
    begun = steps.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING)).count()
    return begun + project.sources.filter(steps=None).count()


def latest_batches(project: Project) -> list[tuple[int, EditBatch]]:
    """The last few confirmed batches, each with its number in the project."""
    rows = batches(project)
    total = rows.count()
    return [(total - place, batch) for place, batch in enumerate(rows[:BATCHES_SHOWN])]


def likely_faces(project: Project) -> Sequence[Tile]:
    """A few faces that look like the person, for the head of the page."""
    return gallery(project, "matches", "best", limit=PREVIEW_FACES).tiles


def _looking(view: Overview) -> tuple[Step, Step]:
    crawl = view.crawl
    listed = Step(
        name=_("Crawl"),
        count=crawl.photos,
        word=ngettext("photo", "photos", crawl.photos),
        note=_list_note(view),
        value=0 if crawl.crawling else 1,
        whole=1,
        pace=_pace(crawl.crawling and not view.is_completed, bool(crawl.photos)),
    )
    seen = Step(
        name=_("Look"),
        count=crawl.looked_at,
        word=_("of %(n)s") % {"n": intcomma(crawl.photos)},
        note=_look_note(crawl),
        value=crawl.looked_at + crawl.set_aside,
        whole=max(crawl.photos, 1),
        pace=_pace(
            crawl.detecting and not view.is_completed, bool(crawl.looked_at) and not crawl.crawling
        ),
    )
    return listed, seen


def _list_note(view: Overview) -> str:
    """How long it takes nobody knows before it is read; how many are left to read we do."""
    if not view.crawl.crawling or view.is_completed:
        return _("All listed")
    n = view.listings
    return ngettext("%(n)s listing to go", "%(n)s listings to go", n) % {"n": intcomma(n)}


def _look_note(crawl: CrawlProgress) -> str:
    if crawl.detecting and crawl.seconds_left is not None:
        return _("%(n)s a minute, %(time)s left") % {
            "n": intcomma(round(crawl.rate_a_minute)),
            "time": duration(crawl.seconds_left),
        }
    if crawl.set_aside:
        aside = ngettext("%(n)s set aside", "%(n)s set aside", crawl.set_aside)
        return aside % {"n": intcomma(crawl.set_aside)}
    return ngettext("%(n)s face", "%(n)s faces", crawl.faces) % {"n": intcomma(crawl.faces)}


def _learning(view: Overview) -> Step:
    """First the confirmed faces it still needs, then the answers it has learned from."""
    state, answered = view.learner, view.faces.by_people
    minimum = 1 if view.asks_likely else view.project.min_confirmed
    moving = state.behind and view.project.state == Project.State.ACTIVE
    if not state.ready:
        count, word = state.confirmed, _("of %(n)s") % {"n": intcomma(minimum)}
        note = _("confirmed faces")
    else:
        count, word = answered, ngettext("answer", "answers", answered)
        note = _("Catching up…") if moving else _("Up to date")
    return Step(
        name=_("Learn"),
        count=count,
        word=word,
        note=note,
        value=min(state.confirmed, minimum),
        whole=max(minimum, 1),
        pace=_pace(moving, state.ready),
    )


def _asking(view: Overview) -> Step:
    n = view.worth
    about = ngettext("about %(n)s minute", "about %(n)s minutes", view.answer_minutes)
    answered = view.faces.answered
    return Step(
        name=_("Ask"),
        count=n,
        word=ngettext("answer", "answers", n),
        note=about % {"n": intcomma(view.answer_minutes)} if n else _("None waits"),
        value=answered,
        whole=max(answered + n, 1),
        pace=_pace(False, bool(answered) and not n),
    )


def _review(view: Overview) -> Step:
    waits, found = view.faces.matches, view.faces.confirmed
    confirmed = ngettext("%(n)s confirmed", "%(n)s confirmed", found)
    return Step(
        name=_("Review"),
        count=waits,
        word=ngettext("waits", "wait", waits),
        note=confirmed % {"n": intcomma(found)},
        value=found if view.learner.ready else 0,
        whole=max(found + waits, 1),
        pace=_pace(False, bool(found) and not waits and view.learner.ready),
    )


def _send(view: Overview) -> Step:
    on_wiki = ngettext("%(n)s sent so far", "%(n)s sent so far", view.on_wiki)
    return Step(
        name=_("Send"),
        count=view.ready,
        word=_("ready"),
        note=on_wiki % {"n": intcomma(view.on_wiki)},
        value=view.on_wiki,
        whole=max(view.on_wiki + view.ready, 1),
        pace=_pace(view.running is not None, bool(view.on_wiki) and not view.ready),
    )


def _pace(moving: bool, done: bool) -> Pace:
    if moving:
        return Pace.MOVING
    return Pace.DONE if done else Pace.WAITING
