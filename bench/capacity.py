"""`make bench-capacity`: what an operator must reckon with, in numbers (docs/capacity.md).

1. The database: a project of 100,000 faces as `bench-pages` builds it, and what its tables take on
   MariaDB, for each million regions, each million answers and each million edits.
2. The processes as `deploy/toolforge/start` starts them, on MariaDB and Redis, while a volunteer
   works and others look at pages: memory (the proportional share, so that what processes have in
   common counts once), connections to the database, and pictures a second of one process.

Needs MariaDB and Redis on this machine (DATABASE_URL, REDIS_URL). The last line is JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psutil
import requests

from bench import truth
from bench.pages import LOCAL, MEMBERS, database
from bench.smoke import PERSONS, answered, at_rest
from bench.system import ROOT, free_ports
from bench.volunteer import Volunteer, wait

FACES = int(os.environ.get("FACES", "100000"))
PARTS = {  # as Procfile has them
    "web": ["web"],
    "crawl": ["worker", "crawl", "1"],
    "detect": ["worker", "detect", "2"],
    "infer": ["worker", "infer", "1"],
    "write, default": ["worker", "write,default", "1"],
    "beat": ["beat"],
}
GROUPS = {  # tables by what they grow with
    "pictures and regions": ("crawler_region", "crawler_picture", "crawler_photo"),
    "vectors": ("crawler_embedding",),
    "scores and questions": ("classify_score", "classify_question"),
    "answers and labels": ("classify_answer", "classify_label"),
    "ledger": ("sdc_",),
}
SEALED = 128 * 4 + 30  # bytes of a vector with version, key number, nonce and tag
LOOKERS, SECONDS = 12, 0.5  # people who look at pages meanwhile; between two samples


def growth() -> dict[str, dict[str, float]]:
    """MB of data and index by group of tables, and of how many rows."""
    from django.db import connection

    from bench import multitude
    from classify.models import Answer
    from crawler.models import Embedding, Region
    from crawler.registry import selection
    from sdc.models import Edit

    multitude.build(FACES, MEMBERS)
    regions = list(Region.objects.values_list("pk", flat=True))
    engine = selection.default()
    Embedding.objects.bulk_create(
        [Embedding(region_id=pk, engine=engine, vector=os.urandom(SEALED)) for pk in regions],
        batch_size=2000,
        ignore_conflicts=True,
    )
    multitude.analyze()
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE TABLE {Embedding._meta.db_table}")
        cursor.fetchall()
        cursor.execute(
            "SELECT table_name, data_length + index_length FROM information_schema.tables"
            " WHERE table_schema = DATABASE()"
        )
        sizes = {str(name): int(size) for name, size in cursor.fetchall()}
    rows = {
        "answers and labels": Answer.objects.count(),
        "ledger": Edit.objects.count(),
    }
    found = {}
    for group, starts in GROUPS.items():
        size = sum(size for name, size in sizes.items() if name.startswith(starts))
        found[group] = {"mb": size / 1e6, "rows": rows.get(group, Region.objects.count())}
    return found


class Sampler(threading.Thread):
    """The most that each part took, of memory and of connections, and of all connections."""

    def __init__(self, parts: dict[str, psutil.Process], port: int) -> None:
        super().__init__(daemon=True)
        self.parts, self.port = parts, port
        self.memory: dict[str, float] = defaultdict(float)
        self.connections: dict[str, int] = defaultdict(int)
        self.all = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(SECONDS):
            self.all = max(self.all, sum(self._sample(name) for name in self.parts))

    def _sample(self, name: str) -> int:
        memory, connections = 0, 0
        top = self.parts[name]
        for process in [top, *top.children(recursive=True)]:
            try:
                memory += process.memory_full_info().pss
                connections += sum(
                    bool(each.raddr) and each.raddr.port == self.port
                    for each in process.net_connections("tcp")
                )
            except psutil.Error:
                continue
        self.memory[name] = max(self.memory[name], memory / 1e6)
        self.connections[name] = max(self.connections[name], connections)
        return connections


@contextmanager
def system() -> Iterator[tuple[str, Sampler]]:
    """The processes of Toolforge and the sandbox wiki; the web server's address."""
    web, wiki = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="bench-capacity-") as folder, ExitStack() as stack:
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "WIKI": "sandbox",
            "DATA_DIR": folder,
            "STATIC_ROOT": f"{folder}/static",
            "PORT": str(web),
            "SANDBOX_PORT": str(wiki),
            "EDITS_A_MINUTE": "6000",
            "REDIS_URL": os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/9"),
            "REDIS_PREFIX": f"capacity-{os.getpid()}:",
            "DATABASE_URL": _address(),
        }
        command = [sys.executable, "-m", "sandbox", "--port", str(wiki), "--data", f"{folder}/s"]
        stack.enter_context(_process(command, environment))
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=environment,
            check=True,
        )
        parts = {
            name: stack.enter_context(_process(["deploy/toolforge/start", *part], environment))
            for name, part in PARTS.items()
        }
        url = f"http://127.0.0.1:{web}"
        wait(lambda: _answers(url), 60, "the web server")
        sampler = Sampler(parts, 3306)
        sampler.start()
        yield url, sampler
        sampler.ended.set()
        sampler.join()


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[psutil.Process]:
    process = psutil.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _address() -> str:
    """Of the benchmark's own database, by TCP, so that its connections can be counted."""
    from django.db import connection

    url = os.environ["DATABASE_URL"].rpartition("/")[0]
    return f"{url}/{connection.settings_dict['NAME']}"


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/live", timeout=2).ok
    except requests.RequestException:
        return False


def work(url: str) -> float:
    """A volunteer goes the whole way with each person, others look on; pictures a second while
    the photos of the first are looked at."""
    from core.work import WorkState
    from crawler.models import Picture

    volunteer = Volunteer(url, "Ingrid S.", truth.photos())
    volunteer.log_in()
    projects = [volunteer.create(qid, name) for qid, name in PERSONS.items()]
    begun = time.monotonic()
    done = threading.Event()
    for _ in range(LOOKERS):
        threading.Thread(target=_look, args=(url, projects, done), daemon=True).start()
    for project in projects:
        wait(partial(at_rest, volunteer, project), 600, "the end of looking")
    pace = Picture.objects.filter(state=WorkState.DONE).count() / (time.monotonic() - begun)
    for project, qid in zip(projects, PERSONS, strict=True):
        answered(volunteer, project, "grid", qid)
        volunteer.send(project)
    done.set()
    return pace


def _look(url: str, projects: list[str], done: threading.Event) -> None:
    with requests.Session() as session:
        while not done.is_set():
            for project in projects:
                session.get(project if project.startswith("http") else url + project, timeout=60)
            done.wait(1)


def measured(what: str, do: Callable[[], dict[str, dict[str, float]]]) -> dict[str, float]:
    """Prints a group of tables a line; MB for each million rows."""
    print(f"{what:24} {'MB':>8} {'rows':>10} {'MB a million':>14}")
    found = {}
    for group, size in do().items():
        found[group] = 1e6 * size["mb"] / size["rows"]
        print(f"{group:24} {size['mb']:8.1f} {size['rows']:10,.0f} {found[group]:14,.0f}")
    return found


def main() -> None:
    os.environ.setdefault("DATABASE_URL", LOCAL)
    with database():
        sizes = measured("database", growth)
        from django.core.management import call_command

        call_command("flush", interactive=False, verbosity=0)
        with system() as (url, sampler):
            pace = work(url)
    print(f"\n{'part':24} {'MB at most':>10} {'connections at most':>20}")
    for name in PARTS:
        print(f"{name:24} {sampler.memory[name]:10.0f} {sampler.connections[name]:20}")
    print(f"all connections at once: {sampler.all}; load {os.getloadavg()[0]:.1f}")
    last = {
        "mb_per_million_regions": round(
            sizes["pictures and regions"] + sizes["vectors"] + sizes["scores and questions"]
        ),
        "mb_per_million_answers": round(sizes["answers and labels"]),
        "mb_per_million_edits": round(sizes["ledger"]),
        "memory_mb": {name: round(sampler.memory[name]) for name in PARTS},
        "connections": sampler.all,
        "pictures_a_second": round(pace, 2),
    }
    print(json.dumps(last))


if __name__ == "__main__":
    main()
