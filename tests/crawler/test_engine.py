"""The engine on real photos, against the manifest's ground truth."""

from __future__ import annotations

import csv
import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFile

from crawler.engines import Face
from crawler.engines.base import Picture, WrongWeights, check_digest
from crawler.engines.boxes import overlap
from crawler.engines.dlib_engine import drawn_scale, load
from crawler.pictures import fetch as pictures_fetch
from tests.crawler.helpers import DATA

pytestmark = pytest.mark.engine

PORTRAITS = (
    "obama_2012_lowres_240p.jpg",
    "congress_warren.jpg",
    "curie_1903_profile.jpg",
    "nasa_armstrong_small.jpg",
    "biden_congress_225x275.jpg",
)


def read(name: str) -> Picture:
    return pictures_fetch.decode((DATA / "photos" / name).read_bytes())


@cache
def looked(name: str) -> list[Face]:
    return load().look(read(name))


def true_boxes(name: str) -> list[tuple[float, float, float, float]]:
    """Left, top, width, height in pixels of the upright file."""
    with (DATA / "manifest.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["file"] == name)
    return [tuple(face["box"]) for face in json.loads(row["faces"])]


def test_it_finds_the_face_of_each_single_portrait() -> None:
    for name in PORTRAITS:
        height, width = read(name).shape[:2]
        ((x, y, w, h),) = true_boxes(name)
        centre = ((x + w / 2) / width, (y + h / 2) / height)
        boxes = [face.box for face in looked(name)]
        assert any(
            left < centre[0] < left + wide and top < centre[1] < top + high
            for left, top, wide, high in boxes
        ), name


def test_small_pictures_are_searched_for_smaller_faces() -> None:
    """Einstein's face is 22 px high here, 88 px after two doublings."""
    height, width = read("einstein_oslofjord_1920.jpg").shape[:2]
    assert max(height, width) == 500
    (x, y, w, h), *_ = true_boxes("einstein_oslofjord_1920.jpg")
    found = [face.box for face in looked("einstein_oslofjord_1920.jpg")]
    truth = (x / width, y / height, w / width, h / height)
    assert any(overlap(box, truth) >= 0.3 for box in found)


def test_faces_carry_what_is_kept_of_them() -> None:
    (face,) = looked("obama_2012_lowres_240p.jpg")
    assert face.embedding.shape == (128,)
    assert face.embedding.dtype == np.float32
    assert face.score is not None
    assert face.score > 0
    assert len(face.landmarks) == 5
    assert all(0 <= side <= 1 for side in face.box)
    assert 40 < face.height_px < 240


def test_the_same_person_is_nearer_than_another() -> None:
    def vector(name: str) -> np.ndarray:
        return looked(name)[0].embedding

    obama = vector("obama_2012_lowres_240p.jpg")
    same = np.linalg.norm(obama - vector("obama_congress_225x275.jpg"))
    other = np.linalg.norm(obama - vector("biden_congress_225x275.jpg"))
    assert same < 0.6 < other


def test_a_box_drawn_round_the_head_gives_the_same_vector() -> None:
    """Alignment is the detector's, however generously a person draws."""
    name = "congress_warren.jpg"
    (face,) = looked(name)
    x, y, w, h = face.box
    drawn = (x - 0.15 * w, y - 0.35 * h, 1.3 * w, 1.6 * h)
    mine = load().embed(read(name), drawn)
    assert np.linalg.norm(mine.embedding - face.embedding) < 0.3
    assert mine.box == drawn
    assert mine.score is None


def test_a_box_at_the_edge_of_nothing_still_gives_a_vector() -> None:
    picture = np.zeros((50, 60, 3), dtype=np.uint8)
    face = load().embed(picture, (0.9, 0.9, 0.1, 0.1))
    assert np.isfinite(face.embedding).all()


def test_a_sliver_across_a_tall_picture_is_not_enlarged_beyond_memory() -> None:
    """A person may draw one; its short side as large as a face would make 60 megapixels."""
    assert drawn_scale(96.0, 120.0) * 96 == pytest.approx(160)
    assert drawn_scale(9.6, 4000.0) * 4000 == pytest.approx(640)
    picture = np.zeros((4000, 960, 3), dtype=np.uint8)
    face = load().embed(picture, (0.5, 0.0, 0.01, 1.0))
    assert np.isfinite(face.embedding).all()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.dat"
    file.write_bytes(b"something else")
    with pytest.raises(WrongWeights, match=r"weights\.dat"):
        check_digest(file, next(iter(load().weights.values())))


def test_loading_it_leaves_pillow_strict_and_skips_the_unfree_model() -> None:
    load()
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    api = sys.modules["face_recognition.api"]
    assert "5_face" in api.predictor_68_point_model
