"""/upload: originals and thumbnails, as upload.wikimedia.org serves them.

Thumbnails exist at the steps only; any other width is answered 429, and a stock agent 403. Which
URL a file has, and which width and height the API tells for it, is decided here too. No recording
covers the edge, nor what the steps do with the API's own `iiurlwidth`, so both are unverified: a
width off the steps gives a URL that answers 429.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, abort, current_app, g, request, send_file

from sandbox import rendering
from sandbox.records import FileVersion
from sandbox.world import World

bp = Blueprint("thumbs", __name__)

STEPS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
MAX_AREA = 100_000_000  # pixels; Commons' limit for thumbnails
ROOT = "/upload/wikipedia/commons"
ICON = "/commons/w/resources/assets/file-type-icons/fileicon.png"
ICON_SIZE = 120  # pixels
TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_STOCK_AGENTS = re.compile(
    r"^(python-requests|python-urllib|python-httpx|aiohttp|go-http-client|java|okhttp|libwww-perl)",
    re.IGNORECASE,
)
_THUMB = re.compile(r"^(?:lossy-|lossless-)?(?:page\d+-)?(\d+)px-(.+)$", re.DOTALL)


# ------------------------------------------------------------------------------ names and URLs


def file_url(file: FileVersion) -> str:
    """The URL of an original; a replaced version lies in the archive."""
    return _base() + _original_path(file)


def thumb_url(file: FileVersion, width: int) -> tuple[str, int, int]:
    """(URL, width, height in pixels) as the API tells them for a wanted width.

    Like MediaWiki: the original itself where it is no wider, an icon where nothing can be
    rendered, and for a JPEG turned by EXIF the wanted numbers even where the picture is smaller.
    """
    if not renderable(file):
        return _base() + ICON, ICON_SIZE, ICON_SIZE
    made = width if file.mime in rendering.VECTORS else min(width, file.width)
    if made == file.width and not must_render(file):
        return file_url(file), file.width, file.height
    told = width if file.orientation in TURNED else made
    return _thumb_url(file, made), told, round(told * file.height / file.width)


def archive_name(file: FileVersion) -> str | None:
    """`20261124063718!Name.jpg` for a version that was replaced, None for the current one."""
    return _names(file)[1]


def renderable(file: FileVersion) -> bool:
    """Whether the wiki has a handler and dimensions for it."""
    return file.width > 0 and file.mime in rendering.OUTPUT


def too_large(file: FileVersion) -> bool:
    """Whether the thumbnailer refuses it for its pixels; drawings have none."""
    return file.width * file.height > MAX_AREA and file.mime not in rendering.VECTORS


def must_render(file: FileVersion) -> bool:
    """Whether a browser cannot show the original upright and as it is."""
    return file.orientation in TURNED or file.mime in rendering.SUFFIXES


def _original_path(file: FileVersion) -> str:
    name, archived = _names(file)
    folder = f"{ROOT}/archive" if archived else ROOT
    return f"{folder}/{_hashed(name)}/{quote(archived or name, safe='')}"


def _thumb_url(file: FileVersion, width: int) -> str:
    name, archived = _names(file)
    folder = _original_path(file).replace(ROOT, f"{ROOT}/thumb", 1)
    prefix, suffix = rendering.PREFIXES.get(file.mime, ""), rendering.SUFFIXES.get(file.mime, "")
    thumb = f"{prefix}{width}px-{quote(archived or name, safe='')}{suffix}"
    return f"{_base()}{folder}/{thumb}"


def _names(file: FileVersion) -> tuple[str, str | None]:
    """(name with underscores, name in the archive), looked up once a request."""
    known: dict[tuple[int, str, str], tuple[str, str | None]] = g.setdefault("file_names", {})
    key = (file.page_id, file.timestamp, file.sha1)
    if key not in known:
        known[key] = _looked_up(file)
    return known[key]


def _looked_up(file: FileVersion) -> tuple[str, str | None]:
    world = _world()
    page = world.page_by_id(file.wiki, file.page_id, deleted=True)
    assert page
    name = page.name.replace(" ", "_")
    versions = world.files(page)
    place = versions.index(file) if file in versions else 0
    if place == 0:
        return name, None
    replaced = re.sub(r"\D", "", versions[place - 1].timestamp)
    return name, f"{replaced}!{name}"


def _hashed(name: str) -> str:
    digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{digest[0]}/{digest[:2]}"


def _world() -> World:
    world: World = current_app.extensions["world"]
    return world


def _base() -> str:
    return _world().base_url


# ------------------------------------------------------------------------------------- serving


@bp.before_request
def _agent() -> Response | None:
    agent = request.headers.get("User-Agent", "").strip()
    if not request.path.startswith("/upload") or (agent and not _STOCK_AGENTS.match(agent)):
        return None
    text = "Please set a user-agent and respect our robot policy https://w.wiki/4wJS."
    return Response(f"{text}\n", 403, content_type="text/plain; charset=utf-8")


@bp.get(f"{ROOT}/<a>/<ab>/<name>")
def original(a: str, ab: str, name: str) -> Response:
    """The current version of a file, byte for byte."""
    return _send_original(_current(f"{a}/{ab}", name))


@bp.get(f"{ROOT}/archive/<a>/<ab>/<name>")
def archived(a: str, ab: str, name: str) -> Response:
    """A replaced version of a file."""
    return _send_original(_replaced(f"{a}/{ab}", name))


@bp.get(f"{ROOT}/thumb/<a>/<ab>/<name>/<thumb>")
def thumbnail(a: str, ab: str, name: str, thumb: str) -> Response:
    """A thumbnail of the current version."""
    return _thumbnail(_current(f"{a}/{ab}", name), name, thumb)


@bp.get(f"{ROOT}/thumb/archive/<a>/<ab>/<name>/<thumb>")
def archived_thumbnail(a: str, ab: str, name: str, thumb: str) -> Response:
    """A thumbnail of a replaced version."""
    return _thumbnail(_replaced(f"{a}/{ab}", name), name, thumb)


@bp.get(ICON)
def icon() -> Response:
    """What stands for a file that cannot be shown."""
    return Response(rendering.icon(ICON_SIZE), content_type="image/png")


def _current(folder: str, name: str) -> FileVersion:
    page = _world().page("commons", f"File:{name.replace('_', ' ')}")
    file = _world().file(page) if page and _hashed(name) == folder else None
    if file is None:
        abort(404)
    return file


def _replaced(folder: str, name: str) -> FileVersion:
    _, _, bare = name.partition("!")
    page = _world().page("commons", f"File:{bare.replace('_', ' ')}")
    for version in _world().files(page) if page and _hashed(bare) == folder else []:
        if archive_name(version) == name:
            return version
    abort(404)


def _thumbnail(file: FileVersion, name: str, thumb: str) -> Response:
    match = _THUMB.match(thumb)
    if not match or match[2] != name + rendering.SUFFIXES.get(file.mime, ""):
        abort(404)
    width = int(match[1])
    native = must_render(file) and width == file.width
    if width not in STEPS and not native:
        return _off_step()
    if problem := _refusal(file, width):
        return _error(400, problem)
    try:
        path = rendering.thumbnail(file, width, _world().data_dir / "thumbs")
    except rendering.CannotRender as error:
        return _error(500, f"Error code: 1\n{error}")
    return _send(path, rendering.OUTPUT[file.mime], f"{file.sha1}-{width}")


def _refusal(file: FileVersion, width: int) -> str:
    if too_large(file):
        return "File with dimensions greater than 100 MP"
    too_wide = width > file.width or (width == file.width and not must_render(file))
    if file.width > 0 and too_wide and file.mime not in rendering.VECTORS:
        return "Image was not scaled, is the requested width bigger than the source?"
    return ""


def _send_original(file: FileVersion) -> Response:
    return _send(Path(file.path), file.mime, file.sha1)


def _send(path: Path, mime: str, etag: str) -> Response:
    name = request.path.rsplit("/", 1)[-1]
    response = send_file(path, mime, conditional=True, etag=etag, download_name=name)
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Timing-Allow-Origin"] = "*"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response


def _off_step() -> Response:
    steps = ", ".join(map(str, STEPS))
    text = f"Use thumbnail steps listed on https://w.wiki/GHai ({steps})."
    return Response(f"Error: 429, {text}\n", 429, {"Retry-After": "5"}, content_type="text/plain")


def _error(status: int, message: str) -> Response:
    """The page of MediaWiki's thumbnailer."""
    heading = "Error generating thumbnail"
    body = (
        f'<!DOCTYPE html>\n<html><head>\n<meta charset="UTF-8" />\n<title>{heading}</title>\n'
        f"</head>\n<body>\n<h1>{heading}</h1>\n<p>\n"
        f"Error creating thumbnail: {message}\n</p>\n</body>\n</html>\n"
    )
    return Response(body, status, {"Cache-Control": "no-cache"}, content_type="text/html")
