"""Wiki pages that a person can open: files, categories, items, users, histories, diffs.

They show the state of the sandbox and change nothing.
"""

from __future__ import annotations

from typing import Any, get_args
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, current_app, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from sandbox import oauth, thumbs
from sandbox.pages import history, show
from sandbox.pages.text import comment_html, page_url
from sandbox.records import Page, Wiki
from sandbox.wikitext import InvalidTitle, normalize_title
from sandbox.world import World

bp = Blueprint("pages", __name__)
bp.add_app_template_filter(comment_html, "comment")
bp.add_app_template_global(page_url)

CSP = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'"
_ANY_WIKI = f"<any({', '.join(get_args(Wiki))}):wiki>"


def _world() -> World:
    world: World = current_app.extensions["world"]
    return world


@bp.after_app_request
def _headers(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", CSP)
    return response


@bp.get("/")
def root() -> BaseResponse:
    """The front door."""
    return redirect("/commons/wiki/Main_Page")


@bp.get("/wikidata/entity/<entity_id>")
def entity(entity_id: str) -> BaseResponse:
    """Concept URIs lead to the entity's page."""
    return redirect(f"/wikidata/wiki/Special:EntityPage/{entity_id}", 303)


@bp.get(f"/{_ANY_WIKI}/w/index.php")
def index(wiki: Wiki) -> BaseResponse:
    """Pages by `title`, `curid`, `oldid` or `diff`."""
    query = request.args
    if query.get("title") == "Special:OAuth/approve":
        return oauth.approval_page(query)
    for key in ("diff", "oldid"):
        if query.get(key, "").isdigit():
            return _diff(wiki, query[key])
    if query.get("curid", "").isdigit():
        found = _world().page_by_id(wiki, int(query["curid"]))
        return _page(wiki, found.title if found else "Special:Badtitle")
    return _page(wiki, query.get("title") or "Main Page")


@bp.get(f"/{_ANY_WIKI}/wiki/<path:title>")
def wiki_page(wiki: Wiki, title: str) -> BaseResponse:
    """A page by its title; `?action=history` shows its revisions."""
    if request.args.get("diff", "").isdigit():
        return _diff(wiki, request.args["diff"])
    return _page(wiki, title)


def _page(wiki: Wiki, raw: str) -> BaseResponse:
    title = raw.replace("_", " ")
    if title.startswith("Special:"):
        return _special(wiki, *title.removeprefix("Special:").partition("/")[::2])
    if title == "Main Page":
        return _answer("main.html", show.front(_world(), wiki))
    try:
        ns, canonical = normalize_title(wiki, title)
    except InvalidTitle:
        return _missing(wiki, title)
    page = _world().page(wiki, canonical)
    if request.args.get("action") == "history" and page:
        return _answer("history.html", history.page_history(_world(), page))
    if page and page.redirect_to and request.args.get("redirect") != "no":
        return redirect(f"{page_url(wiki, page.redirect_to)}?redirectedfrom={quote(page.title)}")
    return _shown(wiki, ns, canonical, page)


def _shown(wiki: Wiki, ns: int, title: str, page: Page | None) -> BaseResponse:
    world = _world()
    if ns == 14 and (page or show.members(world, wiki, title)):
        return _answer("category.html", show.category(world, wiki, title, page))
    user = world.users.by_name(title.partition(":")[2]) if ns == 2 else None
    if user:
        return _answer("user.html", history.contributions(world, wiki, user))
    if page is None:
        return _missing(wiki, title)
    file = world.file(page) if ns == 6 else None
    if file:
        return _answer("file.html", show.file(world, page, file))
    if world.current(page).entity:
        return _answer("item.html", show.item(world, page))
    return _answer("plain.html", show.plain(world, page))


def _special(wiki: Wiki, name: str, argument: str) -> BaseResponse:
    world = _world()
    if name in ("Diff", "PermanentLink") and argument.isdigit():
        return _diff(wiki, argument)
    if name == "FilePath" and argument:
        width = {"width": request.args["width"]} if "width" in request.args else {}
        there = f"{page_url(wiki, f'Special:Redirect/file/{argument}')}?{urlencode(width)}"
        return redirect(there.rstrip("?"), 302)
    if name == "Redirect" and argument.startswith("file/"):
        return _file(argument.removeprefix("file/"))
    if name in ("EntityPage", "EntityData") and argument[1:].isdigit():
        page = world.entity_page("commons" if argument[0] == "M" else "wikidata", argument)
        return redirect(page_url(page.wiki, page.title)) if page else _missing(wiki, argument)
    if name in ("Contributions", "ListFiles") and (user := world.users.by_name(argument)):
        return _answer("user.html", history.contributions(world, wiki, user))
    if name == "RecentChanges":
        return _answer("changes.html", history.recent(world, wiki))
    if name == "OAuth" and argument == "approve":
        return oauth.approval_page(request.args)
    if name == "OAuth" and argument.replace("_", " ") == "rest redirect":
        return oauth.rest_redirect(request.args)
    if name == "UserLogin":
        return oauth.login_page(request.args)
    return _missing(wiki, f"Special:{name}")


def _diff(wiki: Wiki, number: str) -> BaseResponse:
    revision = _world().revision(wiki, int(number))
    if revision is None:
        return _missing(wiki, f"Special:Diff/{number}")
    return _answer("diff.html", history.diff(_world(), revision))


def _file(name: str) -> BaseResponse:
    """Special:Redirect/file: the original, or with `width` the thumbnail, at the upload host."""
    page = _world().page("commons", normalize_title("commons", f"File:{name}")[1])
    page = _world().follow(page) if page else None
    file = _world().file(page) if page else None
    if file is None:
        return _missing("commons", f"File:{name}")
    width = request.args.get("width", "")
    url = thumbs.thumb_url(file, int(width))[0] if width.isdigit() else thumbs.file_url(file)
    return redirect(url, 302)


def _answer(template: str, context: dict[str, Any], status: int = 200) -> Response:
    return Response(render_template(template, **context), status)


def _missing(wiki: Wiki, title: str) -> Response:
    gone = _world().deleted_page(wiki, title)
    return _answer("missing.html", {"wiki": wiki, "title": title, "deleted": gone}, 404)


@bp.app_errorhandler(404)
def not_found(error: NotFound) -> tuple[str, int]:
    """A path that is no part of the sandbox."""
    return f"{error.description}\n", 404
