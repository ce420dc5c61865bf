"""What is truly in the sandbox's photos, from the manifests that people made."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Box = tuple[float, float, float, float]  # left, top, width, height; any one unit

DATA = Path(__file__).parent.parent / "sandbox" / "data"
# Manifest and folder of the real photos, and of the files made from them.
MANIFESTS = ((DATA / "manifest.csv", DATA / "photos"), (DATA / "awkward.csv", DATA / "awkward"))
SAME_PLACE = 0.3  # intersection over union from which two boxes are the same face


@dataclass(frozen=True)
class Face:
    box: Box  # pixels of the upright original
    qid: str | None  # None: somebody else, or not a person


@dataclass(frozen=True)
class TruePhoto:
    name: str  # title without "File:"
    persons: frozenset[str]  # Q-ids of whom the photo depicts, with or without a face
    faces: tuple[Face, ...]
    path: Path

    def person_at(self, box: Box) -> str | None:
        """Who is at `box` (pixels of the upright original); None for anybody unnamed."""
        best = max(self.faces, key=lambda face: overlap(face.box, box), default=None)
        return best.qid if best and overlap(best.box, box) >= SAME_PLACE else None

    def has_face_of(self, qid: str) -> bool:
        return any(face.qid == qid for face in self.faces)


def photos() -> dict[str, TruePhoto]:
    """All photos of the manifests by their name."""
    found: dict[str, TruePhoto] = {}
    for manifest, folder in MANIFESTS:
        with manifest.open(encoding="utf-8", newline="") as file:
            rows = [_photo(row, folder) for row in csv.DictReader(file)]
        found |= {photo.name: photo for photo in rows}
    return found


def pairs(with_face: bool) -> Iterator[tuple[str, str]]:
    """(name, Q-id) for each person of each photo; only those with a boxed face if asked."""
    for photo in photos().values():
        for qid in photo.persons:
            if not with_face or photo.has_face_of(qid):
                yield photo.name, qid


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0–1."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def _photo(row: dict[str, str], folder: Path) -> TruePhoto:
    faces = tuple(
        Face(tuple(face["box"]), face["qid"] if face["qid"].startswith("Q") else None)
        for face in json.loads(row["faces"])
    )
    persons = frozenset(qid for qid in row["person_qids"].split(";") if qid)
    return TruePhoto(row["title"].removeprefix("File:"), persons, faces, folder / row["file"])
