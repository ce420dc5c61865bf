"""Vectors at rest are sealed; this is the only way in and out."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

import numpy as np
from django.db.models import Min
from numpy.typing import NDArray

from core import metrics
from core.encryption import Misplaced, context, seal, unseal
from crawler import retention as crawler_retention
from crawler.engines import Face
from crawler.models import Embedding, EngineVersion, Picture, ProjectPhoto, Region
from crawler.registry import selection
from projects.models import Project

log = logging.getLogger(__name__)

COLUMN = "embedding"
USUAL = 0.6
OPENED = 500  # in one query
# Fields of Embedding for which its vector is sealed.
BOUND_TO = ("region_id", "region__picture_id", "engine__name")


def usual_scale(metric: str, match: float) -> float:
    """What distances by an engine are multiplied by, so that 0.6 is the distance at which its
    makers call two faces one person: the scale of Project.threshold, whatever the engine."""
    return USUAL / (math.sqrt(2 - 2 * match) if metric == "cosine" else match)


@dataclass(frozen=True)
class Listed:
    """Which vectors a project has, ordered by region id; those themselves stay sealed."""

    keys: NDArray[np.int64]  # of Embedding: a vector that is made anew has another one
    region_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]  # the lowest id where several photos show the picture
    picture_ids: NDArray[np.int64]
    engine: EngineVersion

    def __len__(self) -> int:
        return len(self.keys)


def listed(project: Project, engine: EngineVersion | None = None) -> Listed:
    """Return the vectors of all current regions in live photos of a project.

    Without `engine` they are those of the engine that serves it.
    """
    engine = engine or selection.serving(project)
    live = ProjectPhoto.objects.live().filter(project=project)
    photo_of = dict(
        live.values("photo__picture_id")
        .annotate(photo=Min("photo_id"))
        .values_list("photo__picture_id", "photo")
    )
    rows = (
        Embedding.objects.filter(
            engine=engine,
            region__replaced_by=None,
            region__picture__in=live.values("photo__picture_id"),
        )
        .order_by("region_id")
        .values_list("pk", "region_id", "region__picture_id")
    )
    # a photo that came between the two queries waits for next time
    found = [(*row, photo_of[row[2]]) for row in rows if row[2] in photo_of]
    keys, regions, pictures, photos = np.array(found, np.int64).reshape(-1, 4).T
    return Listed(keys, regions, photos, pictures, engine)


def opened(
    keys: NDArray[np.int64], engine: EngineVersion
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """The vectors with these keys: bool[n], is it still there? And float32[n, d], 0 if not."""
    there = np.zeros(len(keys), bool)
    matrix = np.zeros((len(keys), engine.dimension), np.float32)
    for start in range(0, len(keys), OPENED):
        some = {key: at for at, key in enumerate(keys[start : start + OPENED].tolist(), start)}
        misplaced = []
        rows = Embedding.objects.filter(pk__in=some)
        for key, vector, *row in rows.values_list("pk", "vector", *BOUND_TO):
            try:
                plain = unseal(bytes(vector), context(COLUMN, *row))
            except Misplaced:
                misplaced.append(key)
                continue
            matrix[some[key]] = np.frombuffer(plain, dtype="<f4")
            there[some[key]] = True
        if misplaced:
            _make_again(misplaced)
    return there, matrix


def _make_again(keys: list[int]) -> None:
    """Have the vectors made again that are not of the face at which they stand."""
    log.warning("%d vectors are not of their faces and are made again", len(keys))
    metrics.add("vectors_misplaced", len(keys))
    pictures = Picture.objects.filter(regions__embeddings__in=keys)
    crawler_retention.look_again(list(pictures.values_list("pk", flat=True).distinct()))


def context_of(region: Region, engine: EngineVersion) -> bytes:
    """What the vector of a region by an engine is sealed for."""
    return context(COLUMN, region.pk, region.picture_id, engine.name)


def of(region: Region, face: Face, engine: EngineVersion) -> Embedding:
    """An unsaved row with the sealed vector of a face."""
    plain = face.embedding.astype("<f4").tobytes()
    return Embedding(region=region, engine=engine, vector=seal(plain, context_of(region, engine)))


def save(region: Region, face: Face, engine: EngineVersion) -> None:
    """Keep the vector of a region by an engine, in place of an older one.

    It is a new row, so that whoever has the older one in memory sees that it is gone.
    """
    Embedding.objects.filter(region=region, engine=engine).delete()
    of(region, face, engine).save()
