"""`make bench-write`: how fast and how carefully claims are written, on fresh data.

The whole system runs as `make run` starts it, against the sandbox wiki in its own process with
100 ms of latency. What is sent is confirmed by the product's own services. Five runs:

* at the operator's pace, five minutes, the second half with maxlag, 429s and kills;
* the pace lifted to the wiki's own limit, undisturbed;
* the same for 1,000 claims on 1,000 files with maxlag, 429s and twelve kills;
* twelve statements of twelve people on one file, killed at every named point of a write;
* the existing tool's way on a sample: read, write, sleep a second.

The last line of stdout is JSON: edits a minute are those of the run that kept least of its pace,
with the waits left out that the wiki ordered (`Retry-After`); writes and calls an edit are those
of all runs together, refused calls and those after kills included. QUICK=1 takes three minutes.
RUNS=13 does the first and the third alone.
Exit code 1 when a claim was lost or doubled, a row of the ledger names the revision of another
statement, or anything of others was touched.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import requests

from bench.system import System
from bench.thousand import DEPICTS, KINDS, Wiki, statements

if TYPE_CHECKING:
    from bench.confirmed import OneFile, Sending

QUICK = os.environ.get("QUICK") == "1"
LATENCY = 0.1  # seconds before each answer of the wiki
RETRY_AFTER = 2 if QUICK else 5  # seconds that the wiki orders to wait
LIFTED = 6000  # a pace that the wiki's own limit undercuts
BATCH_MAX = 1000
SENDER, OTHER = "Alice", "Bob"
# Twelve people of the sandbox, named on one file; the first is the project's.
PEOPLE = ["Q567", "Q937", "Q47480", "Q76", "Q6279", "Q9960", "Q7186", "Q37463", "Q57641", "Q76346",
          "Q68761", "Q9123"]  # fmt: skip
POINTS = ("before-call", "after-call", "after-commit")  # see core/crash_points.py
PATIENCE = 60  # seconds without any edit after which a run is given up
Event = tuple[int, str]  # after so many edits: "maxlag", "429", "kill", "kill-all"


@dataclass
class Run:
    name: str
    qid: str
    pace: int  # the setting
    claims: int
    events: list[Event] = field(default_factory=list)


@dataclass
class Result:
    run: Run
    pace: float
    edits: int
    seconds: float
    ordered: float  # seconds of these that the wiki ordered to wait
    calls: dict[str, int]
    refused: int  # calls that a fault refused
    kills: int
    faults: dict[str, int]

    @property
    def gross(self) -> float:
        return 60 * (self.edits - 1) / self.seconds

    @property
    def net(self) -> float:
        return 60 * (self.edits - 1) / (self.seconds - self.ordered)

    @property
    def writes_per_edit(self) -> float:
        return self.calls.get("wbsetclaim", 0) / self.edits

    @property
    def calls_per_edit(self) -> float:
        return sum(self.calls.values()) / self.edits

    def row(self) -> dict[str, Any]:
        return {
            "run": self.run.name,
            "pace": round(self.pace),
            "edits": self.edits,
            "minutes": round(self.seconds / 60, 2),
            "ordered s": round(self.ordered, 1),
            "net/min": round(self.net, 1),
            "gross/min": round(self.gross, 1),
            "of pace": f"{self.net / self.pace:.1%}",
            "writes/edit": round(self.writes_per_edit, 3),
            "calls/edit": round(self.calls_per_edit, 3),
            "kills": self.kills,
            "refused": self.refused,
            "duplicates": self.faults["duplicates"],
            "lost": self.faults["lost"],
            "foreign touched": self.faults["foreign_statements_touched"],
        }


def plan() -> list[Run]:
    """What is run. Events are spread by the number of edits made, so that none is missed."""
    if QUICK:
        return [
            Run("operator's pace", "Q7186", 60, 8),
            Run("the wiki's limit", "Q937", LIFTED, 40, spread(40, ["429", "kill", "maxlag"])),
        ]
    some = ["maxlag", "kill", "429", "kill-all"]
    many = ["kill", "maxlag", "kill", "429", "kill", "kill", "maxlag", "kill-all", "429", "kill"]
    many += ["kill", "maxlag", "kill", "429", "kill", "kill-all", "maxlag", "kill", "429", "kill"]
    half = [(150 + at, what) for at, what in spread(150, some)]
    return [
        Run("operator's pace", "Q7186", 60, 300, half),
        Run("the wiki's limit, calm", "Q937", LIFTED, 300),
        Run("the wiki's limit", "Q76", LIFTED, 1000, spread(1000, many)),
    ]


def spread(claims: int, events: list[str]) -> list[Event]:
    step = claims / (len(events) + 1)
    return [(round(step * (number + 1)), what) for number, what in enumerate(events)]


def main() -> int:
    runs = plan()
    chosen, last = os.environ.get("RUNS", ""), str(len(runs) + 1)
    runs = [run for number, run in enumerate(runs, 1) if not chosen or str(number) in chosen]
    one_file: dict[str, int] = {}
    with database() as where:
        system = System(environment=where | steady(runs[0].pace if runs else LIFTED))
        set_up_django(system)
        with prepared(system, runs) as bench:
            results = [bench.go(run) for run in runs]
            if not chosen or last in chosen:
                one_file = bench.write_one_file()
            theirs = bench.existing_tool(8 if QUICK else 40)
    return report(results, theirs, one_file)


def steady(pace: int) -> dict[str, str]:
    return {
        "EDITS_A_MINUTE": str(pace),
        "BATCH_MAX": str(BATCH_MAX),
        "FIRST_BATCH": "5000",  # even a first batch may be as large as the benchmark needs
        "LOG_LEVEL": "WARNING",
    }


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """The embedded mode or, with DATABASE_URL, a fresh database on that server."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        yield {}
        return
    import MySQLdb  # type: ignore[import-untyped]

    parts, name = urlsplit(url), f"wikivisage_bench_{os.getpid()}"
    server = MySQLdb.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=parts.username or "root",
        password=parts.password or "",
    )
    server.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
    try:
        yield {
            "DATABASE_URL": f"{url.rpartition('/')[0]}/{name}",
            "REDIS_URL": os.environ.get("REDIS_URL", ""),
            "REDIS_PREFIX": f"{name}:",
        }
    finally:
        server.query(f"DROP DATABASE {name}")
        server.close()


def set_up_django(system: System) -> None:
    """This process sees the same data as the system's own."""
    os.environ.clear()
    os.environ.update(system.environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = "wikivisage.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@contextmanager
def prepared(system: System, runs: list[Run]) -> Iterator[Bench]:
    from bench import confirmed

    most = max((run.claims for run in runs), default=100)
    say(f"making {most} files and their labels")
    wiki = Wiki(Path(system.folder.name), system.wiki)
    wiki.fill(most + KINDS)
    *_others, shared = wiki.page_ids(most + KINDS)  # has statements of others
    user = confirmed.make_user(wiki, SENDER)
    photos = confirmed.make_photos(wiki, wiki.page_ids(most))
    projects = {run.qid: confirmed.say_yes(user, run.qid, photos[: run.claims]) for run in runs}
    sendings = {
        run.qid: (lambda run=run: confirmed.Sending(
            projects[run.qid], user, wiki, wiki.page_ids(run.claims)
        ))
        for run in runs
    }  # fmt: skip
    several = confirmed.say_yes(user, PEOPLE[0], confirmed.make_photos(wiki, [shared]))
    one_file = confirmed.OneFile(several, user, wiki, shared, PEOPLE[1:])
    try:
        yield Bench(system, wiki, sendings, one_file)
    finally:
        system.stop()
        wiki.world.close()
        system.folder.cleanup()


class Bench:
    def __init__(
        self, system: System, wiki: Wiki, sendings: dict[str, Any], one_file: OneFile
    ) -> None:
        self.system, self.wiki, self.sendings = system, wiki, sendings
        self.one_file = one_file
        self.control = f"{system.wiki}/_sandbox"

    def go(self, run: Run) -> Result:
        """One run on a freshly started system."""
        say(f"{run.name}: {run.claims} claims, {len(run.events)} faults and kills")
        self.system.environment["EDITS_A_MINUTE"] = str(run.pace)
        self.system.start()
        try:
            return self._go(run)
        except BaseException:
            print("\n".join(self.system.lines[-40:]), file=sys.stderr)
            raise
        finally:
            self.system.stop()

    def _go(self, run: Run) -> Result:
        sending: Sending = self.sendings[run.qid]()
        sending.preview()
        self.fault("latency", seconds=LATENCY)
        before = self.calls()
        sending.confirm()
        workers = WriteWorkers(self.system)
        self.watch(run, sending, workers)
        calls = {key: n - before.get(key, 0) for key, n in self.calls().items()}
        calls = {key: n for key, n in calls.items() if n}
        rules = requests.get(f"{self.control}/fault", timeout=20).json()
        requests.delete(f"{self.control}/fault", timeout=20)
        sending.look_at_it()
        seconds, ordered = sending.span()
        result = Result(
            run=run,
            pace=sending.pace(run.pace),
            edits=sending.edits.count(),
            seconds=seconds,
            ordered=ordered,
            calls=calls,
            refused=sum(rule["hits"] for rule in rules if rule["kind"] != "latency"),
            kills=len(workers.kills),
            faults=sending.faults(run.qid),
        )
        still = [sending.standstill(at) for at, _whole in workers.kills]
        say(f"{run.name}: {result.row()}; calls {calls}; seconds around kills {still}")
        return result

    def watch(self, run: Run, sending: Sending, workers: WriteWorkers) -> None:
        """Until all is sent: let happen what is planned, and see when the wiki makes it wait."""
        events, said = list(run.events), 0.0
        done, moved = 0, time.monotonic()
        while not sending.is_over():
            time.sleep(0.2)
            sending.note_pauses(RETRY_AFTER)
            if (now_done := sending.edits.count()) > done:
                done, moved = now_done, time.monotonic()
            if time.monotonic() - moved > PATIENCE:
                raise RuntimeError(f"no edit for {PATIENCE} s after {done}: {sending.state()}")
            if time.monotonic() - said > 10:
                said = time.monotonic()
                say(f"  {done} of {run.claims} edits, {len(workers.kills)} kills")
            while events and events[0][0] <= done:
                what = events.pop(0)[1]
                if what in ("kill", "kill-all"):
                    workers.kill(whole=what == "kill-all")
                elif what == "maxlag":
                    self.fault("maxlag", times=1, retry_after=RETRY_AFTER)
                else:
                    self.fault("http", times=1, status=429, retry_after=RETRY_AFTER)

    def fault(self, kind: str, **settings: Any) -> None:
        rule = {"kind": kind, **settings}
        if kind == "http":
            rule["match"] = {"path": "/commons/w/api.php"}
        requests.post(f"{self.control}/fault", json=rule, timeout=20).raise_for_status()

    def calls(self) -> dict[str, int]:
        """How often the API was asked, by action; nobody but the write workers asks it then."""
        seen: dict[str, int] = requests.get(f"{self.control}/requests", timeout=20).json()
        found: dict[str, int] = {}
        for key, count in seen.items():
            path, _, action = key.partition(" ")
            if path.endswith("/w/api.php"):
                found[action] = found.get(action, 0) + count
        return found

    def write_one_file(self) -> dict[str, int]:
        """Write twelve statements to one file while the worker is killed at each named point in
        turn; return what was made and what is wrong."""
        say(f"one file: {len(PEOPLE)} statements, kills at every point")
        orders = Path(self.system.folder.name) / "orders"
        orders.mkdir()
        self.system.environment |= {"WIKIVISAGE_FAULTS": str(orders), "EDITS_A_MINUTE": "6000"}
        self.system.start()
        try:
            self.one_file.preview()
            self.one_file.confirm()
            kills = self._kill_at_points(orders)
        except BaseException:
            print("\n".join(self.system.lines[-40:]), file=sys.stderr)
            raise
        finally:
            self.system.stop()
            del self.system.environment["WIKIVISAGE_FAULTS"]
        found = {"edits": self.one_file.edits.count(), "kills": kills}
        found |= self.one_file.count_faults()
        say(f"one file: {found}")
        return found

    def _kill_at_points(self, orders: Path) -> int:
        """Kill whoever passes the next point, until the batch is over; return how often."""
        kills, order, moved = -1, orders / "none", time.monotonic()
        while not self.one_file.is_over():
            if not order.exists():
                kills, moved = kills + 1, time.monotonic()
                order = orders / f"write:{POINTS[kills % len(POINTS)]}"
                draft = orders / ".draft"  # whoever passes must find it whole
                draft.write_text("SIGKILL")
                draft.rename(order)
            if time.monotonic() - moved > PATIENCE:
                raise RuntimeError(f"nothing for {PATIENCE} s: {self.one_file.state()}")
            time.sleep(0.05)
        return kills + (not order.exists())

    def existing_tool(self, count: int) -> float:
        """Edits a minute of the existing tool's way, on files that have structured data already:
        it never writes to others."""
        say(f"the existing tool's way: {count} claims")
        with self.system.wiki_alone():
            self.fault("latency", seconds=LATENCY)
            pages = self.wiki.page_ids(2 * count)
            known = [each for each, has in self.wiki.entities(pages).items() if has][:count]
            tool = ExistingTool(self.system.wiki, *self.wiki.tokens(OTHER, "wikivisage-sandbox"))
            times = [tool.send(page_id, "Q6279") for page_id in known]
            there = [
                row
                for entity in self.wiki.entities(known).values()
                for row in statements(entity).get(DEPICTS, ())
                if row["mainsnak"]["datavalue"]["value"]["id"] == "Q6279"
            ]
            assert len(there) == len(known)
        return 60 * (len(times) - 1) / (times[-1] - times[0])


class ExistingTool:
    """Two calls a claim, one after the other: wbgetclaims, then wbeditentity with one statement
    (normal rank, no qualifier); then it sleeps a second."""

    def __init__(self, wiki: str, access: str, refresh: str) -> None:
        self.api = f"{wiki}/commons/w/api.php"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {access}"
        body = self.call("GET", action="query", meta="tokens", type="csrf")
        self.csrf = body["query"]["tokens"]["csrftoken"]

    def call(self, method: str, **params: str) -> dict[str, Any]:
        params |= {"format": "json", "formatversion": "2"}
        place = {"params": params} if method == "GET" else {"data": params}
        answer = self.session.request(method, self.api, timeout=30, **place)  # type: ignore[arg-type]
        body: dict[str, Any] = answer.json()
        assert "error" not in body, body
        return body

    def send(self, page_id: int, qid: str) -> float:
        """Returns when it was written."""
        mid = f"M{page_id}"
        had = self.call("GET", action="wbgetclaims", entity=mid, property=DEPICTS)["claims"]
        items = [row["mainsnak"]["datavalue"]["value"]["id"] for row in dict(had).get(DEPICTS, ())]
        assert qid not in items
        value = {"entity-type": "item", "numeric-id": int(qid[1:]), "id": qid}
        snak = {
            "snaktype": "value",
            "property": DEPICTS,
            "datavalue": {"type": "wikibase-entityid", "value": value},
        }
        claim = {"type": "statement", "rank": "normal", "mainsnak": snak}
        self.call(
            "POST",
            action="wbeditentity",
            id=mid,
            data=json.dumps({"claims": [claim]}),
            summary=f"Adding depicts claim for {qid}",
            maxlag="5",
            token=self.csrf,
        )
        written = time.monotonic()
        time.sleep(1)
        return written


class WriteWorkers:
    """The processes of the write worker, and the end of them."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.kills: list[tuple[datetime, bool]] = []  # when, and whether all of them

    def processes(self) -> list[psutil.Process]:
        """The pool's parent first."""
        found = []
        for process in psutil.Process(self.system.process.pid).children(recursive=True):
            try:
                if "-Q write" in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill(self, *, whole: bool) -> None:
        """SIGKILL at a random moment to the process that works, or to all of them, the parent
        first, as when the machine's memory ends."""
        victims = self.processes()
        if not whole:
            before = {process: cpu(process) for process in victims}
            time.sleep(0.5)  # who uses the processor in it is the one that writes
            victims = [max(victims[1:], key=lambda process: cpu(process) - before[process])]
        time.sleep(random.uniform(0, 0.2))  # anywhere within an edit
        self.kills.append((datetime.now(UTC), whole))
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        say(f"  killed {len(victims)} process{'es' if len(victims) > 1 else ''}")


def cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def report(results: list[Result], theirs: float, one_file: dict[str, int]) -> int:
    wrong = {name: n for name, n in one_file.items() if name not in ("edits", "kills")}
    if not results:
        print(json.dumps({"one_file": one_file}))
        return 1 if any(wrong.values()) else 0
    rows = [result.row() for result in results]
    widths = {name: max(len(str(row[name])) for row in [*rows, {name: name}]) for name in rows[0]}
    for row in [{name: name for name in rows[0]}, *rows]:
        print("  ".join(str(row[name]).ljust(width) for name, width in widths.items()))
    print(f"\nthe existing tool's way: {theirs:.1f} edits a minute, 2 calls an edit")
    worst = min(results, key=lambda result: result.net / result.pace)
    edits = sum(result.edits for result in results)
    calls: Counter[str] = Counter()
    for result in results:
        calls.update(result.calls)
    bad = {name: sum(result.faults[name] for result in results) for name in results[0].faults}
    figures = {
        "edits_per_minute": round(worst.net, 1),
        "pace_per_minute": round(worst.pace, 1),
        "writes_per_edit": round(calls["wbsetclaim"] / edits, 3),
        "calls_per_edit": round(calls.total() / edits, 3),
        "ratio": round(worst.net / theirs, 2),
        **bad,
        "kills": sum(result.kills for result in results),
        "existing_tool_per_minute": round(theirs, 1),
        "runs": rows,
        "one_file": one_file,
    }
    print(json.dumps(figures))
    return 1 if any([*bad.values(), *wrong.values()]) else 0


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
