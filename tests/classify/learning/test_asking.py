"""What is asked next, when it ends, and what is looked at again."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classify import learning
from classify.learning.choose_screen import PATIENCE, SCREEN_SIZE, Kind, common
from classify.learning.distances import Ints, Mask
from classify.learning.model import Circumstances, Model
from tests.classify.learning.projects import PRIORS, SFACE, faces, model

few = settings(max_examples=30, deadline=None)


def play(one: Model, person: Mask, open_: Mask) -> list[learning.Ask]:
    """Answer all that is asked, without an error."""
    asked = []
    while (ask := learning.choose(one, open_)) is not None:
        asked.append(ask)
        rows = said_of(ask, person)
        one.tell(rows, person[rows])
        assert len(asked) < 100
    return asked


def said_of(ask: learning.Ask, person: Mask) -> Ints:
    """Of those seen most often a tap on one who is the person says nothing of the others."""
    hers = ask.rows[person[ask.rows]]
    return hers[:1] if ask.kind is Kind.COMMON and len(hers) else ask.rows


def test_a_tap_on_one_of_those_seen_most_often_says_nothing_of_the_others() -> None:
    """They stay open and are asked again where that is worth it, never without end."""
    vectors, _ = faces(12, people=6, each=12, noise=0.9)
    one = model(vectors)
    for answered in range(len(vectors)):
        ask = common(one, ~one.answered, 20)
        assert ask is not None
        assert ask.actions == 1
        assert not one.answered[ask.rows].any()
        one.tell(ask.rows[:1], np.array([True]))
        assert one.answered.sum() == answered + 1
    assert common(one, ~one.answered, 20) is None
    assert learning.choose(one, ~one.answered) is None


@few
@given(st.integers(0, 1000), st.sampled_from(sorted(PRIORS)), st.booleans(), st.data())
def test_only_open_faces_are_asked_and_none_twice(
    seed: int, engine: str, cold: bool, data: st.DataObject
) -> None:
    vectors, person = faces(seed)
    one = model(vectors, np.arange(72) // 2, PRIORS[engine])
    closed = data.draw(st.sets(st.integers(0, 71), max_size=30))
    open_ = ~np.isin(np.arange(72), list(closed))
    if not cold:
        one.tell(np.flatnonzero(person)[:1], np.array([True]))
    asked = play(one, person, open_)
    rows = np.concatenate([[], *(said_of(ask, person) for ask in asked)]).astype(int)
    assert len(set(rows)) == len(rows)
    assert all(open_[ask.rows].all() for ask in asked)


@few
@given(st.integers(0, 1000), st.booleans())
def test_the_person_is_found_from_a_portrait_or_from_nothing(seed: int, cold: bool) -> None:
    vectors, person = faces(seed, people=12, each=25, noise=0.35)
    one = model(vectors)
    if not cold:
        one.tell(np.flatnonzero(person)[:1], np.array([True]))
    asked = play(one, person, np.ones(len(vectors), bool))
    assert person[one.scorer.yes].all()
    assert one.scorer.yes.sum() == person.sum()
    assert (asked[0].kind is Kind.COMMON) == cold


def test_not_everybody_is_looked_at() -> None:
    vectors, person = faces(11, people=12, each=25, noise=0.35)
    one = model(vectors)
    asked = play(one, person, np.ones(len(vectors), bool))
    assert one.scorer.yes.sum() == person.sum()
    assert sum(len(ask.rows) for ask in asked) < 100


def test_a_cold_start_shows_each_group_once_and_marks_nobody() -> None:
    vectors, _ = faces(1, people=8, each=20, noise=0.3)
    ask = learning.choose(model(vectors), np.ones(160, bool))
    assert ask is not None
    assert ask.kind is Kind.COMMON
    assert not ask.marks.any()
    assert len(ask.rows) >= 6
    alike = vectors[ask.rows] @ vectors[ask.rows].T
    assert (alike[~np.eye(len(alike), dtype=bool)] < SFACE.same).all()


def test_marks_are_yes_where_that_is_likelier_and_once_a_photo() -> None:
    vectors, person = faces(2, each=20, noise=0.35)
    rows = np.flatnonzero(person)
    photos = np.arange(len(vectors))
    photos[rows[3]] = photos[rows[4]]
    one = model(vectors, photos)
    one.tell(rows[:3], np.ones(3, bool))
    ask = learning.choose(one, np.ones(len(vectors), bool))
    assert ask is not None
    marked = ask.rows[ask.marks]
    assert len(set(photos[marked])) == len(marked)
    assert np.isin(marked, rows).all()
    assert (np.diff(ask.chances) <= 1e-12).all(), "the likeliest come first"


def test_one_face_is_asked_alone_when_its_answer_settles_many() -> None:
    """Twelve look-alikes of whom one can't tell: a grid might be wrong twelve times."""
    rng = np.random.default_rng(0)
    known = np.eye(1, 64)[0]
    middle = 0.33 * known + np.sqrt(1 - 0.33**2) * np.eye(1, 64, 1)[0]
    group = middle + 0.03 * rng.standard_normal((12, 64))
    others = rng.standard_normal((60, 64))
    vectors = np.concatenate([known[None], group, others]).astype(np.float32)
    one = model(vectors)
    one.tell(np.array([0]), np.array([True]))
    unsure = one.chances()[1:13]
    assert ((unsure > 0.05) & (unsure < 0.95)).all()
    ask = learning.choose(one, np.ones(73, bool))
    assert ask is not None
    assert ask.kind is Kind.ONE
    assert 1 <= ask.rows[0] <= 12
    assert ask.actions == 1
    one.tell(ask.rows, np.array([True]))
    after = learning.choose(one, np.ones(73, bool))
    assert after is not None
    assert set(range(1, 13)) - {int(ask.rows[0])} <= set(after.rows[after.marks].tolist())


def test_copies_are_asked_side_by_side_with_a_look_at_each() -> None:
    vectors, person = faces(3, each=15, noise=0.35)
    rows = np.flatnonzero(person)
    around = Circumstances.none(len(vectors))
    copies = rows[[5, 9, 14]]
    vectors[copies] = vectors[copies[0]]
    around.duplicates[copies] = 7
    one = model(vectors, around=around)
    one.tell(rows[:3], np.ones(3, bool))
    ask = learning.choose(one, np.ones(len(vectors), bool))
    assert ask is not None
    places = np.flatnonzero(np.isin(ask.rows, copies))
    assert len(places) == 3
    assert np.ptp(places) == 2
    assert len(set(ask.marks[places].tolist())) == 1


@few
@given(st.integers(0, 1000), st.integers(2, 6), st.integers(2, 30))
def test_copies_are_never_on_two_screens(seed: int, pictures: int, copies: int) -> None:
    vectors, person = faces(seed, people=8, each=25)
    around = Circumstances.none(len(vectors))
    copied = np.random.default_rng(seed).permutation(len(vectors))[: pictures * copies]
    for name, rows in enumerate(np.array_split(copied, pictures)):
        around.duplicates[rows] = name
        vectors[rows], person[rows] = vectors[rows[0]], person[rows[0]]
    one = model(vectors, around=around)
    one.tell(np.flatnonzero(person)[:1], np.array([True]))
    left = ~one.answered
    for ask in play(one, person, np.ones(len(vectors), bool)):
        names = around.duplicates[ask.rows]
        for name in set(names[names >= 0].tolist()) if ask.kind is not Kind.COMMON else ():
            places = np.flatnonzero(names == name)
            assert np.ptp(places) == len(places) - 1, "side by side"
            there = int((left & (around.duplicates == name)).sum())
            assert len(places) == min(there, max(20, len(places)))
        left[said_of(ask, person)] = False


def test_a_tagged_file_with_two_faces_has_one_that_is_the_person() -> None:
    vectors, person = faces(4)
    photos = np.arange(72)
    one_of, other = int(np.flatnonzero(person)[5]), int(np.flatnonzero(~person)[0])
    photos[other] = photos[one_of]
    around = Circumstances.none(72)
    around.tagged[[one_of, other]] = True
    one = model(vectors, photos, around=around)
    one.tell(np.flatnonzero(person)[:2], np.ones(2, bool))
    chances = one.chances()
    assert chances[one_of] + chances[other] == pytest.approx(1)
    assert chances[one_of] > 0.9


def test_what_is_trusted_less_is_still_asked() -> None:
    vectors, person = faces(5, noise=0.4)
    rows = np.flatnonzero(person)
    one = model(vectors)
    one.tell(rows[:4], np.ones(4, bool), np.full(4, 0.5, np.float32))
    ask = learning.choose(one, np.ones(72, bool))
    assert ask is not None
    assert np.isin(rows[:4], ask.rows).all()
    assert ask.marks[np.isin(ask.rows, rows[:4])].all()


def test_dates_weigh_against_a_face() -> None:
    vectors, person = faces(6, noise=0.5)
    rows = np.flatnonzero(person)
    around = Circumstances.none(72)
    one = model(vectors, around=around)
    one.tell(rows[:3], np.ones(3, bool))
    before = one.chances()[rows[5]]
    around.log_odds[rows[5]] = learning.date_log_odds((1800, 1810), 1867, 1934)
    assert one.chances()[rows[5]] < before


def test_asking_ends_when_nobody_is_left_and_when_nobody_is_there() -> None:
    vectors, person = faces(7, people=20, each=20, noise=0.35)
    one = model(vectors[~person])
    asked = play(one, np.zeros(380, bool), np.ones(380, bool))
    assert not one.scorer.yes.any()
    assert sum(len(ask.rows) for ask in asked) <= 380
    alone = Model.of(SFACE, vectors[person][:1], np.zeros(1, np.int64))
    alone.tell(np.array([0]), np.array([True]))
    assert learning.choose(alone, np.ones(1, bool)) is None
    assert learning.outlook(alone, np.ones(1, bool)) == 0


def test_the_outlook_shrinks_as_answers_come() -> None:
    vectors, person = faces(8, each=40, noise=0.35)
    one = model(vectors)
    one.tell(np.flatnonzero(person)[:2], np.ones(2, bool))
    open_ = np.ones(len(vectors), bool)
    before = learning.outlook(one, open_)
    ask = learning.choose(one, open_)
    assert ask is not None
    one.tell(ask.rows, person[ask.rows])
    assert learning.outlook(one, open_) < before


def test_the_outlook_counts_faces_and_before_anybody_is_found_how_long_patience_lasts() -> None:
    vectors, person = faces(8, people=20, each=40, noise=0.35)
    one, open_ = model(vectors), np.ones(len(vectors), bool)
    assert learning.outlook(one, open_) == PATIENCE * SCREEN_SIZE
    others = np.flatnonzero(~person)
    one.tell(others[:15], np.zeros(15, bool))
    assert learning.outlook(one, open_) == PATIENCE * SCREEN_SIZE - 15
    one.tell(others[15:65], np.zeros(50, bool))
    assert learning.outlook(one, open_) == SCREEN_SIZE, "one screen more, and so on"
    assert learning.outlook(one, np.isin(np.arange(len(vectors)), others[60:73])) == 8
    hers = np.flatnonzero(person)
    one.tell(hers[:2], np.ones(2, bool))
    assert learning.outlook(one, open_) == 38


def reviewed(wrong: int = 3) -> tuple[Model, Mask, Ints]:
    """A project of 150 approved faces, of which some are somebody else's."""
    vectors, person = faces(9, people=5, each=160, noise=0.4)
    one = model(vectors)
    said = person.copy()
    slips = np.flatnonzero(~person)[:wrong]
    said[slips] = True
    rows = np.concatenate([np.flatnonzero(person)[:150], np.flatnonzero(~person)[:200]])
    one.tell(rows, said[rows])
    return one, person, slips


def test_second_looks_take_the_least_likely_and_a_random_sample() -> None:
    one, _, slips = reviewed()
    approved = one.scorer.yes
    looks = learning.second_looks(one, approved, np.random.default_rng(0))
    assert set(slips.tolist()) <= set(looks.unlikely.tolist())
    assert len(looks.order) == 60
    assert sum(len(screen) for screen in looks.screens()) == 60
    assert not set(looks.unlikely.tolist()) & set(looks.sampled.tolist())
    assert approved[looks.unlikely].all()
    assert approved[looks.sampled].all()
    assert one.scorer.no[looks.traps].all()
    assert 0 < len(looks.traps) <= 3
    assert sorted(looks.order) == sorted([*looks.unlikely, *looks.sampled, *looks.traps])


def test_a_small_project_is_seen_again_as_a_whole() -> None:
    one, _, _ = reviewed(0)
    approved = np.zeros(len(one), bool)
    approved[np.flatnonzero(one.scorer.yes)[:15]] = True
    looks = learning.second_looks(one, approved, np.random.default_rng(0))
    assert set(looks.unlikely.tolist()) == set(np.flatnonzero(approved).tolist())
    assert not len(looks.sampled)


def test_answers_that_the_rest_contradicts_are_doubted_the_worst_first() -> None:
    one, person, slips = reviewed()
    missed = np.flatnonzero(person)[:2]
    one.tell(missed, np.zeros(2, bool))
    doubted = learning.doubted(one)
    assert set(doubted[:5].tolist()) == {*slips.tolist(), *missed.tolist()}
    assert learning.doubted(one, np.zeros(len(one), bool)).tolist() == []


def test_twice_in_one_photo_is_doubted() -> None:
    vectors, person = faces(10, noise=0.7)
    rows = np.flatnonzero(person)
    photos = np.arange(72)
    apart = model(vectors, photos)
    photos_shared = photos.copy()
    photos_shared[rows[1]] = photos_shared[rows[0]]
    together = model(vectors, photos_shared)
    for each in (apart, together):
        each.tell(rows, np.ones(len(rows), bool))
    assert len(learning.doubted(together)) >= len(learning.doubted(apart))


def test_answers_given_twice_and_differently_are_asked_a_third_time() -> None:
    first, second = np.array([True, True, False]), np.array([True, False, False])
    assert learning.third_looks(first, second).tolist() == [1]


@pytest.mark.process
def test_learning_needs_no_django() -> None:
    seen = "import sys, classify.learning; sys.exit('django' in sys.modules)"
    subprocess.run([sys.executable, "-c", seen], check=True)
