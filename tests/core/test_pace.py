"""The shared pace: slots apart from each other, pauses kept by everybody."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from core.models import WikiPace
from wiki import pace

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


def test_slots_that_nobody_used_are_caught_up_for_a_moment_only() -> None:
    pace.reserve("write:1", 60)
    missed(seconds=8)
    waits = [pace.reserve("write:1", 60, catch_up=3) for _ in range(6)]
    assert waits[:4] == [0, 0, 0, 0], "this one's own slot, and those of three seconds"
    assert waits[4:] == pytest.approx([1, 2], abs=0.2)
    missed(seconds=8)
    assert [round(pace.reserve("write:1", 60)) for _ in range(3)] == [0, 1, 2]


def test_a_lane_that_was_idle_has_nothing_to_catch_up() -> None:
    pace.reserve("write:1", 60)
    missed(seconds=11)
    assert [round(pace.reserve("write:1", 60, catch_up=3)) for _ in range(3)] == [0, 1, 2]


def test_what_a_pause_took_is_not_caught_up() -> None:
    """Neither one of its own nor one of a lane that it is within."""
    for lane in ("write:1", "write"):
        pace.reserve("write:1", 60)
        pace.pause(lane, 0.0, "maxlag")  # it is over at once …
        missed(seconds=8)  # … after eight seconds
        waits = [pace.reserve("write:1", 60, catch_up=3, within=["write"]) for _ in range(3)]
        assert [round(wait) for wait in waits] == [0, 1, 2]


def test_who_may_not_wait_so_long_takes_no_slot() -> None:
    pace.reserve("read", 2)
    with pytest.raises(pace.Later) as told:
        pace.reserve("read", 2, longest=10)
    assert told.value.seconds == pytest.approx(30, abs=1)
    assert pace.reserve("read", 2, longest=40) == pytest.approx(30, abs=1), "the very same one"


def missed(seconds: float) -> None:
    """The next slot of the lane was so long ago."""
    WikiPace.objects.filter(lane="write:1").update(
        next_at=timezone.now() - timedelta(seconds=seconds)
    )
