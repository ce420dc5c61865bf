"""The production shape on this machine: web, a worker a queue, beat, MariaDB, Redis, a wiki.

Each part is a process of its own that a supervisor starts again when it ends, as
`restart: unless-stopped` does. The folder of data is a small disk of its own where that may be
mounted, so that it can be filled.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.system import ROOT, free_ports

QUEUES = ("crawl", "detect", "infer", "write", "default")
DISK_MB = 64
LEASES = 20  # percent of their usual length, so that little is waited for
PATIENCE = 90  # seconds until a part must be there
AGAIN = 0.5  # seconds after which what ended is started again
SHUTDOWN = 10  # seconds within which each part ends after SIGTERM on a quiet machine,
GIVEN = 30  # and those after which it is killed here


@dataclass
class Part:
    name: str
    command: list[str]
    is_there: Callable[[], bool]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    wanted: bool = False

    @property
    def alive(self) -> list[subprocess.Popen[bytes]]:
        return [each for each in self.processes if each.poll() is None]


class System:
    """`with System() as system:`; its web server is at `.url`, its wiki at `.wiki`."""

    def __init__(self) -> None:
        self._temporary = TemporaryDirectory(prefix="wikivisage-chaos-")
        self.folder = Path(self._temporary.name)
        self.data, self.orders = self.folder / "data", self.folder / "faults"
        for each in (self.data, self.orders, self.folder / "redis"):
            each.mkdir()
        self.has_small_disk = mount(self.data)
        web, wiki, database, broker = free_ports(4)
        self.web_port = web
        self.url, self.wiki = f"http://127.0.0.1:{web}", f"http://127.0.0.1:{wiki}"
        self.broker_port = broker
        self.log = open(self.folder / "log", "wb")  # noqa: SIM115 - as long as the processes
        self.environment = os.environ | {
            "WIKI": "sandbox",
            "DATA_DIR": str(self.data),
            "PORT": str(web),
            "SANDBOX_PORT": str(wiki),
            "SANDBOX_URL": self.wiki,
            "DATABASE_URL": f"mysql://root@127.0.0.1:{database}/chaos",
            "REDIS_URL": f"redis://127.0.0.1:{broker}/0",
            "SECRET_KEY": "chaos",
            "SEALING_KEYS": "1:Y2hhb3MgaXMgc2VhbGVkIHdpdGggMzItYnl0ZSBrZXk=",
            "EDITS_A_MINUTE": "6000",
            "FIRST_BATCH": "0",
            "PICTURE_SECONDS": "10",
            "LEASE_PERCENT": str(LEASES),
            "LOG_LEVEL": "WARNING",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "WIKIVISAGE_FAULTS": str(self.orders),
            "DJANGO_SETTINGS_MODULE": "wikivisage.settings",
        }
        self.environment.pop("SITE_URL", None)
        self.parts = {part.name: part for part in self._parts(web, wiki, database, broker)}
        self._stopping = threading.Event()
        self._busy: set[str] = set()  # parts that a fault holds: the supervisor leaves them alone

    def _parts(self, web: int, wiki: int, database: int, broker: int) -> Iterator[Part]:
        python = sys.executable
        store = self.folder / "mariadb"
        yield Part(
            "database",
            ["mariadbd", "--no-defaults", f"--datadir={store}", f"--port={database}"]
            + ["--bind-address=127.0.0.1", f"--socket={self.folder}/mariadb.sock"]
            + [f"--pid-file={self.folder}/mariadb.pid", "--skip-log-bin"]
            + ["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M"]
            + ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_nopad_bin"]
            + (["--user=root"] if os.geteuid() == 0 else []),
            lambda: listens(database),
        )
        yield Part(
            "broker",
            ["redis-server", "--port", str(broker), "--bind", "127.0.0.1", "--save", ""]
            + ["--appendonly", "no", "--dir", str(self.folder / "redis")],
            lambda: listens(broker),
        )
        sandbox = [python, "-m", "sandbox", "--port", str(wiki)]
        yield Part(
            "wiki", [*sandbox, "--data", str(self.folder / "sandbox")], lambda: listens(wiki)
        )
        yield Part(
            "web",
            [python, "-m", "gunicorn", "wikivisage.wsgi", "--bind", f"127.0.0.1:{web}"]
            + ["--workers", "2", "--threads", "4", "--log-level", "error", "--reuse-port"]
            + ["--timeout", "60", "--graceful-timeout", "5"],
            lambda: listens(web),
        )
        celery = [python, "-m", "celery", "--quiet", "-A", "celery_app"]
        for queue in QUEUES:
            yield Part(
                queue,
                [*celery, "worker", "-Q", queue, "-n", f"{queue}-%%@%h", "-c", "2"]
                + ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"],
                lambda queue=queue: len(self.processes(queue)) > 2,  # type: ignore[misc]
            )
        yield Part(
            "beat",
            [*celery, "beat", "--loglevel", "WARNING", "--schedule", str(self.folder / "beat-%%")],
            lambda: True,
        )

    def __enter__(self) -> System:
        """Only the wiki's folder must be filled before."""
        install = ["mariadb-install-db", "--no-defaults", "--skip-test-db"]
        install += [f"--datadir={self.folder}/mariadb", "--auth-root-authentication-method=normal"]
        install += ["--user=root"] if os.geteuid() == 0 else []
        try:
            if subprocess.run(install, check=False, stdout=self.log, stderr=self.log).returncode:
                raise RuntimeError(f"no database could be made:\n{self.tail()}")
            for name in ("database", "broker", "wiki"):
                self.start(name)
            self.sql("CREATE DATABASE chaos COLLATE utf8mb4_nopad_bin")
            for command in ("migrate", "collectstatic --no-input"):
                self.manage(*command.split())
            for name in ("web", *QUEUES, "beat"):
                self.start(name, wait=False)
            for name in ("web", *QUEUES):
                self.wait_for(name)
        except BaseException:
            self.stop()
            raise
        threading.Thread(target=self._supervise, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._stopping.set()
        for part in reversed(self.parts.values()):
            for process in part.alive:
                kill_all_of(process.pid)
                process.wait()
        self.log.close()
        if self.has_small_disk:
            subprocess.run(["umount", "--lazy", str(self.data)], check=False)
        self._temporary.cleanup()

    # Processes ------------------------------------------------------------------------------

    def start(self, name: str, *, wait: bool = True) -> subprocess.Popen[bytes]:
        """One more process of that part."""
        part = self.parts[name]
        number = f"{len(part.processes)}"
        process = subprocess.Popen(
            [word.replace("%%", number) for word in part.command],
            cwd=ROOT, env=self.environment, stdout=self.log, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip
        part.processes.append(process)
        part.wanted = True
        if wait:
            self.wait_for(name)
        return process

    def wait_for(self, name: str) -> None:
        until = time.monotonic() + PATIENCE
        while not self.parts[name].is_there():
            if time.monotonic() > until:
                raise RuntimeError(f"{name} is not there\n{self.tail()}")
            time.sleep(0.1)

    def _supervise(self) -> None:
        while not self._stopping.wait(AGAIN):
            for part in self.parts.values():
                if part.wanted and part.name not in self._busy and not part.alive:
                    self.start(part.name, wait=False)

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """What happens to this part meanwhile is not the supervisor's business."""
        self._busy.add(name)
        try:
            yield
        finally:
            self._busy.discard(name)

    def kill(self, name: str) -> None:
        """SIGKILL to the whole part, as when the machine's memory ends."""
        for process in self.parts[name].alive:
            kill_all_of(process.pid)
            process.wait()

    def terminate(self, process: subprocess.Popen[bytes]) -> float:
        """SIGTERM; the seconds until it ended. What takes too long is killed."""
        began = time.monotonic()
        process.terminate()
        try:
            process.wait(GIVEN)
        except subprocess.TimeoutExpired:
            kill_all_of(process.pid)
            process.wait()
        return time.monotonic() - began

    def processes(self, name: str) -> list[psutil.Process]:
        found = []
        for process in self.parts[name].alive:
            with suppress(psutil.Error):
                parent = psutil.Process(process.pid)
                found += [parent, *parent.children(recursive=True)]
        return found

    # The rest -------------------------------------------------------------------------------

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *arguments],
            cwd=ROOT, env=self.environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=self.log,
        )  # fmt: skip

    def sql(self, statement: str) -> None:
        client = ["mariadb", "--no-defaults", "-u", "root", f"--socket={self.folder}/mariadb.sock"]
        subprocess.run([*client, "-e", statement], check=True, stdout=self.log, stderr=self.log)

    def tail(self, lines: int = 60) -> str:
        text = (self.folder / "log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def kill_all_of(pid: int) -> None:
    """The parent first, so that it starts no children anew."""
    with suppress(psutil.Error):
        children = psutil.Process(pid).children(recursive=True)
        for victim in [psutil.Process(pid), *children]:
            with suppress(psutil.Error):
                victim.kill()


def mount(folder: Path, megabytes: int = DISK_MB) -> bool:
    """Mount a small disk at the folder; return False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "chaos", str(folder)]
    ended = subprocess.run(command, capture_output=True, check=False)
    return ended.returncode == 0


def in_own_namespace(module: str) -> None:
    """Run this module again where it may mount, and where what it mounts ends with it."""
    if os.environ.get("CHAOS_INSIDE"):
        return
    way = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    probe = subprocess.run([*way, "true"], capture_output=True, check=False)
    if probe.returncode == 0:
        os.environ["CHAOS_INSIDE"] = "yes"
        command = [*way, sys.executable, "-W", "ignore", "-m", module, *sys.argv[1:]]
        os.execvp(command[0], command)
