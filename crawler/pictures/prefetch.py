"""Downloading ahead: while one picture is looked at, the bytes of the next ones come in.

A picture ahead is only held: it stays queued, due again after a while, and is taken when it is
its turn. So a process that dies costs what is ahead a short wait and no try. The thread
asks the wiki alone: the pace was reserved before, and once the wiki refuses, it asks no more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from django.conf import settings

from crawler.detection.queue import Turns
from crawler.models import Picture
from crawler.pictures import error_details
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from wiki import pace

Bytes = Future[bytes]


class Ahead:
    """Pictures that were taken, with their bytes on the way. Of one thread, for one task."""

    def __init__(self, turns: Turns, count: int) -> None:
        self._turns = turns
        self._count = count
        self._queue: deque[tuple[Picture, Bytes]] = deque()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="download")
        self._closed = threading.Event()
        self._refused: Unusable | None = None
        self._refused_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._closed.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for picture, _ in self._queue:
            self._turns.release(picture)

    def __len__(self) -> int:
        return len(self._queue)

    def take_next(self) -> tuple[Picture, Bytes] | None:
        """A picture taken for this worker; None when none may be looked at now."""
        while self._queue:
            picture, data = self._queue.popleft()
            if self._turns.begin(picture):
                return picture, data
        taken = self._turns.take_next()
        return (taken, self._download(taken)) if taken else None

    def fill(self, working_on: Picture) -> None:
        """Begin to download what may come after the picture that is looked at now."""
        while len(self._queue) < self._count and pace.paused_until(pictures_fetch.LANE) is None:
            picture = self._turns.hold_next(after=working_on)
            if picture is None:
                return
            self._queue.append((picture, self._download(picture)))

    def _download(self, picture: Picture) -> Bytes:
        try:
            url = pictures_fetch.address_of(picture)
        except Unusable as error:
            failed: Bytes = Future()
            failed.set_exception(error)
            return failed
        seconds = pace.reserve(pictures_fetch.LANE, settings.PICTURES_A_MINUTE)
        return self._pool.submit(self._fetch, url, time.monotonic() + seconds)

    def _fetch(self, url: str, at: float) -> bytes:
        if self._closed.wait(max(0.0, at - time.monotonic())):
            raise Unusable(Picture.Error.NETWORK, error_details.NOT_BEGUN, permanent=False, wait=0)
        if time.monotonic() < self._refused_until:
            left = self._refused_until - time.monotonic()
            raise Unusable(Picture.Error.NETWORK, error_details.PUT_OFF, permanent=False, wait=left)
        try:
            return pictures_fetch.fetch(url)
        except Unusable as error:
            if error.pause:
                self._refused_until = time.monotonic() + error.pause[0]
            raise
