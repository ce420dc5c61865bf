"""The crawler's tasks: each looks for the next row that is due, and wakes again if more are."""

from __future__ import annotations

import time

from celery import shared_task
from django.conf import settings

from core.events import wake
from crawler import denylist, photo_pauses
from crawler import retention as crawler_retention
from crawler.detection import detect as detection_detect
from crawler.detection import drawn_boxes, reembed
from crawler.engines import load
from crawler.listing import crawl as listing_crawl
from crawler.registry import selection

BUDGET = 10  # seconds of work a wake-up


@shared_task(name="crawler.crawl", soft_time_limit=40, time_limit=45)
def crawl() -> None:
    from wiki import transport  # noqa: F401  # warm before there is work: it takes half a second

    if listing_crawl.crawl(BUDGET):
        wake("crawler.crawl")


@shared_task(name="crawler.detect", time_limit=settings.PICTURE_SECONDS + BUDGET + 5)
def detect() -> None:
    """Only the hard limit stops native code; the lease of a picture is longer than it.

    The engine is loaded whether or not there is work, so that a new project doesn't wait for it.
    Changes of engine go on while no picture waits for its first look.
    """
    load(selection.default().name)
    until = time.monotonic() + BUDGET
    if detection_detect.detect(load, BUDGET) or reembed.work(load, until - time.monotonic()):
        wake("crawler.detect")


@shared_task(name="crawler.embed", time_limit=settings.PICTURE_SECONDS + BUDGET + 5)
def embed() -> None:
    if drawn_boxes.embed(load, BUDGET):
        wake("crawler.embed")


@shared_task(name="crawler.tidy", soft_time_limit=280, time_limit=300)
def tidy() -> None:
    if crawler_retention.tidy():
        wake("crawler.tidy")


@shared_task(name="crawler.leave-alone", soft_time_limit=280, time_limit=300)
def leave_alone() -> None:
    denylist.look_through()
    photo_pauses.look_through()
