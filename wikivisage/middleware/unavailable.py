"""What is answered while the database is away or too busy: 503, when to come back, a sentence.

Needs neither the database nor a session, and writes one line into the log for many requests.
"""

from __future__ import annotations

import logging

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.template.loader import get_template
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wikivisage.middleware import form_recovery
from wikivisage.ops.logs import SparseLog

_log = SparseLog(logging.getLogger(__name__))

RETRY_AFTER = 10  # seconds


def unavailable(request: HttpRequest, error: BaseException) -> HttpResponse:
    """Answer a request that failed by the database: a page, or for a script a sentence."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    _log.warning("the database did not answer (%s %d): 503", type(error).__name__, code)
    with translation.override(translation.get_language_from_request(request)):
        response = _answer(request)
    response["Retry-After"] = str(RETRY_AFTER)
    response["Cache-Control"] = "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]  # no traceback by Django
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    reads = request.method in ("GET", "HEAD")
    sentence = _sentence(reads=reads)
    if "X-Background" in request.headers:
        told = {"error": "unavailable", "sentence": sentence, "retry_after": RETRY_AFTER}
        return JsonResponse(told, status=503)
    if "HX-Request" in request.headers:
        return HttpResponse(sentence, status=503, content_type="text/plain; charset=utf-8")
    context = {"request": request, "sentence": sentence}
    if not reads:
        context |= _form_of(request)
    response = HttpResponse(get_template("503.html").render(context), status=503)
    if reads:
        response["Refresh"] = str(RETRY_AFTER)
    return response


def _sentence(*, reads: bool) -> str:
    if reads:
        return ngettext(
            "The database can’t answer at the moment. What was saved is safe. This page tries"
            " again by itself in %(n)d second.",
            "The database can’t answer at the moment. What was saved is safe. This page tries"
            " again by itself in %(n)d seconds.",
            RETRY_AFTER,
        ) % {"n": RETRY_AFTER}
    return _(
        "The database can’t answer at the moment. What was saved before is safe, but what you"
        " just sent may not be. Wait a moment, then look whether it is there, or send it again."
    )


def _form_of(request: HttpRequest) -> dict[str, object]:
    """What was sent, to be sent again."""
    try:
        form = form_recovery.form_of(request)
    except (DisallowedHost, OSError):
        return {}
    return form | {"csrf_token": get_token(request)}
