"""What a request may bring along: a small form, and never a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils import translation
from django.utils.translation import gettext_lazy as _

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# status -> the code for scripts, the sentence for people
REFUSALS = {
    400: ("cut-off", _("This request ended before it was whole. Try again.")),
    411: ("no-length", _("This request does not say how long it is.")),
    413: ("too-large", _("This is too large. A form of this site is at most 1 MB.")),
    415: ("not-a-form", _("This site takes forms only.")),
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
        status = _refuse(request) or _read(request)
        return _answer(request, status) if status else self.get_response(request)


class NoFiles(FileUploadHandler):
    """Ends the reading of a form at its first file, before any of it is kept.

    Without any handler Django would read a file whole into memory.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise MultiPartParserError("No form of this site takes a file.")


def _refuse(request: HttpRequest) -> int:
    """Return the status to refuse the request with, 0 to take it."""
    if request.headers.get("Transfer-Encoding"):
        return 411
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 411
    if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        return 413
    return 415 if length and request.content_type not in FORMS else 0


def _read(request: HttpRequest) -> int:
    """Read the whole body into memory; return the status to refuse the request with, or 0."""
    try:
        is_whole = len(request.body) == int(request.META.get("CONTENT_LENGTH") or 0)
    except UnreadablePostError:
        return 400
    return 0 if is_whole else 400


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    code, words = REFUSALS[status]
    with translation.override(translation.get_language_from_request(request)):
        sentence = str(words)
    if "X-Background" in request.headers:
        return JsonResponse({"error": code, "sentence": sentence}, status=status)
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
