"""/_sandbox: how tests and people steer the sandbox wiki."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    render_template,
    request,
)
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException, UnsupportedMediaType

from sandbox.faults import KINDS, Faults
from sandbox.records import Block, FileVersion, Page, now
from sandbox.world import World

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FACTS = ("sha1", "size", "width", "height", "mime", "mediatype", "orientation", "metadata")

bp = Blueprint("control", __name__, url_prefix="/_sandbox")


def _world() -> World:
    world: World = current_app.extensions["world"]
    return world


def _faults() -> Faults:
    faults: Faults = current_app.extensions["faults"]
    return faults


@bp.errorhandler(Forbidden)
@bp.errorhandler(UnsupportedMediaType)
def _refused(error: HTTPException) -> tuple[Response, int]:
    return jsonify(error=error.description), error.code or 400


@bp.errorhandler(BadRequest)
@bp.errorhandler(TypeError)
@bp.errorhandler(ValueError)
@bp.errorhandler(LookupError)
def _wrong(error: Exception) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


@bp.get("/")
def home() -> str:
    """A page that says what this is."""
    world = _world()
    return render_template(
        "control.html",
        url=world.base_url,
        files=world.store.value("SELECT count(*) FROM page WHERE ns = 6 AND deleted = 0"),
        edits=world.store.value("SELECT count(*) FROM revision"),
        users=world.users.all(),
        faults=_faults().as_json(),
        kinds=KINDS,
    )


@bp.get("/fault")
def list_faults() -> Response:
    """The rules in force."""
    return jsonify(_faults().as_json())


@bp.post("/fault")
def add_fault() -> Response:
    """Adds a rule: `{"kind": "maxlag", "match": {"action": "wbsetclaim"}, "times": 2}`."""
    data = _json()
    kind = str(data.pop("kind", ""))
    _faults().add(kind, data.pop("match", None), **data)
    return jsonify(_faults().as_json())


@bp.delete("/fault")
def clear_faults() -> Response:
    """Drops all rules."""
    _faults().clear()
    return jsonify([])


@bp.post("/reset")
def reset() -> Response:
    """Drops faults and request counts; wiki content stays."""
    _faults().clear()
    _world().reset_request_counts()
    return jsonify(ok=True)


@bp.post("/page")
def change_page() -> Response:
    """Moves, deletes, undeletes, protects, unprotects or re-uploads a page.

    JSON: `action`, `title` (canonical, on Commons), and for move `to` and `redirect`, for protect
    `level`, for reupload `of` (the title of a file whose picture it gets); `user` and `comment` if
    they matter.
    """
    data, world = _json(), _world()
    title, action = str(data["title"]), str(data["action"])
    user, comment = str(data.get("user", "Admin")), str(data.get("comment", ""))
    if action == "undelete":
        gone = world.deleted_page("commons", title)
        if gone is None:
            raise LookupError(f"No deleted page {title}")
        return jsonify(_page_json(world.undelete(gone, user=user, comment=comment)))
    page = world.page("commons", title)
    if page is None:
        raise LookupError(f"No page {title}")
    if action == "move":
        leave = bool(data.get("redirect", True))
        page = world.move(page, str(data["to"]), user=user, comment=comment, redirect=leave)
    elif action == "delete":
        world.delete(page, user=user, comment=comment)
    elif action in ("protect", "unprotect"):
        level = str(data.get("level", "sysop")) if action == "protect" else None
        world.protect(page, level)
    elif action == "reupload":
        other = _file(str(data["of"]))
        facts = {name: getattr(other, name) for name in FACTS}
        page = world.upload(title, Path(other.path), facts, user=user, comment=comment)
    else:
        raise ValueError(f"Unknown action {action}")
    return jsonify(_page_json(page))


@bp.post("/user")
def change_user() -> Response:
    """Blocks, unblocks, expires the tokens of, or changes a user.

    JSON: `user`, `action` (`block`, `unblock`, `expire-tokens`, `change`); for block `reason` and
    `pages` (partial), for change `groups`, `rights`, `editcount`, `new_name`.
    """
    data, world = _json(), _world()
    name, action = str(data["user"]), str(data["action"])
    account = world.users.by_name(name)
    if account is None:
        raise LookupError(f"No user {name}")
    if action == "block":
        reason = str(data.get("reason", "Disruptive editing"))
        world.users.block(name, Block(3, "Admin", 1, reason, now(), pages=data.get("pages")))
    elif action == "unblock":
        world.users.block(name, None)
    elif action == "expire-tokens":
        with world.store.transaction() as db:
            db.execute(
                "UPDATE oauth_token SET access_expires = ? WHERE user_id = ?",
                (time.time() - 1, account.id),
            )
    elif action == "change":
        keys = ("groups", "rights", "editcount", "new_name")
        world.users.change(name, **{key: data[key] for key in keys if key in data})
    else:
        raise ValueError(f"Unknown action {action}")
    return jsonify(ok=True)


@bp.get("/edits")
def edits() -> Response:
    """Every revision of Commons, oldest first; `since` = revision id to start after."""
    rows = _world().store.rows(
        "SELECT revision.id, page_id, title, timestamp, user, comment, tags FROM revision"
        " JOIN page ON page.wiki = revision.wiki AND page.id = page_id"
        " WHERE revision.wiki = 'commons' AND revision.id > ? ORDER BY revision.id",
        (request.args.get("since", 0, type=int),),
    )
    return jsonify([{**dict(row), "tags": json.loads(row["tags"])} for row in rows])


@bp.get("/requests")
def requests_seen() -> Response:
    """How often each path and action was asked since the last reset."""
    return jsonify(dict(sorted(_world().request_counts.items())))


@bp.before_request
def _own_pages_only() -> None:
    """Changes come from this very site or from no page at all: else any page that somebody has open
    in a browser could steer the wiki."""
    if request.method in ("GET", "HEAD"):
        return
    own = urlsplit(_world().base_url)
    if urlsplit(f"//{request.host}").hostname not in (own.hostname, *LOOPBACK):
        abort(403, "Not by this host name")
    origin = request.headers.get("Origin")
    if origin is not None and origin not in (_world().base_url, f"http://{request.host}"):
        abort(403, "Not from another origin")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        abort(403, "Not from another site")
    has_body = bool(request.content_length or "Transfer-Encoding" in request.headers)
    if has_body and not request.is_json:
        abort(415, "Send application/json")


def _file(title: str) -> FileVersion:
    page = _world().page("commons", title)
    file = _world().file(page) if page else None
    if file is None:
        raise LookupError(f"No file {title}")
    return file


def _json() -> dict[str, Any]:
    data: dict[str, Any] = request.get_json(force=True)
    return data


def _page_json(page: Page) -> dict[str, Any]:
    return {"pageid": page.id, "title": page.title, "lastrevid": page.latest}
