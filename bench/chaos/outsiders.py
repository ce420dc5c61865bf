"""What comes from outside and is no request, no message and no answer of the wiki."""

from __future__ import annotations

import base64
import json
import pickle
import socket
import threading
import time
import uuid
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import redis
import requests

from bench.chaos.system import QUEUES

KEY_PREFIX = "wikivisage:"
TASK = "crawler.crawl"
SLOW_CLIENTS = 16  # twice as many as there are threads, so that each of two workers is full
ANSWERED = 60  # seconds in which it must answer others beside them: each keeps a thread for 15
DRAINED = 120  # seconds in which workers must have dropped what they cannot read, busy as they are

GARBAGE = (
    "", "null", "[]", "7", '"text"', "<!DOCTYPE html><title>Wikimedia Error</title>",
    '{"query": {"pages": [{"pageid": 1, "ns": 6', '{"query": 3}', '{"query": {"pages": 7}}',
    '{"entities": "none"}', '{"errors": 5}', '{"errors": [7]}', "[" * 200_000,
    '{"a":' * 200_000, "\x00\x01\x02", '{"query": {"pages": [null, 7, {}]}}',
)  # fmt: skip
# What may stand at a file in an otherwise good answer, where PHP writes NO_METADATA.
NO_METADATA = '"extmetadata":[]'
ODD_METADATA = ("null", "7", '"text"', "[[]]", '[{"Artist":7}]', '{"Artist":[]}', '{"Artist":null}')


def unreadable_messages() -> list[str]:
    """Return messages that no worker can read, as they would lie in a Redis list."""
    return [
        "garbage{",
        "null",
        "[]",
        "7",
        json.dumps({"body": "%%%", "headers": {}, "properties": {}}),
        _message(pickle.dumps({"a": 1}), "application/x-python-serialize"),
        _message(b"[[], {}, null]", task="no.such.task"),
        _message(b'"no arguments"'),
        "x" * 2_000_000,
    ]


def _message(body: bytes, content_type: str = "application/json", task: str = TASK) -> str:
    delivery = {"exchange": "", "routing_key": "crawl"}
    return json.dumps(
        {
            "body": base64.b64encode(body).decode(),
            "content-encoding": "utf-8",
            "content-type": content_type,
            "headers": {"task": task, "id": str(uuid.uuid4()), "lang": "py"},
            "properties": {
                "delivery_mode": 2,
                "delivery_tag": str(uuid.uuid4()),
                "delivery_info": delivery,
                "body_encoding": "base64",
            },
        }
    )


def push_unreadable(port: int) -> int:
    """Push unreadable messages into every queue and wait until all are gone; return how many.

    Raises redis.RedisError where the broker is away, and TimeoutError where they stay.
    """
    broker = redis.Redis(port=port)
    messages = unreadable_messages()
    names = [f"{KEY_PREFIX}{queue}" for queue in QUEUES]
    for name in names:
        broker.lpush(name, *messages)
    until = time.monotonic() + DRAINED
    pushed = {each if isinstance(each, bytes) else each.encode() for each in messages}
    while left := [name for name in names if pushed & set(broker.lrange(name, 0, -1))]:
        if time.monotonic() > until:
            raise TimeoutError(f"unreadable messages stay: {left}")
        time.sleep(0.2)
    return len(messages) * len(names)


def outlast_slow_clients(url: str, clients: int) -> float | None:
    """Have clients send heads and bodies a byte a second, and ask beside them whether the web
    server lives, and for a page.

    Return the seconds until it gave both answers, or None when it did not in ANSWERED seconds.
    """
    head = b"POST /theme HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    body = head + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 900\r\n\r\n"
    address = urlsplit(url)
    with ExitStack() as stack:
        connections = []
        for number in range(clients):
            with suppress(OSError):
                connection = socket.create_connection((address.hostname, address.port), timeout=2)
                stack.enter_context(connection)
                connection.sendall((head, body)[number % 2])
                connections.append(connection)
        answered = threading.Event()
        stack.callback(answered.set)
        threading.Thread(target=_trickle, args=(connections, answered), daemon=True).start()
        time.sleep(1)
        began = time.monotonic()
        for path in ("/health/live", "/privacy"):
            while not _is_answered(f"{url}{path}", began + ANSWERED - time.monotonic()):
                if time.monotonic() > began + ANSWERED:
                    return None
                time.sleep(0.5)
        return time.monotonic() - began


def _trickle(connections: list[socket.socket], ending: threading.Event) -> None:
    while not ending.wait(1):
        for connection in connections:
            with suppress(OSError):
                connection.sendall(b"x")


def _is_answered(url: str, seconds: float) -> bool:
    with suppress(requests.RequestException):
        requests.get(url, timeout=max(seconds, 0.1))
        return True
    return False
