"""`python -m bench.detection`: how many faces the detector finds, and in what time.

Against the boxes of the sandbox's manifest (crowds that are not fully boxed are left out), three
ways side by side: what the existing tool does (500 px wide, doubled once), one look at 960 px
doubled once, and ours. The last line is JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from bench import truth
from crawler.engines.dlib_engine import DlibEngine, load

PARTLY_BOXED = (
    "18F 18f group 2016.jpg",
    "18F ca team.jpg",
    "18F selfie group.jpg",
    "Barack Obama and President Hu Jintao of China greet State Dinner guests, 2011.jpg",
    "NYC Mulberry Street 3g04637u.jpg",
    "The Last Supper - Leonardo Da Vinci - High Resolution 32x16.jpg",
    "Familiefoto europese raad 2011.jpg",
)


@dataclass
class Result:
    boxed: int = 0
    found: int = 0
    unboxed: int = 0  # found where the manifest has no face
    seconds: float = 0.0


Way = Callable[[DlibEngine, Any], list[tuple[Any, float]]]
WAYS: dict[str, tuple[int, Way]] = {
    "existing tool (500 px, doubled once)": (500, lambda e, a: list(e._found(a, 1))),
    "960 px, doubled once": (960, lambda e, a: list(e._found(a, 1))),
    "ours": (960, lambda e, a: e._searched(a, 1)),
}


def main() -> None:
    engine = load()
    photos = [photo for photo in truth.photos().values() if photo.name not in PARTLY_BOXED]
    results = {name: Result() for name in WAYS}
    for photo in photos:
        for name, (width, look) in WAYS.items():
            measure(engine, photo, width, look, results[name])
    base = results["existing tool (500 px, doubled once)"]
    for name, result in results.items():
        print(
            f"{name:40} recall {result.found / result.boxed:.3f} ({result.found}/{result.boxed})  "
            f"unboxed {result.unboxed}  {1000 * result.seconds / len(photos):.0f} ms a photo"
        )
    ours = results["ours"]
    print(
        json.dumps(
            {
                "photos": len(photos),
                "recall": round(ours.found / ours.boxed, 3),
                "recall_ratio": round(ours.found / base.found, 2),
                "time_ratio": round(ours.seconds / base.seconds, 2),
            }
        )
    )


def measure(
    engine: DlibEngine, photo: truth.TruePhoto, width: int, look: Way, into: Result
) -> None:
    picture = read(photo, width)
    if picture is None:
        return
    pixels, scale = picture
    began = time.process_time()
    found = look(engine, pixels)
    into.seconds += time.process_time() - began
    boxes = [
        (r.left() * scale, r.top() * scale, r.width() * scale, r.height() * scale) for r, _ in found
    ]
    same = [
        [truth.overlap(face.box, box) >= truth.SAME_PLACE for box in boxes] for face in photo.faces
    ]
    into.boxed += len(photo.faces)
    into.found += sum(map(any, same))
    into.unboxed += len(boxes) - sum(map(any, zip(*same, strict=True)))


def read(photo: truth.TruePhoto, width: int) -> tuple[Any, float] | None:
    """Pixels at most `width` wide, upright, and how much larger the original is."""
    try:
        picture = ImageOps.exif_transpose(Image.open(photo.path)).convert("RGB")
    except (OSError, Image.DecompressionBombError):
        return None
    scale = max(1.0, picture.width / width)
    size = (round(picture.width / scale), round(picture.height / scale))
    return np.asarray(picture.resize(size)), scale


if __name__ == "__main__":
    main()
