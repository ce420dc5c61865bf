"""TLS to the database: with a file of certificates nobody but the server of that name is taken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError

from tests.environment import free_port
from wikivisage.settings import _database

pytestmark = pytest.mark.process

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


@dataclass
class Server:
    """A MariaDB of its own, whose certificate is for 127.0.0.1 by an authority of its own."""

    folder: Path
    port: int

    def url(self, authority: str, host: str = "127.0.0.1") -> str:
        query = f"?ssl_ca={self.folder}/{authority}.pem" if authority else ""
        return f"mysql://wv:secret@{host}:{self.port}/wv{query}"

    def cipher(self, url: str) -> str:
        """By which a connection of Django's is encrypted. Raises OperationalError."""
        from django.db.backends.mysql.base import DatabaseWrapper

        defaults = settings.DATABASES["default"] | {"TIME_ZONE": None, "AUTOCOMMIT": True}
        wrapper: Any = DatabaseWrapper(defaults | _database(url), "tls")
        try:
            with wrapper.cursor() as cursor:
                cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
                return str(cursor.fetchone()[1])
        finally:
            wrapper.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("MySQLdb")
    programs = ("mariadbd", "mariadb-install-db", "openssl")
    if not all(map(shutil.which, programs)):
        pytest.skip(f"not installed: {', '.join(programs)}")
    made = Server(tmp_path_factory.mktemp("tls"), free_port())
    make_certificates(made.folder)
    store = made.folder / "store"
    own = ["--no-defaults", f"--datadir={store}", *(["--user=root"] if os.geteuid() == 0 else [])]
    install = ["mariadb-install-db", *own, "--skip-test-db"]
    run(made.folder, *install, "--auth-root-authentication-method=normal")
    first = made.folder / "first.sql"
    first.write_text(
        "CREATE DATABASE wv CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;\n"
        "CREATE USER wv IDENTIFIED BY 'secret';\nGRANT ALL ON wv.* TO wv;\n"
    )
    process = subprocess.Popen(
        ["mariadbd", *own, f"--port={made.port}", f"--socket={made.folder}/socket"]
        + [f"--pid-file={made.folder}/pid", "--bind-address=127.0.0.1,127.0.0.2"]
        + [f"--ssl-{each}={made.folder}/{file}.pem" for each, file in
           (("ca", "ours"), ("cert", "server"), ("key", "server-key"))]
        + [f"--init-file={first}", "--innodb-buffer-pool-size=16M", "--skip-log-bin"]
        + ["--skip-name-resolve"],
        stdout=subprocess.DEVNULL, stderr=(made.folder / "log").open("w"),
    )  # fmt: skip
    try:
        while "ready for connections" not in (made.folder / "log").read_text():
            assert process.poll() is None, (made.folder / "log").read_text()
            time.sleep(0.1)
        yield made
    finally:
        process.kill()
        process.wait()


def make_certificates(folder: Path) -> None:
    """Two authorities, ours and another, and the server's certificate by ours."""
    for name in ("ours", "other"):
        run(folder, "openssl", "req", "-x509", *CURVE, "-subj", f"/CN={name}",
            "-keyout", f"{name}-key.pem", "-out", f"{name}.pem")  # fmt: skip
    run(folder, "openssl", "req", "-x509", *CURVE, "-subj", "/CN=database",
        "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
        "-CA", "ours.pem", "-CAkey", "ours-key.pem",
        "-keyout", "server-key.pem", "-out", "server.pem")  # fmt: skip


def run(folder: Path, *command: str) -> None:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_the_right_authority_encrypts_and_another_is_refused(
    server: Server, django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock():
        assert server.cipher(server.url("ours")).startswith("TLS_")
        for url in (server.url("other"), server.url("ours", host="127.0.0.2")):
            with pytest.raises(OperationalError) as refused:
                server.cipher(url)
            assert refused.value.args[0] == 2026
        assert server.cipher(server.url("")) == "", "without it nothing is encrypted"


@pytest.mark.parametrize(("authority", "works"), [("ours", True), ("other", False), ("", True)])
def test_a_backup_checks_the_server_as_well(
    server: Server, tmp_path: Path, authority: str, works: bool
) -> None:
    target = tmp_path / "backup.gz"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "backup", str(target), "--skip-checks"],
        cwd=settings.BASE_DIR, env=os.environ | {"DATABASE_URL": server.url(authority)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (ran.returncode == 0) == works == target.exists(), ran.stderr
    assert "Traceback" not in ran.stderr
    if works:
        assert ran.stderr == "", "cron would mail it each night"
    else:
        assert "certificate" in ran.stderr
