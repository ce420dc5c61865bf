"""`make bench-room`: a room full of people in a project of 100,000 faces.

The production shape on two cores, as docker-compose.yml starts it: gunicorn with the command of
deploy/Dockerfile and gunicorn.conf.py, a worker a queue, beat, MariaDB and Redis. Thirty people
answer, fifteen a screen of twenty every ten seconds and fifteen a face every two, each with the
next ones fetched ahead as the page does; ten page through galleries. The learner has read the
project before they come. First *cold*, with no counts of the project (what the learner counts is
taken away again every two seconds), then *warm*.

Beside it, in the same run, the processor time that web takes for a question with its answer, of
this code and of commit af8b1b7 in its own environment, in turns of a few seconds: five single
faces to a screen of twenty, one after the other, without workers.

The people are threads of this process with a connection each. The last line of stdout is JSON;
exit code 1 when a goal is missed, on a machine that has nothing else to do. DATABASE_URL and
REDIS_URL say where; the local ones by default. QUICK=1 is a smaller project and takes a minute.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import unquote, urlencode, urlsplit

import MySQLdb  # type: ignore[import-untyped]
import psutil

from bench.chaos.system import QUEUES, kill_all_of, listens
from bench.pages import LOCAL, quantile
from bench.system import ROOT, free_ports

QUICK = os.environ.get("QUICK") == "1"
FACES = int(os.environ.get("FACES", "20000" if QUICK else "100000"))
BEFORE = "af8b1b7"
ANSWERING = int(os.environ.get("PEOPLE", "30"))  # people
READING = ANSWERING // 3
SINGLE_EVERY, SCREEN_EVERY, READ_EVERY = 2.0, 10.0, 5.0  # seconds
HELD_SINGLES, HELD_SCREENS = 4, 2  # what a page has fetched ahead, with what it shows
SECONDS = float(os.environ.get("SECONDS", "12" if QUICK else "60"))  # cold, and again warm
ROUNDS, TURN = (2, 4.0) if QUICK else (6, 8.0)  # of the comparison; seconds of each side
AWAY_EVERY = 2.0  # seconds after which counts are taken away while it is cold
LOOK_EVERY = 0.2  # seconds between two looks whether it is
PATIENCE = 30.0  # seconds until a request counts as failed
P95_MS, CPU_RATIO, QUERIES = 1000, 0.5, 12
LOAD = 0.8  # of the questions that people would answer if one was always there
GALLERIES = ("review", "review?which=confirmed", "review?which=others", "review?which=rejected", "")
COUNTED = "SELECT COUNT(*) FROM projects_census WHERE counts <> '{}'"
DATA = str(ROOT / "bench" / "room_data.py")


class Missing(Exception):
    """What the comparison needs is not here."""


class Reply(NamedTuple):
    status: int  # 0: none came
    body: str


@dataclass
class Seen:
    """What all people saw together."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # ms
    statuses: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    kept: list[str] = field(default_factory=list)  # UUIDs of answers that were acknowledged

    def p95(self, *names: str) -> float:
        found = [quantile(self.times[name], 0.95) for name in names if self.times[name]]
        return max(found, default=-1)

    @property
    def failed(self) -> int:
        """How often the server failed, or said nothing."""
        return sum(n for status, n in self.statuses.items() if status >= 500 or status == 0)

    @property
    def refused(self) -> dict[int, int]:
        """How often it refused, by status."""
        return {status: n for status, n in self.statuses.items() if 200 < status < 500}


class Person:
    """Somebody at a browser: one connection, which is kept as long as the server keeps it."""

    def __init__(self, port: int, project: str, login: dict[str, str], seen: Seen) -> None:
        self.port, self.base, self.login, self.seen = port, f"/p/{project}", login, seen
        self.connection: http.client.HTTPConnection | None = None
        self.held: list[Any] = []  # what is asked, the one on screen first

    def ask(
        self, name: str, address: str, form: dict[str, Any] | None = None, wanted: str = ""
    ) -> list[Any]:
        """What matches `wanted` in the reply, which may be empty if it is for nothing; none where
        there is no such thing. Only a reply with it counts among the times of `name`."""
        headers = {"Cookie": self.login["cookie"], "X-Background": "1"}
        body = None
        if form is not None:
            headers |= {
                "X-CSRFToken": self.login["token"],
                "Content-Type": "application/x-www-form-urlencoded",
            }
            body = urlencode(form, doseq=True)
        begun = time.perf_counter()
        reply = self._send("GET" if body is None else "POST", self.base + address, body, headers)
        took = 1000 * (time.perf_counter() - begun)
        self.seen.statuses[reply.status] += 1
        found = re.findall(wanted, reply.body) if reply.status == 200 else []
        self.seen.times[name if found else f"{name}: none"].append(took)
        return found

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Reply:
        """Twice at most: the server may have closed a connection that was idle."""
        for is_last in (self.connection is None, True):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE)
            try:
                self.connection.request(method, path, body, headers)
                response = self.connection.getresponse()
                return Reply(response.status, response.read().decode())
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                if is_last:
                    break
        return Reply(0, "")

    # One face at a time ----------------------------------------------------------------------
    def fetch_one(self) -> None:
        held = urlencode({"exclude": self.held_faces()}, doseq=True)
        asked = r'data-region="([\w-]+)" data-photo="([\w-]+)"'
        for region, photo in self.ask("next", f"/ask/next?{held}", wanted=asked)[:1]:
            self.held.append(([region], photo))

    def answer_one(self) -> None:
        if self.held:
            [region], photo = self.held.pop(0)
            own = str(uuid.uuid4())
            verdict = random.choice(("yes", "no", "no"))
            form = {"client_uuid": own, "region": region, "photo": photo, "verdict": verdict}
            if self.ask("answer", "/answer", form):
                self.seen.kept.append(own)
        self.fetch_one()

    # A screen at a time ----------------------------------------------------------------------
    def fetch_screen(self) -> None:
        held = urlencode({"way": "grid", "exclude": self.held_faces()}, doseq=True)
        asked = r'name="shown" value="([\w-]+)"'
        if faces := self.ask("next screen", f"/grid/next?{held}", wanted=asked):
            self.held.append((list(dict.fromkeys(faces)),))

    def answer_screen(self) -> None:
        if self.held:
            [shown] = self.held.pop(0)
            own = [str(uuid.uuid4()) for _ in shown]
            form = {"client_uuid": str(uuid.uuid4()), "shown": shown, "uuid": own}
            form["yes"] = shown[: len(shown) // 2]
            if self.ask("screen", "/grid/answer", form):
                self.seen.kept += own
        self.fetch_screen()

    def held_faces(self) -> list[str]:
        return [face for faces, *_photo in self.held for face in faces]

    # Galleries -------------------------------------------------------------------------------
    def read(self, number: int) -> None:
        self.ask("gallery", f"/{GALLERIES[number % len(GALLERIES)]}")


@dataclass
class Side:
    """One commit: its code, its packages, its database, its web server."""

    name: str
    root: Path
    python: str
    database: str
    folder: Path
    redis: str
    port: int
    filled: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        cleared = {"SITE_URL", "SECRET_KEY", "SEALING_KEYS", "METRICS_TOKEN", "PYTHONPATH"}
        kept = {name: value for name, value in os.environ.items() if name not in cleared}
        return kept | {
            "WIKI": "sandbox",
            "DATA_DIR": str(self.folder),
            "STATIC_ROOT": str(self.folder / "static"),
            "PORT": str(self.port),
            "DATABASE_URL": self.database,
            "REDIS_URL": self.redis,
            "REDIS_PREFIX": f"room-{os.getpid()}-{self.name}:",
            "DJANGO_SETTINGS_MODULE": "wikivisage.settings",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def run(self, *command: str, text: str = "", **extra: str) -> dict[str, Any]:
        """A command of bench/room_data.py."""
        ended = subprocess.run(
            [self.python, "-W", "ignore", DATA, *command],
            cwd=self.root, env=self.environment | extra, input=text, text=True, check=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return found

    @contextmanager
    def web(self) -> Iterator[psutil.Process]:
        """gunicorn as the image starts it."""
        words: list[str] = json.loads(
            re.findall(r"^CMD (\[.*\])$", (self.root / "deploy/Dockerfile").read_text(), re.M)[-1]
        )
        words[words.index("--bind") + 1] = f"127.0.0.1:{self.port}"
        with self.process(["-m", *words]) as process:
            _wait(lambda: listens(self.port), f"the web server of {self.name}")
            yield process

    @contextmanager
    def workers(self) -> Iterator[None]:
        """A worker a queue and beat, as docker-compose.yml has them."""
        celery = ["-m", "celery", "--quiet", "-A", "celery_app"]
        options = ["--without-gossip", "--without-mingle"]
        with ExitStack() as stack:
            for queue in QUEUES:
                processes = "2" if queue == "detect" else "1"
                worker = [*celery, "worker", "-Q", queue, "-n", f"{queue}-{os.getpid()}@%h"]
                stack.enter_context(self.process([*worker, "-c", processes, *options]))
            beat = [*celery, "beat", "--schedule", str(self.folder / "schedule")]
            stack.enter_context(self.process(beat))
            yield

    @contextmanager
    def process(self, command: list[str]) -> Iterator[psutil.Process]:
        with open(self.folder / "log", "ab") as log:
            process = psutil.Popen(
                [self.python, "-W", "ignore", *command],
                cwd=self.root, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except psutil.TimeoutExpired:
                kill_all_of(process.pid)
                process.wait()

    def person(self, number: int, seen: Seen) -> Person:
        login = self.filled["cookies"][number]
        return Person(self.port, self.filled["project"], login, seen)


def code_before() -> tuple[Path, str]:
    """The code of the commit that is compared with, and its Python; made once in var/."""
    home = ROOT / "var" / "bench-room" / BEFORE
    root, ready = home / "code", home / "ready"
    python = home / "venv" / "bin" / "python"
    if not ready.exists():
        shutil.rmtree(home, ignore_errors=True)
        root.mkdir(parents=True)
        archive = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True)
        if archive.returncode:
            raise Missing(
                f"NOT COMPARED: commit {BEFORE} is not in this clone's history "
                "(git fetch --unshallow, or clone without --depth)."
            )
        subprocess.run(["tar", "-x"], cwd=root, input=archive.stdout, check=True)
        print(f"Setting up the environment of {BEFORE} (a minute or two, once)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(home / "venv")], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        packages = ["-c", "constraints.txt", "./packaging/dlib", ".[mariadb]"]
        subprocess.run([*pip, *packages], cwd=root, check=True)
        # the code itself is run where it stands
        remove = [str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "wikivisage"]
        subprocess.run(remove, check=True)
        ready.touch()
    return root, str(python)


@contextmanager
def databases(names: list[str]) -> Iterator[list[str]]:
    """Databases of their own, dropped at the end; their addresses."""
    url = os.environ.setdefault("DATABASE_URL", LOCAL)
    with sql(urlsplit(url)._replace(path="").geturl()) as run:
        for name in names:
            run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
        try:
            yield [urlsplit(url)._replace(path=f"/{name}").geturl() for name in names]
        finally:
            for name in names:
                run(f"DROP DATABASE {name}")


@contextmanager
def sql(url: str) -> Iterator[Callable[[str], Any]]:
    parts = urlsplit(url)
    connection = MySQLdb.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/"),
        autocommit=True,
    )

    def run(statement: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    try:
        yield run
    finally:
        connection.close()


def fill_room(side: Side, seconds: float) -> Seen:
    """All people at once, for so many seconds. They come within the first two."""
    seen, until = Seen(), time.monotonic() + seconds

    def every(pause: float, do: Callable[[int], None]) -> None:
        at = time.monotonic() + random.uniform(0, min(pause, 2))
        for number in range(1_000_000):
            time.sleep(max(0, at - time.monotonic()))
            if time.monotonic() > until:
                return
            do(number)
            at = max(at + pause, time.monotonic())

    def singles(person: Person, number: int) -> Callable[[int], None]:
        return partial(_go_on, person, person.answer_one, person.fetch_one, HELD_SINGLES)

    def screens(person: Person, number: int) -> Callable[[int], None]:
        return partial(_go_on, person, person.answer_screen, person.fetch_screen, HELD_SCREENS)

    def reads(person: Person, number: int) -> Callable[[int], None]:
        return lambda n: person.read(n + number)

    kinds = [(SINGLE_EVERY, singles), (SCREEN_EVERY, screens)] * (ANSWERING // 2)
    kinds += [(READ_EVERY, reads)] * READING
    threads = [
        threading.Thread(target=every, args=(pause, does(side.person(number, seen), number)))
        for number, (pause, does) in enumerate(kinds)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def watched(name: str, side: Side, web: psutil.Process) -> Seen:
    """A room full of people, with a line about it. Raises RuntimeError where somebody was refused,
    or where so few questions were there that the times say nothing."""
    begun = processor_seconds(web)
    seen = fill_room(side, SECONDS)
    core = (processor_seconds(web) - begun) / SECONDS
    parts = []
    for what, times in sorted(seen.times.items()):
        parts.append(f"{what} {len(times)}: {median(times):.0f}, {quantile(times, 0.95):.0f}")
    print(f"{name}: {'; '.join(parts)} (median, p95 ms); {dict(seen.statuses)}")
    print(f"web took {core:.2f} of a core", flush=True)
    if seen.refused:
        raise RuntimeError(f"people were refused: {seen.refused}")
    for what, every in (("answer", SINGLE_EVERY), ("screen", SCREEN_EVERY)):
        meant = ANSWERING / 2 * (SECONDS / every - 1)  # first all wait for a question
        if len(seen.times[what]) < LOAD * meant:
            raise RuntimeError(f"{len(seen.times[what])} of {what}, where {meant:.0f} were meant")
    return seen


def _go_on(
    person: Person, answer: Callable[[], None], fetch: Callable[[], None], held: int, _number: int
) -> None:
    """Answer what is on screen; at first, and where something is missing, fetch one more ahead."""
    answer()
    if len(person.held) < held:
        fetch()


@contextmanager
def counts_taken_away(side: Side) -> Iterator[None]:
    """So that pages meet a project that nobody has counted. The learner counts it again at once,
    so it is cold for a part of the time, which is printed; taken away more often than this, it
    would have no time to learn."""
    ended, looks = threading.Event(), []

    def take_away() -> None:
        with sql(side.database) as run:
            at = time.monotonic()
            while not ended.wait(LOOK_EVERY):
                looks.append(not run(COUNTED)[0][0])
                if time.monotonic() > at:
                    at += AWAY_EVERY
                    with suppress(MySQLdb.OperationalError):  # the learner writes that row
                        run("UPDATE projects_census SET counts = '{}', pulse = 0")

    thread = threading.Thread(target=take_away)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        print(f"without counts {100 * sum(looks) / max(len(looks), 1):.0f} % of the time")


def wait_for_learner(side: Side) -> float:
    """Seconds until the learner has nothing left to learn of any project."""
    begun = time.monotonic()
    behind = (
        "SELECT COUNT(*) FROM projects_project p LEFT JOIN classify_learner l"
        " ON l.project_id = p.id AND l.revision = p.revision WHERE l.id IS NULL"
    )
    with sql(side.database) as run:
        _wait(lambda: not run(behind)[0][0], "the end of learning", 300)
    return time.monotonic() - begun


def wait_for_counts(side: Side) -> float:
    """Seconds until the learner has counted."""
    begun = time.monotonic()
    with sql(side.database) as run:
        _wait(lambda: bool(run(COUNTED)[0][0]), "the learner's counts", 120)
    return time.monotonic() - begun


def take_turn(side: Side, web: psutil.Process, seconds: float) -> tuple[float, int]:
    """Processor seconds of web, and how many questions were asked and answered until the time was
    over or no question was left: one person after the other, five single faces to a screen."""
    side.run("ask")
    seen = Seen()
    people = [side.person(number, seen) for number in range(6)]
    for number, person in enumerate(people):  # so that nothing is read for the first time
        person.fetch_one() if number else person.fetch_screen()
    begun, until = processor_seconds(web), time.monotonic() + seconds
    while time.monotonic() < until and all(person.held for person in people):
        for number, person in enumerate(people):
            person.answer_one() if number else person.answer_screen()
    done = len(seen.times["answer"]) + len(seen.times["screen"])
    if set(seen.statuses) != {200}:
        raise RuntimeError(f"{side.name}: answered with {dict(seen.statuses)}")
    return processor_seconds(web) - begun, done


def processor_seconds(process: psutil.Process) -> float:
    times = [each.cpu_times() for each in [process, *process.children(recursive=True)]]
    return float(sum(each.user + each.system for each in times))


def compare(new: Side, old: Side) -> tuple[float, float, float]:
    """ms of web's processor a question with its answer, old and new, and the quotient: the median
    of the rounds, of which each has both."""
    rounds = []
    with old.web() as before, new.web() as now:
        for side, web in ((old, before), (new, now)):
            take_turn(side, web, 2)  # templates and addresses are read
        for number in range(ROUNDS):
            pair = [(old, before), (new, now)]
            took = {}
            for side, web in pair if number % 2 else reversed(pair):
                seconds, done = take_turn(side, web, TURN)
                took[side.name] = 1000 * seconds / done
            rounds.append((took[old.name], took[new.name]))
            print(f"  {took[old.name]:.1f} → {took[new.name]:.1f} ms", flush=True)
    was, now_is = (median(each) for each in zip(*rounds, strict=True))
    return was, now_is, median(new_ms / old_ms for old_ms, new_ms in rounds)


def _wait(is_there: Callable[[], bool], what: str, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not is_there():
        if time.monotonic() > until:
            raise RuntimeError(f"{what} did not come")
        time.sleep(0.1)


def on_two_cores() -> None:
    mine = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, mine[:2])


def main() -> None:
    started = time.monotonic()
    on_two_cores()
    redis = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9")
    before: tuple[Path, str] | None = None
    try:
        before = code_before()
    except Missing as missing:
        print(missing, flush=True)
    names = [f"wv_bench_room_{os.getpid()}{end}" for end in ("", "_old")]
    with TemporaryDirectory(prefix="bench-room-") as folder, databases(names) as urls:
        sides = []
        homes = [(ROOT, sys.executable)] + ([before] if before else [])
        for name, (root, python), url, port in zip(
            ("new", "old"), homes, urls, free_ports(2), strict=False
        ):
            home = Path(folder) / name
            home.mkdir()
            sides.append(Side(name, root, python, url, home, redis, port))
        last = measure(sides[0], sides[1] if before else None)
    print(f"load {os.getloadavg()[0]:.1f}, {time.monotonic() - started:.0f} s in all")
    print(json.dumps(last))
    sys.exit(0 if is_met(last) else 1)


def measure(new: Side, old: Side | None) -> dict[str, Any]:
    def fill(side: Side, **extra: str) -> None:
        side.filled = side.run("fill", str(FACES), **extra)

    for side in (new, old):
        if side:
            side.run("migrate")
    if old:
        fill(old)
    with new.web() as web, new.workers():
        fill(new, VECTORS="1")  # meanwhile the workers have started
        print(f"{FACES:,} faces built, load {os.getloadavg()[0]:.1f}", flush=True)
        first = Seen()
        for number in range(4):  # each process reads its templates; no part is counted by that
            person = new.person(number, first)
            for do in (person.fetch_one, person.fetch_screen):
                do()
            for gallery in range(len(GALLERIES)):
                person.read(gallery)
        print(f"learned {wait_for_learner(new):.1f} s later", flush=True)
        with counts_taken_away(new):
            cold = watched("cold", new, web)
        print(f"counted {wait_for_counts(new):.1f} s later", flush=True)
        warm = watched("warm", new, web)
    kept = cold.kept + warm.kept
    gone = new.run("lost", text="\n".join(kept))["lost"]
    print(f"{len(kept)} answers acknowledged, {gone} lost")
    new.run("count")
    ratio = None
    if old:
        old.run("count")
        was, now_is, ratio = compare(new, old)
        print(f"processor time in web a question with its answer: {was:.1f} → {now_is:.1f} ms")
        old.run("ask")
        print(f"queries before: {old.run('queries')}")
    new.run("ask")
    asked = new.run("queries")
    print(f"queries now: {asked}")
    return {
        "answers_lost": gone,
        "errors_5xx": cold.failed + warm.failed,
        "answer_p95_ms_cold": round(cold.p95("answer", "screen", "next", "next screen")),
        "answer_p95_ms_warm": round(warm.p95("answer", "screen", "next", "next screen")),
        "gallery_p95_ms": round(max(cold.p95("gallery"), warm.p95("gallery"))),
        "cpu_ratio": ratio and round(ratio, 3),
        "answer_queries": max(asked.values()),
    }


def is_met(last: dict[str, Any]) -> bool:
    return (
        last["answers_lost"] == 0
        and last["errors_5xx"] == 0
        and 0 <= last["answer_p95_ms_cold"] <= P95_MS
        and 0 <= last["answer_p95_ms_warm"] <= P95_MS
        and last["cpu_ratio"] is not None
        and last["cpu_ratio"] <= CPU_RATIO
        and last["answer_queries"] <= QUERIES
    )


if __name__ == "__main__":
    main()
