"""What must hold of scores whatever the faces and whatever was answered."""

from __future__ import annotations

import time
import tracemalloc
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from classify.learning import calibration as chances_of
from classify.learning.distances import Floats
from classify.learning.model import Circumstances
from classify.learning.neighbours import COUNT, FAR, Lookalikes
from classify.learning.priors import Prior
from classify.learning.scorer import NEAREST, Scorer
from classify.learning.similarity import Space
from crawler.engines import KINDS
from tests.classify.learning.projects import DLIB, PRIORS, SFACE, faces, model

few = settings(max_examples=40, deadline=None)
engines = st.sampled_from(sorted(PRIORS))
seeds = st.integers(0, 10_000)
answers = st.lists(
    st.tuples(st.integers(0, 71), st.booleans()), min_size=1, max_size=30, unique_by=lambda x: x[0]
)
Answers = list[tuple[int, bool]]


def tell(to: Scorer, said: Answers) -> None:
    to.tell(np.array([row for row, _ in said]), np.array([yes for _, yes in said]))


@few
@given(seeds, engines, answers, st.integers(0, 71), st.booleans(), st.booleans())
@example(seed=2663, engine="sface", before=[(24, True)], row=1, yes=False, tagged=False)
def test_an_answer_never_lowers_the_score_of_its_own_face(
    seed: int, engine: str, before: Answers, row: int, yes: bool, tagged: bool
) -> None:
    vectors, _ = faces(seed)
    around = Circumstances.none(72)
    around.tagged[:] = tagged
    one = model(vectors, np.arange(72) // 2, PRIORS[engine], around)
    tell(one.scorer, [each for each in before if each[0] != row])
    score = one.chances()[row]
    rest = one.scorer.log_odds()[row]
    one.tell(np.array([row]), np.array([yes]))
    after = one.chances()[row]
    assert after >= score if yes else after <= score
    if one.scorer.yes.sum() > 1 and (before_yes := [each for each in before if each[1]]):
        others = [each for each in before_yes if each[0] != row]
        if others:  # what the rest says of a face is not moved by its own answer
            assert one.scorer.log_odds()[row] == pytest.approx(rest, abs=1e-3)


@few
@given(seeds, engines, answers, st.randoms(use_true_random=False))
def test_the_order_of_answers_does_not_matter(
    seed: int, engine: str, said: Answers, random: Random
) -> None:
    vectors, _ = faces(seed)
    once = model(vectors, prior=PRIORS[engine])
    tell(once.scorer, said)
    mixed = list(said)
    random.shuffle(mixed)
    one_by_one = model(vectors, prior=PRIORS[engine])
    for each in mixed:
        tell(one_by_one.scorer, [each])
    assert one_by_one.chances() == pytest.approx(once.chances(), abs=1e-4)


@few
@given(seeds, engines, answers, answers, st.sets(st.integers(0, 71), max_size=5))
def test_what_was_kept_is_what_comes_out_anew(
    seed: int, engine: str, first: Answers, second: Answers, taken_back: set[int]
) -> None:
    vectors, _ = faces(seed)
    kept = Scorer(PRIORS[engine], vectors, np.arange(72))
    tell(kept, first)
    tell(kept, second)  # another word on some of them
    words = dict([*first, *second])
    for gone in (set[int](), taken_back):
        kept.forget(np.array(sorted(gone), np.int64))
        anew = Scorer(PRIORS[engine], vectors, np.arange(72))
        if left := [(row, yes) for row, yes in words.items() if row not in gone]:
            tell(anew, left)
        assert (kept.said == anew.said).all()
        assert kept.log_odds() == pytest.approx(anew.log_odds(), abs=1e-3)


@few
@given(seeds, engines, answers, st.integers(1, 60), st.sets(st.integers(0, 71), max_size=5))
def test_faces_that_come_later_are_as_if_they_had_been_there(
    seed: int, engine: str, said: Answers, late: int, taken_back: set[int]
) -> None:
    vectors, _ = faces(seed)
    photos = np.arange(72) // 3
    whole = model(vectors, photos, PRIORS[engine])
    grown = model(vectors[:-late], photos[:-late], PRIORS[engine])
    tell(whole.scorer, [each for each in said if each[0] not in taken_back])
    tell(grown.scorer, [each for each in said if each[0] < 72 - late])
    grown.extend(vectors[-late:], photos[-late:])
    tell(grown.scorer, said)
    grown.scorer.forget(np.array(sorted(taken_back), np.int64))
    assert grown.chances() == pytest.approx(whole.chances(), abs=1e-3)


def test_the_measures_are_what_they_are_said_to_be() -> None:
    vectors, person = faces(1)
    scorer = Scorer(SFACE, vectors, np.arange(72))
    yes, no = np.flatnonzero(person)[:7], np.flatnonzero(~person)[:9]
    scorer.tell(yes, np.ones(7, bool))
    scorer.tell(no, np.zeros(9, bool))
    row = int(np.flatnonzero(person)[8])
    nearest, mean, rejected, passed_on = scorer.features()[row]
    alike = vectors[yes] @ vectors[row]
    assert nearest == pytest.approx(np.sort(alike)[-NEAREST:].mean(), abs=1e-5)
    assert mean == pytest.approx(alike.mean(), abs=1e-5)
    assert rejected == pytest.approx(max((vectors[no] @ vectors[row]).max(), SFACE.nobody))
    w = SFACE.weights
    said = w.constant + w.nearest * nearest + w.mean * mean
    said += w.rejected * rejected + w.passed_on * passed_on
    assert scorer.log_odds()[row] == pytest.approx(said, abs=1e-3)


def test_a_confirmed_face_is_measured_by_the_others_only() -> None:
    vectors, person = faces(2)
    scorer = Scorer(SFACE, vectors, np.arange(72))
    yes = np.flatnonzero(person)[:4]
    scorer.tell(yes, np.ones(4, bool))
    nearest, mean, *_ = scorer.features()[yes[0]]
    others = (vectors[yes[1:]] @ vectors[yes[0]]).mean()
    assert nearest == pytest.approx(others, abs=1e-5)
    assert mean == pytest.approx(others, abs=1e-5)


def test_a_yes_that_is_trusted_less_says_less_of_others() -> None:
    vectors, person = faces(3)
    rows = np.flatnonzero(person)
    scores = []
    for trust in (0.2, 1.0):
        one = model(vectors)
        one.tell(rows[:1], np.array([True]))
        one.tell(rows[1:2], np.array([True]), np.array([trust], np.float32))
        nearest = int(rows[2:][np.argmax(vectors[rows[2:]] @ vectors[rows[1]])])
        scores.append(one.scorer.nearest[nearest])
        assert one.answered[rows[1]] == (trust == 1.0)
    assert scores[0] < scores[1]


def test_without_an_example_nothing_is_said() -> None:
    vectors, _ = faces(4)
    scorer = Scorer(SFACE, vectors, np.arange(72))
    assert (scorer.log_odds() == 0).all()
    scorer.tell(np.array([3]), np.array([True]))
    assert scorer.log_odds()[3] == 0, "nobody else speaks about the only confirmed face"


def test_neighbours_are_the_most_alike_of_other_photos() -> None:
    vectors, _ = faces(5)
    photos = np.arange(72) // 4
    alike = Lookalikes.find(SFACE.space, vectors, photos)
    sims = vectors @ vectors.T
    sims[photos[:, None] == photos] = FAR
    assert np.sort(alike.sims)[:, ::-1] == pytest.approx(-np.sort(-sims)[:, :COUNT], abs=1e-5)
    assert alike.weights().sum(axis=1) == pytest.approx(1)


def test_a_face_without_others_is_its_own_neighbour() -> None:
    alike = Lookalikes.find(SFACE.space, np.eye(3, dtype=np.float32), np.zeros(3, np.int64))
    assert (alike.rows == np.arange(3)[:, None]).all()
    assert (alike.sims == FAR).all()


def test_in_a_large_project_most_neighbours_are_found_cell_by_cell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors, _ = faces(6, people=100, each=30, noise=0.5)
    photos = np.arange(3000)
    exact = Lookalikes.find(SFACE.space, vectors, photos)
    monkeypatch.setattr("classify.learning.neighbours.EXACT", 100)
    quick = Lookalikes.find(SFACE.space, vectors, photos)
    shared = [len(set(a) & set(b)) for a, b in zip(exact.rows, quick.rows, strict=True)]
    assert np.mean(shared) > 0.8 * COUNT


@few
@given(st.lists(st.floats(-8, 8), min_size=2, max_size=12), st.data())
def test_a_photo_shows_a_person_once_at_most(odds: list[float], data: st.DataObject) -> None:
    number = len(odds)
    photos = np.array(data.draw(st.lists(st.integers(0, 2), min_size=number, max_size=number)))
    none, every = np.zeros(number, bool), np.ones(number, bool)
    log_odds = np.array(odds)
    alone = chances_of.probability(log_odds)
    found = chances_of.once_a_photo(log_odds, photos, none, every, none, none)
    assert (np.bincount(photos, weights=found) <= 1 + 1e-9).all()
    assert (found <= alone + 1e-9).all()
    exactly = chances_of.once_a_photo(log_odds, photos, none, every, every, none)
    assert np.bincount(photos, weights=exactly)[np.unique(photos)] == pytest.approx(1)
    collage = chances_of.once_a_photo(log_odds, photos, none, every, none, every)
    assert collage == pytest.approx(alone)


@few
@given(seeds, engines, answers, st.sets(st.integers(0, 17)), st.sets(st.integers(0, 17)))
def test_unanswered_faces_of_a_photo_are_one_person_at_most_unless_in_a_collage(
    seed: int, engine: str, said: Answers, tagged: set[int], collages: set[int]
) -> None:
    vectors, _ = faces(seed)
    photos = np.arange(72) // 4
    around = Circumstances.none(72)
    around.tagged[:] = np.isin(photos, list(tagged))
    around.collage[:] = np.isin(photos, list(collages))
    one = model(vectors, photos, PRIORS[engine], around)
    tell(one.scorer, said)
    rest = np.where(one.answered, 0, one.chances())
    whole = np.bincount(photos, weights=rest)
    once = ~np.isin(np.arange(18), list(collages))
    assert (whole[once] <= 1 + 1e-9).all()
    with_yes = np.isin(np.arange(18), photos[one.scorer.yes])
    sure = once & ~with_yes & np.isin(np.arange(18), list(tagged))
    sure &= np.bincount(photos, weights=~one.answered) > 0
    assert whole[sure] == pytest.approx(1), "in a file that depicts the person one of them is"


def test_a_collage_may_show_a_person_more_than_once() -> None:
    vectors, person = faces(8, noise=0.3)
    rows = np.flatnonzero(person)
    photos = np.arange(72)
    photos[rows[4:7]] = photos[rows[4]]
    around = Circumstances.none(72)
    around.collage[rows[4:7]] = True
    one = model(vectors, photos, around=around)
    one.tell(rows[:4], np.ones(4, bool))
    assert one.chances()[rows[4:7]].sum() > 2.5


def test_beside_a_confirmed_face_another_is_hardly_likely_unless_in_a_collage() -> None:
    vectors, person = faces(7)
    rows = np.flatnonzero(person)
    photos = np.arange(72)
    photos[rows[1]] = photos[rows[0]]
    around = Circumstances.none(72)
    one = model(vectors, photos, around=around)
    one.tell(rows[[0, 2, 3]], np.ones(3, bool))
    beside = one.chances()[rows[1]]
    around.collage[rows[:2]] = True
    alone = one.chances()[rows[1]]
    assert beside / (1 - beside) == pytest.approx(0.02 * alone / (1 - alone), rel=0.01)


@few
@given(st.lists(st.tuples(st.floats(-12, 12), st.booleans()), max_size=60))
def test_calibration_never_turns_the_order_around(said: list[tuple[float, bool]]) -> None:
    odds = np.array([value for value, _ in said])
    found = chances_of.calibrate(odds, np.array([yes for _, yes in said], bool))
    assert 0.5 <= found.slope <= 1.5
    assert np.isfinite(found.shift)


def test_calibration_moves_towards_what_people_say() -> None:
    rng = np.random.default_rng(0)
    odds = rng.uniform(-6, 6, 400)
    right = rng.random(400) < chances_of.probability(odds)
    shifted = rng.random(400) < chances_of.probability(odds - 1)
    assert abs(chances_of.calibrate(odds, right).shift) < 0.3
    assert chances_of.calibrate(odds, shifted).shift < -0.5
    assert chances_of.calibrate(odds[:0], right[:0]) == (0, 1)


@pytest.mark.parametrize("number", [20, 200, 2000])
def test_calibration_listens_to_answers_that_all_contradict(number: int) -> None:
    """As when the portrait is of somebody else: all that looked sure is No."""
    found = chances_of.calibrate(np.full(number, 9.0), np.zeros(number, bool))
    assert found.applied(np.array([9.0]))[0] < 1
    more = chances_of.calibrate(np.full(2 * number, 9.0), np.zeros(2 * number, bool))
    assert more.applied(np.array([9.0])) <= found.applied(np.array([9.0]))


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        (None, 0),
        ((1900, 1950), 0),
        ((1850, 1860), -6),
        ((1940, 1950), -2),
        ((2020, 2024), -3),
        ((1860, 1870), 0),
    ],
)
def test_dates_weigh(years: tuple[float, float] | None, expected: float) -> None:
    assert chances_of.date_log_odds(years, born=1867, died=1930) == pytest.approx(
        expected, abs=0.01
    )
    assert chances_of.date_log_odds(years, None, None) == 0


def test_a_prior_is_made_of_the_numbers_of_a_version() -> None:
    numbers = KINDS["sface"].prior
    assert Prior.of("cosine", numbers).weights.nearest == numbers["nearest"]
    assert Prior.of("euclidean", numbers).weights == Prior.of("cosine", numbers).weights
    assert Prior.of("cosine", {**numbers, "distrust": 0.3}).distrust == 0.3
    with pytest.raises(ValueError, match="manhattan"):
        Prior.of("manhattan", numbers)
    for wrong in ({}, {**numbers, "extra": 1.0}):
        with pytest.raises(ValueError, match="a prior has"):
            Prior.of("cosine", wrong)


def test_twenty_answers_on_a_hundred_thousand_faces_take_a_moment() -> None:
    vectors = np.random.default_rng(0).standard_normal((100_000, 128)).astype(np.float32)
    none = Lookalikes.none(len(vectors))
    one = Scorer(SFACE, vectors, np.arange(100_000), none)
    one.tell(np.arange(200), np.arange(200) % 2 == 0)
    started = time.process_time()
    one.tell(np.arange(200, 220), np.ones(20, bool))
    one.log_odds()
    assert time.process_time() - started < 1


def test_many_answers_at_once_take_little_memory() -> None:
    """As after a start: all that was ever said of a project is told in one go."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4000, 128)).astype(np.float32)
    scorer = Scorer(SFACE, vectors, np.arange(4000))
    tracemalloc.start()
    try:
        scorer.tell(np.arange(3000), np.arange(3000) % 2 == 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


def test_a_word_that_is_changed_or_taken_back_is_not_all_learned_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a large project that took ten seconds each time, in which nobody got a new question."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((3000, 128)).astype(np.float32)
    scorer = Scorer(SFACE, vectors, np.arange(3000))
    compared = 0
    similarities = Space.similarities

    def counted(space: Space, one: Floats, other: Floats) -> Floats:
        nonlocal compared
        compared += len(one) * len(other)
        return similarities(space, one, other)

    monkeypatch.setattr(Space, "similarities", counted)
    scorer.tell(np.arange(2000), np.arange(2000) % 2 == 0)
    whole, compared = compared, 0
    scorer.forget(np.array([10]))
    assert 0 < compared < whole / 10
    compared = 0
    scorer.tell(np.array([11]), np.array([True]))
    assert 0 < compared < whole / 10


def test_words_on_copies_that_are_taken_back_again_and_again_leave_nothing_behind() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((30, 128)).astype(np.float32)
    vectors *= 1.4 / np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = np.concatenate([vectors, vectors])
    kept, anew = (Scorer(DLIB, vectors, np.arange(60)) for _ in range(2))
    for _ in range(200):
        for rows in np.split(rng.permutation(60), [7, 20, 45]):
            kept.tell(rows, np.ones(len(rows), bool))
        kept.forget(rng.permutation(60))
    for scorer in (kept, anew):
        scorer.tell(np.array([0]), np.array([True]))
    assert kept.log_odds() == pytest.approx(anew.log_odds(), abs=0.01)
