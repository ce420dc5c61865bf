"""Stated intervals hold as often as they say, on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classify.learning import intervals

VERY_MANY = 10_000_000
many = settings(max_examples=200, deadline=None)


@pytest.mark.parametrize(
    ("hits", "looked", "low", "high"),
    # Published values, as binom.test of R gives them.
    [(0, 10, 0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 20, 0.0866, 0.4910), (0, 299, 0, 0.0123)],
)
def test_among_very_many_it_is_clopper_and_pearson_s_as_published(
    hits: int, looked: int, low: float, high: float
) -> None:
    found = intervals.number(hits, looked, VERY_MANY)
    assert found.low / VERY_MANY == pytest.approx(low, abs=1e-4)
    assert found.high / VERY_MANY == pytest.approx(high, abs=1e-4)


@pytest.mark.parametrize(("of", "looked"), [(30, 10), (100, 60), (412, 60), (5000, 300)])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.6])
def test_the_interval_of_a_number_holds_in_finite_populations(
    of: int, looked: int, share: float
) -> None:
    truth = round(share * of)
    hits = np.random.default_rng(of).hypergeometric(truth, of - truth, looked, 2000)
    stated = {each: intervals.number(each, looked, of) for each in set(hits.tolist())}
    held = np.mean([stated[each].holds(truth) for each in hits.tolist()])
    assert held >= 0.95 - 0.015


@many
@given(st.integers(1, 400), st.data())
def test_an_interval_is_possible_and_holds_the_estimate(of: int, data: st.DataObject) -> None:
    looked = data.draw(st.integers(0, of))
    hits = data.draw(st.integers(0, looked))
    found = intervals.number(hits, looked, of)
    assert hits <= found.low <= found.estimate <= found.high <= of - (looked - hits)
    assert found.all_seen == (looked == of)
    if found.all_seen:
        assert found.width == 0


@many
@given(st.integers(2, 300), st.data())
def test_seeing_more_without_a_hit_says_more(of: int, data: st.DataObject) -> None:
    looked = data.draw(st.integers(0, of - 1))
    assert intervals.number(0, looked + 1, of).high <= intervals.number(0, looked, of).high


def test_what_is_left_is_what_nobody_looked_at() -> None:
    found = intervals.left_over(hits=1, looked=60, left=412)
    assert found.low == 0
    assert found.estimate == pytest.approx(412 / 60 - 1)
    assert 20 < found.high < 40
    assert intervals.left_over(2, 60, 60) == intervals.Interval(0, 0, 0, all_seen=True)


def test_precision_counts_what_was_taken_out() -> None:
    everything = intervals.precision(approved=40, certain=30, wrong=2, looked=12)
    assert everything.all_seen
    assert everything.low == everything.high == 1
    sampled = intervals.precision(approved=98, certain=10, wrong=2, looked=20)
    assert sampled.high == 1
    assert sampled.low < sampled.estimate < 1
    assert intervals.precision(0, 0, 0, 0).all_seen


def test_three_hundred_seen_without_an_error_are_ninety_nine_percent_and_fewer_are_not() -> None:
    def lower(looked: int) -> float:  # one-sided 95 %: two-sided 90 %
        return 1 - intervals.number(0, looked, VERY_MANY, level=0.9).high / VERY_MANY

    assert lower(299) >= 0.99 > lower(298)


@pytest.mark.parametrize("slips", [0.0, 0.02, 0.1])
def test_the_stated_precision_holds_when_the_least_likely_are_all_seen(slips: float) -> None:
    """The least likely carry more errors; they are a census, so the sample stays fair."""
    rng = np.random.default_rng(5)
    held = []
    for _ in range(1000):
        wrong = rng.random(120) < slips
        wrong[:20] |= rng.random(20) < 0.3
        sample = 20 + rng.choice(100, 20, replace=False)
        found = int(wrong[sample].sum())
        certain = int((~wrong[:20]).sum())
        approved = 100 - found + certain
        stated = intervals.precision(approved, certain, found, 20)
        left_wrong = int(wrong[20:].sum()) - found
        held.append(stated.holds(1 - left_wrong / approved))
    assert np.mean(held) >= 0.93


@pytest.mark.parametrize(("hits", "looked", "of"), [(-1, 5, 10), (6, 5, 10), (1, 11, 10)])
def test_what_cannot_be_is_refused(hits: int, looked: int, of: int) -> None:
    with pytest.raises(ValueError):
        intervals.number(hits, looked, of)
