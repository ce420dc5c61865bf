"""prop=imageinfo, and a file's facts wherever they are told."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox import thumbs
from sandbox.api.call import Call, Json, Params
from sandbox.api.query.extmetadata import extmetadata
from sandbox.api.query.pageset import PageSet
from sandbox.records import FileVersion, Page

_PROPS = (
    "timestamp", "user", "userid", "comment", "parsedcomment", "canonicaltitle", "url", "size",
    "dimensions", "sha1", "mime", "thumbmime", "mediatype", "metadata", "commonmetadata",
    "extmetadata", "archivename", "bitdepth", "uploadwarning", "badfile",
)  # fmt: skip


def imageinfo(params: Params, pages: PageSet) -> None:
    """Facts of files. A redirect tells its target's; what is no file gets nothing."""
    call = params.call
    prop = params.options("prop", _PROPS, "timestamp|user")
    options: Json = {
        "width": params.integer("urlwidth", -1),
        "filter": params.values("extmetadatafilter"),
        "language": params.text("extmetadatalanguage", "en"),
    }
    limit = params.limit(1)
    params.known(
        "urlheight", "start", "end", "metadataversion", "extmetadatamultilang", "continue",
        "localonly",
    )  # fmt: skip
    if params.text("urlparam"):
        for page in pages.pages.values():
            told = f'Could not parse "{params.prefix}urlparam" for {page.name.replace(" ", "_")}.'
            call.warn(params.module, "badurlparam", f"{told} Using only width and height.")
    for entry in pages.missing():
        if entry.get("ns") == 6:
            entry["imagerepository"] = ""
    shown = {number: _target(call, page) for number, page in pages.pages.items() if page.ns == 6}
    files = call.world.current_files(call.wiki, [page.id for page in shown.values()])
    for number, page in shown.items():
        entry, current = pages.out[number], files.get(page.id)
        if current is None:
            entry["imagerepository"] = ""
            continue
        entry["imagerepository"] = "local"
        if "badfile" in prop:
            entry["badfile"] = False
        versions = [current] if limit == 1 else call.world.files(page)[:limit]
        entry["imageinfo"] = [
            file_facts(call, page, version, prop, options) for version in versions
        ]


def _target(call: Call, page: Page) -> Page:
    return call.world.follow(page) or page


def file_facts(call: Call, page: Page, file: FileVersion, prop: list[str], options: Json) -> Json:
    """One version of a file."""
    facts: Json = {}
    if "timestamp" in prop:
        facts["timestamp"] = file.timestamp
    if "user" in prop:
        facts["user"] = file.user
    if "userid" in prop:
        user = call.world.users.by_name(file.user)
        facts["userid"] = user.id if user else 0
    if "size" in prop or "dimensions" in prop:
        facts.update(size=file.size, width=file.width, height=file.height)
        facts.update(_extent(file))
    if "comment" in prop:
        facts["comment"] = file.comment
    if "parsedcomment" in prop:
        facts["parsedcomment"] = file.comment
    if "canonicaltitle" in prop:
        facts["canonicaltitle"] = page.title
    if "url" in prop:
        facts.update(_urls(call, page, file, options.get("width", -1)))
    if "sha1" in prop:
        facts["sha1"] = file.sha1
    if "metadata" in prop or "commonmetadata" in prop:
        known: list[Json] = [{"name": key, "value": item} for key, item in file.metadata.items()]
        facts.update({key: known for key in ("metadata", "commonmetadata") if key in prop})
    if "extmetadata" in prop:
        found = extmetadata(call, page, file, options.get("filter") or [])
        facts["extmetadata"] = found or []  # as PHP writes an empty object
    for name in ("mime", "mediatype"):
        if name in prop:
            facts[name] = getattr(file, name)
    if "archivename" in prop and (archived := thumbs.archive_name(file)):
        facts["archivename"] = archived
    return facts


def _extent(file: FileVersion) -> Json:
    frames = file.metadata.get("frameCount", 1)
    if file.mime in ("image/tiff", "application/pdf"):
        return {"pagecount": frames}
    if file.mime == "image/gif" and frames > 1:
        return {"duration": file.metadata.get("duration", 0.1 * frames)}
    return {}


def _urls(call: Call, page: Page, file: FileVersion, width: int) -> Json:
    urls: Json = {}
    if width > 0:
        url, thumb_width, thumb_height = thumbs.thumb_url(file, width)
        urls.update(thumburl=url, thumbwidth=thumb_width, thumbheight=thumb_height)
        larger = _larger(file, width)
        if larger and url != thumbs.file_url(file):
            urls["responsiveUrls"] = larger
    name = page.title.replace(" ", "_")
    urls["url"] = thumbs.file_url(file)
    urls["descriptionurl"] = f"{call.base}/wiki/{quote(name, safe=':/!,;()@*')}"
    urls["descriptionshorturl"] = f"{call.base}/w/index.php?curid={page.id}"
    return urls


def _larger(file: FileVersion, width: int) -> dict[str, Any]:
    if file.mediatype == "BITMAP" and file.width <= width:
        return {}
    return {
        factor: thumbs.thumb_url(file, int(width * times))[0]
        for factor, times in (("1.5", 1.5), ("2", 2))
    }
