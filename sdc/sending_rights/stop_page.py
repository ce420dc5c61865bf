"""The wiki's own switch: a page of the wiki whose content stops all writing.

So any administrator of the wiki can stop the tool without an account here. The page is looked at
before anything is written, at most every half a minute by all workers together; while it can't be
read, nothing is written.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from core.models import WikiPace
from sdc.models import WritingStop
from sdc.sending_rights import stops
from wiki import http
from wiki.http import WikiError
from wiki.json_tree import Node

log = logging.getLogger(__name__)

LANE = "stop-page"  # of WikiPace: the clock that all workers share
EVERY = timedelta(seconds=30)
AGAIN = timedelta(seconds=10)  # after it could not be read
UNREAD = "unread"  # reason of the lane while nobody knows what the page says
# A comment that is not closed reaches to the end, as on the wiki.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Said:
    """What the page says now; no words: write."""

    words: str = ""
    editor: str = ""


def may_write() -> bool:
    """Look at the page if it is time to; False while nobody knows what it says.

    That it says stop is told by `stops`, like any other stop. Call outside transactions.
    """
    if not settings.STOP_PAGE:
        return True
    clock, _new = WikiPace.objects.get_or_create(
        wiki=settings.WIKI.code, lane=LANE, defaults={"reason": UNREAD}
    )
    now = timezone.now()
    if clock.next_at <= now:
        # what was read long ago tells nothing: all wait for whoever reads it now
        stale = clock.next_at < now - EVERY
        mine = WikiPace.objects.filter(pk=clock.pk, next_at=clock.next_at)
        if mine.update(next_at=now + EVERY, reason=UNREAD if stale else clock.reason):
            return _look(clock)
        clock.refresh_from_db()
    return clock.reason != UNREAD


def look() -> None:
    """For the heartbeat: what was stopped by the page goes on once it is blank, though nobody
    writes in the meantime; and if the setting is gone, so is the stop."""
    if settings.STOP_PAGE:
        may_write()
    else:
        obey(Said())


def _look(clock: WikiPace) -> bool:
    lane = WikiPace.objects.filter(pk=clock.pk)
    try:
        said = read_page()
    except WikiError as error:
        log.warning("nothing is written, since %s can't be read: %s", settings.STOP_PAGE, error)
        lane.update(next_at=timezone.now() + AGAIN, reason=UNREAD)
        return False
    obey(said)
    lane.update(reason="")
    return True


def read_page() -> Said:
    """Its latest revision. Raises WikiError, also for a text that one may not see."""
    body = http.api(
        settings.WIKI.commons_api,
        action="query",
        prop="revisions",
        titles=settings.STOP_PAGE,
        rvprop="content|user",
        rvslots="main",
    )
    return read_stop(body)


def read_stop(body: Node) -> Said:
    """What the latest revision of the page says."""
    page = body["query"]["pages"][0]
    if page["missing"].flag():
        return Said()
    revision = page["revisions"][0]
    text = revision["slots"]["main"]["content"].text()
    words = " ".join(_COMMENT.sub("", text).split())
    return Said(words, revision["user"].text("", longest=255))


def obey(said: Said) -> None:
    """Place, reword or lift the stop that the page stands for."""
    standing = stops.active().filter(source=WritingStop.Source.PAGE).first()
    if not said.words:
        if standing:
            stops.lift(standing, None, reason="the page is blank")
        return
    reason = f"{said.editor}: {said.words}"[:255]
    if standing is None:
        stops.place(WritingStop.Source.PAGE, reason)
    elif standing.reason != reason:
        WritingStop.objects.filter(pk=standing.pk, lifted_at=None).update(reason=reason)
