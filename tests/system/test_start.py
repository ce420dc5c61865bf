"""`manage.py run` says what is in its way, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import requests

from bench.system import ROOT, System


def start(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATA_DIR": str(folder), "PORT": str(port), "DATABASE_URL": ""}
    environment |= {"REDIS_URL": "", "SANDBOX_PORT": str(port + 1), "SANDBOX_URL": ""}
    return subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def lives(process: psutil.Process) -> bool:
    """Whether it still does anything; who reaps a dead grandchild is not our business."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


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


def test_it_starts_stops_at_ctrl_c_and_starts_again_with_its_data() -> None:
    with System(demo=True) as system:
        second = start(Path(system.folder.name), system.port)
        assert "already running on the data" in second.stderr
        demo = requests.get(f"{system.url}/projects", timeout=10).text
        assert "Albert Einstein" in demo
        children = psutil.Process(system.process.pid).children(recursive=True)
        assert len(children) >= 6, "sandbox, web and four workers"

        system.process.send_signal(signal.SIGINT)
        system.process.wait(20)
        assert not [child for child in children if lives(child)]

        system.start()
        assert "Albert Einstein" in requests.get(f"{system.url}/projects", timeout=10).text
