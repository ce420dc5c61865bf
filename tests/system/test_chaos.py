"""`make chaos` in its short form: the production shape, ten faults, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from bench.system import ROOT

pytestmark = pytest.mark.process

SERVERS = ("mariadbd", "mariadb-install-db", "redis-server")


@pytest.mark.timeout(400)
def test_ten_kinds_of_faults_lose_nothing_and_double_nothing() -> None:
    if missing := [name for name in SERVERS if shutil.which(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    pytest.importorskip("MySQLdb")
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.chaos"],
        cwd=ROOT,
        env=os.environ | {"QUICK": "1", "SEED": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-6000:] + ended.stdout[-2000:]
    figures = json.loads(ended.stdout.splitlines()[-1])
    assert figures["faults"] == figures["kinds"] >= 9  # a full disk needs a namespace
    lost = ("answers_lost", "photos_lost", "claims_lost", "duplicate_edits", "stuck")
    failed = ("server_errors", "unanswered")
    assert {name: figures[name] for name in (*lost, *failed)} == dict.fromkeys((*lost, *failed), 0)
