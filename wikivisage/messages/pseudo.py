"""Two languages that nobody speaks and that prove the layout.

`en-xa` is English with accents, two fifths longer and in brackets: what has no accents is not
translated, what has no bracket at its end is cut off. `ar-xb` is the same from right to left.
They are made from the English as it is asked for; there are no files.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils.translation import trans_real

LETTERS = str.maketrans(
    "AaBCcDdEeFGgHhIiJjKkLlMNnOoPRrSsTtUuVWwYyZz",
    "ÅåßÇçÐðÉéƑĜĝĤĥÎîĴĵĶķĻļḾÑñÖöÞŔŕŠšŢţÛûṼŴŵÝýŽž",
)
LONGER = 0.4
# What must stay: gaps, tags, entities, addresses.
KEPT = re.compile(
    r"(%%|%\(\w+\)[a-z]|%[sdif]|\{[^{}]*\}|<[^<>]*>|&#?\w+;|https?://\S+)", re.IGNORECASE
)
CONTEXT = "\x04"


OVERRIDE, END = "\u202e", "\u202c"  # what is between runs from right to left


def mirrored(text: str) -> str:
    """The same, and each word runs from right to left, as it would in Arabic."""
    parts = KEPT.split(accented(text))
    return "".join(
        part if place % 2 else re.sub(r"\S+", lambda word: f"{OVERRIDE}{word[0]}{END}", part)
        for place, part in enumerate(parts)
    )


def accented(text: str) -> str:
    """“[Šéñð éðîţš öñé]”, with gaps and tags as they were; empty and blank texts stay."""
    if not re.search(r"[^\W\d_]", KEPT.sub("", text)):
        return text
    parts = KEPT.split(text)
    changed = "".join(
        part if place % 2 else part.translate(LETTERS) for place, part in enumerate(parts)
    )
    letters = sum(len(part) for part in parts[::2])
    padding = " one two three four five six seven eight nine ten"
    wanted = round(letters * LONGER)
    longer = (padding * (wanted // len(padding) + 1))[:wanted].translate(LETTERS).rstrip()
    start = len(changed) - len(changed.lstrip())
    end = len(changed.rstrip())
    return f"{changed[:start]}[{changed[start:end]}{longer}]{changed[end:]}"


class Pseudo(trans_real.DjangoTranslation):
    """A catalogue that holds everything."""

    def gettext(self, message: str) -> str:
        change = mirrored if _runs_left(self.language()) else accented
        return change(message.rpartition(CONTEXT)[2]) if message else ""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def register() -> None:
    """Makes both known to Django."""
    for code, name in settings.MADE_UP_LANGUAGES:
        bidi = _runs_left(code)
        LANG_INFO[code] = {"bidi": bidi, "code": code, "name": name, "name_local": name}
        trans_real._translations[code] = Pseudo(code)  # type: ignore[attr-defined]


def _runs_left(code: str) -> bool:
    return code.split("-")[0] in settings.LANGUAGES_BIDI
