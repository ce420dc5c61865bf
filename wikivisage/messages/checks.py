"""What is wrong with a translation: missing, a lost gap, a lost tag, a missing plural form."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from babel.messages import Catalog, Message

from wikivisage.messages.catalogs import gaps, ids_of, strings_of

TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_FORMATS = re.compile(r"%%|%\(\w+\)[sdf]")


@dataclass(frozen=True)
class Problem:
    message: Message
    what: str

    def __str__(self) -> str:
        where = self.message.locations[0][0] if self.message.locations else "?"
        return f"{key_of(self.message)} {where}: {self.what}: {ids_of(self.message)[0]!r}"


def key_of(message: Message) -> str:
    """Ten characters that name a message for good, in lists for translators."""
    text = "\x04".join([message.context or "", *ids_of(message)])
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def problems(catalog: Catalog, template: Catalog) -> list[Problem]:
    """What keeps a language from being complete, judged by the messages of the code."""
    found = []
    for wanted in template:
        if not wanted.id:
            continue
        message = catalog.get(wanted.id, wanted.context)
        is_same = message is not None and message.pluralizable == wanted.pluralizable
        if not message or not is_same or message.fuzzy or not any(strings_of(message)):
            found.append(Problem(wanted, "not translated"))
        else:
            found += [
                Problem(wanted, what) for what in faults(wanted, strings_of(message), catalog)
            ]
    return found


def faults(message: Message, texts: list[str], catalog: Catalog) -> list[str]:
    """What is wrong with the translation `texts` of a message."""
    forms = catalog.num_plurals if message.pluralizable else 1
    if len(texts) != forms or not all(texts):
        return [f"needs {forms} form{'s' if forms > 1 else ''}"]
    ids = ids_of(message)
    found = [_gap_fault(ids, text, last=text is texts[-1]) for text in texts]
    found += [_shape_fault(ids, text) for text in texts]
    return list(dict.fromkeys(filter(None, found)))


def _gap_fault(ids: list[str], text: str, *, last: bool) -> str:
    """Each form may leave out what the English leaves out in one of its forms, nothing else."""
    known = [Counter(gaps(each)) for each in ids]
    has = set(gaps(text))
    must = set(known[-1]) if last else set(known[0]) & set(known[-1])
    if lost := must - has:
        return f"lost {', '.join(sorted(lost))}"
    if strange := has - set(known[0]) - set(known[-1]):
        return f"has {', '.join(sorted(strange))}, which nobody fills"
    return ""


def _shape_fault(ids: list[str], text: str) -> str:
    wanted = {tuple(sorted(TAG.findall(each))) for each in ids}
    if tuple(sorted(TAG.findall(text))) not in wanted:
        return "its tags are others than in English"
    for edge in (str.lstrip, str.rstrip):
        if (edge(text) == text) is not (edge(ids[-1]) == ids[-1]):
            return "its spaces or line breaks at an end are others than in English"
    formatted = any(_FORMATS.search(each) for each in ids)
    if formatted and "%" in _FORMATS.sub("", text):
        return "has a single %, which must be %% here"
    if not formatted and "%%" in text:
        return "has %%, which must be a single % here"
    return ""
