"""What is marked for translation, and the files it is translated in.

`locale/django.pot` holds every message with what translators should know of it, and
`locale/<language>/LC_MESSAGES/django.po` its translation. Both keep the names of files but no
line numbers, so that a change elsewhere changes nothing here. `django.mo` is what Django reads;
it is committed, too, so that nobody needs gettext's programs.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from wikivisage.messages.notes import NOTES

FOLDERS = ("wikivisage", "core", "wiki", "projects", "crawler", "classify", "sdc")
SOURCE = "en"
LANGUAGES = tuple(code for code, _name in settings.REAL_LANGUAGES if code != SOURCE)
COMMENT = "Translators"
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "_text": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sdf]|\{(\w+)\}|(\{\}|(?<!%)%[sd])")
# What stands where a message has a gap, said to translators beside each message.
GAPS = {
    "n": "a number",
    "name": "a name: of the person who is looked for, or of a volunteer, as the message says",
    "person": "the name of the person who is looked for",
    "user": "a volunteer's user name",
    "who": "a volunteer's user name",
    "by": "a volunteer's user name",
    "owner": "the user name of the project's owner",
    "wiki": "the name of the wiki, for example Wikimedia Commons",
    "qid": "an item of Wikidata, for example Q7186",
    "day": "a date",
    "when": "a date",
    "time": "a time of day",
    "code": "the code of a batch",
    "file": "the name of a file on Commons",
    "category": "the name of a category on Commons",
    "minutes": "a number of minutes",
    "percent": "a percentage, without its sign",
    "year": "a year",
}
HEADER = """\
# Messages of WikiVisage, the tool that names people in photos on Wikimedia Commons.
# Distributed under the licence of WikiVisage, GPL-3.0-or-later."""
KEPT = ("Project-", "Report-", "Language", "Plural-", "MIME-", "Content-")
_NOT_KEPT = "Language-Team"


class _Catalog(Catalog):
    """One whose header names no dates and no people: these are in the version history."""

    def __iter__(self) -> Iterator[Message]:
        messages = super().__iter__()
        next(messages)
        kept = [
            (key, value)
            for key, value in self.mime_headers
            if key.startswith(KEPT) and key != _NOT_KEPT
        ]
        yield Message("", "".join(f"{key}: {value}\n" for key, value in kept))
        yield from messages


def path_of(language: str) -> Path:
    """The .po file of a language; that of the source is the template, django.pot."""
    if language == SOURCE:
        return settings.LOCALE_PATHS[0] / "django.pot"
    return settings.LOCALE_PATHS[0] / language / "LC_MESSAGES" / "django.po"


def compiled_path_of(language: str) -> Path:
    return path_of(language).with_suffix(".mo")


def sources() -> list[Path]:
    """Python and templates that people may get to read, in a steady order."""
    root = settings.BASE_DIR
    python = (path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    templates = (path for path in (root / "templates").rglob("*") if path.is_file())
    found = [*python, *(path for path in templates if path.suffix in (".html", ".txt"))]
    return sorted(path for path in found if "migrations" not in path.parts)


def extracted() -> Catalog:
    """Every marked message of the code, with comments, contexts and plurals."""
    catalog = _new(SOURCE)
    for path in sources():
        place = str(path.relative_to(settings.BASE_DIR))
        for texts, comments, context in _messages(path):
            message = catalog.add(
                texts, locations=[(place, 0)], auto_comments=comments, context=context
            )
            message.locations = list(dict.fromkeys(message.locations))
    for message in catalog:
        if message.id:
            note = NOTES.get(ids_of(message)[0])
            message.auto_comments = list(
                dict.fromkeys([*([note] if note else []), *message.auto_comments, *_gaps(message)])
            )
    return catalog


def read(language: str) -> Catalog:
    """The catalogue of a language as it is on disk; an empty one where there is none."""
    path = path_of(language)
    if not path.exists():
        return _new(language)
    catalog = _new(language)
    with path.open("rb") as file:
        for message in read_po(file, locale=language, ignore_obsolete=True):
            if message.id:
                catalog[message.id] = message
    return catalog


def written(catalog: Catalog) -> bytes:
    """A .po file: no dates, no names, no line numbers, nothing that is used no more."""
    out = io.BytesIO()
    write_po(out, catalog, width=98, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    return out.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """What Django reads. What is not translated is left out, so that the English shows."""
    for message in list(catalog):
        if message.id and not all(strings_of(message)):
            catalog.delete(message.id, message.context)
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def save(language: str, catalog: Catalog) -> None:
    """Writes the .po file, then the .mo from what was written, so that both are the same."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(written(catalog))
    if language != SOURCE:
        compiled_path_of(language).write_bytes(compiled(read(language)))


def update(template: Catalog, language: str) -> None:
    """Brings a language's file up to the code."""
    with locked(language):
        save(language, brought_up(read(language), template))


def brought_up(catalog: Catalog, template: Catalog) -> Catalog:
    """With the messages of the code and no others; what changed is to be translated anew."""
    catalog.update(template, no_fuzzy_matching=True)
    for message in catalog:
        if message.id and message.fuzzy:
            message.flags.discard("fuzzy")
            message.string = ("",) * catalog.num_plurals if message.pluralizable else ""
    return catalog


@contextmanager
def locked(language: str) -> Iterator[None]:
    """One at a time changes a language's file; the others wait."""
    folder = path_of(language).parent
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def strings_of(message: Message) -> list[str]:
    """The translation as a list: one, or one for each plural form."""
    found = message.string
    return list(found) if isinstance(found, list | tuple) else [found or ""]


def ids_of(message: Message) -> list[str]:
    """The English: one string, or the singular and the plural."""
    return list(message.id) if isinstance(message.id, list | tuple) else [message.id]


def _new(language: str) -> Catalog:
    return _Catalog(
        locale=None if language == SOURCE else language,
        project="WikiVisage",
        version=settings.VERSION,
        header_comment=HEADER,
        msgid_bugs_address="https://commons.wikimedia.org/wiki/Commons:Depicts",
        fuzzy=False,
    )


def _messages(path: Path) -> Iterator[tuple[str | tuple[str, ...], list[str], str | None]]:
    text = path.read_text()
    if path.suffix != ".py":
        # The indentation of HTML means nothing to Python's tokenizer but trouble.
        lines = templatize(text, origin=str(path)).splitlines()
        text = "\n".join(line.strip() for line in lines) + "\n"
    file = io.BytesIO(text.encode())
    for _line, texts, comments, context in extract("python", file, KEYWORDS, [COMMENT]):
        said = " ".join(comments).replace(f"{COMMENT}:", "").strip()
        yield texts, [said] if said else [], context


def _gaps(message: Message) -> list[str]:
    names = [name for text in ids_of(message) for name in gaps(text)]
    said = [f"{name}: {GAPS[name]}." for name in dict.fromkeys(names) if name in GAPS]
    return said


def gaps(text: str) -> list[str]:
    """The names of the gaps that a message has, sorted; a gap without a name is its own."""
    return sorted("".join(names) for names in PLACEHOLDER.findall(text))
