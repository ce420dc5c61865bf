"""What a project's page says: how far each step is, and the one next thing to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from classify import certainty
from classify.certainty import Certainty
from classify.models import Question
from classify.selectors import FaceCounts, LearnerState, Tile, face_counts, gallery, learner
from crawler.selectors import CrawlProgress, crawl_progress, photos_without_faces
from projects.models import Project
from projects.templatetags.ui import duration
from sdc.models import Claim, EditBatch
from sdc.ready import passed_over_count, ready_count
from sdc.selectors import batches
from sdc.watch.findings import findings, to_look
from wikivisage.cards import minutes

PREVIEW_FACES = 3
BATCHES_SHOWN = 5


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
    questions: int
    ready: int  # statements that could be sent
    passed_over: int  # left out of the last preview, or skipped by it
    on_wiki: int
    running: EditBatch | None
    without_faces: int  # photos looked at, no face found, nothing said about them
    sure: Certainty  # what second looks say for certain
    look_again: int  # statements that somebody removed or changed, the face not looked at since

    @property
    def moves(self) -> bool:
        """Whether something changes without anybody doing anything."""
        live = self.project.state == Project.State.ACTIVE
        working = self.crawl.crawling or self.crawl.detecting or self.learner.behind
        return live and (working or self.running is not None)

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
        if self.questions and not self.learner.ready:
            return Next.FIRST
        if self.asks_likely and (self.questions or self._prepares):
            return Next.ASK
        if self.faces.matches:
            return Next.REVIEW
        if self.sure.wanted.approved:
            return Next.AGAIN
        if self.ready:
            return Next.SEND
        if self.questions:
            return Next.ASK
        if self.sure.wanted.left:
            return Next.AGAIN
        return self._nothing_waits()

    def _nothing_waits(self) -> Next:
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
    def answer_minutes(self) -> int:
        return minutes(self.learner.worth or self.questions)

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
    def waiting(self) -> int:
        """Faces that wait for somebody: those to ask about and those to review overlap."""
        return max(self.questions, self.faces.matches)

    @property
    def also(self) -> list[tuple[str, int]]:
        """What waits besides the next thing: (kind, how many).

        By exemplars the likely faces are those that are asked about: they are named once.
        """
        asked = Next.ASK if self.learner.ready else Next.FIRST
        asks_them = self.asks_likely and (self.questions or self._prepares)
        waits = [
            (asked, self.questions),
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
        if self.crawl.crawling:
            return _("Listing photos.")
        if self.crawl.detecting:
            return _("Looking at photos.")
        if self.learner.behind:
            return _("Learning from the answers.")
        return _("Up to date.")

    @property
    def steps(self) -> list[Step]:
        return [*_looking(self.crawl), _learning(self), _asking(self), _review(self), _send(self)]

    @property
    def states(self) -> list[tuple[str, int, str, str]]:
        """Faces by state: word, count, colour, filter of the gallery (or "ask")."""
        faces = self.faces
        return [
            (_("Confirmed"), faces.confirmed, "yes", "confirmed"),
            (_("Likely, to check"), faces.matches, "face", "matches"),
            (_("Uncertain, to ask"), faces.uncertain, "warn", "ask"),
            (_("Probably somebody else"), faces.others, "other", "others"),
            (_("Not the person"), faces.rejected, "not", "rejected"),
            (_("Can’t tell"), faces.cant_tell, "none", ""),
        ]

    @property
    def bar(self) -> list[tuple[str, int, str]]:
        return [(word, count, colour) for word, count, colour, _which in self.states]


def overview(project: Project) -> Overview:
    """A bounded number of queries, whatever the size of the project."""
    running = EditBatch.objects.filter(project=project, state=EditBatch.State.RUNNING)
    claims = Claim.objects.filter(project=project, state=Claim.State.WRITTEN)
    return Overview(
        project=project,
        crawl=crawl_progress(project),
        faces=face_counts(project),
        learner=learner(project),
        questions=Question.objects.filter(project=project).count(),
        ready=ready_count(project),
        passed_over=passed_over_count(project),
        on_wiki=claims.count(),
        sure=certainty.of(project),
        running=running.order_by("-id").first(),
        without_faces=photos_without_faces(project).exclude(labels__project=project).count(),
        look_again=to_look(findings(project)).count(),
    )


def latest_batches(project: Project) -> list[tuple[int, EditBatch]]:
    """The last few confirmed batches, each with its number in the project."""
    rows = batches(project)
    total = rows.count()
    return [(total - place, batch) for place, batch in enumerate(rows[:BATCHES_SHOWN])]


def likely_faces(project: Project) -> Sequence[Tile]:
    """A few faces that look like the person, for the head of the page."""
    return gallery(project, "matches", "best", limit=PREVIEW_FACES).tiles


def _looking(crawl: CrawlProgress) -> tuple[Step, Step]:
    listed = Step(
        name=_("Crawl"),
        count=crawl.photos,
        word=ngettext("photo", "photos", crawl.photos),
        note=_("Listing…") if crawl.crawling else _("All listed"),
        value=0 if crawl.crawling else 1,
        whole=1,
        pace=_pace(crawl.crawling, bool(crawl.photos)),
    )
    seen = Step(
        name=_("Look"),
        count=crawl.looked_at,
        word=_("of %(n)d") % {"n": crawl.photos},
        note=_look_note(crawl),
        value=crawl.looked_at + crawl.set_aside,
        whole=max(crawl.photos, 1),
        pace=_pace(crawl.detecting, bool(crawl.looked_at) and not crawl.crawling),
    )
    return listed, seen


def _look_note(crawl: CrawlProgress) -> str:
    if crawl.detecting and crawl.seconds_left is not None:
        return _("%(n)d a minute, %(time)s left") % {
            "n": round(crawl.rate_a_minute),
            "time": duration(crawl.seconds_left),
        }
    if crawl.set_aside:
        return _("%(n)d set aside") % {"n": crawl.set_aside}
    return ngettext("%(n)d face", "%(n)d faces", crawl.faces) % {"n": crawl.faces}


def _learning(view: Overview) -> Step:
    """First the confirmed faces it still needs, then the answers it has learned from."""
    state, answered = view.learner, view.faces.answered
    minimum = 1 if view.asks_likely else view.project.min_confirmed
    moving = state.behind and view.project.state == Project.State.ACTIVE
    if not state.ready:
        count, word = state.confirmed, _("of %(n)d") % {"n": minimum}
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
    n = view.learner.worth or view.questions
    about = ngettext("about %(n)d minute", "about %(n)d minutes", view.answer_minutes)
    answered = view.faces.answered
    return Step(
        name=_("Ask"),
        count=n,
        word=ngettext("answer", "answers", n),
        note=about % {"n": view.answer_minutes} if n else _("None waits"),
        value=answered,
        whole=max(answered + n, 1),
        pace=_pace(False, bool(answered) and not n),
    )


def _review(view: Overview) -> Step:
    waits, found = view.faces.matches, view.faces.confirmed
    confirmed = ngettext("%(n)d confirmed", "%(n)d confirmed", found)
    return Step(
        name=_("Review"),
        count=waits,
        word=ngettext("waits", "wait", waits),
        note=confirmed % {"n": found},
        value=found if view.learner.ready else 0,
        whole=max(found + waits, 1),
        pace=_pace(False, bool(found) and not waits and view.learner.ready),
    )


def _send(view: Overview) -> Step:
    on_wiki = ngettext("%(n)d is on Commons", "%(n)d are on Commons", view.on_wiki)
    return Step(
        name=_("Send"),
        count=view.ready,
        word=_("ready"),
        note=on_wiki % {"n": view.on_wiki},
        value=view.on_wiki,
        whole=max(view.on_wiki + view.ready, 1),
        pace=_pace(view.running is not None, bool(view.on_wiki) and not view.ready),
    )


def _pace(moving: bool, done: bool) -> Pace:
    if moving:
        return Pace.MOVING
    return Pace.DONE if done else Pace.WAITING
