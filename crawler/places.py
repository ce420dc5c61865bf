"""Faces that an engine found, brought together with the regions that are there already.

Answers point to regions, so a face found again is the region it was, whichever engine finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crawler import vectors
from crawler.engines import Engine, Face
from crawler.engines.base import Picture as Pixels
from crawler.engines.boxes import overlap
from crawler.hashing import face_hash
from crawler.models import Embedding, EmbedJob, Picture, Region
from projects.work import WorkState

SAME_PLACE = 0.9  # overlap from which it is the very box that the same detector found before
# Overlap from which boxes of two detectors (or of a person) hold the same face, one for one, the
# best first. Of 118 faces found by both, HOG's square and YuNet's box overlap by less than 0.5 in
# 8, and by less than 0.3 in none: at 0.5 each of these would be there twice.
SAME_FACE = 0.3

Placed = list[tuple[Region, Face]]


def place(picture: Picture, pixels: Pixels, faces: Sequence[Face], engine: Engine) -> Placed:
    """Each face with its region, which may be new (unsaved), and each face that was known but
    that this engine missed, embedded as if a person had drawn it. All have their hash then."""
    known = [
        region
        for region in picture.regions.exclude(origin=Region.Origin.PHOTO)
        if not _is_waiting(region)
    ]
    pairs = _pairs(known, faces, engine.detector)
    placed = [
        (pairs.get(at) or _region(picture, face, engine), face) for at, face in enumerate(faces)
    ]
    taken = {region.pk for region, _ in placed}
    missed = [one for one in known if one.pk not in taken and one.replaced_by_id is None]
    placed += [(region, engine.embed(pixels, region.box)) for region in missed]
    for region, _ in placed:
        region.phash = region.phash or face_hash(pixels, region.box)
    return placed


def keep(placed: Placed, engine: Engine) -> None:
    """Save new regions and the vectors of all. Call in the transaction of the outcome."""
    for region, face in placed:
        region.quality = face.quality if face.quality is not None else region.quality
        if region.pk is None:
            region.save()
        else:
            same = Region.objects.filter(pk=region.pk)
            same.update(quality=region.quality, phash=region.phash)
    Embedding.objects.filter(
        region__in=[region for region, _ in placed], engine=engine.name
    ).delete()
    Embedding.objects.bulk_create(vectors.of(region, face, engine.name) for region, face in placed)


def _is_waiting(region: Region) -> bool:
    """Drawn, and not embedded yet: that comes by itself."""
    if region.origin != Region.Origin.PERSON:
        return False
    return EmbedJob.objects.filter(region=region).exclude(state=WorkState.DONE).exists()


def _pairs(known: list[Region], faces: Sequence[Face], detector: str) -> dict[int, Region]:
    """The region of each face that has one, by the face's place in the list."""
    found: dict[int, Region] = {}
    free = set(range(len(known)))

    def pair(candidates: list[tuple[float, int, int]]) -> None:
        for _, at, which in sorted(candidates, reverse=True):
            if at not in found and which in free:
                found[at] = known[which]
                free.remove(which)

    # What this detector found before: also a box that a person redrew, which stays out.
    pair(_overlaps(faces, known, SAME_PLACE, lambda one: one.detector == detector))
    pair(_overlaps(faces, known, SAME_FACE, lambda one: one.replaced_by_id is None))
    pair(_overlaps(faces, known, SAME_FACE, lambda one: one.replaced_by_id is not None))
    return found


def _overlaps(
    faces: Sequence[Face], known: list[Region], least: float, fits: Callable[[Region], bool]
) -> list[tuple[float, int, int]]:
    return [
        (common, at, which)
        for at, face in enumerate(faces)
        for which, region in enumerate(known)
        if fits(region) and (common := overlap(face.box, region.box)) >= least
    ]


def _region(picture: Picture, face: Face, engine: Engine) -> Region:
    x, y, w, h = face.box
    return Region(
        picture=picture,
        origin=Region.Origin.DETECTOR,
        x=x,
        y=y,
        w=w,
        h=h,
        score=face.score,
        face_px=face.height_px,
        detector=engine.detector,
    )
