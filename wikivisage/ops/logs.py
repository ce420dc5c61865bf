"""Logs: a line or a JSON object each, with the trace of what it belongs to, and nothing personal.

Whoever logs names rows by their keys. What slips in all the same (a title in an exception's text,
an address in a server's message) is taken out here, in the one place that all of it passes.
"""

from __future__ import annotations

import copy
import logging
import os
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django_guid.context import guid
from pythonjsonlogger.json import JsonFormatter

from core.transactions import is_transient

FORMATS = ("json", "line")
# What a JSON object may hold; `extra` beyond these (a request, for example) is left out.
FIELDS = (
    *("time", "level", "logger", "pid", "message", "trace", "request", "exception"),
    *("deed", "kind", "batch", "claim", "step", "row", "attempt", "outcome", "reason", "seconds"),
)
GONE = "…"
PERSONAL = [
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{GONE}@"),  # user and password of an address
    (re.compile(r"\?[^\s\"'=]*=[^\s\"']*"), f"?{GONE}"),  # a query string
    (re.compile(r"(?i)\bbearer\s+\S+"), f"Bearer {GONE}"),
    (re.compile(r"(?i)\b(\w*token|\w*secret|password|sessionid)=[^\s&;,]+"), rf"\1={GONE}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), GONE),  # a JSON Web Token
    (re.compile(r"[A-Za-z0-9+_-]{43,}={0,2}"), GONE),  # 32 bytes or more in base64
    (re.compile(r"\b(File|Image|Category|User|User talk|Special):\S[^\n\"'“”]*"), rf"\1:{GONE}"),
    (re.compile(r"\bQ[1-9]\d*\b"), f"Q{GONE}"),
    (re.compile(r"/(p|u|join|objections?)/[\w-]+"), rf"/\1/{GONE}"),
    (re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"), GONE),  # IPv4
    (
        re.compile(
            r"(?i)(?<![\w:])(?:(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}|[0-9a-f:]*::[0-9a-f:]*)"
        ),
        GONE,
    ),
]
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1(?:[0-9a-fA-F]{4}\1){2}[0-9a-fA-F]{12}")
_CODE = re.compile(r"[\w:\\.-]{1,60}")


class Impersonal(logging.Formatter):
    """Takes out of a copy of the record what is personal; with `texts` (DEBUG) nothing."""

    texts = False

    def format(self, record: logging.LogRecord) -> str:
        record = copy.copy(record)
        trace, request = guid.get() or "", getattr(record, "request", None)
        told = getattr(record, "trace", "") or trace
        record.__dict__ |= {"trace": told, "request": "" if trace == told else trace}
        if not self.texts:
            record.msg, record.args = clean(_message(record, request)), None
            if record.exc_info and record.exc_info[1]:
                record.exc_text, record.exc_info = without_texts(record.exc_info[1]), None
        return super().format(record)


class Line(Impersonal):
    def __init__(self, texts: bool = False) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.texts = texts

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        trace = getattr(record, "trace", "")
        return f"{line} [{trace}]" if trace and trace not in line else line


class Json(Impersonal, JsonFormatter):
    def __init__(self, texts: bool = False) -> None:
        names = {"levelname": "level", "name": "logger", "process": "pid", "exc_info": "exception"}
        JsonFormatter.__init__(self, [*names, "message"], rename_fields=names, timestamp="time")
        self.texts = texts

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {key: log_data[key] for key in FIELDS if log_data.get(key) not in (None, "")}


class OthersFault(logging.Filter):
    """What only a visitor can have done wrong is a warning in one line, and no error of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
        return True


class SparseLog:
    """Warns once in some seconds, and says then how often there was reason to."""

    def __init__(self, log: logging.Logger, every: float = 10.0) -> None:
        self._log, self._every = log, every
        self._lock = threading.Lock()
        self._count, self._logged_at = 0, -every

    def warning(self, text: str, *args: object) -> None:
        with self._lock:
            self._count += 1
            if time.monotonic() - self._logged_at < self._every:
                return
            self._logged_at = time.monotonic()
            count, self._count = self._count, 0
        self._log.warning(f"{text}; times since the last line: %d", *args, count)


class CropsToCome(logging.Filter):
    """That a crop comes later (503) is no error; a page of faces may be told so sixty times."""

    def filter(self, record: logging.LogRecord) -> bool:
        match = getattr(getattr(record, "request", None), "resolver_match", None)
        is_crop = match is not None and match.view_name == "crop"
        return not (is_crop and getattr(record, "status_code", None) == 503)


class RequestId:
    """Middleware before django-guid's: an id that is brought along is 32 hex digits (a UUID, with
    hyphens or without) or counts for nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.pop("HTTP_X_REQUEST_ID", "")
        if _UUID.fullmatch(given):
            request.META["HTTP_X_REQUEST_ID"] = given.replace("-", "").lower()
        return self.get_response(request)


def clean(text: str) -> str:
    for pattern, instead in PERSONAL:
        text = pattern.sub(instead, text)
    return text


def without_texts(error: BaseException) -> str:
    """A traceback with types and codes, but without the errors' texts, which hold anything. Where
    the database was away or something else in the way, the place says nothing: it is left out."""
    return _name(error) if is_transient(error) else "\n".join(_parts(error))


def _parts(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before:
        yield from _parts(before)
        yield "\nand then:\n"
    yield "".join(
        ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__)]
    )
    yield _name(error)


def _name(error: BaseException) -> str:
    """Its type, and the code that the wiki or the database gave it."""
    first = error.args[0] if error.args else None
    codes = [getattr(error, "code", None), getattr(error, "sqlite_errorname", None)]
    codes += [str(first)] if isinstance(first, int) else []
    known = (each for each in codes if isinstance(each, str) and _CODE.fullmatch(each))
    return ": ".join([type(error).__name__, *list(known)[:1]])


def _message(record: logging.LogRecord, request: Any) -> str:
    """The text of a record. Errors among its arguments are named by type and code, addresses of
    pages by their route."""
    plain = copy.copy(record)
    if isinstance(record.args, tuple):
        plain.args = tuple(
            _name(each) if isinstance(each, BaseException) else each for each in record.args
        )
    if isinstance(record.msg, BaseException):
        plain.msg = _name(record.msg)
    text = plain.getMessage()
    if path := getattr(request, "path", ""):
        match = getattr(request, "resolver_match", None)
        text = text.replace(path, f"/{match.route}" if match else "/…")
    if record.name.startswith("gunicorn"):
        text = re.sub(r"(?<=\s)/\S+", "/…", text)
    return text


def say(text: str, _file: Any = None) -> None:
    """A line of the log from within a signal's handler: at once, and waiting for no lock."""
    [console] = logging.getLogger().handlers
    record = logging.getLogger("celery").makeRecord("celery", logging.INFO, "", 0, text, (), None)
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{console.format(record)}\n".encode())


def config(form: str, level: str, *, chatty: bool, texts: bool) -> dict[str, Any]:
    """For logging.config. `chatty`: each piece of work is a line, not only what goes wrong."""
    formatter = {"()": f"wikivisage.ops.logs.{form.capitalize()}", "texts": texts}
    console = {"class": "logging.StreamHandler", "formatter": form}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {form: formatter},
        "filters": {
            "others-fault": {"()": "wikivisage.ops.logs.OthersFault"},
            "crops-to-come": {"()": "wikivisage.ops.logs.CropsToCome"},
        },
        "handlers": {"console": console},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "work": {"level": level if chatty else "WARNING"},  # see core.work
            "work.write": {"level": level},
            "work.undo": {"level": level},
            "celery": {"level": "INFO" if level == "DEBUG" else "WARNING"},  # a line a task
            "kombu": {"level": "ERROR"},  # it warns that a broker of files has no host name
            "py.warnings": {"level": "ERROR"},
            "pywiki": {"level": "WARNING"},
            "urllib3": {"level": "ERROR"},  # it warns before each new try; we say how it ended
            "django.request": {"level": "ERROR", "filters": ["crops-to-come"]},
            "django.security.DisallowedHost": {"filters": ["others-fault"]},
            "django_guid": {"level": "ERROR"},
            "gunicorn.error": {"handlers": ["console"], "propagate": False},
            "gunicorn.access": {"handlers": [], "propagate": False},  # they hold addresses
        },
    }
