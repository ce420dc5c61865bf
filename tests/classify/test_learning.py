"""Learning on its own: distances, and the order of questions."""

import time

import numpy as np
import pytest

from classify import learning
from tests.classify.faces import Cast


@pytest.fixture
def cast() -> Cast:
    """As far apart as dlib's network puts them, since the simple order counts in its scale."""
    return Cast(seed=3, spread=0.3)


def faces_of(cast: Cast, name: str, number: int) -> np.ndarray:
    return np.stack([cast.face(name) for _ in range(number)])


def test_the_centroid_is_the_mean(cast: Cast) -> None:
    faces = faces_of(cast, "marie", 7)
    assert learning.centroid(faces) == pytest.approx(faces.mean(axis=0), abs=1e-6)
    assert learning.centroid(faces).dtype == np.float32
    with pytest.raises(ValueError, match="no centroid"):
        learning.centroid(faces[:0])


@pytest.mark.parametrize("number", [0, 1, 1024, 1025, 3000])
def test_distances_are_euclidean_whatever_the_block(number: int) -> None:
    vectors = np.random.default_rng(0).standard_normal((number, 128)).astype(np.float32)
    point = vectors[0] if number else np.zeros(128, np.float32)
    found = learning.distances(vectors, point)
    expected = [np.sqrt(((vector - point) ** 2).sum()) for vector in vectors]
    assert found == pytest.approx(np.array(expected, np.float32), abs=1e-4)
    assert found.dtype == np.float32


def test_the_nearest_reference_is_found(cast: Cast) -> None:
    marie, pierre = faces_of(cast, "marie", 4), faces_of(cast, "pierre", 4)
    references = np.concatenate([pierre[:3], marie[:3]])
    no_groups = np.full(6, -1)
    [near] = learning.nearest_across(marie[3:], references, no_groups, 3)
    assert set(near) == {3, 4, 5}
    first, *others = near
    groups = np.where(np.arange(6) == 1, 8, 7)
    [spread] = learning.nearest_across(marie[3:], references, groups, 3)
    assert spread.tolist() == [first, 1, others[0]]  # after the nearest, one of another group
    expected = min(np.linalg.norm(marie[3] - reference) for reference in references)
    assert learning.to_nearest(marie[3:], references)[0] == pytest.approx(expected, abs=1e-3)
    assert learning.to_nearest(references[:1], references)[0] == pytest.approx(0, abs=2e-3)


def test_the_nearest_across_groups_are_those_of_a_whole_order() -> None:
    rng = np.random.default_rng(0)
    references = rng.standard_normal((300, 8)).astype(np.float32)
    vectors = rng.standard_normal((40, 8)).astype(np.float32)
    groups = rng.integers(-1, 5, 300)
    found = learning.nearest_across(vectors, references, groups, 6)
    for vector, chosen in zip(vectors, found.tolist(), strict=True):
        order = np.linalg.norm(references - vector, axis=1).argsort().tolist()
        heads = {int(groups[at]): at for at in reversed(order) if groups[at] >= 0}
        others = {at for group, at in heads.items() if group != groups[order[0]]}
        after = sorted(order[1:], key=lambda at: at not in others)
        assert chosen == [order[0], *after[:5]]


def test_without_references_nothing_is_near(cast: Cast) -> None:
    marie = faces_of(cast, "marie", 2)
    assert np.isinf(learning.to_nearest(marie, marie[:0])).all()
    groups = np.zeros(2, np.int64)
    assert learning.nearest_across(marie, marie[:0], groups[:0], 5).shape == (2, 0)
    assert learning.nearest_across(marie[:0], marie, groups, 5).shape == (0, 2)


def test_those_who_look_like_the_examples_are_asked_first(cast: Cast) -> None:
    pierre, marie = faces_of(cast, "pierre", 10), faces_of(cast, "marie", 10)
    faces = np.concatenate([pierre, marie])
    costs = learning.cost(faces, np.arange(20), cast.face("marie")[None], faces[:0])
    assert set(np.argsort(costs)[:10]) == set(range(10, 20))


def test_a_face_like_somebody_else_comes_later(cast: Cast) -> None:
    """A daughter between the two: nearer to the mother's No than to the example."""
    marie, irene = cast.face("marie"), cast.face("irene")
    between = (0.4 * marie + 0.6 * irene)[None]
    groups, none = np.arange(1), between[:0]
    without = learning.cost(between, groups, marie[None], none)[0]
    with_no = learning.cost(between, groups, marie[None], irene[None])[0]
    assert with_no > without
    near = np.linalg.norm(between - marie)
    wrong = np.linalg.norm(between - irene)
    assert with_no == pytest.approx(near + (near - wrong), abs=1e-3)


def test_with_nothing_known_the_face_that_recurs_is_asked_first(cast: Cast) -> None:
    strangers = [cast.face(f"stranger {number}") for number in range(30)]
    faces = np.stack(strangers + [cast.face("marie") for _ in range(10)])
    groups = np.arange(len(faces))
    none = faces[:0]
    costs = learning.cost(faces, groups, none, none)
    first = int(np.argmin(costs))
    assert first >= 30
    after_no = learning.cost(faces, groups, none, faces[30:31])
    assert int(np.argmin(after_no)) < 30, "after a No to the face that recurs, others are asked"


def test_a_face_repeated_in_one_photo_is_not_common(cast: Cast) -> None:
    """A contact sheet of one stranger is one photo."""
    faces = np.stack([cast.face("stranger") for _ in range(10)])
    assert not learning.commonness(faces, np.zeros(10, np.int64)).any()
    assert (learning.commonness(faces, np.arange(10)) > 0).any()


def test_the_likeliest_of_each_photo() -> None:
    costs = np.array([0.3, 0.2, 0.1, 0.5, 0.4, 0.0], np.float32)
    photos = np.array([1, 1, 1, 2, 2, 3])
    chosen = np.array([True, True, False, True, True, False])
    assert np.flatnonzero(learning.one_a_group(costs, photos, chosen)).tolist() == [1, 4]
    assert not learning.one_a_group(costs, photos, np.zeros(6, bool)).any()


def test_the_order_of_asking() -> None:
    costs = np.array([0.5, 0.1, 0.9, 0.2, 0.3], np.float32)
    open_ = np.array([True, True, True, True, False])
    tiers = np.array([1, 2, 0, 1, 0])
    assert learning.asking_order(costs, open_, tiers).tolist() == [2, 3, 0, 1]


def test_ten_thousand_faces_take_a_moment() -> None:
    faces = np.random.default_rng(0).standard_normal((10_000, 128)).astype(np.float32)
    started = time.process_time()
    costs = learning.cost(faces, np.arange(10_000), faces[:100], faces[100:300])
    learning.cost(faces, np.arange(10_000), faces[:0], faces[:0])
    learning.distances(faces, faces[0])
    learning.asking_order(costs, np.ones(10_000, bool), np.zeros(10_000, np.int64))
    assert time.process_time() - started < 3
