"""`python -m sandbox`, as people and the development set-up start it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


def start(data: Path, port: int = 0) -> subprocess.Popen[str]:
    """The sandbox in a process of its own."""
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--data", str(data)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


def address(process: subprocess.Popen[str]) -> str:
    """What the ready line says."""
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith("sandbox wiki ready at http://127.0.0.1:"), line
    return line.split()[-1]


def test_it_says_when_it_is_ready_keeps_its_state_and_stops_when_told(tmp_path: Path) -> None:
    first = start(tmp_path)
    try:
        url = address(first)
        move = {"action": "move", "title": "File:1911 Solvay conference.jpg", "to": "File:New.jpg"}
        assert requests.post(f"{url}/_sandbox/page", json=move, timeout=10).status_code == 200
    finally:
        first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=10) == 0
    second = start(tmp_path)
    try:
        url = address(second)
        asked = {
            "action": "query",
            "titles": "File:New.jpg",
            "format": "json",
            "formatversion": "2",
        }
        body = requests.get(f"{url}/commons/w/api.php", params=asked, timeout=10).json()
        assert "missing" not in body["query"]["pages"][0]
    finally:
        second.send_signal(signal.SIGINT)
    assert second.wait(timeout=10) == 0


def test_a_taken_port_gives_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(tmp_path, port)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken. Choose another with --port." in told
    assert "Traceback" not in told
