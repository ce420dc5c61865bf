"""The guard doubts who clicks, never who looks; what it doubts is out until somebody has looked."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from classify.trust import rules as trust_rules
from classify.trust.rules import Deed, Said

SEEDS = range(200)
SCREEN = 20


def _chances(random: Random) -> list[float]:
    """A screen as the tool asks: mostly likely faces, some that are hardly the person, or a face
    alone of which little is known."""
    kind = random.random()
    if kind < 0.5:
        return [random.betavariate(8, 1.5) for _ in range(SCREEN)]
    if kind < 0.7:
        return [random.betavariate(1, 12) for _ in range(SCREEN)]
    return [random.uniform(0.2, 0.8)]


def _careful(random: Random, deeds: int) -> Iterator[Deed]:
    """Looks, errs on one face in fifty, and is as quick as practice makes one: 0.7 s for a face and
    3 s for a screen, in the median. The model is wrong by up to 1 in log-odds in this project, and
    now and then about a whole screen at once."""
    at, shift = 0.0, random.uniform(-1, 1)
    for _ in range(deeds):
        chances = _chances(random)
        at += (0.7 + 0.12 * (len(chances) - 1)) * random.lognormvariate(0, 0.35)
        surprise = random.random() < 0.02
        truths = [surprise or random.random() < _moved(each, shift) for each in chances]
        yield Deed(at, [_word(random, *each) for each in zip(chances, truths, strict=True)])


def _moved(chance: float, shift: float) -> float:
    odds: float = chance / (1 - chance + 1e-9) * 2.718**shift
    return odds / (1 + odds)


def _word(random: Random, chance: float, truth: bool) -> Said:
    """Others have said something of one face in ten, as likely wrong as this one."""
    yes = truth != (random.random() < 0.02)
    theirs = truth != (random.random() < 0.02)
    return Said(yes, chance, (yes == theirs) if random.random() < 0.1 else None)


def _all_yes(random: Random, deeds: int) -> Iterator[Deed]:
    """Takes time, and says Yes to whatever comes; a few screens in ten hold hardly the person."""
    at = 0.0
    for _ in range(deeds):
        chances = _chances(random)
        at += 4
        yield Deed(at, [Said(True, each) for each in chances])


def _answers_until_caught(deeds: list[Deed], name: str) -> int:
    for count in range(1, len(deeds) + 1):
        if found := trust_rules.doubt(deeds[:count]):
            assert found == name
            return sum(len(each.said) for each in deeds[:count])
    raise AssertionError("never caught")


@pytest.mark.long
def test_nobody_who_looks_is_doubted() -> None:
    """200 people, some 1,700 answers each: what the guard sees at once is a part of that."""
    for seed in SEEDS:
        assert trust_rules.doubt(list(_careful(Random(seed), 120))) == "", seed


def test_confirming_screens_of_likely_faces_at_once_is_no_fault() -> None:
    """Marks of a good model are right: all twenty, screen after screen."""
    screen = [Said(True, 0.97)] * SCREEN
    assert trust_rules.doubt([Deed(3.0 * n, screen) for n in range(100)]) == ""


def test_whoever_meets_the_person_as_a_child_is_not_doubted() -> None:
    """Two whole screens that the model took for strangers, before it learns better."""
    screens = [[Said(True, 0.02)] * SCREEN] * 2 + [[Said(True, 0.9)] * SCREEN] * 5
    assert trust_rules.doubt([Deed(5.0 * n, said) for n, said in enumerate(screens)]) == ""


def test_an_offline_hour_sent_at_once_is_not_quick() -> None:
    """Each bears when it was given, see Given.waited."""
    given = [Deed(1.5 * n, [Said(False, 0.3)]) for n in range(100)]
    assert trust_rules.doubt(given) == ""


def test_whoever_says_yes_to_everything_is_caught_within_600_answers() -> None:
    caught = [_answers_until_caught(list(_all_yes(Random(n), 120)), "all-yes") for n in range(60)]
    assert max(caught) <= 600
    assert sorted(caught)[len(caught) // 2] <= 300


def test_whoever_clicks_faster_than_one_can_look_is_caught_within_20_answers() -> None:
    quick = [Deed(0.15 * n, [Said(n % 2 == 0, 0.5)]) for n in range(30)]
    assert _answers_until_caught(quick, "fast") <= 20


def test_whoever_confirms_screens_faster_than_one_can_look_is_caught_within_15_screens() -> None:
    quick = [Deed(0.5 * n, [Said(True, 0.97)] * SCREEN) for n in range(30)]
    assert _answers_until_caught(quick, "fast") <= 15 * SCREEN


def test_whoever_contradicts_all_that_is_known_is_caught_within_15_answers() -> None:
    wrong = [Deed(5.0 * n, [Said(True, 0.9, right=False)]) for n in range(20)]
    assert _answers_until_caught(wrong, "contradicts") <= 15


def test_whoever_says_anything_is_caught_by_a_hundred_known_faces() -> None:
    for seed in range(40):
        random = Random(seed)
        any_ = [Deed(5.0 * n, [Said(True, 0.9, right=random.random() < 0.5)]) for n in range(150)]
        assert _answers_until_caught(any_, "contradicts") <= 150


def test_a_sum_is_raised_by_chance_as_seldom_as_lorden_says() -> None:
    """P(height ≥ h within n deeds) ≤ n · e^−h; here h = 4, so that it can be seen: 1.8 %."""
    raised = 0
    for seed in range(400):
        random = Random(seed)
        told = (
            trust_rules._ratio(random.random() < trust_rules.AGAINST_IF_CAREFUL, 0.15, 0.5)
            for _ in range(20)
        )
        raised += trust_rules.height(told) >= 4
    assert raised / 400 <= 20 * 2.718**-4
