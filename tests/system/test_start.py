"""`manage.py run` says what is in its way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from bench.system import ROOT, System
from sandbox import RunningSandbox

SAYS = "from wikivisage import settings; print(settings.MODERATORS)"


def start(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATA_DIR": str(folder), "PORT": str(port), "DATABASE_URL": ""}
    environment |= {"REDIS_URL": "", "SANDBOX_PORT": str(port + 1), "SANDBOX_URL": ""}
    return subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_taken_port_is_said_with_a_way_on(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = start(tmp_path, port)
    assert ended.returncode != 0
    assert f"Port {port} is taken by another program." in ended.stderr
    assert f"make run PORT={port + 10}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wiki_that_runs_already_is_used_and_no_other_is_started(
    sandbox: RunningSandbox,
) -> None:
    before = sandbox.world.request_counts.copy()
    with System(environment={"SANDBOX_URL": sandbox.url}) as system:
        assert [line for line in system.lines if line.startswith("wiki")] == [
            f"wiki     uses the one at {sandbox.url}/"
        ]
        assert not [line for line in system.lines if line.startswith(("sandbox", "demo"))]
    assert sandbox.world.request_counts != before


def test_moderators_may_be_nobody(tmp_path: Path) -> None:
    """Set to nothing it does away with the sandbox's own."""
    said = {}
    for name, value in (("unset", None), ("empty", ""), ("one", "Ada")):
        environment = {key: each for key, each in os.environ.items() if key != "MODERATORS"}
        environment |= {"DATA_DIR": str(tmp_path)} | (
            {} if value is None else {"MODERATORS": value}
        )
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SAYS], cwd=ROOT, env=environment,
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        said[name] = told.stdout.strip()
    assert said == {"unset": "['Mona']", "empty": "[]", "one": "['Ada']"}
