"""`make bench-write` in its short form: the real system, with faults and a killed worker."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bench.system import ROOT

pytestmark = pytest.mark.process


@pytest.mark.timeout(300)
def test_the_short_benchmark_of_writing_loses_and_doubles_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.writing"],
        cwd=ROOT,
        env=os.environ | {"QUICK": "1", "RUNS": "2", "DATABASE_URL": "", "REDIS_URL": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    figures = json.loads(ended.stdout.splitlines()[-1])
    assert [run["edits"] for run in figures["runs"]] == [40]
    assert figures["kills"] == 1
    assert figures["duplicates"] == figures["lost"] == figures["foreign_statements_touched"] == 0
    assert figures["writes_per_edit"] < 1.1
    assert figures["ratio"] > 1
