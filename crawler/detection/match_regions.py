"""Faces that an engine found, brought together with the regions that are there already.

Answers point to regions, so a face found again is the region it was, whichever engine finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.work import WorkState
from crawler.detection import embeddings
from crawler.engines import Engine, Face
from crawler.engines.base import Landmarks
from crawler.engines.base import Picture as Pixels
from crawler.engines.boxes import overlap
from crawler.models import Embedding, EmbedJob, EngineVersion, Picture, Region
from crawler.pictures.hashing import face_hash
from crawler.registry.versions import version

SAME_PLACE = 0.9  # overlap from which it is the very box that the same detector found before
# Overlap from which boxes of two detectors (or of a person) hold the same face, one for one, the
# best first. Of 118 faces found by both, HOG's square and YuNet's box overlap by less than 0.5 in
# 8, and by less than 0.3 in none: at 0.5 each of these would be there twice.
SAME_FACE = 0.3
LANDMARK_DIGITS = 5

Placed = list[tuple[Region, Face]]


def place(picture: Picture, pixels: Pixels, faces: Sequence[Face], engine: Engine) -> Placed:
    """Each face with its region, which may be new (unsaved), and each face that was known but
    that this engine missed, embedded as if a person had drawn it. All have their hash then."""
    detector = version(engine.detector.name)
    regions = picture.regions.exclude(origin=Region.Origin.PHOTO).select_related("detector")
    known = [region for region in regions if not _is_waiting(region)]
    pairs = _pairs(known, faces, detector)
    placed = [
        (pairs.get(at) or _region(picture, face, detector), face) for at, face in enumerate(faces)
    ]
    taken = {region.pk for region, _ in placed}
    missed = [one for one in known if one.pk not in taken and one.replaced_by_id is None]
    placed += [(one, engine.embed(pixels, one.box, landmarks_for(engine, one))) for one in missed]
    for region, face in placed:
        region.phash = region.phash or face_hash(pixels, region.box)
        if region.detector == detector:
            region.landmarks = rounded(face.landmarks)
    return placed


def landmarks_for(engine: Engine, region: Region) -> Landmarks | None:
    """Return the region's landmarks if this engine aligns by those of its detector."""
    if region.landmarks and region.detector and region.detector.name in engine.aligns_by:
        return tuple((x, y) for x, y in region.landmarks)
    return None


def rounded(landmarks: Landmarks) -> list[list[float]]:
    """Return landmarks as they are stored, to a hundredth of a pixel in 1,000."""
    return [[round(x, LANDMARK_DIGITS), round(y, LANDMARK_DIGITS)] for x, y in landmarks]


def keep(placed: Placed, engine: Engine) -> None:
    """Save new regions and the vectors of all. Call in the transaction of the outcome."""
    for region, face in placed:
        region.quality = face.quality if face.quality is not None else region.quality
        if region.pk is None:
            region.save()
        else:
            same = Region.objects.filter(pk=region.pk)
            same.update(quality=region.quality, phash=region.phash, landmarks=region.landmarks)
    embedder = version(engine.name)
    Embedding.objects.filter(region__in=[region for region, _ in placed], engine=embedder).delete()
    Embedding.objects.bulk_create(embeddings.of(region, face, embedder) for region, face in placed)


def _is_waiting(region: Region) -> bool:
    """Drawn, and not embedded yet: that comes by itself."""
    if region.origin != Region.Origin.PERSON:
        return False
    return EmbedJob.objects.filter(region=region).exclude(state=WorkState.DONE).exists()


def _pairs(
    known: list[Region], faces: Sequence[Face], detector: EngineVersion
) -> dict[int, Region]:
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


def _region(picture: Picture, face: Face, detector: EngineVersion) -> Region:
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
        detector=detector,
    )
