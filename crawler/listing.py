"""Reading one page of a listing: a category, a file, a search, or photos by their page ids.

Only asks; nothing is saved here. `crawler.saving` commits a page with the place to go on from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from crawler import commons
from crawler.files import IMAGEINFO, File, read_files
from crawler.models import CrawlStep, Photo, ProjectPhoto
from projects.models import Source

if TYPE_CHECKING:
    from crawler.transport import Site

PAGE = 50  # files; what `wbgetentities` takes in one call, too
ANSWERS = 20  # at most, about the same pages
FIRST_PAGE = 10  # so that the first question comes within seconds
_SOFT_REDIRECT = re.compile(
    r"\{\{\s*(?:cat(?:egory)?[ _-]?redirect|redirect[ _]category|seecat)"
    r"\s*\|\s*(?:1\s*=\s*)?:?\s*(?:category\s*:)?\s*([^|}\n]+)",
    re.IGNORECASE,
)


@dataclass
class Page:
    """What one request (and the look at the files' statements) brought."""

    files: list[File] = field(default_factory=list)
    others: int = 0
    depicting: set[int] = field(default_factory=set)  # page ids that already depict the person
    subcategories: list[str] = field(default_factory=list)  # without prefix
    redirect: str = ""  # the category that stands instead of this one
    asked: list[int] = field(default_factory=list)  # page ids that were asked for one by one
    gone: set[int] = field(default_factory=set)  # those of them that don't exist any more
    cursor: dict[str, Any] | None = None  # where to go on; None at the end


def read_page(site: Site, step: CrawlStep) -> Page:
    """The next page of a step. Raises WikiError."""
    if step.title == "":
        page = _unseen(site, step)
    elif step.source.kind == Source.Kind.CATEGORY:
        page = _category(site, step)
    elif step.source.kind == Source.Kind.FILE:
        page = Page()
        page.files, page.others = read_files(_pages(site, titles=_file_title(step.title))[0])
    else:
        page = _search(site, step)
    qid = step.source.project.person.qid
    page.depicting = depicting(site, [file.page_id for file in page.files], qid)
    return page


def depicting(site: Site, page_ids: list[int], qid: str) -> set[int]:
    """Which of at most 50 files have a statement that they depict this person.

    A file without structured data comes back as missing: it has no statement yet.
    """
    if not page_ids:
        return set()
    ids = "|".join(f"M{page_id}" for page_id in page_ids)
    body = commons.read(site, action="wbgetentities", ids=ids, props="claims")
    return {
        int(mid[1:])
        for mid, entity in body.get("entities", {}).items()
        if qid in _depicted(entity.get("statements") or {})
    }


def _depicted(statements: dict[str, Any]) -> set[str]:
    """Q-IDs of the statements' main values; there may be “some value” without one."""
    snaks = [one.get("mainsnak", {}) for one in statements.get(settings.WIKI.depicts, [])]
    values = [snak.get("datavalue", {}).get("value", {}) for snak in snaks]
    return {value["id"] for value in values if "id" in value}


def _category(site: Site, step: CrawlStep) -> Page:
    """Files first, then subcategories (if wanted), then whether it is a redirect (if empty)."""
    part = step.cursor.get("part", "files")
    title = f"Category:{step.title}"
    page = Page()
    if part == "files":
        first = not step.cursor and step.title == step.source.value
        found, page.cursor = _pages(
            site,
            generator="categorymembers",
            gcmtitle=title,
            gcmtype="file",
            gcmlimit=FIRST_PAGE if first else PAGE,
            **step.cursor.get("continue", {}),
        )
        page.files, page.others = read_files(found)
        if page.cursor is not None:
            page.cursor = {"part": "files", "continue": page.cursor}
        elif step.depth:
            page.cursor = {"part": "subcategories"}
        elif not (step.files or page.files):
            page.cursor = {"part": "redirect"}
    elif part == "subcategories":
        body = commons.read(
            site,
            action="query",
            list="categorymembers",
            cmtitle=title,
            cmtype="subcat",
            cmlimit=500,
            **step.cursor.get("continue", {}),
        )
        members = body.get("query", {}).get("categorymembers", [])
        page.subcategories = [_bare(member["title"]) for member in members]
        if "continue" in body:
            page.cursor = {"part": "subcategories", "continue": body["continue"]}
        elif not (step.files or page.subcategories):
            page.cursor = {"part": "redirect"}
    else:
        page.redirect = _redirect_of(site, title)
    return page


def _redirect_of(site: Site, title: str) -> str:
    """Where an empty category leads: by a redirect page, or by the template in use on Commons."""
    body = commons.read(
        site,
        action="query",
        titles=title,
        redirects=1,
        prop="revisions",
        rvprop="content",
        rvslots="main",
    )
    query = body.get("query", {})
    if hops := query.get("redirects"):
        return _bare(hops[-1]["to"])
    for page in query.get("pages", []):
        for revision in page.get("revisions", []):
            text = revision.get("slots", {}).get("main", {}).get("content", "")
            if found := _SOFT_REDIRECT.search(text):
                return found[1].strip().replace("_", " ")
    return ""


def _search(site: Site, step: CrawlStep) -> Page:
    """Files that depict the person, until enough that no other source brought were added."""
    added = ProjectPhoto.objects.filter(project=step.source.project, source=step.source).count()
    if added >= settings.DEPICTS_MAX:
        return Page()
    found, cursor = _pages(
        site,
        generator="search",
        gsrsearch=f"haswbstatement:{settings.WIKI.depicts}={step.title}",
        gsrnamespace=6,
        gsrlimit=PAGE,
        **step.cursor.get("continue", {}),
    )
    files, others = read_files(found)
    return Page(files, others, cursor={"continue": cursor} if cursor else None)


def _unseen(site: Site, step: CrawlStep) -> Page:
    """Photos of the project that this round did not see again, asked for by their page ids."""
    ids = list(unseen(step).order_by("id").values_list("photo__page_id", flat=True)[:PAGE])
    if not ids:
        return Page()
    found, _ = _pages(site, pageids="|".join(map(str, ids)))
    files, others = read_files(found)
    there = {page["pageid"] for page in found if not page.get("missing")}
    return Page(files, others, asked=ids, gone=set(ids) - there, cursor={"part": "unseen"})


def unseen(step: CrawlStep) -> Any:
    """Live photos that came from the step's source, or from none any more, and not this round."""
    mine = ProjectPhoto.objects.filter(project=step.source.project, round__lt=step.round)
    live = mine.filter(photo__state=Photo.State.LIVE)
    return live.filter(source=step.source) | live.filter(source=None)


def _pages(site: Site, **params: Any) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Pages with their image information, and MediaWiki's `continue` for the next ones.

    While `batchcomplete` is missing, more about the same pages is still to come.
    """
    pages: dict[int, dict[str, Any]] = {}
    following: dict[str, Any] = {}
    for _ in range(ANSWERS):
        body = commons.read(site, action="query", **(IMAGEINFO | params | following))
        for page in body.get("query", {}).get("pages", []):
            key = page.get("pageid", -len(pages) - 1)
            pages.setdefault(key, {}).update(page)
        following = body.get("continue", {})
        if body.get("batchcomplete") or not following:
            break
    return list(pages.values()), following or None


def _file_title(title: str) -> str:
    return title if title.startswith("File:") else f"File:{title}"


def _bare(title: str) -> str:
    return title.partition(":")[2]
