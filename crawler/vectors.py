"""Vectors at rest are sealed; this is the only way in and out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from django.db.models import Min
from numpy.typing import NDArray

from crawler import choice
from crawler.engines import Face, named
from crawler.models import Embedding, ProjectPhoto, Region
from projects.models import Project
from projects.sealing import seal, unseal

CONTEXT = b"embedding"
USUAL = 0.6


@dataclass(frozen=True)
class Vectors:
    """One row a region, ordered by region id. In memory only, and of one worker only."""

    region_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]  # the lowest id where several photos show the picture
    picture_ids: NDArray[np.int64]
    matrix: NDArray[np.float32]  # rows x dimension of the engine
    engine: str  # its name; vectors of different engines are never compared
    metric: str  # how they are compared, see crawler.engines.base.Engine
    match: float  # in this metric: what the engine's makers call the same person

    def __len__(self) -> int:
        return len(self.region_ids)

    def on_usual_scale(self) -> NDArray[np.float32]:
        """The matrix, shrunk or stretched so that 0.6 is the distance at which the engine's makers
        call two faces one person: the scale of Project.threshold, whatever the engine."""
        usual = math.sqrt(2 - 2 * self.match) if self.metric == "cosine" else self.match
        return self.matrix if usual == USUAL else self.matrix * np.float32(USUAL / usual)


def load(project: Project, engine: str | None = None) -> Vectors:
    """The vectors of all regions that stand in live photos of a project, by the engine that
    serves it (or the one of that name)."""
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
        .values_list("region_id", "region__picture_id", "vector")
    )
    regions, pictures, blobs = [], [], []
    for region, picture, vector in rows.iterator(chunk_size=2000):
        if picture in photo_of:  # a photo that came between the two queries waits for next time
            regions.append(region)
            pictures.append(picture)
            blobs.append(unseal(bytes(vector), CONTEXT))
    return Vectors(
        np.array(regions, dtype=np.int64),
        np.array([photo_of[picture] for picture in pictures], dtype=np.int64),
        np.array(pictures, dtype=np.int64),
        np.frombuffer(b"".join(blobs), dtype="<f4").reshape(-1, kind.dimension).astype(np.float32),
        kind.name,
        kind.metric,
        kind.match,
    )


def of(region: Region, face: Face, engine: str) -> Embedding:
    """An unsaved row with the sealed vector of a face."""
    plain = face.embedding.astype("<f4").tobytes()
    return Embedding(region=region, engine=engine, vector=seal(plain, CONTEXT))


def save(region: Region, face: Face, engine: str) -> None:
    """Keep the vector of a region by an engine, in place of an older one."""
    row = of(region, face, engine)
    Embedding.objects.update_or_create(
        region=region, engine=engine, defaults={"vector": row.vector}
    )
