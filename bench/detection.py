"""`make bench-detect`: how many faces each detector finds, and in what time and memory.

On the sandbox's photos, or those in `PHOTOS=`, a folder with a manifest.csv of the same kind.
Each way has a process of its own and gets thumbnails as a wiki gives them; decoding them and
embedding each face that was found counts. The last line is JSON, of the deployment's engine.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from bench import truth
from bench.truth import Box

# Crowds of which not every face is boxed; in any manifest also those whose column `crowd` says so.
PARTLY_BOXED = {
    "18F 18f group 2016.jpg",
    "18F ca team.jpg",
    "18F selfie group.jpg",
    "Barack Obama and President Hu Jintao of China greet State Dinner guests, 2011.jpg",
    "NYC Mulberry Street 3g04637u.jpg",
    "The Last Supper - Leonardo Da Vinci - High Resolution 32x16.jpg",
    "Familiefoto europese raad 2011.jpg",
}
SIZES = (0, 16, 24, 32, 48, 96, 192)  # px, from which a face of the 960-px thumbnail is
WIDTHS = (500, 960, 1600)  # of thumbnails
FEW, SOME, CROWD = 2, 3, 50  # faces at most: quick to look at, a portrait, a group
LOOKS = 3  # at each photo; the shortest counts, since other work makes the others longer

Looked = list[Box]  # in pixels of the thumbnail
Way = Callable[[bytes], tuple[Looked, tuple[int, int]]]


@dataclass
class Result:
    """What one way found in all photos."""

    name: str
    photos: int = 0
    seconds: float = 0.0  # of processor time
    seconds_of_few: list[float] = field(default_factory=list)  # a photo of two faces or less
    portraits: list[bool] = field(default_factory=list)  # each boxed face: was it found?
    groups: list[bool] = field(default_factory=list)
    by_size: dict[int, list[bool]] = field(default_factory=lambda: {size: [] for size in SIZES})
    false: int = 0
    peak_mb: float = 0.0

    @property
    def a_second(self) -> float:
        return self.photos / self.seconds

    @property
    def few_ms(self) -> float:
        return 1000 * float(np.mean(self.seconds_of_few))


@dataclass(frozen=True)
class Photo:
    """A photo with its truth, in pixels of the upright original."""

    path: Path
    persons: tuple[Box, ...]
    others: tuple[Box, ...]  # drawn faces and statues: finding them is neither right nor wrong
    width: int
    height: int


# The ways ---------------------------------------------------------------------------------


def hog(upsample: int) -> Way:
    """As the existing tool: HOG at one size, and dlib's network."""
    from crawler.engines import dlib_engine

    engine = dlib_engine.load()

    def look(data: bytes) -> tuple[Looked, tuple[int, int]]:
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        faces = [engine._face(pixels, *found) for found in engine._found(pixels, upsample)]
        return _in_pixels([face.box for face in faces], pixels)

    return look


def yunet(longest: int) -> Way:
    """One look at one size, and SFace."""
    from crawler.engines import opencv_engine

    engine = opencv_engine.load()

    def look(data: bytes) -> tuple[Looked, tuple[int, int]]:
        pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        bgr = engine._bgr(pixels)
        scale = min(1.0, longest / max(pixels.shape[:2]))
        faces = [engine._face(bgr, row) for row in engine._found(bgr, scale, 0.7)]
        return _in_pixels([face.box for face in faces], pixels)

    return look


def product(key: str) -> Way:
    """As this tool does it."""
    from crawler.engines import KINDS, load
    from crawler.pictures import fetch as pictures_fetch

    engine = load(KINDS[key].name)

    def look(data: bytes) -> tuple[Looked, tuple[int, int]]:
        pixels = pictures_fetch.decode(data)
        return _in_pixels([face.box for face in engine.look(pixels)], pixels)

    return look


BASE = "HOG 500 px, doubled once (existing tool)"
OURS = {"sface": "ours, YuNet + SFace", "dlib": "ours, HOG + dlib"}
# name -> width of the thumbnail, and how to begin
WAYS: dict[str, tuple[int, Callable[[], Way]]] = {
    BASE: (500, lambda: hog(1)),
    "HOG 960 px": (960, lambda: hog(0)),
    "HOG 960 px, doubled once": (960, lambda: hog(1)),
    OURS["dlib"]: (960, lambda: product("dlib")),
    "YuNet 500 px": (500, lambda: yunet(500)),
    "YuNet 960 px": (960, lambda: yunet(960)),
    "YuNet 1600 px": (1600, lambda: yunet(1600)),
    OURS["sface"]: (960, lambda: product("sface")),
}


def _in_pixels(boxes: list[Box], pixels: Any) -> tuple[Looked, tuple[int, int]]:
    height, width = pixels.shape[:2]
    found = [(x * width, y * height, w * width, h * height) for x, y, w, h in boxes]
    return found, (width, height)


# Measuring --------------------------------------------------------------------------------


def measure(name: str, thumbs: Path, photos: list[Photo]) -> Result:
    width, begin = WAYS[name]
    look = begin()
    files = [(photo, thumb_of(thumbs, photo, width)) for photo in photos]
    look(files[0][1].read_bytes())  # warm: what is loaded once does not count
    result = Result(name)
    for photo, file in files:
        data = file.read_bytes()
        spent = math.inf
        for _ in range(LOOKS):
            began = time.process_time()
            found, (wide, high) = look(data)
            spent = min(spent, time.process_time() - began)
        x, y = photo.width / wide, photo.height / high
        count(result, photo, [(a * x, b * y, w * x, h * y) for a, b, w, h in found], spent)
    # Not getrusage: that one remembers the process that started this one.
    status = Path("/proc/self/status").read_text()
    result.peak_mb = int(status.split("VmHWM:")[1].split()[0]) / 1000
    return result


def count(result: Result, photo: Photo, found: list[Box], spent: float) -> None:
    result.photos += 1
    result.seconds += spent
    number = len(photo.persons)
    if number <= FEW:
        result.seconds_of_few.append(spent)
    kind = result.portraits if number <= SOME else result.groups if number <= CROWD else []
    for box in photo.persons:
        is_found = any(truth.overlap(box, one) >= truth.SAME_PLACE for one in found)
        px = box[3] * min(1.0, 960 / photo.width)
        kind.append(is_found)
        result.by_size[max(size for size in SIZES if size <= px)].append(is_found)
    known = photo.persons + photo.others
    result.false += sum(
        all(truth.overlap(box, one) < truth.SAME_PLACE for box in known) for one in found
    )


# Photos -----------------------------------------------------------------------------------


def photos_of(folder: Path | None) -> list[Photo]:
    """Those that can be decoded and whose faces are all boxed."""
    sources: tuple[tuple[Path, Path], ...] = truth.MANIFESTS
    if folder:
        inside = next(
            (folder / name for name in ("files", "photos") if (folder / name).is_dir()), folder
        )
        sources = ((folder / "manifest.csv", inside),)
    return [photo for manifest, inside in sources for photo in _read(manifest, inside)]


def _read(manifest: Path, folder: Path) -> Iterator[Photo]:
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["title"].removeprefix("File:") in PARTLY_BOXED or row.get("crowd"):
                continue
            size = _size(folder / row["file"])
            if size is None:
                continue
            faces = json.loads(row["faces"] or "[]")
            yield Photo(
                folder / row["file"],
                tuple(tuple(face["box"]) for face in faces if not face.get("kind")),
                tuple(tuple(face["box"]) for face in faces if face.get("kind")),
                *size,
            )


def _size(path: Path) -> tuple[int, int] | None:
    """Of the upright picture; None for what is no whole picture."""
    try:
        with Image.open(path) as image:
            image.load()
            return ImageOps.exif_transpose(image).size
    except (OSError, Image.DecompressionBombError):
        return None


def thumb_of(folder: Path, photo: Photo, width: int) -> Path:
    return folder / f"{width}-{photo.path.name}"


def make_thumbs(folder: Path, photos: list[Photo]) -> None:
    """As a wiki gives them: upright, so wide at most, JPEG or lossless as the original is."""
    for photo in photos:
        for width in WIDTHS:
            thumb = thumb_of(folder, photo, width)
            if photo.width <= width:
                thumb.write_bytes(photo.path.read_bytes())
                continue
            with Image.open(photo.path) as image:
                kind = "PNG" if image.format == "PNG" else "JPEG"
                small = ImageOps.exif_transpose(image).convert("RGB")
            size = (width, max(1, round(photo.height * width / photo.width)))
            small.resize(size, Image.Resampling.LANCZOS).save(thumb, kind, quality=87)


# The table --------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder with manifest.csv")
    parser.add_argument("--way", choices=WAYS, help="only this one, in this process")
    parser.add_argument("--thumbs", type=Path)
    asked = parser.parse_args()
    _django()
    photos = photos_of(asked.photos)
    if asked.way:
        print(json.dumps(asdict(measure(asked.way, asked.thumbs, photos))))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_thumbs(Path(folder), photos)
        results = {name: _in_a_process(name, folder, asked.photos) for name in WAYS}
    _print(results, photos)


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wikivisage.settings")
    import django

    django.setup()


def _in_a_process(name: str, thumbs: str, photos: Path | None) -> Result:
    command = [sys.executable, "-W", "ignore", "-m", "bench.detection"]
    command += ["--way", name, "--thumbs", thumbs]
    command += ["--photos", str(photos)] if photos else []
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout.splitlines()[-1])
    told["by_size"] = {int(size): found for size, found in told["by_size"].items()}
    return Result(**told)


def _print(results: dict[str, Result], photos: list[Photo]) -> None:
    from django.conf import settings

    base, ours = results[BASE], results[OURS[settings.ENGINE]]
    faces = sum(len(photo.persons) for photo in photos)
    print(f"{len(photos)} photos, {faces} faces of people: portraits have 1–3, groups 4–50")
    print(f"{'':42}portraits  groups  false/photo  photos/s  ms (≤ 2 faces)  peak MB  against")
    for result in results.values():
        against = result.a_second / base.a_second
        print(
            f"{result.name:42}{_share(result.portraits):9}  {_share(result.groups):>6}"
            f"  {result.false / result.photos:11.2f}  {result.a_second:8.1f}"
            f"  {result.few_ms:14.0f}  {result.peak_mb:7.0f}  {against:6.2f}x"
        )
    print("\nFaces found by their height in a thumbnail 960 px wide")
    edges = [f"{low}–{high}" for low, high in pairwise(SIZES)]
    print(f"{'':42}" + "".join(f"{edge:>10}" for edge in [*edges, f"{SIZES[-1]}+"]))
    print(f"{'faces':42}" + "".join(f"{len(found):10}" for found in base.by_size.values()))
    for result in results.values():
        shares = [_share(found) for found in result.by_size.values()]
        print(f"{result.name:42}" + "".join(f"{share:>10}" for share in shares))
    summary = {
        "ratio_to_hog500up": round(ours.a_second / base.a_second, 2),
        "recall_portraits": round(float(np.mean(ours.portraits)), 4),
        "recall_groups": round(float(np.mean(ours.groups)), 4),
        "cpu_ms_per_photo": round(ours.few_ms, 1),
        "peak_rss_mb": round(ours.peak_mb),
    }
    print(json.dumps(summary))


def _share(found: list[bool]) -> str:
    return f"{np.mean(found):.3f}" if found else "–"


if __name__ == "__main__":
    main()
