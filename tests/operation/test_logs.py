"""Logs: JSON or a line, one trace, and nothing personal whoever logs what."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client, RequestFactory
from django_guid.context import guid

from core import tracing
from wiki.http import WikiError
from wikivisage.ops import logs

PERSONAL = [
    "step for Q7186 failed",
    "File:Marie Curie 1920.jpg could not be read",
    "see https://commons.wikimedia.org/wiki/User:Alice",
    "Invalid request from ip=203.0.113.7",
    "peer 2001:db8:85a3::8a2e:370:7334 went away",
    "Authorization: Bearer abc.def",
    "token eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl",
    "GET /p/abcDEF12_-x/ask?next=/u/somebody&code=s3cret",
    "redis://user:hunter2@redis.svc:6379/0 is gone",
    "access_token=hunter2 was refused",
    "key dGVzdHMgc2VhbCB3aXRoIHRoaXMgMzItYnl0ZSBrZXk=",
]
LEAKS = [
    *("Q7186", "Curie", "Alice", "203.0.113", "2001:db8", "370:7334", "abc.def", "c2lnbmF0dXJl"),
    *("abcDEF12", "s3cret", "hunter2", "dGVzdHMg", "somebody"),
]


def record(message: str, *args: Any, **extra: Any) -> logging.LogRecord:
    logger = logging.getLogger("work.write")
    made = logger.makeRecord("work.write", logging.INFO, __file__, 1, message, args, None)
    made.__dict__.update(extra)
    return made


def told(one: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(logs.Json().format(one))
    return found


@pytest.mark.parametrize("message", PERSONAL)
@pytest.mark.parametrize("formatter", [logs.Json(), logs.Line()])
def test_what_slips_in_is_taken_out(formatter: logging.Formatter, message: str) -> None:
    line = formatter.format(record("%s", message))
    assert logs.GONE in line or "\\u2026" in line
    assert not [leak for leak in LEAKS if leak in line]


def test_what_operators_need_stays() -> None:
    trace = "0123456789abcdef" * 2
    said = "step=write row=7 outcome=refused reason=ratelimited at 20:49:06, sha1 " + "ab12" * 10
    found = told(record(said, trace=trace, batch="5d1cab00ff12", claim=7, seconds=0.2))
    assert found["message"] == said
    assert (found["trace"], found["batch"], found["claim"]) == (trace, "5d1cab00ff12", 7)
    assert found["level"] == "INFO"
    assert found["time"].endswith("+00:00")


def test_only_known_fields_are_told(rf: RequestFactory) -> None:
    request = rf.get("/p/abcDEF12_-x/", {"who": "Alice"})
    one = record("%s: %s", "Not Found", request.path, request=request, user="Alice", status_code=4)
    found = told(one)
    assert found.keys() <= set(logs.FIELDS)
    assert found["message"] == "Not Found: /…"
    assert "Alice" not in json.dumps(found)


def test_an_error_is_told_by_place_type_and_code_but_not_by_its_text() -> None:
    inner, outer = "Duplicate entry 'Alice'", "waiting for Alice"
    try:
        try:
            raise ValueError(inner)
        except ValueError as error:
            raise WikiError("maxlag", outer) from error
    except WikiError as error:
        one = record("%s could not be read: %s", 7, error)
        one.exc_info = (type(error), error, error.__traceback__)
    found = told(one)
    assert found["message"] == "7 could not be read: WikiError: maxlag"
    assert "raise ValueError(inner)\n\nValueError\n" in found["exception"]
    assert found["exception"].endswith("WikiError: maxlag")
    assert "Alice" not in json.dumps(found)
    assert outer in logs.Line(texts=True).format(one), "with DEBUG"


def test_a_database_that_is_away_is_a_line_each_time() -> None:
    def exception(error: Exception) -> str:
        try:
            raise error
        except Exception:
            one = record("Task failed")
            one.exc_info = sys.exc_info()
        return str(told(one)["exception"])

    assert exception(OperationalError(2002, "Can't connect to db.internal")) == (
        "OperationalError: 2002"
    )
    wrong = exception(OperationalError(1054, "Unknown column"))
    assert wrong.startswith("Traceback")
    assert wrong.endswith("OperationalError: 1054")


def test_a_worker_takes_up_a_trace_and_lays_it_down() -> None:
    with tracing.apart():
        tracing.take_up("ab" * 16)
        assert logs.Line().format(record("done")).endswith(f"[{'ab' * 16}]")
        assert told(record("done"))["trace"] == "ab" * 16
        with tracing.apart():
            assert "trace" not in told(record("done"))
    assert len(tracing.current()) == 32


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("01234567-89AB-cdef-0123-456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("01234567-89abcdef0123456789abcdef", None),
        ("urn:uuid:" * 50 + "0123456789abcdef0123456789abcdef", None),
        ("{0123456789abcdef0123456789abcdef}", None),
        ("alice", None),
        ("0123456789abcdef0123456789abcdef\u0661", None),
        ("", None),
    ],
)
def test_an_id_that_is_brought_along_is_taken_only_in_one_shape(given: str, taken: str) -> None:
    guid.set(None)
    answer = Client().get("/health/live", headers={"X-Request-ID": given})
    found = answer.headers["X-Request-ID"]
    assert len(found) == 32
    assert (found == taken) == bool(taken)


@pytest.mark.process
def test_a_wrong_host_is_a_warning_in_one_line(shared_database: str) -> None:
    """Through the loggers as they are set up where the site runs."""
    code = (
        "import tests.served\n"
        "from django.test import Client\n"
        "print(Client(HTTP_HOST='evil.example.org').get('/about').status_code)"
    )
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=settings.BASE_DIR,
        env=os.environ | {"LOG_FORMAT": "json", "DATABASE_URL": shared_database},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout.split() == ["400"]
    [line] = map(json.loads, told.stderr.splitlines())
    assert (line["level"], line["logger"]) == ("WARNING", "django.security.DisallowedHost")
    assert "exception" not in line
