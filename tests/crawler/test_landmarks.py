"""Landmarks are kept with a face, so that it is aligned again without detecting it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings

import sandbox
from crawler import retention as crawler_retention
from crawler.detection import drawn_boxes, reembed
from crawler.detection.match_regions import landmarks_for, place, rounded
from crawler.engines import KINDS, Engine, dlib_engine, load, opencv_engine
from crawler.models import Picture, Region
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import decode
from crawler.registry import selection
from crawler.registry.versions import version
from crawler.services import draw_region
from projects.models import Project, User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import ARMSTRONG, CURIE_1903, add_files, crawl, look, photo

pytestmark = pytest.mark.engine
PHOTOS = Path(sandbox.__file__).parent / "data" / "photos"


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, make_project: MakeProject) -> Project:
    project = make_project(alice, "Q1615", [])
    add_files(project, ARMSTRONG, CURIE_1903)
    crawl()
    return project


def test_a_found_and_a_drawn_face_keep_theirs(project: Project, alice: User) -> None:
    look()
    draw_region(project, photo(ARMSTRONG), (0.05, 0.7, 0.1, 0.1), alice)
    assert drawn_boxes.embed(load, 30) is False
    detector = version(KINDS[settings.ENGINE].detector.name)
    regions = list(Region.objects.all())
    assert {region.origin for region in regions} == {"detector", "person"}
    for region in regions:
        assert region.detector == detector
        assert region.landmarks
        assert np.shape(region.landmarks) == (5, 2)
        assert np.abs(np.array(region.landmarks)).max() < 2


@pytest.mark.parametrize("engine", [opencv_engine.load(), dlib_engine.load()], ids=lambda e: e.key)
def test_by_landmarks_the_same_vector_is_made_without_detecting(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = decode(next(iter(sorted(PHOTOS.glob("*1903*")))).read_bytes())
    faces = engine.look(pixels)
    assert faces

    def refuse(*_: Any) -> Any:
        raise AssertionError("It detected again")

    monkeypatch.setattr(type(engine), "_found", refuse)
    for face in faces:
        points = rounded(face.landmarks)
        again = engine.embed(pixels, face.box, tuple((x, y) for x, y in points))
        assert np.allclose(again.embedding, face.embedding, atol=2e-3)
        assert np.allclose(again.landmarks, face.landmarks, atol=1e-4)


def test_a_face_that_a_later_look_misses_is_aligned_by_them(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    look()
    picture = photo(CURIE_1903).picture
    found = picture.regions.get()
    engine = load(selection.default_name())
    taken: list[Any] = []
    embed = type(engine).embed

    def noted(self: Any, pixels: Any, box: Any, landmarks: Any = None) -> Any:
        taken.append(landmarks)
        return embed(self, pixels, box, landmarks)

    monkeypatch.setattr(type(engine), "embed", noted)
    [(region, _face)] = place(picture, pixels_of(picture), [], engine)
    assert region == found
    assert found.landmarks
    assert taken == [tuple((x, y) for x, y in found.landmarks)]


def test_those_of_another_detector_are_not_taken(project: Project) -> None:
    look()
    region = Region.objects.select_related("detector").first()
    assert region
    default = load(selection.default_name())
    other = load(next(kind.name for kind in KINDS.values() if kind.name != default.name))
    assert landmarks_for(default, region)
    assert landmarks_for(other, region) is None


def test_they_stay_when_another_engine_finds_the_face_too(project: Project) -> None:
    look()
    before = dict(Region.objects.values_list("pk", "landmarks"))
    other = next(kind.name for kind in KINDS.values() if kind.name != selection.default_name())
    reembed.choose(project, version(other))
    while reembed.work(load, 60):
        pass
    after = dict(Region.objects.filter(pk__in=before).values_list("pk", "landmarks"))
    assert after == before


def test_they_go_with_the_vectors(project: Project) -> None:
    look()
    Project.objects.update(state=Project.State.ARCHIVED)
    crawler_retention.tidy()
    assert set(Region.objects.values_list("landmarks", flat=True)) == {None}
    assert set(Picture.objects.values_list("engine", flat=True)) == {None}


def pixels_of(picture: Picture) -> Any:
    return pictures_fetch.load(pictures_fetch.address_of(picture))
