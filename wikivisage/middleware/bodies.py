"""What a request may bring along: a small form, and never a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import translation
from django.utils.translation import gettext_lazy as _

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# code for scripts -> status, sentence for people
REFUSALS = {
    "no-length": (411, _("This request does not say how long it is.")),
    "too-large": (413, _("This is too large. A form of this site is at most 1 MB.")),
    "not-a-form": (415, _("This site takes forms only.")),
    "file": (415, _("This site takes no files.")),
    "unreadable": (400, _("This form can’t be read. Try again.")),
}


class Bodies:
    """Middleware that refuses what is no form, is too long, hides its length or ends early.

    It stands before everything that may read the body, and judges by the headers alone before it
    reads any of it. Django's own limit comes too late: files don't count for it, and the CSRF
    check reads the form first. Nor would Django notice half a form.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        code = _judge(request) or _read(request)
        return _refuse(request, code) if code else self.get_response(request)


class FileSent(MultiPartParserError):
    """A form has a file in it."""


class NoFiles(FileUploadHandler):
    """Ends the reading of a form at its first file, before any of it is kept.

    Without any handler Django would read a file whole into memory.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FileSent("No form of this site takes a file.")


def _judge(request: HttpRequest) -> str:
    """Return why to refuse a request by its headers; "" to read it."""
    if request.headers.get("Transfer-Encoding"):
        return "no-length"
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return "no-length"
    if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return "too-large"
    return "not-a-form" if length and request.content_type not in FORMS else ""


def _read(request: HttpRequest) -> str:
    """Read the whole body into memory and the form in it; return why to refuse it, or ""."""
    try:
        is_whole = len(request.body) == int(request.META.get("CONTENT_LENGTH") or 0)
        request.POST  # noqa: B018 - all later readers get what is found now
    except FileSent:
        return "file"
    except (UnreadablePostError, MultiPartParserError, SuspiciousOperation, BadRequest):
        return "unreadable"
    return "" if is_whole else "unreadable"


def _refuse(request: HttpRequest, code: str) -> HttpResponse:
    status, words = REFUSALS[code]
    with translation.override(translation.get_language_from_request(request)):
        sentence = str(words)
    if "X-Background" in request.headers:
        return JsonResponse({"error": code, "sentence": sentence}, status=status)
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
