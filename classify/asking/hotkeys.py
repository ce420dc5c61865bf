"""The keys of the answering pages and of the review, and who has changed which.

A command has the same name in the pages' scripts (static/js/keys.js), as `data-key` where a key is
shown, and in User.keys, which holds what somebody changed: command -> key, "" for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

ASK, GRID, REVIEW = "ask", "grid", "review"
ANSWERING = frozenset({ASK, GRID})
NAMES: dict[str, str | Promise] = {
    "Enter": pgettext_lazy("key", "Enter"),
    "Space": pgettext_lazy("key", "Space"),
}  # of keys that write no character, as far as they can be chosen


@dataclass(frozen=True)
class Command:
    """What a key does on some pages. `key` is the usual one, as KeyboardEvent.key has it, in lower
    case; "Space" for the space bar."""

    name: str
    label: str | Promise
    key: str
    pages: frozenset[str]


def _command(name: str, label: str | Promise, key: str, *pages: str) -> Command:
    return Command(name, label, key, frozenset(pages))


COMMANDS = [
    _command("yes", _("Yes"), "y", ASK, GRID),
    _command("no", _("No"), "n", ASK, GRID),
    _command("toggle", _("Mark Yes, or take the mark away"), "Space", GRID),
    _command("confirm", _("Confirm the marks"), "Enter", GRID),
    _command("background", _("Only in the background"), "b", ASK, GRID, REVIEW),
    _command("artwork", _("An artwork of the person"), "a", ASK, GRID),
    _command("notaface", _("Not a face"), "f", ASK, GRID, REVIEW),
    _command("canttell", _("Can't tell"), "c", ASK, GRID),
    _command("nousableface", _("Here, but no usable face"), "u", ASK, GRID),
    _command("skip", _("Skip for now"), "s", ASK, GRID),
    _command("undo", _("Undo, as far back as you like"), "z", ASK, GRID, REVIEW),
    _command("zoom", _("Zoom into the photo"), "e", ASK, GRID),
    _command("draw", _("Draw a missed face"), "d", ASK, GRID),
    _command("why", _("What does the tool think?"), "t", ASK, GRID),
    _command("way", _("Grid, or one face at a time"), "g", ASK, GRID),
    _command("approve", _("Approve"), "a", REVIEW),
    _command("reject", _("Reject"), "r", REVIEW),
    _command("else", _("Somebody else"), "w", REVIEW),
    _command("redraw", _("Draw the box anew"), "d", REVIEW),
    _command("compare", _("Compare two faces"), "c", REVIEW),
    # A and C, which mean these two where one answers, are taken here
    _command("review-artwork", _("An artwork of the person"), "p", REVIEW),
    _command("review-canttell", _("Can't tell"), "t", REVIEW),
]
BY_NAME = {command.name: command for command in COMMANDS}


@dataclass(frozen=True)
class Row:
    """A command as a form shows it: with what was typed, and what is wrong with it."""

    command: Command
    typed: str
    error: str = ""

    @property
    def pages(self) -> str:
        return " ".join(sorted(self.command.pages))

    @property
    def group(self) -> str:
        return gettext("Answering") if self.command.pages & ANSWERING else gettext("Review")


def of(user: Any) -> dict[str, str]:
    """Command -> key, for this user; the usual ones for who has changed none."""
    own: Mapping[str, str] = user.keys if user.is_authenticated else {}
    return {each.name: own.get(each.name, each.key) for each in COMMANDS}


def label(key: str) -> str:
    """As it stands on a button: “Y”, “Enter”."""
    return str(NAMES.get(key, key.upper()))


def normal(pressed: str) -> str | None:
    """What was pressed or typed, as it is kept; None for what can be no command: more than one
    character, a digit of a modifier, or a key that pages need (Tab, Escape, the arrows, “?”)."""
    if pressed == " ":
        return "Space"
    text = pressed.strip()
    named = next(
        (name for name in NAMES if text.lower() in (name.lower(), label(name).lower())), ""
    )
    if named or not text:
        return named
    key = text.lower()
    return key if len(key) == 1 and key.isprintable() and key != "?" else None


def rows(user: Any, page: str = "", typed: Mapping[str, str] | None = None) -> list[Row]:
    """The commands of a page, or of all: with the keys of now, or with what was `typed`."""
    shown = [each for each in COMMANDS if not page or page in each.pages]
    now = of(user)
    if typed is None:
        return [Row(each, label(now[each.name])) for each in shown]
    errors = wrong(now, typed)
    return [
        Row(each, typed.get(each.name, label(now[each.name])), errors.get(each.name, ""))
        for each in shown
    ]


def wrong(now: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """Command -> what is wrong with its key: it is none, or another command of a page has it."""
    keys = {name: normal(text) for name, text in typed.items()}
    errors = {name: gettext("One letter, digit or sign.") for name in keys if keys[name] is None}
    chosen = {**now, **keys}
    for one in COMMANDS:
        rivals = [each for each in COMMANDS if each is not one and each.pages & one.pages]
        same = [
            each for each in rivals if chosen[each.name] == chosen[one.name] and chosen[one.name]
        ]
        if same and one.name in typed:
            errors[one.name] = gettext("“%(other)s” has this key, too.") % {"other": same[0].label}
    return errors


def changed(chosen: Mapping[str, str]) -> dict[str, str]:
    """Of these the ones that are not the usual, as they are kept with a user."""
    return {name: key for name, key in chosen.items() if key != BY_NAME[name].key}
