"""`make soak`: the detect worker looks at 3,000 pictures and is killed again and again.

The real worker (celery prefork, `max-memory-per-child`) runs on fresh data, a broker of files or
REDIS_URL, and pictures that a server of this process makes; as root it has a /dev/shm of its own
of 64 MB. Every 50 pictures a child dies at a named point. Resident memory, file descriptors,
semaphores and /dev/shm of all its processes are sampled; from the tenth of the run on, their
slopes by 1,000 pictures are fitted to the means of 50 pictures, with the 95 % interval.

PICTURES=3000 by default, WIDTH=960 px. Ctrl-C ends it with what there is.

The last line is JSON. Exit code 1 when anything grows, a cap is passed, or a picture is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from bench import variants
from bench.system import ROOT, free_ports

if TYPE_CHECKING:
    from projects.models import Project

PICTURES = int(os.environ.get("PICTURES", "3000"))
CRASH_EVERY = 50  # pictures
POINTS = ("downloaded", "taken", "before-commit", "after-commit")
EVERY = 2.0  # seconds between two samples
SHM_MB = 64
WIDTH = int(os.environ.get("WIDTH", "960"))  # of the pictures, at most
PATIENCE = 600  # seconds without a picture after which it is given up
BLOCK = 50  # pictures whose samples make one point of a line
MB = 1_000_000
# What may grow by 1,000 pictures before it is called growth.
MOST = {"rss_mb": 20.0, "child_mb": 20.0, "fds": 2.0, "semaphores": 1.0, "shm_mb": 1.0}


@dataclass
class Sample:
    """Of all processes of the worker together; `child_mb` is the largest child's."""

    rss_mb: float
    child_mb: float
    fds: int
    semaphores: int
    shm_mb: float


def main() -> int:
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with TemporaryDirectory(prefix="wikivisage-soak-") as folder, pictures() as url:
        orders = Path(folder) / "faults"
        orders.mkdir()
        set_up(Path(folder), url, orders)
        project = fill(PICTURES)
        began = time.monotonic()
        with worker() as process:
            samples, crashes = watch(process, project, orders)
        report = summed(samples, project) | {
            "crashes": crashes,
            "seconds": round(time.monotonic() - began),
        }
    print(json.dumps(report))
    return 1 if report["grows"] or report["passed"] or report["missing"] else 0


@contextmanager
def pictures() -> Iterator[str]:
    """A server of the pictures: `/17.jpg`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = variants.jpeg(int(Path(self.path).stem), WIDTH)
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def set_up(folder: Path, url: str, orders: Path) -> None:
    os.environ |= {
        "DATA_DIR": str(folder),
        "PORT": str(free_ports(1)[0]),
        "SANDBOX_URL": url,
        "WIKI": "sandbox",
        "DATABASE_URL": "",
        "REDIS_URL": os.environ.get("REDIS_URL", ""),
        "REDIS_PREFIX": f"soak-{os.getpid()}:",
        "LOG_LEVEL": "ERROR",
        "PICTURE_SECONDS": "60",
        "WIKIVISAGE_FAULTS": str(orders),
        "DJANGO_SETTINGS_MODULE": "wikivisage.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def fill(count: int) -> Project:
    """A project with so many photos that were crawled and not yet looked at."""
    from django.conf import settings

    from crawler.models import Photo, Picture, ProjectPhoto
    from projects.models import Membership, Person, Project, Subject, User

    owner = User.objects.create(username="soak", issuer=settings.WIKI.issuer, sub="1")
    person = Person.objects.create(wiki=settings.WIKI.code, qid="Q7186")
    project = Project.objects.create(owner=owner, active_key="soak")
    Subject.objects.create(project=project, person=person)
    Membership.objects.create(project=project, user=owner, role=Membership.Role.OWNER)
    looks = Picture.objects.bulk_create(
        [
            Picture(
                sha1=hashlib.sha1(b"%d" % number, usedforsecurity=False).hexdigest(),
                width=960,
                height=960,
                mime="image/jpeg",
            )
            for number in range(count)
        ],
        batch_size=500,
    )
    photos = Photo.objects.bulk_create(
        [
            Photo(
                wiki=settings.WIKI.code,
                page_id=number + 1,
                title=f"File:Soak {number}.jpg",
                picture=look,
                thumb_path=f"/{number}.jpg",
            )
            for number, look in enumerate(looks)
        ],
        batch_size=500,
    )
    ProjectPhoto.objects.bulk_create(
        [ProjectPhoto(project=project, photo=photo) for photo in photos], batch_size=500
    )
    return project


@contextmanager
def worker() -> Iterator[psutil.Process]:
    """The detect worker and beat; in its own mount namespace where that is allowed."""
    from wikivisage.management.commands.run import worker as part

    command = [*part("detect", "", 2).command, "-B"]
    if os.geteuid() == 0:
        own = f'mount -t tmpfs -o size={SHM_MB}m shm /dev/shm && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", own, "sh", *command]
    process = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, stderr=sys.stderr)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def watch(
    process: psutil.Process, project: Project, orders: Path
) -> tuple[list[tuple[int, Sample]], int]:
    """Samples by the number of pictures done, until all are; and how many children were killed."""
    samples, ordered, moved, last = [], 0, time.monotonic(), 0
    ended: list[int] = []
    signal.signal(signal.SIGINT, lambda *_: ended.append(1))
    while (done := settled(project)) < PICTURES and not ended:
        if done > last:
            last, moved = done, time.monotonic()
        if time.monotonic() - moved > PATIENCE:
            raise RuntimeError(f"nothing moves after {done} pictures")
        if done // CRASH_EVERY > ordered:
            point = POINTS[ordered % len(POINTS)]
            (orders / "new").write_text("SIGKILL")
            (orders / "new").rename(orders / f"detect:{point}")
            ordered += 1
        samples.append((done, sample(process)))
        if len(samples) % 30 == 0:
            print(f"{done} pictures: {samples[-1][1]}", file=sys.stderr, flush=True)
        time.sleep(EVERY)
    return samples, len(list(orders.glob(".*")))


def settled(project: Project) -> int:
    """Pictures that were looked at or set aside."""
    from core.work import WorkState
    from crawler.models import Picture

    return Picture.objects.filter(state__in=(WorkState.DONE, WorkState.ASIDE)).count()


def sample(parent: psutil.Process) -> Sample:
    rss, fds = [], 0
    semaphores: set[tuple[str, int]] = set()
    memory: set[tuple[str, int]] = set()
    for process in [parent, *parent.children(recursive=True)]:
        try:
            rss.append(process.memory_info().rss)
            fds += process.num_fds()
            for mapped in process.memory_maps(grouped=False):
                if mapped.path.startswith("/dev/shm/"):
                    kind = semaphores if "/sem." in mapped.path else memory
                    kind.add((mapped.path, int(mapped.size)))
        except psutil.Error:
            continue
    return Sample(
        rss_mb=sum(rss) / MB,
        child_mb=max(rss, default=0) / MB,
        fds=fds,
        semaphores=len(semaphores),
        shm_mb=shm_of(parent.pid, sum(size for _, size in memory)) / MB,
    )


def shm_of(pid: int, mapped: int) -> float:
    """Bytes used in the worker's own /dev/shm or, where it is everybody's, what it has mapped."""
    if os.geteuid() != 0:
        return float(mapped)
    used = os.statvfs(f"/proc/{pid}/root/dev/shm")
    return float((used.f_blocks - used.f_bfree) * used.f_frsize)


def summed(samples: list[tuple[int, Sample]], project: Project) -> dict[str, Any]:
    from django.conf import settings

    from core.work import WorkState
    from crawler.models import Picture

    names = [field.name for field in fields(Sample)]
    slopes = {name: slope(samples, name) for name in names}
    peaks = {name: round(max(getattr(one, name) for _, one in samples), 1) for name in names}
    cap = settings.CELERY_WORKER_MAX_MEMORY_PER_CHILD * 1024 / MB
    passed = [
        name
        for name, most in (("child_mb", cap), ("shm_mb", SHM_MB * 1.048576))
        if peaks[name] > most
    ]
    aside = Picture.objects.filter(state=WorkState.ASIDE)
    return {
        "pictures": Picture.objects.filter(state=WorkState.DONE).count(),
        "set_aside": aside.count(),
        "set_aside_because": sorted(set(aside.values_list("error", flat=True))),
        "missing": PICTURES - settled(project),
        "slope_per_1000": slopes,
        "peak": peaks,
        "cap_mb": round(cap),
        "grows": [name for name in names if slopes[name][1] > MOST[name]],
        "passed": passed,
        "median": {
            name: round(float(np.median([asdict(one)[name] for _, one in samples])), 1)
            for name in names
        },
    }


def slope(samples: list[tuple[int, Sample]], name: str) -> tuple[float, float, float]:
    """Growth by 1,000 pictures: the estimate, and both ends of its 95 % interval."""
    blocks: dict[int, list[float]] = defaultdict(list)
    for done, one in samples:
        if done >= PICTURES / 10:  # before, engines are loaded and memories fill
            blocks[done // BLOCK].append(float(getattr(one, name)))
    if len(blocks) < 3:
        return 0.0, 0.0, 0.0
    x = np.array(sorted(blocks)) * BLOCK / 1000
    y = np.array([np.mean(blocks[key]) for key in sorted(blocks)])
    away = x - x.mean()
    rise = float(away @ y / (away @ away))
    rest = y - y.mean() - rise * away
    error = float(np.sqrt(rest @ rest / (len(x) - 2) / (away @ away)))
    return round(rise, 2), round(rise - 2 * error, 2), round(rise + 2 * error, 2)


if __name__ == "__main__":
    sys.exit(main())
