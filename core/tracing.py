"""The correlation id: from a click in a browser, through the logs of all processes, to the edit.

A request gets one from django-guid (or brings it as X-Request-ID). Messages to workers carry
nothing, so it rests in `EditBatch.trace`, and a worker takes it up again while it works for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django_guid.context import guid
from django_guid.utils import generate_guid


def current() -> str:
    """32 hex digits: of this request, else a new one."""
    return guid.get() or generate_guid()


@contextmanager
def apart() -> Iterator[None]:
    """What is logged within belongs to no trace, until one is taken up there."""
    before = guid.set(None)
    try:
        yield
    finally:
        guid.reset(before)


def take_up(trace: str) -> None:
    """What is logged from now on belongs to this trace. Call within `apart`."""
    guid.set(trace or None)
