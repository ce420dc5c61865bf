"""Lists for translators: what is left to translate as JSON, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from babel.messages import Message

from wikivisage.messages import catalogs
from wikivisage.messages.catalogs import ids_of
from wikivisage.messages.checks import faults, key_of, problems


def todo(language: str) -> list[dict[str, Any]]:
    """What a language lacks: key, English, what to know, and an empty translation to fill in."""
    template, catalog = catalogs.extracted(), catalogs.read(language)
    return [
        _entry(problem.message, problem.what, catalog.num_plurals)
        for problem in problems(catalog, template)
    ]


def merge(language: str, filled: Any) -> tuple[int, list[str]]:
    """Takes in translations: a list as `todo` makes it, or an object of key → translation.

    Those with a fault are left out and said; the others are saved. Returns how many were
    taken and the faults. Safe while others merge into this or another language.
    """
    given = (
        {entry["key"]: entry.get("translation") for entry in filled}
        if isinstance(filled, list)
        else dict(filled)
    )
    given = {
        key: [text] if isinstance(text, str) else list(text or []) for key, text in given.items()
    }
    taken, refused = 0, []
    template = catalogs.extracted()
    with catalogs.locked(language):
        catalog = catalogs.brought_up(catalogs.read(language), template)
        for message in catalog:
            texts = given.pop(key_of(message), None) if message.id else None
            if texts is None or not any(texts):
                continue
            if found := faults(message, texts, catalog):
                refused.append(f"{key_of(message)} {'; '.join(found)}: {ids_of(message)[0]!r}")
            else:
                message.string = tuple(texts) if message.pluralizable else texts[0]
                taken += 1
        catalogs.save(language, catalog)
    refused += [f"{key}: no such message any more" for key in given]
    return taken, refused


def write_todo(language: str, folder: Path, size: int) -> list[Path]:
    """Files of `size` entries each, `<language>-01.json` and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, paths = todo(language), []
    for number, start in enumerate(range(0, len(entries), size), 1):
        path = folder / f"{language}-{number:02}.json"
        text = json.dumps(entries[start : start + size], ensure_ascii=False, indent=1)
        path.write_text(text + "\n")
        paths.append(path)
    return paths


def _entry(message: Message, what: str, forms: int) -> dict[str, Any]:
    ids = ids_of(message)
    entry: dict[str, Any] = {"key": key_of(message)}
    if message.context:
        entry["context"] = message.context
    if message.auto_comments:
        entry["note"] = " ".join(message.auto_comments)
    if what != "not translated":
        entry["fault"] = what
    entry["where"] = message.locations[0][0]
    entry["english"] = ids if message.pluralizable else ids[0]
    entry["translation"] = [""] * forms if message.pluralizable else ""
    return entry
