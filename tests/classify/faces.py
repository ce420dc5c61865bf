"""Photos with faces whose vectors are known: people are clusters, as the default engine makes them.

The cosine of two faces of one person is about 0.7, that of two people about 0; all vectors are
of length 1. Rows are made as the detector leaves them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import numpy as np
from django.conf import settings
from django.db.models import F
from numpy.typing import NDArray

from classify.models import Learner
from classify.tasks import infer
from core.encryption import seal
from core.work import WorkState
from crawler.detection.embeddings import context_of
from crawler.engines import KINDS
from crawler.models import Embedding, Photo, Picture, ProjectEngine, ProjectPhoto, Region
from crawler.registry.versions import version
from projects.models import Project

Vector = NDArray[np.float32]

ENGINE = KINDS[settings.ENGINE].name
SPREAD = 0.6  # of one person's faces round their mean
_numbers = count(1)


class Cast:
    """People with faces: `cast.face("marie")` is a new photo-like vector of hers."""

    def __init__(self, seed: int = 1, spread: float = SPREAD) -> None:
        self.spread = spread
        self.random = np.random.default_rng(seed)
        self.means: dict[str, Vector] = {}

    def face(self, name: str) -> Vector:
        if name not in self.means:
            self.means[name] = self._direction()
        vector = self.means[name] + self._direction() * self.spread
        unit: Vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit

    def _direction(self) -> Vector:
        direction = self.random.standard_normal(128)
        return (direction / np.linalg.norm(direction)).astype(np.float32)


def add_photo(
    project: Project,
    vectors: Sequence[Vector],
    *,
    already_depicts: bool = False,
    is_portrait: bool = False,
    sizes: Sequence[float] | None = None,
) -> tuple[Photo, list[Region]]:
    """A photo that was looked at, with one face a vector from left to right."""
    number = next(_numbers)
    picture = Picture.objects.create(
        sha1=f"{number:040x}",
        width=1000,
        height=800,
        mime="image/jpeg",
        state=WorkState.DONE,
        faces=len(vectors),
    )
    photo = Photo.objects.create(
        wiki=settings.WIKI.code, page_id=number, title=f"File:Photo {number}.jpg", picture=picture
    )
    show(project, photo, already_depicts=already_depicts, is_portrait=is_portrait)
    widths = sizes or [0.1] * len(vectors)
    regions = [
        add_face(picture, vector, x=place / len(vectors), w=width)
        for place, (vector, width) in enumerate(zip(vectors, widths, strict=True))
    ]
    return photo, regions


def show(project: Project, photo: Photo, **fields: bool) -> ProjectPhoto:
    Project.objects.filter(pk=project.pk).update(revision=F("revision") + 1)
    engine = version(ENGINE)
    ProjectEngine.objects.get_or_create(
        project=project, defaults={"serving": engine, "chosen": engine}
    )
    return ProjectPhoto.objects.create(project=project, photo=photo, **fields)


def add_face(picture: Picture, vector: Vector, x: float = 0.1, w: float = 0.1) -> Region:
    region = Region.objects.create(
        picture=picture, origin=Region.Origin.DETECTOR, x=x, y=0.1, w=w, h=w
    )
    embed(region, vector)
    return region


def embed(region: Region, vector: Vector) -> None:
    engine = version(ENGINE)
    sealed = seal(vector.astype("<f4").tobytes(), context_of(region, engine))
    Embedding.objects.create(region=region, engine=engine, vector=sealed)


def learn(project: Project) -> Learner:
    """Let the worker do what there is to do; the project is up to date afterwards."""
    infer()
    project.refresh_from_db()
    learner = Learner.objects.get(project=project)
    assert (learner.state, learner.revision) == (WorkState.DONE, project.revision), learner.error
    return learner
