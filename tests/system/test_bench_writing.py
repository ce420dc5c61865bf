"""`make bench-write` in its short form: the real system, with faults and a killed worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bench.system import ROOT

pytestmark = pytest.mark.process


def run_quickly(runs: str) -> dict[str, Any]:
    """Run the short benchmark; return its figures."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.writing"],
        cwd=ROOT,
        env=os.environ | {"QUICK": "1", "RUNS": runs, "DATABASE_URL": "", "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    figures: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return figures


@pytest.mark.timeout(300)
def test_twelve_statements_on_one_file_survive_kills_at_every_point() -> None:
    found = run_quickly("3")["one_file"]
    assert found["edits"] == 12
    assert found["kills"] >= 12
    wrong = ("lost", "doubled", "wrong", "foreign_statements_touched")
    assert [found[name] for name in wrong] == [0, 0, 0, 0]


@pytest.mark.timeout(300)
def test_the_short_benchmark_of_writing_loses_and_doubles_nothing() -> None:
    figures = run_quickly("2")
    assert [run["edits"] for run in figures["runs"]] == [40]
    assert figures["kills"] == 1
    assert figures["duplicates"] == figures["lost"] == figures["foreign_statements_touched"] == 0
    assert figures["writes_per_edit"] < 1.1
    assert figures["ratio"] > 1
