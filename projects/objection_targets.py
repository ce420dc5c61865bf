"""What an objection is about: the person, file or several that what people paste names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.conf import settings

from projects import denials, page_titles
from projects.models import Objection, Person, Project
from projects.refusal import Refused
from projects.wiki_pages import find_page
from projects.wikidata import find_qid

Kind = Objection.Kind


@dataclass(frozen=True)
class Target:
    """Kind and value as the deny-list writes them, and the page id of a file that the wiki has."""

    kind: str
    value: str
    page_id: int | None = None


def find_target(about: str, kind: str) -> Target:
    """Read what somebody pasted, and ask the wiki for the page of a file, whose name may be an old
    one. Call outside transactions. Raises WikiError."""
    page_id = None if kind == Kind.AUTHOR else page_titles.page_id_in(" ".join(about.split()))
    page = find_page(pageids=str(page_id)) if page_id else None
    kind, value = read_target(page.title if page else about, kind)
    if kind != Kind.FILE or not can_be(kind, value):
        return Target(kind, value)
    page = page or find_page(titles=value)
    return Target(kind, value, page.page_id if page else None)


def read_target(about: str, kind: str) -> tuple[str, str]:
    """Return kind and value of what somebody pasted, without asking the wiki. Words that are no
    title stay as they were typed; of an address that leads to nothing the list can hold, no value
    is left."""
    text = " ".join(about.split())
    if sought := _person_of_project(about):
        return Kind.PERSON, sought
    is_address = page_titles.is_address(text)
    title = page_titles.title_of(text, kind) if is_address else text
    named, name = page_titles.split_namespace(title)
    if named and (is_address or kind != Kind.AUTHOR):  # a line may begin so: “Bild: Max”
        return named, denials.normal(named, name)[:255]
    if qid := find_qid(text if page_titles.is_of_wikidata(text) else title):
        return Kind.PERSON, qid
    if kind == Kind.AUTHOR:  # whose line may be an address, too
        return kind, denials.normal(kind, text)
    may_be_name = kind == Kind.PERSON and not is_address
    if (may_be_name or page_titles.is_of_wikipedia(text)) and (qid := _person_called(title)):
        return Kind.PERSON, qid
    if is_address:
        return kind, ""
    if kind not in (Kind.PERSON, Kind.OTHER) and text:
        text = denials.normal(kind, text)
    return kind, text[:255]


def can_be(kind: str, value: str) -> bool:
    """Return whether the wiki could have something of that kind and name. What it could not have
    must neither pause nor reach a request: it would spoil that for all others."""
    try:
        denials.check(kind, value)
    except Refused:
        return False
    return kind != Kind.OTHER


def _person_of_project(about: str) -> str:
    """Return the Q-ID of whom a public project looks for, where its address was pasted."""
    named = re.search(r"/p/([\w-]{1,16})(?:/|$)", about.strip())
    if not named:
        return ""
    public = Project.objects.filter(visibility=Project.Visibility.PUBLIC, public_id=named[1])
    return public.values_list("person__qid", flat=True).first() or ""


def _person_called(name: str) -> str:
    """Return the Q-ID of whom public projects look for under exactly this name; "" where it is
    nobody or could be several."""
    public = Project.objects.filter(visibility=Project.Visibility.PUBLIC, deleted_at=None)
    sought = Person.objects.filter(wiki=settings.WIKI.code, pk__in=public.values("person"))
    wanted = _same_name(name)
    rows = sought.values_list("qid", "labels").iterator()  # labels are in all languages: much
    called = [qid for qid, labels in rows if wanted in map(_same_name, labels.values())]
    return called[0] if wanted and len(called) == 1 else ""


def _same_name(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
