"""What MediaWiki would know about an uploaded file, read from the file itself."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from pathlib import Path

from PIL import Image

from sandbox.records import Json

_ORIENTATION = 0x0112
_BITMAPS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp",
            "TIFF": "image/tiff"}  # fmt: skip
_OTHER_TYPES = {
    "application/pdf": "OFFICE",
    "image/vnd.djvu": "BITMAP",
    "image/x-xcf": "BITMAP",
}


def describe(path: Path) -> Json:
    """sha1, size (bytes), width, height (pixels, upright), mime, mediatype, orientation, metadata.

    A picture that cannot be read has width and height 0, as on the wiki.
    """
    data = path.read_bytes()
    facts: Json = {
        "sha1": hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        "size": len(data),
        "width": 0,
        "height": 0,
        "mime": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        "orientation": 1,
        "metadata": {},
    }
    if facts["mime"] == "image/svg+xml":
        facts.update(_svg(data), mediatype="DRAWING")
        return facts
    facts["mediatype"] = _mediatype(facts["mime"])
    if facts["mediatype"] == "BITMAP":
        facts.update(_bitmap(path))
    return facts


def _mediatype(mime: str) -> str:
    group = mime.split("/")[0]
    if mime in _OTHER_TYPES:
        return _OTHER_TYPES[mime]
    return {"image": "BITMAP", "video": "VIDEO", "audio": "AUDIO"}.get(group, "UNKNOWN")


def _bitmap(path: Path) -> Json:
    try:
        with Image.open(path) as image:
            orientation = int(image.getexif().get(_ORIENTATION, 1))
            width, height = image.size
            found: Json = {"orientation": orientation}
            if image.format in _BITMAPS:
                found["mime"] = _BITMAPS[image.format]
            frames = getattr(image, "n_frames", 1)
            if frames > 1:
                found["metadata"] = {"frameCount": frames}
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return {}
    if orientation in (5, 6, 7, 8):
        width, height = height, width
    return {**found, "width": width, "height": height}


def _svg(data: bytes) -> Json:
    head = data[:4000].decode("utf-8", "replace")
    sizes = {
        name: float(value)
        for name, value in re.findall(r'\b(width|height)="([\d.]+)(?:px)?"', head)
    }
    box = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', head)
    if box and len(sizes) < 2:
        sizes = {"width": float(box[1]), "height": float(box[2])}
    return {key: round(sizes.get(key, 512)) for key in ("width", "height")}
