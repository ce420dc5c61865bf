"""What the crawler's tests share: projects of a few files, crawled and looked at for real."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.db.models import Model
from django.utils import timezone
from numpy.typing import NDArray

import sandbox
from core.models import WikiPace
from crawler.detection import detect as detection_detect
from crawler.detection import embeddings
from crawler.engines import load
from crawler.listing import crawl as listing_crawl
from crawler.models import Photo, Picture
from crawler.registry.versions import version
from projects.models import Project, Source

DATA = Path(sandbox.__file__).parent / "data"
CURIE = "File:Marie Curie c. 1920s.jpg"
CURIE_1903 = "File:Marie Curie 1903.jpg"
ARMSTRONG = "File:Neil Armstrong pose (16-bit greyscale).png"


def add_files(project: Project, *titles: str) -> None:
    for title in titles:
        Source.objects.create(project=project, kind=Source.Kind.FILE, value=title)


def crawl() -> None:
    """All that is due, to the end."""
    assert listing_crawl.crawl(30) is False


def look() -> None:
    assert detection_detect.detect(load, 60) is False


@dataclass(frozen=True)
class Stored:
    """Vectors of a project, a row a region."""

    engine: str
    metric: str
    region_ids: NDArray[np.int64]
    photo_ids: NDArray[np.int64]
    matrix: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.region_ids)


def stored(project: Project, engine: str | None = None) -> Stored:
    """Those by the engine that serves the project, or by the one of that name."""
    found = embeddings.listed(project, version(engine) if engine else None)
    there, matrix = embeddings.opened(found.keys, found.engine)
    assert there.all()
    return Stored(found.engine.name, found.engine.metric, found.region_ids, found.photo_ids, matrix)


def photo(title: str) -> Photo:
    return Photo.objects.select_related("picture").get(title=title)


def titles(project: Project) -> set[str]:
    photos = Photo.objects.filter(project_photos__project=project)
    return {title.removeprefix("File:") for title in photos.values_list("title", flat=True)}


def make_pictures(project: Project, count: int, prefix: str = "") -> list[Picture]:
    """Photos of a project with pictures that wait, made without a wiki."""
    from crawler.models import ProjectPhoto

    pictures = []
    for number in range(count):
        name = f"{prefix}{project.pk}-{number}"
        picture = Picture.objects.create(sha1=name, width=10, height=10, mime="image/jpeg")
        shown = Photo.objects.create(
            wiki="sandbox",
            page_id=1000 * project.pk + number + 1,
            title=f"File:{name}.jpg",
            picture=picture,
            thumb_path="http://127.0.0.1:1/none.jpg",
        )
        ProjectPhoto.objects.create(project=project, photo=shown)
        pictures.append(picture)
    return pictures


def let_lease_end(row: Model) -> None:
    """As if the worker that holds a row had died some time ago."""
    type(row)._default_manager.filter(pk=row.pk).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def make_due(rows: Iterable[Model]) -> None:
    for row in rows:
        type(row)._default_manager.filter(pk=row.pk).update(due_at=timezone.now())


def open_lanes() -> None:
    WikiPace.objects.update(paused_until=None)
