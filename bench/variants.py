"""Many different pictures, made from the few of the photo set: cut, scaled, turned over."""

from __future__ import annotations

import io
import random
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageOps

from bench import truth

WIDTH = 960  # of the thumbnails that faces are found on


def sources() -> list[Path]:
    """Photos of the set that can be decoded, in a fixed order."""
    found = {photo.path for photo in truth.photos().values() if photo.faces}
    return sorted(path for path in found if path.suffix in (".jpg", ".png"))


def jpeg(number: int, widest: int = WIDTH) -> bytes:
    """The picture of that number, so wide at most; another one for each number."""
    files, chance = sources(), random.Random(number)
    picture = _upright(files[number % len(files)])
    width, height = picture.size
    left, top = chance.uniform(0, 0.15), chance.uniform(0, 0.15)
    right, bottom = 1 - chance.uniform(0, 0.15), 1 - chance.uniform(0, 0.15)
    picture = picture.crop(
        (int(left * width), int(top * height), int(right * width), int(bottom * height))
    )
    if chance.random() < 0.5:
        picture = ImageOps.mirror(picture)
    scale = min(1.0, widest / picture.width) * chance.uniform(0.6, 1)
    picture = picture.resize((int(picture.width * scale), int(picture.height * scale)))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=chance.randint(80, 92))
    return file.getvalue()


@lru_cache(maxsize=128)
def _upright(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    picture.thumbnail((2 * WIDTH, 2 * WIDTH))
    return picture
