"""`manage.py run` says what is in its way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings

from bench.system import ROOT, System
from sandbox import RunningSandbox
from wikivisage.management.commands.run import Command, Part
from wikivisage.ops import probes

SAYS = "from wikivisage import settings; print(settings.MODERATORS)"


def start(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATA_DIR": str(folder), "PORT": str(port), "DATABASE_URL": ""}
    environment |= {"REDIS_URL": "", "SANDBOX_PORT": str(port + 1), "SANDBOX_URL": ""}
    return subprocess.run(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.process
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


@pytest.mark.process
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


@pytest.mark.process
@pytest.mark.parametrize(
    ("client", "fault", "says"),
    [
        (
            "nobody",
            None,
            "The wiki does not know the consumer, its secret, or its callback."
            " See OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, SITE_URL and its approval.",
        ),
        (
            "wikivisage-sandbox",
            {"kind": "http", "match": {"path": "/commons/w/rest.php/oauth2"}, "status": 503},
            "The wiki does not answer at {url}/commons/w/rest.php/oauth2/access_token (http-503)."
            " Look whether this machine reaches it, and its status.",
        ),
    ],
    ids=["unknown to the wiki", "not to be found out"],
)
def test_what_is_wrong_with_the_consumer_is_said_at_start(
    client: str, fault: dict[str, Any] | None, says: str, sandbox: RunningSandbox
) -> None:
    """In one line, and the start goes on."""
    if fault:
        requests.post(f"{sandbox.url}/_sandbox/fault", json=fault, timeout=5).raise_for_status()
    settings = {"SANDBOX_URL": sandbox.url, "OAUTH_CLIENT_ID": client}
    with System(environment=settings | {"OAUTH_CLIENT_SECRET": "sandbox-secret"}) as system:
        for _ in range(100):
            lines = [line for line in system.lines if line.startswith("consumer")]
            if lines:
                break
            time.sleep(0.1)
    assert lines == ["consumer " + says.format(url=sandbox.url)]


@pytest.mark.waits
def test_the_start_waits_for_nothing_that_is_said_of_the_consumer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the wiki takes the question and does not answer."""
    answered = threading.Event()

    def consumer() -> probes.Findings:
        answered.wait(30)
        yield probes.Finding("consumer", probes.OK, "All is well.")
        yield probes.Finding("consumer", probes.WARN, "No OAuth consumer is set.", "See it.")

    monkeypatch.setattr(probes, "consumer", consumer)
    monkeypatch.setattr(Command, "wait_for", lambda *_: None)
    monkeypatch.setattr(Command, "start", lambda *_: None)
    settings.OWN_SANDBOX = False
    command = Command(stdout=StringIO())
    command.stopping, command.parts = threading.Event(), [Part("web", "", [])]
    command.demo, command.look_at = False, time.monotonic() + 60
    run = threading.Thread(target=command.supervise)
    run.start()
    try:
        assert appears("ready", command)
        answered.set()
        assert appears("consumer No OAuth consumer is set. See it.\n", command)
        assert "All is well" not in command.stdout.getvalue()
    finally:
        command.stopping.set()
        run.join()


def appears(text: str, command: Any) -> bool:
    """Wait until the command has said this."""
    until = time.monotonic() + 10
    while text not in command.stdout.getvalue() and time.monotonic() < until:
        time.sleep(0.05)
    return text in command.stdout.getvalue()


@pytest.mark.process
def test_a_sandbox_of_its_own_knows_the_consumer() -> None:
    with System() as system:
        assert not [line for line in system.lines if line.startswith("consumer")]


@pytest.mark.process
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
