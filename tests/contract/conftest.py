"""A sandbox with the recordings' world, put back to its start before each test."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

import sandbox as sandbox_package
from sandbox import RunningSandbox
from tests.contract import recorded_world
from tests.contract.replay import Player
from tests.contract.wiki import Wiki


@dataclass
class Start:
    """The world as it was built, and how many rows had been written when it last was so."""

    kept: sqlite3.Connection
    changes: int


@pytest.fixture(scope="session")
def _recorded_player(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Player, Start]]:
    folder = tmp_path_factory.mktemp("recorded")
    with sandbox_package.serve(folder, seed=False) as running:
        recorded_world.build(running.world)
        player = Player(running)
        for _, name, _ in recorded_world.USERS:
            player.bearer(name)
        with closing(sqlite3.connect(":memory:")) as kept:
            with closing(sqlite3.connect(running.world.store.path)) as state:
                state.backup(kept)
            yield player, Start(kept, running.world.store.changes)


@pytest.fixture
def player(_recorded_player: tuple[Player, Start]) -> Player:
    """Sends recorded requests to a sandbox that holds the recordings' world, fresh each time."""
    found, start = _recorded_player
    found.running.faults.clear()
    found.running.world.edit_times.clear()
    store = found.running.world.store
    if store.changes != start.changes:
        with closing(sqlite3.connect(store.path, timeout=30)) as state:
            start.kept.backup(state)
        start.changes = store.changes
    return found


@pytest.fixture
def recorded(player: Player) -> RunningSandbox:
    """The sandbox that `player` talks to."""
    return player.running


@pytest.fixture
def wiki(player: Player) -> Wiki:
    """ExampleUser's client."""
    return Wiki(player)


@pytest.fixture
def other(player: Player) -> Wiki:
    """Somebody else's client."""
    return Wiki(player, "OtherUser")
