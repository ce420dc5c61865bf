"""The deny-list: persons, files, categories, uploaders and authors that this tool leaves alone.
Every look at it goes through here; entries come and go in `projects.privacy.denylist_changes`.

An uploader is who uploaded the version of a file that the wiki shows now, by the user name. An
author is the exact text of the file's author line, as `crawler.listing.file_info` reads it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core.user_errors import Refused
from projects.models import DenyEntry, Project, Source

Kind = DenyEntry.Kind
_QID = re.compile(r"Q[1-9]\d{0,14}")
_ILLEGAL = re.compile(r"[#<>\[\]|{}\x00-\x1f]")
_PREFIX = {
    Kind.FILE.value: re.compile(r"^:?(?:file|image)\s*:\s*", re.IGNORECASE),
    Kind.CATEGORY.value: re.compile(r"^:?category\s*:\s*", re.IGNORECASE),
    Kind.UPLOADER.value: re.compile(r"^:?user\s*:\s*", re.IGNORECASE),
}
MAKERS = (Kind.UPLOADER, Kind.AUTHOR)
LONGEST_AUTHOR = 255  # characters that we keep of an author line


def normal(kind: str, value: str) -> str:
    """As entries are written and looked up: “Q7186”, “File:Marie Curie.jpg”, “Marie Curie”; the
    name of a user without “User:”, and the line of an author but for its spaces as it is."""
    value = unicodedata.normalize("NFC", value)  # as the wiki does; macOS pastes it otherwise
    if kind == Kind.AUTHOR:
        return " ".join(value.split())[:LONGEST_AUTHOR].strip()
    text = " ".join(value.replace("_", " ").split())
    if kind == Kind.PERSON:
        return text.upper()
    name = _PREFIX[kind].sub("", text)
    name = name[:1].upper() + name[1:]
    return f"File:{name}" if kind == Kind.FILE else name


def check(kind: str, value: str) -> None:
    """Whether a normal value can be one of the wiki's. Raises Refused."""
    if kind == Kind.PERSON and not _QID.fullmatch(value):
        raise Refused("not-a-qid", _("A person is named by the Q-ID, such as Q7186."))
    if kind in MAKERS:
        illegal = kind == Kind.UPLOADER and (_ILLEGAL.search(value) or "/" in value)
        if not value or illegal:
            raise Refused("not-a-name", _("Name the user, or the author line as the file has it."))
        return
    name = value.removeprefix("File:") if kind == Kind.FILE else value
    if not name or len(value.encode()) > 250 or _ILLEGAL.search(name):
        raise Refused("not-a-title", _("That is no title that the wiki could have."))


def entries() -> QuerySet[DenyEntry]:
    return DenyEntry.objects.filter(wiki=settings.WIKI.code)


def denied_qids() -> QuerySet[DenyEntry, str]:
    """For `qid__in` within a query."""
    return entries().filter(kind=Kind.PERSON).values_list("value", flat=True)


def persons(qid: str) -> QuerySet[DenyEntry]:
    """The entries of a person."""
    return entries().filter(kind=Kind.PERSON, value=qid)


def left_alone(qid: str = "subject__person__qid") -> Exists:
    """Whether the person whose Q-ID is at this path of a row is on the list: to filter by."""
    return Exists(entries().filter(kind=Kind.PERSON, value=OuterRef(qid)))


def entry_of(project: Project) -> DenyEntry | None:
    """By which its person is left alone."""
    return persons(project.person.qid).first()


def denied_person(qid: str) -> bool:
    return persons(qid).exists()


def denied_project(project: Project) -> bool:
    """Its person is left alone: nothing is asked, looked at, shown or sent."""
    return persons(project.person.qid).exists()


def refuse_project(project: Project) -> None:
    """Raises Refused where nothing may be done in a project, since its person is left alone."""
    if denied_project(project):
        raise Refused("denied", why_alone(project))


def why_alone(project: Project) -> str:
    return _("This tool leaves %(name)s alone: it was asked to.") % {"name": project.person}


def categories() -> list[str]:
    """Titles with prefix, for asking the wiki which files are in one of them."""
    rows = entries().filter(kind=Kind.CATEGORY).order_by("pk")
    return [f"Category:{value}" for value in rows.values_list("value", flat=True)]


def denied_categories(titles: Iterable[str]) -> set[str]:
    """Those of these titles (without prefix) that are on the list."""
    by_normal = {normal(Kind.CATEGORY, title): title for title in titles}
    found = entries().filter(kind=Kind.CATEGORY, value__in=by_normal)
    return {by_normal[value] for value in found.values_list("value", flat=True)}


def denied_category(title: str) -> bool:
    return bool(denied_categories([title]))


def refuse_category(title: str) -> None:
    """Raise Refused for a category that is left alone."""
    if denied_category(title):
        sentence = _("This tool leaves the category “%(title)s” alone: it was asked to.")
        raise Refused("denied", sentence % {"title": title})


def denied_listing(kind: str, title: str) -> bool:
    """Whether all that a source of this kind lists is left alone."""
    if kind == Source.Kind.UPLOADER:
        return entries().filter(kind=Kind.UPLOADER, value=normal(Kind.UPLOADER, title)).exists()
    return kind == Source.Kind.CATEGORY and denied_category(title)


def denied_files(files: Iterable[tuple[int, str]]) -> set[int]:
    """Return the page ids of those of these files (page id, title) that are on the list."""
    by_title = {normal(Kind.FILE, title): page_id for page_id, title in files}
    rows = entries().filter(kind=Kind.FILE)
    listed = rows.filter(Q(value__in=by_title) | Q(page_id__in=by_title.values()))
    titles, page_ids = set(), set()
    for title, page_id in listed.values_list("value", "page_id"):
        titles.add(title)
        page_ids.add(page_id)
    return {
        page_id for title, page_id in by_title.items() if title in titles or page_id in page_ids
    }


def denied_makers(files: Iterable[tuple[int, str, str]]) -> set[int]:
    """Page ids of those of these files (page id, uploader, author) whose uploader or author is on
    the list."""
    rows = list(files)
    wanted = {
        (kind, normal(kind, name))
        for _page_id, uploader, author in rows
        for kind, name in ((Kind.UPLOADER.value, uploader), (Kind.AUTHOR.value, author))
        if name
    }
    named = entries().filter(kind__in=MAKERS, value__in={value for _kind, value in wanted})
    listed = set(named.values_list("kind", "value")) & wanted
    return {
        page_id
        for page_id, uploader, author in rows
        if (Kind.UPLOADER.value, normal(Kind.UPLOADER, uploader)) in listed
        or (Kind.AUTHOR.value, normal(Kind.AUTHOR, author)) in listed
    }


def denied_claim(qid: str, page_id: int, title: str) -> bool:
    """Whether a person or a file is on the list, in one query: asked before each edit."""
    file = Q(page_id=page_id) | Q(value=normal(Kind.FILE, title))
    listed = Q(kind=Kind.PERSON, value=qid) | (Q(kind=Kind.FILE) & file)
    return entries().filter(listed).exists()
