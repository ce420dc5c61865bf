"""Choosing whose listing is read next, and reading it: page by page, project by project."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from celery.exceptions import SoftTimeLimitExceeded
from django.db.models import Case, Exists, F, IntegerField, Max, OuterRef, Q, QuerySet, When
from django.utils import timezone

from core.crash_points import crash_point
from core.transactions import is_transient
from core.work import Overtaken
from crawler.denylist import DENIED
from crawler.listing import read_page as listing_read_page
from crawler.listing import sources
from crawler.listing import store as listing_store
from crawler.models import CrawlStep
from crawler.pictures import error_details
from crawler.selectors import UNFINISHED
from projects.creation.source_lookup import refused_search
from projects.live.pulse import beat
from projects.models import Project, Source
from projects.privacy import denylist
from wiki import pace, pywikibot_client
from wiki.http import WikiError

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)  # longer than the task's hard limit
CRASHED = "crashed"
# Answers that asking again won't change.
FINAL = {
    "invalidtitle",
    "invalidcategory",
    "missingparam",
    "badvalue",
    "forbidden-host",
    listing_read_page.NO_USER,
}


def crawl(seconds: float) -> bool:
    """Read pages for about so long; True while pages are left that are due now."""
    until = time.monotonic() + seconds
    begin_sources()
    sources.begin_watches()
    while time.monotonic() < until and pace.paused_until(pywikibot_client.READ_LANE) is None:
        step = take_next()
        if step is None:
            return False
        read(step)
    return pace.paused_until(pywikibot_client.READ_LANE) is None


def begin_sources() -> None:
    """The first step of each source that has none yet; a re-read that somebody asked for before
    has left only the one that looks after unseen photos."""
    root = CrawlStep.objects.filter(source=OuterRef("pk"), title=OuterRef("value"))
    new = Source.objects.filter(~Exists(root), project__state=Project.State.ACTIVE)
    for source in new:
        others = CrawlStep.objects.filter(source__project=source.project_id)
        CrawlStep.objects.get_or_create(
            source=source,
            title=source.value,
            defaults={
                "depth": source.depth,
                "round": others.aggregate(last=Max("round"))["last"] or 1,
            },
        )


def take_next() -> CrawlStep | None:
    """A step of the project that was served longest ago, taken. None when nothing is due."""
    due = _due()
    waiting = Project.objects.filter(Exists(due.filter(source__project=OuterRef("pk"))))
    served = Max("sources__steps__served_at")
    for project in waiting.annotate(served=served).order_by(F("served").asc(nulls_first=True)):
        for step in _in_turn(due.filter(source__project=project))[:5]:
            if step.spent:
                step.fail(CRASHED, final=True)
            elif step.take(LEASE, served_at=timezone.now()):
                crash_point("crawl:taken")
                return step
    return None


def _due() -> QuerySet[CrawlStep]:
    """Due steps of active projects, and of watched sources of completed ones. What looks after
    unseen photos waits for all others."""
    rest = CrawlStep.objects.filter(
        source__project=OuterRef("source__project"), state__in=UNFINISHED
    ).exclude(title="")
    watched = Q(source__project__state=Project.State.COMPLETED, source__watched=True)
    due = CrawlStep.objects.due()
    due = due.filter(Q(source__project__state=Project.State.ACTIVE) | watched)
    due = due.exclude(source__project__subject__person__qid__in=denylist.denied_qids())
    return due.filter(~Q(title="") | ~Exists(rest)).select_related(
        "source__project__subject__person"
    )


def _in_turn(steps: QuerySet[CrawlStep]) -> QuerySet[CrawlStep]:
    """The portrait first, then each listing in its turn."""
    portrait_first = Case(
        When(source__kind=Source.Kind.FILE, then=0), default=1, output_field=IntegerField()
    )
    return steps.order_by(portrait_first, F("served_at").asc(nulls_first=True), "id")


def read(step: CrawlStep) -> None:
    """Read one page of a step that this worker took, and commit it."""
    if denylist.denied_listing(step.source.kind, step.title):
        step.fail(DENIED, final=True)
        return
    try:
        with pywikibot_client.wiki_site() as site:
            page = listing_read_page.read_page(site, step)
        crash_point("crawl:read")
        listing_store.save_page(step, page)
    except WikiError as error:
        log.warning("step %s could not be read: %s", step.pk, error)
        final = error.code in FINAL or refused_search(error.code)
        step.fail(error.code, error.text, final=final)
    except SoftTimeLimitExceeded:
        step.fail("network", error_details.WIKI_SLOW)
    except Overtaken as error:
        log.info("overtaken: %s", error)
    except Exception as error:
        if is_transient(error):
            step.give_back()
        else:  # an answer that makes no sense to us
            log.exception("step %s", step.pk)
            step.fail(CRASHED, type(error).__name__)
    else:
        return
    beat(step.source.project_id)  # it waits, or is set aside
