"""Reading one page of a listing: a category, a file, a search, an uploader's files, or photos by
their page ids.

Only asks; nothing is saved here. `crawler.saving` commits a page with the place to go on from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from crawler import commons
from crawler.files import IMAGEINFO, File, read_files
from crawler.models import CrawlStep, Photo, ProjectPhoto
from projects import denials
from projects.http import WikiError
from projects.models import Source
from projects.places import UPLOADER_MOST

if TYPE_CHECKING:
    from crawler.transport import Site

PAGE = 50  # files; what `wbgetentities` takes in one call, too
ANSWERS = 20  # at most, about the same pages
FIRST_PAGE = 10  # so that the first question comes within seconds
NEWEST = "new"  # the part of a listing that is read when it is only looked at for new files
NO_USER = "nosuchuser"
# How each kind of listing gives the newest first. A category: what came into it last; files that
# depict the person: what was edited last, since the statement is often younger than the upload.
NEWEST_FIRST: dict[str, dict[str, Any]] = {
    Source.Kind.CATEGORY: {"gcmsort": "timestamp", "gcmdir": "desc", "gcmnamespace": "6|14"},
    Source.Kind.SEARCH: {"gsrsort": "create_timestamp_desc"},
    Source.Kind.DEPICTS: {"gsrsort": "last_edit_desc"},
}
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
    denied: set[int] = field(default_factory=set)  # those in a category on the deny-list
    subcategories: list[str] = field(default_factory=list)  # without prefix
    redirect: str = ""  # the category that stands instead of this one
    asked: list[int] = field(default_factory=list)  # page ids that were asked for one by one
    gone: set[int] = field(default_factory=set)  # those of them that don't exist any more
    cursor: dict[str, Any] | None = None  # where to go on; None at the end
    # Why it is read again: "watch" by itself, "asked" by a person; "" the first time.
    fresh: str = ""


def read_page(site: Site, step: CrawlStep) -> Page:
    """The next page of a step. Raises WikiError."""
    if step.title == "":
        page = _unseen(site, step)
    elif step.cursor.get("part") == NEWEST:
        page = _newest(site, step)
    else:
        page = READERS[step.source.kind](site, step)
    page.fresh = step.cursor.get("fresh", "")
    if page.fresh and page.cursor is not None:
        page.cursor["fresh"] = page.fresh
    qid = step.source.project.person.qid
    page_ids = [file.page_id for file in page.files]
    page.denied = in_denied_categories(site, page_ids)
    page.depicting = depicting(site, page_ids, qid)
    return page


def in_denied_categories(site: Site, page_ids: list[int]) -> set[int]:
    """Which of at most 50 files are in a category on the deny-list."""
    found: set[int] = set()
    titles = denials.categories() if page_ids else []
    for start in range(0, len(titles), PAGE):
        some = "|".join(titles[start : start + PAGE])
        asked = {"prop": "categories", "cllimit": "max", "clcategories": some}
        following: dict[str, Any] = {}
        for _ in range(ANSWERS):
            ids = "|".join(map(str, page_ids))
            body = commons.read(site, action="query", pageids=ids, **asked, **following)
            pages = body.get("query", {}).get("pages", [])
            found |= {page["pageid"] for page in pages if page.get("categories")}
            following = body.get("continue", {})
            if not following:
                break
    return found


def _file(site: Site, step: CrawlStep) -> Page:
    files, others = read_files(_pages(site, titles=_file_title(step.title))[0])
    return Page(files, others)


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
            **_listing(step, gcmtype="file", gcmlimit=FIRST_PAGE if first else PAGE),
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


def _listing(step: CrawlStep, **more: Any) -> dict[str, Any]:
    """What to ask the wiki for the files of a step, from where it stands."""
    kind = step.source.kind
    asked: dict[str, Any]
    if kind == Source.Kind.CATEGORY:
        asked = {"generator": "categorymembers", "gcmtitle": f"Category:{step.title}"}
        asked |= {"gcmlimit": PAGE}
    elif kind == Source.Kind.UPLOADER:
        asked = {"generator": "allimages", "gaiuser": step.title, "gailimit": PAGE}
        asked |= {"gaisort": "timestamp", "gaidir": "descending"}
    else:
        depicts = f"haswbstatement:{settings.WIKI.depicts}={step.title}"
        text = depicts if kind == Source.Kind.DEPICTS else step.title
        asked = {"generator": "search", "gsrsearch": text, "gsrnamespace": 6, "gsrlimit": PAGE}
    return {**asked, **more, **step.cursor.get("continue", {})}


def _search(site: Site, step: CrawlStep) -> Page:
    """Files that a search finds, in the order of the wiki."""
    found, cursor = _pages(site, **_listing(step))
    files, others = read_files(found)
    return Page(files, others, cursor={"continue": cursor} if cursor else None)


def _examples(site: Site, step: CrawlStep) -> Page:
    """Files that depict the person, until enough that no other source brought were added."""
    added = ProjectPhoto.objects.filter(project=step.source.project, source=step.source).count()
    return Page() if added >= settings.DEPICTS_MAX else _search(site, step)


def _uploads(site: Site, step: CrawlStep) -> Page:
    """The newest files of a user, up to a bound. An unknown user is told from one without files:
    raises WikiError(NO_USER)."""
    if step.files + step.others >= UPLOADER_MOST:
        return Page()
    page = _search(site, step)
    if not (page.files or page.others or step.files or step.others):
        users = commons.read(site, action="query", list="users", ususers=step.title)["query"]
        if "userid" not in users["users"][0]:
            raise WikiError(NO_USER)
    return page


def _newest(site: Site, step: CrawlStep) -> Page:
    """The newest files of a listing that was read before, until a page brings nothing new."""
    found, cursor = _pages(site, **_listing(step, **NEWEST_FIRST.get(step.source.kind, {})))
    files, others = read_files(found)
    known = ProjectPhoto.objects.filter(
        project=step.source.project_id,
        photo__wiki=settings.WIKI.code,
        photo__page_id__in=[file.page_id for file in files],
    ).count()
    page = Page(files, others)
    if step.depth:
        page.subcategories = [_bare(one["title"]) for one in found if one.get("ns") == 14]
    if cursor and known < len(files):
        page.cursor = {"part": NEWEST, "continue": cursor}
    return page


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
    """Live photos that came from the step's source, or from none any more, and not this round.
    Those whose source was taken away are not looked after: see crawler.sourcing."""
    mine = ProjectPhoto.objects.filter(project=step.source.project, round__lt=step.round)
    mine = mine.exclude(round=ProjectPhoto.LEAVING)
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


READERS: dict[str, Callable[[Site, CrawlStep], Page]] = {
    Source.Kind.CATEGORY: _category,
    Source.Kind.FILE: _file,
    Source.Kind.DEPICTS: _examples,
    Source.Kind.SEARCH: _search,
    Source.Kind.UPLOADER: _uploads,
}


def _bare(title: str) -> str:
    return title.partition(":")[2]
