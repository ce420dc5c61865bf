"""What an objection is about: the person, file or several that what people paste names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.conf import settings

from core.user_errors import Refused
from projects.models import Objection, Person, Project
from projects.privacy import denylist, pauses
from wiki import titles
from wiki.pages import Page, find_page
from wiki.titles import Namespace
from wiki.wikidata import find_qid

Kind = Objection.Kind
_KIND_OF = {
    Namespace.FILE: Kind.FILE,
    Namespace.CATEGORY: Kind.CATEGORY,
    Namespace.USER: Kind.UPLOADER,
}
_BESIDE = re.compile(r"\((Q[1-9]\d{0,14})\)$|^(?:wikidata|d):(?:Item:)?(Q[1-9]\d{0,14})$")


@dataclass(frozen=True)
class Target:
    """Kind and value as the deny-list writes them, and the page id of a file that the wiki has."""

    kind: str
    value: str
    page_id: int | None = None


def find_target(about: str, kind: str) -> Target:
    """Read what somebody pasted, and ask the wiki for the page of a file, whose name may be an old
    one. Call outside transactions. Raises WikiError."""
    page = _page_by_id(about, kind)
    kind, value = read_target(page.title if page else about, kind)
    if kind != Kind.FILE or not can_be(kind, value):
        return Target(kind, value)
    page = page or find_page(titles=value)
    return Target(kind, value, page.page_id if page else None)


def read_target_alone(about: str, kind: str) -> Target:
    """Return what can be told while the wiki does not answer: a page id stays one, as “M123”."""
    if page_id := _page_id(about, kind):
        return Target(Kind.FILE, f"M{page_id}", page_id)
    return Target(*read_target(about, kind))


def read_target(about: str, kind: str, *, by_name: bool = True) -> tuple[str, str]:
    """Return kind and value of what somebody pasted, without asking the wiki. Words that are no
    title stay as they were typed; of an address that leads to nothing the list can hold, no value
    is left. Looking for a person `by_name` goes through all public projects."""
    text = " ".join(about.split()) if kind == Kind.AUTHOR else titles.unwrap(about)
    if kind != Kind.FILE and (sought := _person_of_project(text)):
        return Kind.PERSON, sought
    is_address = titles.is_address(text)
    title = titles.title_of(text, of_category=kind == Kind.CATEGORY) if is_address else text
    namespace, name = titles.split_namespace(title)
    if namespace and (is_address or kind != Kind.AUTHOR):  # a line may begin so: “Bild: Max”
        named = _KIND_OF[namespace]
        return named, _named(named, name)
    if qid := find_qid(text if titles.is_of_wikidata(text) else title):
        return Kind.PERSON, qid
    if kind == Kind.AUTHOR:  # whose line may be an address, too
        return kind, denylist.normal(kind, text)
    may_be_name = titles.is_of_wikipedia(text) if is_address else kind == Kind.PERSON
    qid = _qid_beside_name(title) if may_be_name else ""
    if may_be_name and by_name:
        qid = qid or _person_called(title)
    if qid:
        return Kind.PERSON, qid
    if is_address:
        return kind, ""
    if kind == Kind.PERSON and titles.is_picture(text):
        kind = Kind.FILE
    return kind, _named(kind, text) if kind in pauses.OF_PHOTOS and text else text[:255]


def _page_by_id(about: str, kind: str) -> Page | None:
    """Return the page whose id was pasted; “M123” is the id of a file alone. Raises WikiError."""
    page_id = _page_id(about, kind)
    page = find_page(pageids=str(page_id)) if page_id else None
    is_file = page and titles.split_namespace(page.title)[0] == Namespace.FILE
    return page if is_file or titles.is_address(titles.unwrap(about)) else None


def _page_id(about: str, kind: str) -> int | None:
    """Return the page id that was pasted, where a page can be meant: “M25” may be a user, too."""
    text = titles.unwrap(about)
    can_be_page = kind != Kind.AUTHOR and titles.is_address(text)
    if can_be_page or kind in (Kind.FILE, Kind.PERSON):
        return titles.page_id_in(text)
    return None


def _named(kind: str, name: str) -> str:
    """Return a name as the deny-list writes it, without what can't belong to it."""
    if kind == Kind.FILE:
        name = name.rstrip(".,; ")  # of the sentence in which it stood
    if kind == Kind.UPLOADER:
        name = name.lstrip("@").partition("/")[0]
    return denylist.normal(kind, name)[:255]


def can_be(kind: str, value: str) -> bool:
    """Return whether the wiki could have something of that kind and name. What it could not have
    must neither pause nor reach a request: it would spoil that for all others."""
    try:
        denylist.check(kind, value)
    except Refused:
        return False
    return kind != Kind.OTHER


def _person_of_project(about: str) -> str:
    """Return the Q-ID of whom a public project looks for, where its address was pasted."""
    named = re.search(r"/p/([\w-]{1,16})(?:/|$)", about.strip())
    if not named:
        return ""
    public = Project.objects.filter(visibility=Project.Visibility.PUBLIC, public_id=named[1])
    return public.values_list("subject__person__qid", flat=True).first() or ""


def _qid_beside_name(text: str) -> str:
    """Return the Q-ID in “Albert Einstein (Q937)” or “wikidata:Q937”."""
    found = _BESIDE.search(text)
    return found[1] or found[2] if found else ""


def _person_called(name: str) -> str:
    """Return the Q-ID of whom public projects look for under exactly this name; "" where it is
    nobody or could be several."""
    wanted = _same_name(name)
    if not wanted:
        return ""
    public = Project.objects.filter(visibility=Project.Visibility.PUBLIC, deleted_at=None)
    sought = Person.objects.filter(
        wiki=settings.WIKI.code, pk__in=public.values("subjects__person")
    )
    rows = sought.values_list("qid", "labels").iterator()  # labels are in all languages: much
    called = [qid for qid, labels in rows if wanted in map(_same_name, labels.values())]
    return called[0] if len(called) == 1 else ""


def _same_name(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())
