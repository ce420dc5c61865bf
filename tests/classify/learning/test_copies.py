"""Copies of one face are found by vector and by perceptual hash."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from classify import learning
from classify.learning.distances import Floats, Ints
from classify.learning.neighbours import Lookalikes
from classify.learning.similarity import COSINE, EUCLIDEAN, Space
from crawler.pictures.hashing import face_hash

WHOLE = (0.25, 0.25, 0.5, 0.5)


def portrait(seed: int) -> Image.Image:
    """A picture with light and shade of its own."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (6, 6, 3), np.uint8))
    return coarse.resize((240, 240), Image.Resampling.BICUBIC)


def hashed(*pictures: Image.Image) -> np.ndarray:
    found = [bytes.fromhex(face_hash(np.asarray(each), WHOLE)) for each in pictures]
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, 16)


def near(vector: Floats, step: float, seed: int) -> Floats:
    away = np.random.default_rng(seed).standard_normal(len(vector))
    moved = vector + step * away / np.linalg.norm(away)
    return (moved / np.linalg.norm(moved)).astype(np.float32)


def direction(seed: int) -> Floats:
    return near(np.zeros(128, np.float32), 1.0, seed)


def found(space: Space, vectors: list[Floats], hashes: np.ndarray, known: list[bool]) -> Ints:
    matrix = np.array(vectors)
    alike = Lookalikes.find(space, space.prepare(matrix), np.arange(len(matrix)))
    return learning.copies(space, alike, hashes, np.array(known))


@pytest.mark.parametrize("metric", [COSINE, EUCLIDEAN])
def test_smaller_and_blurred_copies_are_found_and_another_photo_of_her_is_not(metric: str) -> None:
    marie, again, pierre = portrait(1), portrait(2), portrait(3)
    small = marie.resize((90, 90))
    blurred = marie.filter(ImageFilter.GaussianBlur(3))
    her, him = direction(1), direction(2)
    vectors = [her, near(her, 0.1, 3), near(her, 0.15, 4), near(her, 0.1, 5), him]
    hashes = hashed(marie, small, blurred, again, pierre)
    copies = found(Space(metric), vectors, hashes, [True] * 5)
    assert copies.tolist() == [0, 0, 0, -1, -1]


def test_the_same_light_on_another_face_is_no_copy() -> None:
    marie = portrait(1)
    copies = found(Space(COSINE), [direction(1), direction(2)], hashed(marie, marie), [True] * 2)
    assert copies.tolist() == [-1, -1]


def test_without_a_hash_nothing_is_said() -> None:
    marie, her = portrait(1), direction(1)
    copies = found(Space(COSINE), [her, near(her, 0.1, 2)], hashed(marie, marie), [True, False])
    assert copies.tolist() == [-1, -1]


def test_copies_of_copies_are_one_group() -> None:
    """A chain longer than the look-alikes that are kept of a face."""
    chain, her = [direction(1)], portrait(1)
    for step in range(30):
        chain.append(near(chain[-1], 0.3, step + 10))
    copies = found(Space(COSINE), chain, hashed(*[her] * 31), [True] * 31)
    assert copies.tolist() == [0] * 31


def test_few_faces_and_none() -> None:
    assert found(Space(COSINE), [direction(1)], hashed(portrait(1)), [True]).tolist() == [-1]
    empty = Lookalikes.none(0)
    none = learning.copies(Space(COSINE), empty, np.zeros((0, 16), np.uint8), np.zeros(0, bool))
    assert none.tolist() == []
