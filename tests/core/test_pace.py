"""The shared pace: slots apart from each other, pauses kept by everybody."""

from itertools import pairwise

import pytest

from projects import pace

pytestmark = pytest.mark.django_db


def test_slots_are_handed_out_apart_from_each_other() -> None:
    waits = [pace.reserve("read", per_minute=60) for _ in range(4)]
    assert waits[0] == 0
    for earlier, later in pairwise(waits):
        assert later - earlier == pytest.approx(1, abs=0.2)


def test_lanes_do_not_wait_for_each_other() -> None:
    pace.reserve("read", 60)
    assert pace.reserve("picture", 60) == 0


def test_a_pause_holds_everybody_until_it_is_over() -> None:
    pace.pause("write:1", 30, "maxlag")
    pace.pause("write:1", 5, "shorter, so it changes nothing")
    assert pace.reserve("write:1", 60) == pytest.approx(30, abs=1)
    assert pace.paused_until("write:1")
    assert not pace.paused_until("write:2")
