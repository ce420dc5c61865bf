"""Vectors at rest are sealed; this is the only way in and out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from django.db.models import Min
from numpy.typing import NDArray

from crawler import choice
from crawler.engines import Face, Kind, named
from crawler.models import Embedding, ProjectPhoto, Region
from projects.models import Project
from projects.sealing import seal, unseal

CONTEXT = b"embedding"
USUAL = 0.6
OPENED = 500  # in one query


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
    kind: Kind

    def __len__(self) -> int:
        return len(self.keys)


def listed(project: Project, engine: str | None = None) -> Listed:
    """Of all regions that stand in live photos of a project, by the engine that serves it (or
    the one of that name)."""
    kind = named(engine) if engine else choice.serving(project)
    live = ProjectPhoto.objects.live().filter(project=project)
    photo_of = dict(
        live.values("photo__picture_id")
        .annotate(photo=Min("photo_id"))
        .values_list("photo__picture_id", "photo")
    )
    rows = (
        Embedding.objects.filter(
            engine=kind.name,
            region__replaced_by=None,
            region__picture__in=live.values("photo__picture_id"),
        )
        .order_by("region_id")
        .values_list("pk", "region_id", "region__picture_id")
    )
    # a photo that came between the two queries waits for next time
    found = [(*row, photo_of[row[2]]) for row in rows if row[2] in photo_of]
    keys, regions, pictures, photos = np.array(found, np.int64).reshape(-1, 4).T
    return Listed(keys, regions, photos, pictures, kind)


def opened(keys: NDArray[np.int64], kind: Kind) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """The vectors with these keys: bool[n], is it still there? And float32[n, d], 0 if not."""
    there = np.zeros(len(keys), bool)
    matrix = np.zeros((len(keys), kind.dimension), np.float32)
    for start in range(0, len(keys), OPENED):
        some = {key: at for at, key in enumerate(keys[start : start + OPENED].tolist(), start)}
        rows = Embedding.objects.filter(pk__in=some).values_list("pk", "vector")
        for key, vector in rows:
            matrix[some[key]] = np.frombuffer(unseal(bytes(vector), CONTEXT), dtype="<f4")
            there[some[key]] = True
    return there, matrix


def of(region: Region, face: Face, engine: str) -> Embedding:
    """An unsaved row with the sealed vector of a face."""
    plain = face.embedding.astype("<f4").tobytes()
    return Embedding(region=region, engine=engine, vector=seal(plain, CONTEXT))


def save(region: Region, face: Face, engine: str) -> None:
    """Keep the vector of a region by an engine, in place of an older one.

    It is a new row, so that whoever has the older one in memory sees that it is gone.
    """
    Embedding.objects.filter(region=region, engine=engine).delete()
    of(region, face, engine).save()
