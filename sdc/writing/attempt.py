"""One turn: settle one attempt, by reading the file, and by writing to it if that is right.

Everything about an edit is in the database before the call. After a crash, a cut connection or
any other doubtful end the file and its history are read before anything is repeated. So the wiki
ends with one edit of ours, whatever dies and when. Whose edit a revision is, its content says
(`sdc/files/revisions.py`): a batch may have written other statements to the same file.

What adding (`adding.py`) and taking back (`removing.py`) have in common is here.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar, NoReturn

from django.utils import timezone

from core.crash_points import crash_point
from core.work import Overtaken, WorkState
from projects.accounts import oauth_consumer, tokens
from sdc.files import reading, revisions
from sdc.files.reading import PageNow
from sdc.models import Claim, ClaimAttempt, EditBatch, Writer
from sdc.sending_rights import limits
from sdc.writing import outcomes, preconditions
from sdc.writing.rate_buckets import CATCH_UP, EVERYBODY, lane_of
from sdc.writing.reasons import OF_THE_SITE, Reason
from sdc.writing.responses import Next, Outcome, judge_failure
from sdc.writing.session import Account, Session
from wiki import pace
from wiki.http import Read, WikiError
from wiki.json_tree import UNREADABLE
from wiki.pywikibot_client import READ_LANE

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)  # longer than one call may take, see wiki.http.TIMEOUT
FRESH = 45.0  # seconds that a shared read counts as fresh
LAG_WAIT = 5.0  # seconds to wait on lag should the wiki not say
BUSY = timedelta(seconds=2)  # how long a file waits while another edit of it is in flight
# By then a call whose answer was lost has had its effect, and all of the wiki's servers show it.
ARRIVED = timedelta(seconds=60)
LONGEST = 10.0  # seconds that one waits for a slot with the turn held
REST = {
    Reason.READONLY: timedelta(minutes=1),
    Reason.MISCONFIGURED: timedelta(minutes=5),
    Reason.TURNED_AWAY: timedelta(minutes=15),
}


class Setback(Exception):
    """The wiki, or the way to it, has trouble: this user's writing waits longer each time."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Unwanted(Exception):
    """Right before the call: somebody decided otherwise, or another edit of the file goes on."""


class Pages:
    """Pages read together, 50 a call, and used while they are fresh."""

    def __init__(self) -> None:
        self._read_at: dict[int, tuple[float, PageNow]] = {}

    def get(self, read: Read, page_id: int, ahead: Callable[[], list[int]]) -> PageNow:
        read_at, page = self._read_at.get(page_id, (0.0, None))
        if page is None or time.monotonic() - read_at > FRESH:
            now = time.monotonic()
            pages = reading.read_pages(read, [page_id, *ahead()])
            kept = {each: had for each, had in self._read_at.items() if now - had[0] <= FRESH}
            self._read_at = kept | {each: (now, found) for each, found in pages.items()}
            page = pages[page_id]
        return page

    def forget(self, page_id: int) -> None:
        self._read_at.pop(page_id, None)


def _of_one_file(error: WikiError) -> bool:
    """Whether a read was answered, with a refusal that may be about one of the files alone."""
    if error.code.startswith("http-") or error.code in ("network", UNREADABLE):
        return False
    outcome = judge_failure(error)
    return outcome.next is Next.REFUSE or outcome.reason is Reason.TROUBLE


class Turn(ABC):
    """`ahead` gives the ids of pages that will be wanted next, to be read in the same call."""

    point: ClassVar[str]  # how its crash points are named

    def __init__(
        self,
        writer: Writer,
        attempt: ClaimAttempt,
        account: Account,
        pages: Pages,
        ahead: Callable[[], list[int]],
    ) -> None:
        self.writer = writer
        self.attempt = attempt
        self.batch: EditBatch = attempt.batch
        self.claim: Claim = attempt.claim
        self.account = account
        self.pages = pages
        self.ahead = ahead
        self.page: PageNow | None = None  # as it was read for this turn

    # What differs -------------------------------------------------------------------------

    @abstractmethod
    def _done_by(self, page: PageNow) -> bool:
        """Whether the page alone proves that our edit was made."""

    @abstractmethod
    def _succeeded(
        self, revision: int | None, answer: outcomes.Answer, page: PageNow | None
    ) -> None:
        """Our edit was made; `page` is given where that was found by reading."""

    @abstractmethod
    def _overtaken_by_others(self, page: PageNow) -> Reason | None:
        """Somebody else did what we were about to do, or made it impossible."""

    @abstractmethod
    def _why_not_now(self, page: PageNow) -> Reason | None:
        """What keeps the edit from being made now, for good."""

    @abstractmethod
    def _end_without_edit(self, reason: Reason) -> None: ...

    @abstractmethod
    def _still_wanted(self) -> bool:
        """Whether nobody decided otherwise while the file was read."""

    @abstractmethod
    def _call(self, session: Session) -> Outcome: ...

    @abstractmethod
    def _since(self) -> int:
        """A revision of the page before which our edit can't be."""

    def _waits_until(self, page: PageNow) -> datetime | None:
        """Until when people are given time to decide whether the edit is made at all."""
        return None

    def _settled_at_last_look(self, session: Session) -> bool:
        """A look right before the call, for what the wiki itself does not check."""
        return False

    # What is common -----------------------------------------------------------------------

    def settle(self, *, lane_is_open: bool) -> bool:
        """Settle the attempt or put it back; False when it only waits for its slot.

        Raises Setback, NeedsLogin, Overtaken.
        """
        # what is left of a stopped batch is only read, so that no lost login leaves it locked
        running = self.batch.state == EditBatch.State.RUNNING
        try:
            with self.account.signed_in() if running else self.account.as_nobody() as session:
                return self._settle(session, lane_is_open)
        except WikiError as error:  # while reading: the attempt is as it was
            self._read_failed(judge_failure(error))
            return True

    def _settle(self, session: Session, lane_is_open: bool) -> bool:
        try:
            page = self._page(session)
            if self._settle_by_reading(session, page):
                return True
            if until := self._waits_until(page):
                self._wait_until(until, Reason.OBJECTED)
                return True
            self.page = page
        except WikiError as error:
            if not _of_one_file(error):
                raise
            self._unreadable(judge_failure(error))
        if not lane_is_open:
            return False
        if self._another_edit_in_flight():
            self._wait_until(timezone.now() + BUSY)
            return True
        self._send(session)
        return True

    def _page(self, session: Session) -> PageNow:
        """The file now. A doubt is not settled by what was read before."""
        page_id = self.claim.page_id
        if self.attempt.in_doubt:
            self.pages.forget(page_id)
        try:
            return self.pages.get(session.read, page_id, self.ahead)
        except WikiError as error:
            if not _of_one_file(error):
                raise
        return self.pages.get(session.read, page_id, list)  # another one of the call may be odd

    def _unreadable(self, outcome: Outcome) -> NoReturn:
        """The wiki can't say what this file is. It is tried again, but not for ever, unless we are
        in doubt; the user's other files go on after a while. Raises Setback."""
        attempt, reason = self.attempt, outcome.reason or Reason.TROUBLE
        self._take()
        if attempt.exhausted and not attempt.in_doubt:
            outcomes.refused(attempt, reason, outcome.detail)
        else:
            self._put_back(outcome, in_doubt=attempt.in_doubt)
        raise Setback(reason, outcome.detail)

    def _settle_by_reading(self, session: Session, page: PageNow) -> bool:
        """End the attempt without a call if the file or our own rows say so."""
        if page.problem is Reason.UNREADABLE:
            self.pages.forget(page.page_id)
            self._unreadable(Outcome(Next.LATER, Reason.UNREADABLE))
        done = self._done_by(page)
        if done or self.attempt.in_doubt:
            found = self._find_revision(session)
            if done or found:
                self._take()
                self._succeeded(found, outcomes.FOUND_BY_READING, page)
                return True
        reason = self._why_not_now(page)
        if reason is None:
            return False
        if self._may_still_arrive() and reason is not Reason.ALREADY_THERE:
            self._wait_until((self.attempt.began_at or timezone.now()) + ARRIVED)
            return True
        self._take()
        if self.attempt.exhausted and reason == self.attempt.last_reason:
            outcomes.refused(self.attempt, reason, self.attempt.error_detail)
        else:
            self._end_without_edit(reason)
        return True

    def _may_still_arrive(self) -> bool:
        """Whether a call was made of which it is too early to say that it had no effect."""
        began = self.attempt.began_at
        return self.attempt.in_doubt and began is not None and timezone.now() < began + ARRIVED

    def _wait_until(self, due_at: datetime, reason: str = "") -> None:
        """Not now; whoever took it over meanwhile decides for themselves."""
        rows = ClaimAttempt.objects.filter(pk=self.attempt.pk, attempt=self.attempt.attempt)
        rows = rows.filter(state__in=outcomes.UNSETTLED)  # running: left by a worker that died
        why = {"error": reason} if reason else {}
        rows.update(state=WorkState.QUEUED, lease_until=None, due_at=due_at, **why)

    def _another_edit_in_flight(self) -> bool:
        """Two edits of one file at the same moment would be refused as a conflict."""
        others = ClaimAttempt.objects.in_flight().exclude(pk=self.attempt.pk)
        return others.filter(
            claim__wiki=self.claim.wiki, claim__page_id=self.claim.page_id
        ).exists()

    def _send(self, session: Session) -> None:
        attempt, was_in_doubt = self.attempt, self.attempt.in_doubt
        if about := session.prepare():
            limits.learn(self.writer, about)
        wait = self._reserve()
        if wait > LONGEST:  # all were told to wait: so much can change until then
            return
        time.sleep(wait)
        if self._settled_at_last_look(session):
            return
        self._keep_turn()
        self._take(in_doubt=True, began_at=timezone.now())
        self.pages.forget(self.claim.page_id)
        crash_point(f"{self.point}:before-call")
        session.before_call = self._check_wanted
        try:
            outcome = self._call(session)
        except Unwanted:
            due_at = timezone.now() + BUSY if self._another_edit_in_flight() else None
            outcomes.put_back(attempt, None, in_doubt=was_in_doubt, counted=False, due_at=due_at)
            return
        crash_point(f"{self.point}:after-call")
        self._record(session, outcome, was_in_doubt)
        crash_point(f"{self.point}:after-commit")

    def _check_wanted(self) -> None:
        """Right before each call, as late as can be: the row is still ours, nobody decided
        otherwise, and no other edit of the file goes on. A worker that stood still sends nothing
        any more. Raises Overtaken, Unwanted."""
        mine = ClaimAttempt.objects.filter(
            pk=self.attempt.pk, attempt=self.attempt.attempt, state=WorkState.RUNNING
        )
        if not mine.update(lease_until=timezone.now() + LEASE):
            raise Overtaken(f"attempt {self.attempt.pk}")
        if not preconditions.goes_on(self.attempt) or not self._still_wanted():
            raise Unwanted
        if self._another_edit_in_flight():
            raise Unwanted

    def _reserve(self) -> float:
        """Seconds until the user's next slot. What waits of the wiki or of ours took is not
        caught up, what a worker that died left undone is."""
        lane, per_minute = lane_of(self.account.user), limits.pace_by(self.writer)
        return pace.reserve(lane, per_minute, catch_up=CATCH_UP, within=(EVERYBODY, READ_LANE))

    def _record(self, session: Session, outcome: Outcome, was_in_doubt: bool) -> None:
        attempt, reason = self.attempt, outcome.reason or Reason.UNKNOWN
        if outcome.next is not Next.LOGIN:
            self.account.refusals = 0
        match outcome.next:
            case Next.SAVED:
                self._succeeded(outcome.revision, outcome.told, None)
            case Next.THERE | Next.LOOK:
                self._look_again(session, reason)
            case Next.REFUSE:
                if reason is Reason.UNKNOWN:
                    log.warning("the wiki refused an edit with an unknown code: %s", outcome.detail)
                outcomes.refused(attempt, reason, outcome.detail)
            case _:
                self._put_back(outcome, in_doubt=was_in_doubt or outcome.doubtful)
                self._consequences(outcome)

    def _look_again(self, session: Session, reason: Reason) -> None:
        """The wiki says that it is so already, or that it mixed edits: see whose it is."""
        page_id = self.claim.page_id
        try:
            page = reading.read_pages(session.read, [page_id])[page_id]
            found = self._find_revision(session)
        except WikiError as error:
            outcome = judge_failure(error)
            self._put_back(outcome, in_doubt=True)
            self._consequences(outcome)
            return
        if page.problem is Reason.UNREADABLE:
            outcomes.put_back(self.attempt, page.problem, in_doubt=True, counted=True)
        elif found or self._done_by(page):
            self._succeeded(found, outcomes.FOUND_BY_READING, page)
        elif why := self._overtaken_by_others(page):
            self._end_without_edit(why)
        else:
            outcomes.put_back(self.attempt, reason, in_doubt=True, counted=True)

    def _find_revision(self, session: Session) -> int | None:
        return revisions.find_revision(session.read, self.attempt, self._since())

    def _put_back(self, outcome: Outcome, *, in_doubt: bool) -> None:
        counted = not outcome.patient and outcome.next in (Next.LATER, Next.TOKEN, Next.REFUSE)
        outcomes.put_back(
            self.attempt,
            outcome.reason or Reason.UNKNOWN,
            in_doubt=in_doubt,
            counted=counted,
            detail=outcome.detail,
        )

    def _read_failed(self, outcome: Outcome) -> None:
        """A refused read is nobody's fault but the account's, the tool's or the wiki's."""
        running = self.batch.state == EditBatch.State.RUNNING
        if outcome.next in (Next.REFUSE, Next.TOKEN) or not running:
            raise Setback(outcome.reason or Reason.TROUBLE, outcome.detail)
        self._consequences(outcome)

    def _consequences(self, outcome: Outcome) -> None:
        """What an answer means for the batch, the user and everybody. Raises Setback."""
        reason, wait = outcome.reason or Reason.UNKNOWN, outcome.wait
        if reason in OF_THE_SITE:
            oauth_consumer.report_refused(reason)
        match outcome.next:
            case Next.LOGIN:
                self._login_refused()
            case Next.STOP:
                outcomes.stop(self.batch, reason)
            case Next.PAUSE:
                outcomes.pause(self.batch, reason, timezone.now() + REST[reason])
            case Next.LATER if reason is Reason.MAXLAG or wait:
                pace.pause(EVERYBODY, wait or LAG_WAIT, reason)
            case Next.LATER if reason is not Reason.CONFLICT:
                raise Setback(reason, outcome.detail)

    def _login_refused(self) -> None:
        """The first time another token is fetched; the second time the user has to log in."""
        self.account.refusals += 1
        if self.account.refusals == 1:
            tokens.expire(self.account.user, self.account.token)
        else:
            tokens.reject(self.account.user, self.account.token)
            self.account.refusals = 0  # the next login begins anew
            raise tokens.NeedsLogin

    def _take(self, **fields: object) -> None:
        if not self.attempt.take(LEASE, **fields):
            raise Overtaken(f"attempt {self.attempt.pk}")

    def _keep_turn(self) -> None:
        """Prolong the user's turn, in case the reading was slow."""
        mine = Writer.objects.filter(
            pk=self.writer.pk, attempt=self.writer.attempt, state=WorkState.RUNNING
        )
        if not mine.update(lease_until=timezone.now() + LEASE):
            raise Overtaken(f"writer {self.writer.pk}")
