"""Runs the whole system on fresh data and free ports, as `make run` does."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parent.parent


class System:
    """`with System() as system:` — the web server at `.url`, the sandbox wiki at `.wiki`."""

    def __init__(self, *, demo: bool = False, environment: dict[str, str] | None = None) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="wikivisage-")
        self.port, self.sandbox_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.wiki = f"http://127.0.0.1:{self.sandbox_port}"
        self.lines: list[str] = []
        self._command = [sys.executable, "manage.py", "run"] + ([] if demo else ["--no-demo"])
        self.environment = os.environ | {
            "WIKI": "sandbox",
            "DATA_DIR": self.folder.name,
            "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            **(environment or {}),
        }
        for name in ("SANDBOX_URL", "SITE_URL", "SECRET_KEY", "SEALING_KEYS"):
            if name not in (environment or {}):
                self.environment.pop(name, None)

    def __enter__(self) -> Self:
        self.start()
        return self

    def start(self) -> None:
        ready = threading.Event()
        self.lines.clear()
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

        def read() -> None:
            for line in self.process.stdout or ():
                self.lines.append(line.rstrip())
                if line.startswith("ready"):
                    ready.set()
            ready.set()

        threading.Thread(target=read, daemon=True).start()
        if not ready.wait(120) or not any(line.startswith("ready") for line in self.lines):
            raise RuntimeError("the system did not start:\n" + "\n".join(self.lines[-30:]))

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    @contextmanager
    def wiki_alone(self) -> Iterator[None]:
        """The sandbox wiki with the same data, and nothing else."""
        command = [sys.executable, "-m", "sandbox", "--port", str(self.sandbox_port)]
        command += ["--data", str(Path(self.folder.name) / "sandbox")]
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE)
        try:
            assert process.stdout
            assert b"ready" in process.stdout.readline()
            yield
        finally:
            process.terminate()
            process.wait(30)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if error:
            print("\n".join(self.lines[-100:]), file=sys.stderr)
        self.folder.cleanup()


def free_ports(number: int) -> list[int]:
    """Ports of this machine that nobody listens on now, below those that the system gives to
    outgoing connections: none of these takes one before it is used."""
    found: set[int] = set()
    while len(found) < number:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)
