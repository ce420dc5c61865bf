"""Secrets are in no log, page, mail, message or row, whatever goes wrong."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from django.conf import settings

pytestmark = pytest.mark.process

KEY = b"canary-of-the-sealing-key-32-byt"
SECRETS = {
    "SECRET_KEY": "canary-secret-key",
    "SECRET_KEY_FALLBACKS": "canary-older-secret-key",
    "SEALING_KEYS": f"1:{base64.b64encode(KEY).decode()}",
    "OAUTH_CLIENT_ID": "wikivisage-sandbox",
    "OAUTH_CLIENT_SECRET": "canary-client-secret",
    "REDIS_URL": "redis://:canary-redis-password@127.0.0.1:1/0",
    "METRICS_TOKEN": "canary-metrics-token",
}
CANARIES = {
    "secret key": "canary-secret-key",
    "older secret key": "canary-older-secret-key",
    "sealing key": base64.b64encode(KEY).decode(),
    "sealing key, open": KEY.decode(),
    "client secret": "canary-client-secret",
    "password of Redis": "canary-redis-password",
    "token of metrics": "canary-metrics-token",
    "password of the database": "canary-database-password",
    "access token": "canary-access-token",
    "refresh token": "canary-refresh-token",
    "token of an edit": "canary-csrf-token",
    "code of a login": "canary-oauth-code",
    "a variable of a task": "canary-of-a-variable",
}


class Echo(BaseHTTPRequestHandler):
    """A wiki that tells everybody what it was told, in every shape that an error may have."""

    mode: Path

    def answer(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        told = f"{self.path} {dict(self.headers)} {sent}"
        mode = self.mode.read_text() if self.mode.exists() else "error"
        if mode == "cut":
            self.close_connection = True
            return
        error = {"code": "internal-error", "text": told, "info": told}
        body = json.dumps({"errors": [error], "error": error, "error_description": told})
        self.send_response(500 if mode == "500" else 200, "told")
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Told", quote(told)[:2000])
        self.end_headers()
        self.wfile.write((told if mode == "nonsense" else body).encode())

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_args: object) -> None:
        """Of no interest."""


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[str]:
    handler = type("Handler", (Echo,), {"mode": tmp_path / "mode"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def _run(folder: Path, *command: str, until: str = "", **environment: str) -> str:
    """What a process printed; one that goes on is ended once it has said `until`."""
    told = folder / "told.log"
    with told.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *command],
            cwd=settings.BASE_DIR,
            env=os.environ
            | SECRETS
            | {"DATA_DIR": str(folder), "LOG_LEVEL": "DEBUG"}
            | environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + 100
        while process.poll() is None and time.monotonic() < end:
            if until and until in told.read_text(errors="replace"):
                break
            time.sleep(0.1)
        process.kill()
        process.wait()
    text = told.read_text(errors="replace")
    told.unlink()
    return text


def _refuse_leaks(text: str, canaries: dict[str, str]) -> None:
    """Plain ones, in base64, and as in an address; says what stands before each."""
    seen = []
    for name, canary in canaries.items():
        plain = canary.encode("utf-8", "replace")
        for shape in {canary, quote(canary), base64.b64encode(plain).decode()[:-4]}:
            if shape in text:
                at = text.index(shape)
                seen.append(f"{name}: …{text[max(0, at - 300) : at + len(shape)]}")
    assert not seen, "\n\n".join(seen)


def _files(folder: Path) -> str:
    """All that was written beside the database, but for the keys themselves."""
    kept = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".key"]
    named = [path for path in kept if path.name not in ("canaries.json", "mode")]
    databases = [path for path in named if "sqlite3" in path.name]
    return "\n".join(p.read_bytes().decode("latin-1") for p in named if p not in databases)


def test_no_secret_leaks_when_everything_goes_wrong(
    shared_database: str, echo: str, tmp_path: Path
) -> None:
    told = _run(tmp_path, "-m", "tests.security.canary", str(tmp_path), SANDBOX_URL=echo)
    assert "all steps were taken" in told, told[-3000:]
    for proof in ("Internal Server Error", "canary.raises", "plainly: WikiError", "refreshed:"):
        assert proof in told, f"nothing was provoked: {proof}"
    canaries = CANARIES | json.loads((tmp_path / "canaries.json").read_text())
    assert len(canaries) >= 17
    # a form's answer bears the session's cookie, as it must
    shown = "\n".join(line for line in told.splitlines() if "Set-Cookie" not in line)
    _refuse_leaks(shown, canaries)
    _refuse_leaks(_files(tmp_path), canaries)


def test_nor_when_database_and_broker_are_down(tmp_path: Path, echo: str) -> None:
    pytest.importorskip("MySQLdb")  # the extra [mariadb]
    database = "mysql://someone:canary-database-password@127.0.0.1:1/wikivisage"
    worker = ("-m", "celery", "-A", "celery_app", "worker", "-Q", "crawl", "-P", "solo")
    told = _run(tmp_path, *worker, until="Cannot connect", SANDBOX_URL=echo, DATABASE_URL=database)
    assert "Cannot connect" in told
    told += _run(tmp_path, "manage.py", "migrate", SANDBOX_URL=echo, DATABASE_URL=database)
    assert "Error" in told
    _refuse_leaks(told, CANARIES)
    _refuse_leaks(_files(tmp_path), CANARIES)
