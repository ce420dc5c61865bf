"""Wake-ups as they are taken from a queue: nothing of a message counts but its task's name.

Whoever reaches the broker can put anything into a queue. What is no wake-up of ours is dropped and
counted. A wake-up is written again from its task, id and expiry, so that no argument, callback or
time limit of somebody else comes with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from kombu.exceptions import ChannelError
from kombu.transport.virtual import Empty

from core import metrics
from wikivisage.ops.logs import SparseLog

_log = SparseLog(logging.getLogger(__name__))

# What decoding of anything at all may raise.
UNDECODED = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
BODY = '[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'


class Unreadable(Exception):
    """This is no wake-up."""


def rebuild(message: object, queue: str) -> dict[str, Any]:
    """Return the message of a wake-up for this queue. Raises Unreadable."""
    try:
        headers, properties = message["headers"], message["properties"]  # type: ignore[index]
        task, name = headers["task"], str(UUID(headers["id"]))
        tag = str(UUID(properties["delivery_tag"]))
        if settings.PIPELINE_TASKS.get(task) != queue:
            raise Unreadable("not a task of this queue")
        expires = headers.get("expires")
        if expires is not None and datetime.fromisoformat(expires).tzinfo is None:
            raise Unreadable("an expiry without a zone")
        by_beat = {"by_beat": "yes"} if headers.get("by_beat") == "yes" else {}
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(type(error).__name__) from None
    return {
        "body": BODY,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": name,
            "root_id": name,
            "parent_id": None,
            "group": None,
            "eta": None,
            "expires": expires,
            "retries": 0,
            "timelimit": [None, None],
            "argsrepr": "()",
            "kwargsrepr": "{}",
            **by_beat,
        },
        "properties": {
            "correlation_id": name,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "delivery_tag": tag,
        },
    }


def drop(error: Exception) -> None:
    """Count a message that was taken from a queue and is of no use. Nothing of it is logged."""
    metrics.add("messages_dropped")
    why = str(error) if isinstance(error, Unreadable) else type(error).__name__
    _log.warning("a message that is no wake-up of ours is dropped (%s)", why)


def read_next(get: Callable[[str], Any], queue: str) -> Any:
    """Take the next message that can be decoded. Raises Empty."""
    while True:
        try:
            return get(queue)
        except (Empty, ChannelError):
            raise
        except (Unreadable, *UNDECODED) as error:
            drop(error)


class WakeupsOnly:
    """Mix-in of a kombu transport: hands out wake-ups of ours, in our queues."""

    def _deliver(self, message: object, queue: str) -> None:
        if queue in settings.PIPELINE_TASKS.values():
            try:
                message = rebuild(message, queue)
            except Unreadable as error:
                drop(error)
                return
        super()._deliver(message, queue)  # type: ignore[misc]
