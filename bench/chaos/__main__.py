"""`make chaos`: the real system under work, and whatever may befall it.

Web, a worker a queue, beat, MariaDB and Redis of its own, and the sandbox wiki, while people
answer, send and take back. First each kind of fault in turn, then at random by the printed seed,
four side by side. At last it comes to rest, and everything is counted: SEED=…, FAULTS=300, or
`--seed`, `--faults`; no new ones after MINUTES. QUICK=1 is the run of the tests: one fault of each
kind in SHORT.

The last line is JSON; exit code 1 when anything was lost, doubled or stuck, or the web server
failed or kept silent. The log of all processes is kept when KEEP names a file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import requests

from bench.chaos.system import GIVEN, SHUTDOWN, System, in_own_namespace

if TYPE_CHECKING:
    from bench.chaos.counting import Losses, Monitor
    from bench.chaos.faults import Faults
    from bench.chaos.work import Contributor

QUICK = os.environ.get("QUICK") == "1"
# In the short run: those that take a second or two, of as many kinds as there is time for.
SHORT = (
    "kill at a point", "the wiki cuts", "kill the database", "empty the broker",
    "the wiki lies", "disk full", "tokens expire", "restart the broker",
    "the wiki answers garbage", "slow clients",
)  # fmt: skip
LANES = int(os.environ.get("LANES", "4"))  # faults side by side
RECOVERS = 120  # seconds in which a step must move again
RESTS = 240  # seconds in which all must come to rest


@dataclass
class Fault:
    kind: str
    what: str
    step: str
    seconds: float | None  # to recover; None: not in time
    ended: float  # seconds that the slowest took to end after its SIGTERM


class Run:
    def __init__(self, system: System, seed: int, faults: int, only: str | None) -> None:
        from bench.chaos import counting
        from bench.chaos.faults import Faults
        from bench.chaos.work import PEOPLE, Contributor, Wiki

        self.system, self.seed = system, seed
        self.wanted = faults
        self.until = time.monotonic() + 60 * float(os.environ.get("MINUTES", "600"))
        self.wiki = Wiki(system.folder, system.wiki, random.Random(seed))
        self.people: list[Contributor] = [
            Contributor(system.url, self.wiki, who, random.Random(seed + number), counting)
            for number, who in enumerate(PEOPLE)
        ]
        self.monitor: Monitor = counting.Monitor(self.people)
        self.faults: Faults = Faults(system, whole=QUICK)
        self.only = only
        self.done: list[Fault] = []
        self.lock = threading.Lock()

    def go(self) -> int:
        began = time.monotonic()
        with self.system:
            say(f"all parts are there after {time.monotonic() - began:.0f} s")
            for person in self.people:
                person.begin()
                person.start()
            # of one: an objection or a taken back batch leaves the others nothing to do
            self.faults.abused = self.people[-1].project
            self.monitor.start()
            self.wait_for_work()
            say(f"work goes on after {time.monotonic() - began:.0f} s")
            try:
                self.befall()
                losses = self.rest_and_count()
            except BaseException:
                say(self.system.tail())
                raise
            finally:
                if keep := os.environ.get("KEEP"):
                    shutil.copy(self.system.folder / "log", keep)
        return self.report(losses, time.monotonic() - began)

    def wait_for_work(self) -> None:
        """Each step has moved once: from here on it can be seen whether it does."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            moving = self.monitor.seen
            if all(moving[step] and moving[step][-1][1] for step in ("web", "infer", "write")):
                return
            self.look_after_people()
            time.sleep(0.2)
        raise RuntimeError("no work goes on")

    def befall(self) -> None:
        """Each kind in turn, then any at random, some side by side. What the n-th fault is, and
        does, is by seed and number alone."""
        kinds = [self.only] if self.only else self.faults.kinds
        in_turn = [kind for kind in SHORT if kind in kinds] if QUICK else kinds
        for number, kind in enumerate(in_turn[: self.wanted]):
            self.one(number, kind)
        rng = random.Random(self.seed)
        number = len(in_turn)
        with ThreadPoolExecutor(LANES) as pool:
            while (left := self.wanted - len(self.done)) > 0 and time.monotonic() < self.until:
                more = [rng.choice(kinds) for _ in range(min(left, 5 * LANES))]
                list(pool.map(self.one, range(number, number + len(more)), more))
                number += len(more)

    def one(self, number: int, kind: str) -> None:
        from bench.chaos import counting
        from bench.chaos.faults import DidNotHappen

        try:
            done = self.faults.do(kind, random.Random(f"{self.seed} {number}"))
        except (DidNotHappen, requests.RequestException) as error:
            say(f"  {kind} did not happen: {error}")
            return
        end = time.monotonic()
        self.look_after_people()
        seconds = self.monitor.recovery(done.step, end, RECOVERS)
        if seconds is None:
            say(f"  under way: {counting.ask(counting.under_way)}")
            say(f"  people: {[(len(each.pages), each.last) for each in self.people]}")
        self.look_after_people()
        fault = Fault(kind, done.what, done.step, seconds, done.seconds)
        with self.lock:
            self.done.append(fault)
            after = "not in time" if seconds is None else f"after {seconds:.1f} s"
            late = f", ended in {done.seconds:.1f} s" if done.seconds else ""
            say(f"  {len(self.done)}: {kind} ({done.what}); {done.step} moves {after}{late}")

    def look_after_people(self) -> None:
        """Whose login died in the middle of a refresh logs in again, as their page asks."""
        from django.db import DatabaseError, InterfaceError, connection

        from projects.models import WikiCredential

        for person in self.people:
            if person.failed:
                raise RuntimeError(f"{person.person} could not go on") from person.failed
        try:
            lost = WikiCredential.objects.filter(needs_login=True)
            names = set(lost.values_list("user__wiki_username", flat=True))
        except (DatabaseError, InterfaceError):
            connection.close()
            return
        for person in self.people:
            if person.person in names:
                person.needs_login.set()

    def rest_and_count(self) -> Losses:
        from bench.chaos import counting
        from bench.chaos.faults import ABUSER, go_on

        say("coming to rest")
        requests.delete(f"{self.system.wiki}/_sandbox/fault", timeout=20)
        for order in self.system.orders.glob("[!.]*"):
            order.unlink()
        for part in self.system.parts:
            go_on(self.system.processes(part))
        self.look_after_people()
        for person in self.people:
            person.ending.set()
        for person in self.people:
            person.join(150)
            if person.failed or person.is_alive():
                raise RuntimeError(f"{person.person} could not go on") from person.failed
        open_batches = counting.ask(lambda: counting.open_batches_of(ABUSER))
        self.faults.abuser.stop_batches(open_batches)
        until = time.monotonic() + RESTS
        while time.monotonic() < until and not counting.ask(counting.at_rest):
            self.look_after_people()
            for person in self.people:
                person.log_in_if_needed()
            time.sleep(0.5)
        self.monitor.ending.set()
        losses = counting.reckon(self.people, self.wiki)
        ended = self.system.manage("reconcile", "--json")
        if ended.returncode:
            losses.duplicate_edits += 1
            losses.examples.append(f"reconcile: {ended.stdout[-2000:]}")
        self.wiki.world.close()
        return losses

    def report(self, losses: Losses, seconds: float) -> int:
        kinds = defaultdict(list)
        for fault in self.done:
            kinds[fault.kind].append(fault)
        print(f"{'kind':30}faults  recovered  p50 s  p95 s")
        for kind in sorted(kinds):
            times = [each.seconds for each in kinds[kind] if each.seconds is not None]
            middle, most = np.percentile(times, (50, 95)) if times else (0, 0)
            print(f"{kind:30}{len(kinds[kind]):6}{len(times):11}{middle:7.1f}{most:7.1f}")
        errors, unanswered = self.faults.abuser.errors, self.faults.unanswered
        for example in [*losses.examples, *errors[:20], *unanswered]:
            print(f"LOST: {example}")
        print(f"told: {losses.told}; {sum(each.trouble for each in self.people)} requests failed")
        times = [each.seconds if each.seconds is not None else RECOVERS for each in self.done]
        slow = [each.ended for each in self.done if each.ended > SHUTDOWN]
        killed = sum(seconds >= GIVEN for seconds in slow)
        figures = {
            "faults": len(self.done),
            "kinds": len(kinds),
            "answers_lost": losses.answers_lost,
            "photos_lost": losses.photos_lost,
            "claims_lost": losses.claims_lost,
            "duplicate_edits": losses.duplicate_edits,
            "stuck": losses.stuck,
            "server_errors": len(errors),
            "unanswered": len(unanswered),
            "addresses_pressed": len(self.faults.abuser.pressed),
            "seconds_to_recover_p95": round(float(np.percentile(times, 95)), 1) if times else 0.0,
        }
        not_again = sum(each.seconds is None for each in self.done)
        say(f"{len(slow)} took more than {SHUTDOWN} s to end, {killed} of them were killed")
        say(f"{not_again} did not recover in time")
        say(f"{seconds:.0f} s in all, {sum(os.times()[:4]):.0f} of the processor")
        print(json.dumps(figures))
        return 1 if losses.any or errors or unanswered or killed or not_again else 0


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    seed = os.environ.get("SEED") or random.SystemRandom().randrange(100_000)
    parser.add_argument("--seed", type=int, default=int(seed))
    faults = os.environ.get("FAULTS") or (len(SHORT) if QUICK else 300)
    parser.add_argument("--faults", type=int, default=int(faults))
    parser.add_argument("--only", help="one kind of fault, again and again")
    chosen = parser.parse_args()
    in_own_namespace("bench.chaos")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no process stays behind
    say(f"SEED={chosen.seed} FAULTS={chosen.faults}")
    system = System()
    os.environ.clear()
    os.environ.update(system.environment)
    import django

    django.setup()
    return Run(system, chosen.seed, chosen.faults, chosen.only).go()


if __name__ == "__main__":
    sys.exit(main())
