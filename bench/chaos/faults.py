"""The kinds of faults. Each is done to the running system, and says which step must go on after
it; the moment at which it returns is the end of the fault."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from dataclasses import dataclass

import psutil
import redis
import requests

from bench.chaos.abuse import Abuser
from bench.chaos.first_start import start_on_full_disk
from bench.chaos.outsiders import (
    ANSWERED,
    GARBAGE,
    NO_METADATA,
    ODD_METADATA,
    SLOW_CLIENTS,
    outlast_slow_clients,
    push_unreadable,
)
from bench.chaos.system import QUEUES, System
from bench.chaos.work import PEOPLE

# Points of core.crash_points by the part that passes them.
POINTS = {
    "crawl": ("crawl:taken", "crawl:read", "crawl:before-commit", "crawl:after-commit"),
    "detect": (
        "detect:taken",
        "detect:downloaded",
        "detect:before-commit",
        "detect:after-commit",
    ),
    "infer": (
        "infer:before-work",
        "infer:questions-prepared",
        "infer:before-commit",
        "infer:after-commit",
    ),
    "write": (
        "write:before-call",
        "write:after-call",
        "write:after-commit",
        "undo:before-call",
        "undo:after-call",
        "undo:after-commit",
        "tokens:before-save",
    ),
}
STEPS = tuple(POINTS)
# Seconds after which a frozen process has lost what it held: its lease, shortened, and a bit.
PAST_LEASE = {"crawl": 13, "detect": 9, "infer": 13, "write": 10}
API = {"path": "/commons/w/api.php"}
ABUSER = "Tomás R."
ON_DISKS = ("disk full", "disk full at first start")
PASSED = 25  # seconds within which somebody passes a point, or the fault didn't happen


class DidNotHappen(Exception):
    """Nobody came by; it is not counted."""


@dataclass
class Done:
    what: str
    step: str  # that must go on
    seconds: float = 0.0  # that the slowest took to end after its SIGTERM


class Faults:
    """Each returns what was done."""

    def __init__(self, system: System, *, whole: bool = False) -> None:
        self.system, self.whole = system, whole  # each deploy is of everything
        self.rng = random.Random(0)
        self.control = f"{system.wiki}/_sandbox"
        self.abuser = Abuser(system.url, ABUSER)
        self.unanswered: list[str] = []  # where the web server did not answer in time
        self.abused = ""  # the address of the project whose buttons somebody abuses
        # One of these at a time: a frozen process can't end, a rule of the wiki is cleared.
        names = (*system.parts, *sum(POINTS.values(), ()), "abuser", "first start", "slow clients")
        self.alone = {name: threading.Lock() for name in names}

    def do(self, kind: str, rng: random.Random) -> Done:
        """Raises DidNotHappen, and requests' own errors where the wiki is away."""
        mine = copy(self)
        mine.rng = rng
        return KINDS[kind](mine)

    @property
    def kinds(self) -> list[str]:
        """Those that can be done on this machine."""
        return [kind for kind in KINDS if kind not in ON_DISKS or self.system.has_small_disk]

    # Processes --------------------------------------------------------------------------------

    def kill_at_a_point(self) -> Done:
        step = self.rng.choice(STEPS)
        point = self.rng.choice(POINTS[step])
        with self._ordered(point, "SIGKILL"):
            pass
        return Done(point, step)

    def kill_a_process(self) -> Done:
        part = self.rng.choice(("web", *QUEUES, "beat"))
        if part in QUEUES and self.rng.random() < 0.5:  # only one that works, not their parent
            children = self.system.processes(part)[1:]
            if children:
                self.rng.choice(children).kill()
                return Done(f"{part}, one process", part)
        self.system.kill(part)
        return Done(part, part)

    def freeze_past_the_lease(self) -> Done:
        step = self.rng.choice(STEPS)
        point = self.rng.choice([each for each in POINTS[step] if "tokens" not in each])
        with self.alone[step]:
            with self._ordered(point, "SIGSTOP"):
                time.sleep(PAST_LEASE[step])
            go_on(self.system.processes(step))
        return Done(point, step)

    def freeze_the_web_server(self) -> Done:
        with self.alone["web"]:
            frozen = self.system.processes("web")
            for process in frozen:
                with suppress(psutil.Error):
                    process.suspend()
            time.sleep(self.rng.uniform(2, 5))
            go_on(frozen)
        return Done("web", "web")

    def two_beats(self) -> Done:
        second = self.system.start("beat")
        time.sleep(6)
        return Done("beat", "beat", self.system.terminate(second))

    def two_workers(self) -> Done:
        queue = self.rng.choice(QUEUES)
        second = self._second(queue)
        time.sleep(4)
        with self.alone[queue]:
            seconds = self.system.terminate(second)
        return Done(queue, queue, seconds)

    def deploy(self) -> Done:
        """The new processes are there before the old ones get their SIGTERM: of one part, or now
        and then of all."""
        every = ("web", *QUEUES, "beat")
        parts = every if self.whole or self.rng.random() < 0.1 else (self.rng.choice(every),)
        with ExitStack() as locks:
            for part in sorted(parts):
                locks.enter_context(self.alone[part])
            old = [process for part in parts for process in self.system.parts[part].alive]
            new = [self.system.start(part, wait=False) for part in parts]
            for process, part in zip(new, parts, strict=True):
                self._until_there(process, part)
            with ThreadPoolExecutor(len(old)) as pool:
                seconds = list(pool.map(self.system.terminate, old))
        what = parts[0] if len(parts) == 1 else "everything"
        return Done(what, self.rng.choice(parts), max(seconds))

    def _second(self, part: str) -> subprocess.Popen[bytes]:
        """One more, once it is there."""
        second = self.system.start(part)
        self._until_there(second, part)
        return second

    def _until_there(self, process: subprocess.Popen[bytes], part: str) -> None:
        """Its two children are."""
        until = time.monotonic() + (0 if part == "beat" else 90)
        while time.monotonic() < until:
            with suppress(psutil.Error):
                if len(psutil.Process(process.pid).children()) >= 2:
                    break
            time.sleep(0.1)
        time.sleep(1)

    # What they stand on -----------------------------------------------------------------------

    def kill_the_database(self) -> Done:
        with self.alone["database"], self.system.held("database"):
            self.system.kill("database")
            time.sleep(self.rng.uniform(0, 3))
            self.system.start("database")
        return Done("SIGKILL", self.rng.choice(("web", *STEPS)))

    def restart_the_database(self) -> Done:
        with self.alone["database"], self.system.held("database"):
            for process in self.system.parts["database"].alive:
                self.system.terminate(process)
            self.system.start("database")
        return Done("SIGTERM", self.rng.choice(("web", *STEPS)))

    def freeze_the_database(self) -> Done:
        """For longer than the web server waits for an answer."""
        with self.alone["database"]:
            frozen = self.system.processes("database")
            for process in frozen:
                process.suspend()
            time.sleep(self.rng.uniform(12, 16))
            go_on(frozen)
        return Done("SIGSTOP", self.rng.choice(("web", *STEPS)))

    def restart_the_broker(self) -> Done:
        hard = self.rng.random() < 0.5
        with self.alone["broker"], self.system.held("broker"):
            for process in self.system.parts["broker"].alive:
                if hard:
                    self.system.kill("broker")
                else:
                    self.system.terminate(process)
            time.sleep(self.rng.uniform(0, 3))
            self.system.start("broker")
        return Done("SIGKILL" if hard else "SIGTERM", self.rng.choice(("web", *STEPS)))

    def empty_the_broker(self) -> Done:
        with suppress(redis.RedisError):
            redis.Redis(port=self.system.broker_port).flushall()
        return Done("FLUSHALL", self.rng.choice(("web", *STEPS)))

    def disk_full(self) -> Done:
        block = self.system.data / f"full-{uuid.uuid4()}"
        try:
            with suppress(OSError), open(block, "wb", buffering=0) as file:
                while True:
                    file.write(bytes(65536))
            time.sleep(self.rng.uniform(3, 6))
        finally:
            block.unlink()
        return Done("ENOSPC", self.rng.choice(STEPS))

    def disk_full_at_first_start(self) -> Done:
        megabytes = self.rng.randint(1, 40)
        with self.alone["first start"]:
            start_on_full_disk(megabytes)
        return Done(f"{megabytes} MB", "web")

    # Outsiders --------------------------------------------------------------------------------

    def unreadable_messages(self) -> Done:
        try:
            number = push_unreadable(self.system.broker_port)
        except redis.RedisError as error:
            raise DidNotHappen("unreadable messages") from error
        return Done(f"{number} messages", self.rng.choice(STEPS))

    def slow_clients(self) -> Done:
        with self.alone["slow clients"]:
            seconds = outlast_slow_clients(self.system.url, SLOW_CLIENTS)
        if seconds is None:
            self.unanswered.append(f"no answer in {ANSWERED} s beside slow clients")
            return Done("no answer", "web")
        return Done(f"{SLOW_CLIENTS} connections, others answered in {seconds:.0f} s", "web")

    def member_abuses_every_button(self) -> Done:
        with self.alone["abuser"]:
            presses = self.abuser.press_everything(self.abused, self.rng)
        if not presses:
            raise DidNotHappen("abuse")
        return Done(f"{presses} presses, {len(self.abuser.pressed)} addresses so far", "web")

    # The wiki ---------------------------------------------------------------------------------

    def the_wiki_lags(self) -> Done:
        self._wiki("maxlag", times=self.rng.randint(1, 3), retry_after=1)
        return Done("maxlag", "write")

    def the_wiki_refuses(self) -> Done:
        how = self.rng.choice(("429", "503", "ratelimited", "abusefilter", "readonly"))
        if how in ("429", "503"):
            self._wiki("http", status=int(how), retry_after=1, times=2, match=API)
        else:
            self._wiki(how, times=1)
        return Done(how, "write")

    def the_wiki_cuts(self) -> Done:
        how = self.rng.choice(("cut-after-effect", "cut-after-effect", "cut-before"))
        self._wiki(how, times=1, match={"action": self._edit()})
        return Done(how, "write")

    def the_wiki_lies(self) -> Done:
        if self.rng.random() < 0.5:
            self._wiki("patched", times=1, match={"action": "wbsetclaim"})
            return Done("patched", "write")
        self._wiki("http", status=200, times=1, match={"action": self._edit()})
        return Done("200 with nonsense", "write")

    def wiki_answers_garbage(self) -> Done:
        if self.rng.random() < 0.5:
            return self._one_file_is_odd()
        body, times = self.rng.choice(GARBAGE), self.rng.randint(1, 3)
        self._wiki("body", body=body, times=times, match=API)
        return Done(repr(body[:30]), self.rng.choice(("crawl", "write")))

    def _one_file_is_odd(self) -> Done:
        """In lists of files, those without a description; the files beside them are as ever."""
        odd = f'"extmetadata":{self.rng.choice(ODD_METADATA)}'
        match = API | {"having": "prop=imageinfo"}
        self._wiki("garble", find=NO_METADATA, body=odd, times=3, match=match)
        return Done(odd, "crawl")

    def wiki_answers_hugely(self) -> Done:
        self._wiki("body", megabytes=300, times=self.rng.randint(1, 2), match=API)
        return Done("300 MB", self.rng.choice(("crawl", "write")))

    def tokens_expire(self) -> Done:
        for person, *_ in PEOPLE:
            body = {"user": person, "action": "expire-tokens"}
            requests.post(f"{self.control}/user", json=body, timeout=20).raise_for_status()
        return Done("access tokens", "write")

    def _edit(self) -> str:
        return self.rng.choice(("wbsetclaim", "wbsetclaim", "wbremoveclaims"))

    def _wiki(self, kind: str, **settings: object) -> None:
        """A rule, until it was used up, or nobody meets it."""
        with self.alone["wiki"]:
            self._rule(kind, settings)

    def _rule(self, kind: str, settings: dict[str, object]) -> None:
        rule = {"kind": kind, **settings}
        requests.post(f"{self.control}/fault", json=rule, timeout=20).raise_for_status()
        until = time.monotonic() + PASSED
        while time.monotonic() < until:
            time.sleep(0.2)
            rules = requests.get(f"{self.control}/fault", timeout=20).json()
            if not [each for each in rules if each["kind"] == kind and each["times"]]:
                return
        requests.delete(f"{self.control}/fault", timeout=20)
        raise DidNotHappen(kind)

    @contextmanager
    def _ordered(self, point: str, what: str) -> Iterator[None]:
        """An order for whoever passes the point next; entered once somebody has."""
        order = self.system.orders / point
        with self.alone[point]:
            if point == "tokens:before-save":
                self.tokens_expire()
            unseen = self.system.orders / f".new.{uuid.uuid4()}"
            unseen.write_text(what)
            unseen.rename(order)
            until = time.monotonic() + PASSED
            while order.exists():
                if time.monotonic() > until:
                    order.unlink(missing_ok=True)
                    raise DidNotHappen(point)
                time.sleep(0.05)
        yield


KINDS: dict[str, Callable[[Faults], Done]] = {
    "kill at a point": Faults.kill_at_a_point,
    "kill a process": Faults.kill_a_process,
    "freeze past the lease": Faults.freeze_past_the_lease,
    "freeze the web server": Faults.freeze_the_web_server,
    "kill the database": Faults.kill_the_database,
    "restart the database": Faults.restart_the_database,
    "freeze the database": Faults.freeze_the_database,
    "restart the broker": Faults.restart_the_broker,
    "empty the broker": Faults.empty_the_broker,
    "disk full": Faults.disk_full,
    "the wiki lags": Faults.the_wiki_lags,
    "the wiki refuses": Faults.the_wiki_refuses,
    "the wiki cuts": Faults.the_wiki_cuts,
    "the wiki lies": Faults.the_wiki_lies,
    "the wiki answers garbage": Faults.wiki_answers_garbage,
    "the wiki answers hugely": Faults.wiki_answers_hugely,
    "tokens expire": Faults.tokens_expire,
    "two beats": Faults.two_beats,
    "two workers": Faults.two_workers,
    "deploy": Faults.deploy,
    "unreadable messages": Faults.unreadable_messages,
    "slow clients": Faults.slow_clients,
    "a member abuses every button": Faults.member_abuses_every_button,
    "disk full at first start": Faults.disk_full_at_first_start,
}


def go_on(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGCONT)
