"""`manage.py run` says what is in its way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from bench.system import ROOT


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
