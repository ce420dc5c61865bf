"""The language of a page, and of people's names on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from core.text import plain

# A language that somebody may ask for -> the one of ours that they can read as well.
NEAR = {"no": "nb", "nn": "nb"}
# Where a name or description is looked for, before English and `mul` (the same in all languages).
CHAINS = {"nb": ("nb", "no", "nn", "da", "sv")}
LAST = ("en", "mul")


class LanguageMiddleware:
    """What somebody chose for their account, else in this browser, else what the browser says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        code = language_of(request)
        translation.activate(code)
        request.LANGUAGE_CODE = code
        response = self.get_response(request)
        if not response.streaming:  # else it may yet have something to say
            translation.deactivate()
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", code)
        return response


def language_of(request: HttpRequest) -> str:
    """One of `settings.LANGUAGES`."""
    offered = dict(settings.LANGUAGES)
    for code in (_of_account(request), request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")):
        if code in offered:
            return code
    return _of_browser(request.headers.get("Accept-Language", ""), offered)


def _of_account(request: HttpRequest) -> str:
    # Whoever has no session is nobody: no need to ask the database.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ""
    try:
        return getattr(request.user, "language", "")
    except DatabaseError:  # what comes next says so better
        return ""


def chain(language: str) -> tuple[str, ...]:
    """Languages in which to look for a name, best first: nb, no, nn, da, sv, en, mul."""
    base = language.split("-")[0]
    if language in dict(settings.MADE_UP_LANGUAGES):
        return LAST
    return tuple(dict.fromkeys([language, *CHAINS.get(base, (base,)), *LAST]))


def of_wikis() -> str:
    """The code of the page's language as the wikis know it: they have no made-up ones."""
    return chain(translation.get_language() or settings.LANGUAGE_CODE)[0]


def found_in(texts: dict[str, str], language: str) -> tuple[str, str]:
    """A text in the first language of the chain that has it, and that language's code.

    Without any of these: in whatever language there is one. Two empty strings without any.
    """
    for code in _with_variants(chain(language), texts):
        if texts.get(code):
            return texts[code], code
    return next(((text, code) for code, text in texts.items() if text), ("", ""))


def text_in(texts: dict[str, str], language: str, default: str = "") -> str:
    """Return the text that `found_in` finds as one plain line, or `default` without any."""
    return plain(found_in(texts, language)[0]) or default


def _with_variants(codes: tuple[str, ...], texts: dict[str, Any]) -> Iterator[str]:
    """`fr` before `fr-ca`: a text in a variant is better than one in another language."""
    for code in codes:
        yield code
        yield from sorted(each for each in texts if each.startswith(f"{code}-"))


def _of_browser(header: str, offered: dict[str, str]) -> str:
    for code, _weight in parse_accept_lang_header(header):
        base = code.split("-")[0]
        for candidate in (code, base, NEAR.get(base, "")):
            if candidate in offered and candidate not in dict(settings.MADE_UP_LANGUAGES):
                return candidate
    return settings.LANGUAGE_CODE
