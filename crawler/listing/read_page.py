"""Reading one page of a listing: a category, a file, a search, an uploader's files, or photos by
their page ids.

Only asks; nothing is saved here. `crawler.listing.store` commits a page with the place to go on
from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings

from crawler.listing.file_info import IMAGEINFO, File, read_files
from crawler.models import CrawlStep, Photo, ProjectPhoto
from projects.creation.source_lookup import UPLOADER_MOST
from projects.models import Source
from projects.privacy import denylist
from wiki import http, pywikibot_client
from wiki.http import WikiError
from wiki.json_tree import Node, unreadable
from wiki.users import read_user

if TYPE_CHECKING:
    from wiki.transport import Site

PAGE = 50  # files; what `wbgetentities` takes in one call, too
ANSWERS = 20  # at most, about the same pages
LONGEST_TEXT = 20_000  # characters of a page in which a redirect is looked for
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
    page.denied, unknown = check_denied(site, page_ids)
    page.files = [file for file in page.files if file.page_id not in unknown]
    page.depicting = depicting(site, page_ids, qid)
    return page


def check_denied(site: Site, page_ids: list[int]) -> tuple[set[int], set[int]]:
    """Which of at most 50 files are in a category on the deny-list, and which the wiki told
    nothing of, so that nobody knows."""
    found: set[int] = set()
    told: set[int] = set()
    titles = denylist.categories() if page_ids else []
    for start in range(0, len(titles), PAGE):
        some = "|".join(titles[start : start + PAGE])
        asked = {"prop": "categories", "cllimit": "max", "clcategories": some}
        ids = "|".join(map(str, page_ids))
        seen: set[int] = set()
        for body in http.follow(
            partial(pywikibot_client.read, site), ANSWERS, action="query", pageids=ids, **asked
        ):
            marked = dict(body["query"]["pages"].read_items(read_membership))
            found |= {page_id for page_id, is_in in marked.items() if is_in}
            seen |= marked.keys()
        told = told & seen if start else seen
    return found, set(page_ids) - told if titles else set()


def read_membership(page: Node) -> tuple[int, bool]:
    """A page, and whether it is in one of the categories that were asked for."""
    return page["pageid"].integer(least=1), bool(page["categories"].items())


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
    body = pywikibot_client.read(site, action="wbgetentities", ids=ids, props="claims")
    depicted = body["entities"].read_fields(read_depicted)
    return {page_id for page_id in page_ids if qid in depicted.get(f"M{page_id}", ())}


def read_depicted(entity: Node) -> set[str]:
    """Q-IDs of the statements' main values; there may be “some value” without one."""
    found = entity["statements"][settings.WIKI.depicts].read_items(_main_item)
    return {qid for qid in found if qid}


def _main_item(statement: Node) -> str:
    return statement["mainsnak"]["datavalue"]["value"]["id"].text("")


def _category(site: Site, step: CrawlStep) -> Page:
    """Files first, then subcategories (if wanted), then whether it is a redirect (if empty)."""
    part = step.cursor.get("part", "files")
    title = f"Category:{step.title}"
    page = Page()
    if part == "files":
        first = not step.cursor and step.title == step.source.value
        found, following = _pages(
            site,
            **_listing(step, gcmtype="file", gcmlimit=FIRST_PAGE if first else PAGE),
        )
        page.files, page.others = read_files(found)
        if following:
            page.cursor = {"part": "files", "continue": following}
        elif step.depth:
            page.cursor = {"part": "subcategories"}
        elif not (step.files or page.files):
            page.cursor = {"part": "redirect"}
    elif part == "subcategories":
        body = pywikibot_client.read(
            site,
            action="query",
            list="categorymembers",
            cmtitle=title,
            cmtype="subcat",
            cmlimit=500,
            **step.cursor.get("continue", {}),
        )
        page.subcategories = body["query"]["categorymembers"].read_items(read_title, required=True)
        if following := http.read_cursor(body):
            page.cursor = {"part": "subcategories", "continue": following}
        elif not (step.files or page.subcategories):
            page.cursor = {"part": "redirect"}
    else:
        page.redirect = _redirect_of(site, title)
    return page


def _redirect_of(site: Site, title: str) -> str:
    """Where an empty category leads: by a redirect page, or by the template in use on Commons."""
    body = pywikibot_client.read(
        site,
        action="query",
        titles=title,
        redirects=1,
        prop="revisions",
        rvprop="content",
        rvslots="main",
    )
    return read_redirect(body["query"])


def read_redirect(query: Node) -> str:
    """The category that a page leads to, without prefix; nothing where it leads nowhere."""
    if hops := query["redirects"].items():
        return hops[-1]["to"].text(longest=300).partition(":")[2]
    for page in query["pages"].items():
        for revision in page["revisions"].items():
            text = revision["slots"]["main"]["content"].text("")
            if found := _SOFT_REDIRECT.search(text[:LONGEST_TEXT]):
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
        body = pywikibot_client.read(site, action="query", list="users", ususers=step.title)
        if not read_user(body["query"]["users"][0]).id:
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
        page.subcategories = [title for title in found.read_items(_subcategory) if title]
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
    return Page(files, others, asked=ids, gone=read_gone(found, ids), cursor={"part": "unseen"})


def read_gone(pages: Node, asked: list[int]) -> set[int]:
    """Which of the pages that were asked for are gone, or only lead to others by now. Where one
    can't be read, only those of which the wiki says so."""
    told = pages.read_items(_read_presence)
    missing = {page_id for page_id, is_there in told if not is_there}
    if len(told) < len(pages.items()):
        return missing & set(asked)
    return set(asked) - {page_id for page_id, is_there in told if is_there}


def _read_presence(page: Node) -> tuple[int, bool]:
    return page["pageid"].integer(least=1), not page["missing"].flag()


def unseen(step: CrawlStep) -> Any:
    """Live photos that came from the step's source, or from none any more, and not this round.
    Those whose source was taken away are not looked after: see crawler.listing.sources."""
    mine = ProjectPhoto.objects.filter(project=step.source.project, round__lt=step.round)
    mine = mine.exclude(round=ProjectPhoto.LEAVING)
    live = mine.filter(photo__state=Photo.State.LIVE)
    return live.filter(source=step.source) | live.filter(source=None)


def _pages(site: Site, **params: Any) -> tuple[Node, http.Cursor]:
    """Pages with their image information, and MediaWiki's `continue` for the next ones.

    While `batchcomplete` is missing, more about the same pages is still to come.
    """
    pages: dict[Any, dict[str, Any]] = {}
    following: http.Cursor = {}
    for _ in range(ANSWERS):
        body = pywikibot_client.read(site, action="query", **(IMAGEINFO | params | following))
        if "pageids" in params and not body["query"]["pages"].items():
            raise unreadable("nothing of the pages that were asked for")
        for page in body["query"]["pages"].read_items(Node.fields):
            key = page["pageid"].value if "pageid" in page else -len(pages) - 1
            pages.setdefault(str(key), {}).update({name: node.value for name, node in page.items()})
        following = http.read_cursor(body)
        if "batchcomplete" in body or not following:
            break
    return Node(list(pages.values()), "answer.query.pages"), following


def _file_title(title: str) -> str:
    return title if title.startswith("File:") else f"File:{title}"


READERS: dict[str, Callable[[Site, CrawlStep], Page]] = {
    Source.Kind.CATEGORY: _category,
    Source.Kind.FILE: _file,
    Source.Kind.DEPICTS: _examples,
    Source.Kind.SEARCH: _search,
    Source.Kind.UPLOADER: _uploads,
}


def read_title(member: Node) -> str:
    """Of a page, without its prefix."""
    return member["title"].text(longest=300).partition(":")[2]


def _subcategory(page: Node) -> str:
    """Its title without prefix; nothing where it is no category."""
    return read_title(page) if page["ns"].integer(-9, least=-9) == 14 else ""
