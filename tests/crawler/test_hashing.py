"""The perceptual hash of a face, on real photos: near for copies, far for anybody else."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from django.conf import settings
from PIL import Image

from crawler.detection import drawn_boxes, reembed
from crawler.engines import KINDS, load, opencv_engine
from crawler.engines.base import Box, Picture
from crawler.engines.boxes import overlap
from crawler.models import ProjectEngine, Region
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.hashing import face_hash
from crawler.registry.versions import version
from crawler.services import draw_region
from projects.models import User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import ARMSTRONG, DATA, add_files, crawl, look, photo

PHOTOS = (
    "biden_2013_official.jpg",
    "congress_warren.jpg",
    "curie_1920.jpg",
    "einstein_1921_nobel.png",
    "obama_2012_official_portrait.jpg",
    "obama_family_2011.jpg",
    "curie_pierre_1895.jpg",
)
Copy = Callable[[Picture, Box], tuple[Picture, Box]]  # and where the copy lies in the picture
COPY = 20  # bits of 128 in which copies may differ
OTHER = 30


def read(name: str) -> Picture:
    return pictures_fetch.decode((DATA / "photos" / name).read_bytes())


def boxes(picture: Picture) -> list[Box]:
    return [face.box for face in opencv_engine.load().look(picture)]


def bits(one: str, other: str) -> int:
    return (int(one, 16) ^ int(other, 16)).bit_count()


def saved(image: Image.Image, quality: int) -> Picture:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return pictures_fetch.decode(out.getvalue())


def re_encoded(picture: Picture, box: Box) -> tuple[Picture, Box]:
    return saved(Image.fromarray(picture), 50), (0, 0, 1, 1)


def resized(picture: Picture, box: Box) -> tuple[Picture, Box]:
    height, width = picture.shape[:2]
    small = Image.fromarray(picture).resize((round(0.6 * width), round(0.6 * height)))
    return saved(small, 80), (0, 0, 1, 1)


def cropped(picture: Picture, box: Box) -> tuple[Picture, Box]:
    """Three quarters of the face's size left round it."""
    height, width = picture.shape[:2]
    x, y, w, h = box
    left, top = int(max(0, x - 0.75 * w) * width), int(max(0, y - 0.75 * h) * height)
    right, bottom = int(min(1, x + 1.75 * w) * width), int(min(1, y + 1.75 * h) * height)
    part = Image.fromarray(picture).crop((left, top, right, bottom))
    where = (left / width, top / height, (right - left) / width, (bottom - top) / height)
    return saved(part, 85), where


@pytest.mark.engine
@pytest.mark.parametrize("copy", [re_encoded, resized, cropped], ids=lambda copy: copy.__name__)
@pytest.mark.parametrize("name", PHOTOS)
def test_a_copy_s_face_has_nearly_the_same_hash(name: str, copy: Copy) -> None:
    picture = read(name)
    box = boxes(picture)[0]
    other, (left, top, wide, high) = copy(picture, box)
    again = max(
        boxes(other),
        key=lambda one: overlap(
            (left + one[0] * wide, top + one[1] * high, one[2] * wide, one[3] * high), box
        ),
    )
    assert bits(face_hash(picture, box), face_hash(other, again)) <= COPY


@pytest.mark.engine
def test_other_faces_have_other_hashes() -> None:
    hashes = [face_hash(picture, box) for picture in map(read, PHOTOS) for box in boxes(picture)]
    apart = [bits(one, other) for one, other in combinations(hashes, 2)]
    assert len(apart) > 50
    assert np.mean(np.array(apart) > OTHER) > 0.99
    assert min(apart) > COPY


@pytest.mark.parametrize("box", [(0.9, 0.9, 0.1, 0.1), (0, 0, 1, 1), (0.999, 0, 0.001, 0.001)])
def test_every_box_has_32_digits(box: Box) -> None:
    for shape in ((1, 1, 3), (50, 60, 3), (2, 900, 3)):
        assert face_hash(np.zeros(shape, np.uint8), box) == "0" * 32


@pytest.mark.engine
def test_found_and_drawn_faces_have_one_and_another_engine_fills_what_lacks(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q1615", [])
    add_files(project, ARMSTRONG)
    crawl()
    look()
    found = Region.objects.get()
    draw_region(project, photo(ARMSTRONG), (0.05, 0.7, 0.1, 0.1), alice)
    assert drawn_boxes.embed(load, 30) is False
    first = dict(Region.objects.values_list("pk", "phash"))
    assert len(first) == 2
    assert all(len(phash) == 32 for phash in first.values())

    Region.objects.filter(pk=found.pk).update(phash="")  # as of before there were any
    ProjectEngine.objects.filter(project=project).delete()
    other = next(kind for kind in KINDS.values() if kind is not KINDS[settings.ENGINE])
    reembed.choose(project, version(other.name))
    while reembed.work(load, 60):
        pass
    after = dict(Region.objects.filter(pk__in=first).values_list("pk", "phash"))
    assert after == first
