"""Every recorded request of a module we use is answered as the real wiki answered it."""

from __future__ import annotations

import pytest

from tests.contract.replay import Player, gaps, load, replayable
from tests.contract.scenes import prepare
from tests.contract.shapes import differences

GAPS = {gap["recording"]: gap["reason"] for gap in gaps().get("gap", [])}


def answer_differences(player: Player, name: str) -> list[str]:
    """What differs between the live and the recorded answer."""
    recording = load(name)
    with prepare(recording, player):
        answer = player.play(recording)
    return differences(recording, answer)


@pytest.mark.parametrize("name", [name for name in replayable() if name not in GAPS])
def test_the_sandbox_answers_as_recorded(player: Player, name: str) -> None:
    assert answer_differences(player, name) == []


@pytest.mark.parametrize("name", sorted(GAPS))
def test_a_known_gap_is_still_one(player: Player, name: str) -> None:
    assert answer_differences(player, name), f"{name} holds now: take it off known_gaps.toml"


def test_known_gaps_are_of_recordings_that_exist() -> None:
    assert set(GAPS) <= set(replayable())


def test_the_list_of_known_gaps_only_shrinks() -> None:
    assert len(GAPS) == gaps()["most"]
    assert all(len(gap["reason"]) > 20 for gap in (*gaps()["gap"], *gaps()["unverified"]))
