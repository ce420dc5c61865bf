"""`manage.py run`: the whole of WikiVisage on one machine, without a server to install.

Starts the sandbox wiki (unless WIKI=commons, or SANDBOX_URL names a wiki that runs already), the
web server and the workers, each a process; starts a part again when it ends by itself, and stops
all of them on Ctrl-C.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from core.user_errors import Refused
from core.work import end_all_leases
from wiki.http import WikiError
from wikivisage.ops import heartbeats, probes
from wikivisage.runtime.parent_death import die_with_parent

LOOKS = 15  # seconds between looks whether a worker hangs
ORPHANS_END = 7  # seconds after which parts whose supervisor was killed have ended


@dataclass
class Part:
    """One process of the system, and what a line says of it."""

    name: str
    does: str
    command: list[str]
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    falls: int = 0
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def said_of_a_full_disk() -> Iterator[None]:
    """Raise CommandError with a sentence where there is no room for what is written."""
    try:
        yield
    except (OSError, DatabaseError) as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        # SQLite maps a file of its log into memory, for which there may be no room either
        if full or any(words in str(error) for words in ("disk is full", "disk I/O error")):
            says = f"There is no room left on the disk of {settings.DATA_DIR}."
            raise CommandError(f"{says} Free some, or set DATA_DIR, and start again.") from error
        raise


class Command(BaseCommand):
    help = "Runs the sandbox wiki, the web server and the workers until Ctrl-C."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="don't make the demo project")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stopping = threading.Event()
        self.look_at = 0.0
        self.demo = settings.OWN_SANDBOX and not options["no_demo"]
        with lock_data():
            refuse_taken_ports()
            with said_of_a_full_disk():
                call_command("migrate", verbosity=0)
                call_command("collectstatic", interactive=False, verbosity=0)
                end_all_leases()  # nobody else works on this data: go on where it stopped
            for name in (signal.SIGINT, signal.SIGTERM):
                signal.signal(name, lambda *_: self.stopping.set())
            self.parts = parts()
            try:
                self.supervise()
            finally:
                self.stop()

    def supervise(self) -> None:
        if settings.WIKI.code == "sandbox" and not settings.OWN_SANDBOX:
            self.say("wiki", f"uses the one at {settings.SANDBOX_URL}/")
            self.wait_for(f"{settings.WIKI.commons_api}?action=query&format=json", None)
        if not settings.OWN_SANDBOX:  # our own wiki knows our consumer
            threading.Thread(target=self.check_consumer, daemon=True).start()
        for part in self.parts:
            self.start(part)
            if part.name == "sandbox":
                self.wait_for(f"{settings.SANDBOX_URL}/_sandbox/", part)
        self.wait_for(f"http://127.0.0.1:{settings.PORT}/health", self.parts[-1])
        if self.demo and not self.stopping.is_set():
            self.make_demo()
        if not self.stopping.is_set():
            self.say("ready", f"open http://127.0.0.1:{settings.PORT}/   (Ctrl-C stops all of it)")
        while not self.stopping.wait(0.5):
            for part in self.parts:
                if part.process and part.process.poll() is not None:
                    self.start_again(part)
            if time.monotonic() > self.look_at:
                self.look_at = time.monotonic() + LOOKS
                self.kill_what_hangs()

    def check_consumer(self) -> None:
        """Say what `manage.py doctor` finds wrong with the OAuth consumer, before the first login
        fails. Runs in a thread of its own: the start does not wait for it."""
        try:
            for finding in probes.run_check(probes.consumer):
                if finding.status != probes.OK:
                    self.say("consumer", f"{finding.says} {finding.do}".rstrip())
        finally:
            connection.close()  # of this thread

    def make_demo(self) -> None:
        """The rest is of use without it, for example for who then makes room on the disk."""
        try:
            with said_of_a_full_disk():
                call_command("demo")
        except (CommandError, DatabaseError, OSError, WikiError, Refused) as error:
            why = error if isinstance(error, CommandError) else type(error).__name__
            self.say("demo", f"is not made: {why} `manage.py demo` makes it later.")

    def kill_what_hangs(self) -> None:
        """With a broker of files the processes of a worker share the locks of one queue: one that
        is killed while it waits for work keeps them, and all others wait for ever. A worker whose
        sign is too old, see wikivisage.ops.heartbeats, is killed, and so started again."""
        try:
            close_old_connections()
            signs = heartbeats.last_seen()
        except DatabaseError:  # another time
            return
        for part in self.parts:
            lived = time.monotonic() - part.started
            sign = signs.get(part.name)
            if part.process is None or sign is None or lived < heartbeats.PATIENCE.total_seconds():
                continue
            if sign < timezone.now() - heartbeats.PATIENCE:
                self.say(part.name, "hangs and is killed")
                with suppress(ProcessLookupError):
                    os.killpg(part.process.pid, signal.SIGKILL)

    def start(self, part: Part) -> None:
        part.started = time.monotonic()
        part.process = subprocess.Popen(
            part.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={"LOCAL_LOGIN": "yes"} | os.environ | {"PYTHONUNBUFFERED": "1"} | part.environment,
            cwd=settings.BASE_DIR,
            start_new_session=True,  # Ctrl-C reaches this process only, which stops them in order
            preexec_fn=die_with_parent,
        )
        threading.Thread(target=self.relay, args=(part, part.process.stdout), daemon=True).start()
        self.say(part.name, part.does)

    def start_again(self, part: Part) -> None:
        """Restart what ended by itself, more and more slowly if it keeps falling."""
        assert part.process
        lived = time.monotonic() - part.started
        part.falls = part.falls + 1 if lived < 30 else 1
        delay = min(2 ** (part.falls - 1), 30)
        code = part.process.returncode
        part.process = None
        self.say(part.name, f"ended (exit {code}); starting it again in {delay} s")
        if not self.stopping.wait(delay):
            self.start(part)

    def relay(self, part: Part, lines: IO[str] | None) -> None:
        for line in lines or ():
            if line.strip():
                self.say(part.name, line.rstrip())

    def wait_for(self, url: str, part: Part | None) -> None:
        """Until `url` answers; says so when the part that should answer ended instead."""
        for _ in range(300):
            if self.stopping.wait(0.1):
                return
            if part and part.process and part.process.poll() is not None:
                raise CommandError(f"{part.name} did not start; its lines above say why.")
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                    return
            except OSError:
                continue
        who = part.name if part else "The wiki of SANDBOX_URL"
        raise CommandError(f"{who} did not answer at {url} within 30 seconds.")

    def stop(self) -> None:
        running = [part for part in self.parts if part.process and part.process.poll() is None]
        self.say("stop", "stopping " + ", ".join(part.name for part in running))
        # The wiki goes last, so that nobody finds it gone in the middle of something.
        self.end([part for part in running if part.name != "sandbox"])
        self.end([part for part in running if part.name == "sandbox"])
        self.say("stop", "all parts have stopped; the data is kept in " + str(settings.DATA_DIR))

    def end(self, running: list[Part]) -> None:
        processes = [(part, part.process) for part in running if part.process]
        for _part, process in processes:
            process.terminate()
        deadline = time.monotonic() + 10
        for part, process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(part.name, "did not end within ten seconds and is killed")
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def say(self, name: str, line: str) -> None:
        self.stdout.write(f"{name:<8} {line}")
        self.stdout.flush()


def lock_data() -> IO[str]:
    """Hold the data folder: two runs on the same data would be two of every worker."""
    lock = open(settings.DATA_DIR / "run.lock", "w")  # noqa: SIM115 - held while running
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            f"WikiVisage is already running on the data in {settings.DATA_DIR}. "
            "Stop it first, or choose another folder: make run DATA_DIR=/some/where"
        ) from None
    return lock


def refuse_taken_ports() -> None:
    ports = {"PORT": settings.PORT}
    if settings.OWN_SANDBOX:
        ports["SANDBOX_PORT"] = settings.SANDBOX_PORT
    for name, port in ports.items():
        # Parts of a run that was killed a moment ago may still be on their way out.
        until = time.monotonic() + ORPHANS_END
        while is_taken(port):
            if time.monotonic() > until:
                raise CommandError(
                    f"Port {port} is taken by another program. "
                    f"Choose another one: make run {name}={port + 10}"
                )
            time.sleep(0.25)


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def parts() -> list[Part]:
    python = sys.executable
    found = []
    if settings.OWN_SANDBOX:
        found.append(
            Part(
                "sandbox",
                f"a pretend Wikimedia at {settings.SANDBOX_URL}/",
                [python, "-m", "sandbox", "--port", str(settings.SANDBOX_PORT)]
                + ["--data", str(settings.DATA_DIR / "sandbox")],
            )
        )
    found += [
        worker("crawl", "reads the lists of photos", 1),
        worker("detect", "finds and embeds faces", settings.DETECT_PROCESSES),
        worker("infer", "learns from answers, prepares questions", 1),
        worker("write", "sends statements, reads what is known, tidies up", 2, beat=True),
        Part(
            "web",
            f"serves pages at http://127.0.0.1:{settings.PORT}/",
            [python, "-m", "gunicorn", "wikivisage.wsgi", "--bind", f"127.0.0.1:{settings.PORT}"]
            + ["--workers", "2", "--threads", "8", "--log-level", "warning", "--timeout", "60"]
            + ["--graceful-timeout", str(ORPHANS_END - 2)],
        ),
    ]
    return found


def worker(queue: str, does: str, processes: int, beat: bool = False) -> Part:
    queues = "write,default" if beat else queue
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "celery_app", "worker"]
    command += ["-Q", queues, "-n", f"{queue}@%h", "-P", "prefork", "-c", str(processes)]
    command += ["--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    if beat:
        command += ["-B"]
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return Part(queue, does, command, environment=one_thread)
