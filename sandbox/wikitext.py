"""The little of wikitext that state depends on: categories, redirects, titles."""

from __future__ import annotations

import re

from sandbox.records import NAMESPACES, Wiki

_CATEGORY = re.compile(r"\[\[\s*[Cc]ategory\s*:\s*([^\]|]+?)\s*(?:\|([^\]]*))?\]\]")
_LICENSE = re.compile(r"\{\{\s*(?:self\|)?(cc-[a-z-]+[\d.]*)\s*[|}]", re.IGNORECASE)
_REDIRECT = re.compile(r"^\s*#REDIRECT\s*:?\s*\[\[([^\]|]+)", re.IGNORECASE)
_ILLEGAL = re.compile(r"[<>\[\]|{}#\x00-\x1f\x7f]")
_ALIASES = {"image": 6, "project": 4, "wp": 4}


class InvalidTitle(ValueError):
    """The text cannot be a title."""


def normalize_title(wiki: Wiki, text: str) -> tuple[int, str]:
    """(namespace number, canonical title) of what a client wrote.

    Underscores become spaces, the namespace its canonical name, the first letter a capital.
    Raises InvalidTitle for what MediaWiki refuses.
    """
    title = re.sub(r"[ _\u00a0]+", " ", text).strip().lstrip(":").strip()
    if not title or _ILLEGAL.search(title) or len(title.encode()) > 255 + 20:
        raise InvalidTitle(text)
    prefix, colon, rest = title.partition(":")
    ns = _namespace(wiki, prefix.strip()) if colon else 0
    name = rest.strip() if ns else title
    if not name or len(name.encode()) > 255 or name in (".", ".."):
        raise InvalidTitle(text)
    name = name[0].upper() + name[1:]
    return ns, f"{NAMESPACES[wiki][ns]}:{name}" if ns else name


def _namespace(wiki: Wiki, prefix: str) -> int:
    folded = prefix.casefold()
    for number, name in NAMESPACES[wiki].items():
        if name and name.casefold() == folded:
            return number
    return _ALIASES.get(folded, 0)


def categories(wikitext: str) -> dict[str, str]:
    """Category title (with prefix) → sort key prefix; a CC licence's comes by its template."""
    found: dict[str, str] = {}
    for name in _LICENSE.findall(wikitext):
        found[f"Category:{name.upper()}"] = ""
    for name, key in _CATEGORY.findall(_REDIRECT.sub("", wikitext)):
        try:
            _, title = normalize_title("commons", f"Category:{name}")
        except InvalidTitle:
            continue
        found[title] = key.strip()
    return found


def redirect_target(wiki: Wiki, wikitext: str) -> str | None:
    """The canonical title that a redirect page points to, or None."""
    match = _REDIRECT.match(wikitext)
    if not match:
        return None
    try:
        return normalize_title(wiki, match.group(1))[1]
    except InvalidTitle:
        return None
