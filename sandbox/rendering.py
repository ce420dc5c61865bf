"""Makes thumbnails with Pillow and keeps them on disk."""

from __future__ import annotations

import io
import os
import re
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from sandbox.records import FileVersion

# Input type → type of its thumbnails. A type that is missing has no thumbnails.
OUTPUT = {
    "image/jpeg": "image/jpeg", "image/png": "image/png", "image/gif": "image/gif",
    "image/webp": "image/webp", "image/tiff": "image/jpeg", "image/svg+xml": "image/png",
    "application/pdf": "image/jpeg",
}  # fmt: skip
# What stands before and after the usual `960px-Name` in the name of a thumbnail.
PREFIXES = {"image/tiff": "lossy-page1-", "application/pdf": "page1-"}
SUFFIXES = {"image/tiff": ".jpg", "application/pdf": ".jpg", "image/svg+xml": ".png"}
VECTORS = ("image/svg+xml", "application/pdf")  # rendered at any width
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}


class CannotRender(Exception):
    """The file is broken; the text is what the wiki's scaler says."""


def thumbnail(file: FileVersion, width: int, cache: Path) -> Path:
    """The thumbnail's file, made if it is not in `cache`. Raises CannotRender."""
    form = _FORMATS[OUTPUT[file.mime]]
    path = cache / f"{file.sha1}-{width}.{form.lower()}"
    if path.exists():
        return path
    image = _drawing(file, width) if file.mime in VECTORS else _scaled(file, width)
    cache.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=cache, suffix=".part")
    with os.fdopen(handle, "wb") as out:
        image.save(out, form, quality=87)
    os.replace(partial, path)
    return path


def _scaled(file: FileVersion, width: int) -> Image.Image:
    height = max(1, round(width * file.height / file.width)) if file.width else width
    try:
        with Image.open(file.path) as source:
            # A JPEG is decoded at a fraction of its size where that is enough.
            source.draft(None, (2 * max(width, height), 2 * max(width, height)))
            upright = ImageOps.exif_transpose(source)
            return _eight_bit(upright).resize((width, height), Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError) as error:
        reason = str(error).split("(")[0].strip()
        raise CannotRender(f"convert: {reason} @ error/constitute.c/ReadImage") from error


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel, 0–65535
        return image.convert("I").point(lambda value: value / 257).convert("L")
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F"):
        return image.convert("RGB")
    if image.mode in ("P", "1", "PA"):
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    return image


def _drawing(file: FileVersion, width: int) -> Image.Image:
    """No rasteriser is at hand: a white page that carries the file's own title."""
    data = Path(file.path).read_bytes().decode("utf-8", "replace")
    title = re.search(r"<title>([^<]*)</title>", data)
    page = Image.new("RGB", (width, max(1, round(width * file.height / file.width))), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, page.width - 1, page.height - 1), outline="#a2a9b1")
    draw.text(
        (width // 12, page.height // 3),
        title[1] if title else "Page 1",
        fill="black",
        font_size=max(8, width // 8),
    )
    return page


def icon(size: int) -> bytes:
    """A grey sheet with a folded corner, as a PNG."""
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    left, right, fold = size // 5, size - size // 5, size // 5
    outline = [(left, 4), (right - fold, 4), (right, 4 + fold), (right, size - 4), (left, size - 4)]
    ImageDraw.Draw(image).polygon(outline, fill="#eaecf0", outline="#72777d")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
