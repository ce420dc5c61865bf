"""`make bench-pages`: how quick every page and fragment is beside 100,000 faces and 20 members.

A project is written straight into a database of its own (see `bench.multitude`), and each address
that contributors ask for is asked by Django's test client with DEBUG off, the whole request with
its session and user: queries, the most rows that one of them examined (MariaDB's handler
counters), median and 95th percentile of server time, bytes as they go over the wire. Each is asked
twenty times in a row, up to three times over; the 95th percentile is that of the quietest twenty.
Beside it in the same run stand the obvious alternatives, and how long a person waits from a key
to the next face in a real browser (see `bench.keypress`). The last line of stdout is JSON; exit
code 1 when a goal is missed, on a machine that has nothing else to do.

DATABASE_URL says where; the local MariaDB by default. FACES and QUICK=1 (fewer of each) for tries.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.system import free_ports

if TYPE_CHECKING:
    from django.test import Client

    from bench.multitude import Multitude
    from crawler.models import Region
    from projects.models import User

QUICK = os.environ.get("QUICK") == "1"
FACES = int(os.environ.get("FACES", "10000" if QUICK else "100000"))
MEMBERS = 20
TIMES, LEAST, SECONDS = (10, 3, 0.5) if QUICK else (60, 20, 2.0)  # asked; a slow page less often
ROUND = 20  # times in a row
ANSWERS = 20 if QUICK else 60  # by key, in Chromium
MANY_ROWS = 5000  # examined by one query: it is named; and it misses the goal at a fifth of all
MOST_QUERIES, NEXT_MS, PAGE_MS, ASSETS_KB, GRID_KB = 6, 25, 100, 100, 200
BROWSER_MS = 100  # from a key to the next face
LOCAL = "mysql://root@127.0.0.1/wikivisage"

# Names of addresses that are not asked, and why.
NOT_ASKED = {
    "admin": "of moderators",
    "accounts": "the way to the wiki and back",
    "person-search": "asks the wiki",
    "category-search": "asks the wiki",
    "category-count": "asks the wiki",
    "place-count": "asks the wiki",
    "new-sum": "asks the wiki",
    "source-suggestions": "asks the wiki",
    "favicon": "a redirect",
    "preview": "reads the files on the wiki; its page is asked when they are read",
}
DOWNLOADS = ("export-", "account-data")  # files of all rows, that somebody waits for: no page
# What an address is asked for besides itself.
VARIANTS: dict[str, tuple[str, ...]] = {
    "review": (
        "?which=confirmed",
        "?which=rejected&order=worst",
        "?which=others",
        "?which=others&order=newest",
        "?which=doubted",
        "?which=disputed",
        "?which=on-commons",
    ),
    "projects": ("?q=curie", "?mine=1"),
    "leaderboard": ("?period=week",),
    "batch": ("?show=stand", "?show=not-as-planned"),
}


@dataclass
class Asked:
    """One address, and what asking for it cost."""

    name: str
    path: str
    status: int
    queries: int
    rows: int  # the most that one query examined; −1 where the database does not say
    scan: str  # that query
    wire: int  # bytes
    times: list[float] = field(default_factory=list)  # ms

    @property
    def p50(self) -> float:
        return median(self.times)

    @property
    def p95(self) -> float:
        """Of the round that was disturbed least by what else the machine does."""
        rounds = [self.times[at : at + ROUND] for at in range(0, len(self.times), ROUND)]
        full = [each for each in rounds if len(each) == ROUND] or rounds
        return min(quantile(each, 0.95) for each in full)

    @property
    def is_download(self) -> bool:
        return self.name.startswith(DOWNLOADS)

    def line(self) -> str:
        rows = f"{self.rows:9,}" if self.rows >= 0 else "        –"
        return (
            f"{self.name:44.44} {self.status} {self.queries:4} {rows} "
            f"{self.p50:8.1f} {self.p95:8.1f} {self.wire / 1000:8.1f}"
        )


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[round(part * (len(values) - 1))]


class Meter:
    """Counts the queries of what is done meanwhile, and the rows that each examined."""

    def __init__(self) -> None:
        from django.db import connection

        self.connection = connection
        self.seen: list[tuple[str, int]] = []
        self.idle = 0
        if connection.vendor == "mysql":
            connection.ensure_connection()
            self.idle = -self._handlers() + self._handlers()

    @contextmanager
    def __call__(self) -> Iterator[list[tuple[str, int]]]:
        self.seen = []
        with self.connection.execute_wrapper(self._count):
            yield self.seen

    def _count(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        before = self._handlers()
        result = execute(sql, params, many, context)
        self.seen.append((sql, self._handlers() - before - self.idle if before >= 0 else -1))
        return result

    def _handlers(self) -> int:
        if self.connection.vendor != "mysql":
            return -1
        with self.connection.connection.cursor() as cursor:
            cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
            return sum(int(value) for _name, value in cursor.fetchall())


class Bench:
    def __init__(self, built: Multitude) -> None:
        self.built = built
        self.meter = Meter()
        self.rows: list[Asked] = []

    def client(self, user: User | None) -> Client:
        from django.conf import settings
        from django.test import Client

        client = Client(headers={"host": f"127.0.0.1:{settings.PORT}"})
        if user:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def ask(
        self,
        name: str,
        request: Callable[[int], Any],
        before: Callable[[int], object] = lambda number: None,
        path: str = "",
        seconds: float = SECONDS,
    ) -> Asked:
        """Asks `request` often; `before` each time what is not to be measured. The first time
        templates are read and the page's portrait is remembered."""
        before(0)
        _content(request(0))
        before(0)
        with self.meter() as seen:
            first = request(0)
            wire = len(gzip.compress(_content(first), 6))  # a download reads as it is read
        sql, most = max(seen, key=lambda each: each[1], default=("", -1))
        asked = Asked(name, path, first.status_code, len(seen), most, sql, wire)
        started = time.perf_counter()
        for number in range(1, TIMES + 1):
            before(number)
            begun = time.perf_counter()
            _content(request(number))
            asked.times.append(1000 * (time.perf_counter() - begun))
            least = 3 if asked.is_download else LEAST
            if number >= least and time.perf_counter() - started > seconds:
                break
        self.rows.append(asked)
        print(asked.line(), flush=True)
        return asked

    def get(self, name: str, path: str, user: User | None, **headers: str) -> Asked:
        client = self.client(user)
        return self.ask(name, lambda _n: client.get(path, headers=headers), path=path)


def _content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def addresses(built: Multitude) -> Iterator[tuple[str, str]]:
    """(name, path) of every address that names itself and is not left out, its parts filled in."""
    from django.urls import URLPattern, URLResolver, get_resolver

    from projects.models import Invite

    known = known_parts(built)
    invite = Invite.objects.values_list("code", flat=True)[0]

    def walk(patterns: Any, prefix: str) -> Iterator[tuple[str, str]]:
        for each in patterns:
            route = prefix + str(each.pattern)
            if isinstance(each, URLResolver):
                if route.split("/")[0] not in NOT_ASKED:
                    yield from walk(each.url_patterns, route)
            elif isinstance(each, URLPattern) and each.name and each.name not in NOT_ASKED:
                known["code"] = invite if each.name == "join-code" else built.done.code
                parts = re.findall(r"<(?:\w+:)?(\w+)>", route)
                if missing := [part for part in parts if part not in known]:
                    print(f"{each.name}: nobody told what {', '.join(missing)} is", file=sys.stderr)
                    continue
                filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda part: known[part[1]], route)
                yield each.name, "/" + filled

    yield from walk(get_resolver().url_patterns, "")


def known_parts(built: Multitude) -> dict[str, str]:
    from sdc.models import ClaimAttempt, Watch

    attempt = ClaimAttempt.objects.filter(batch=built.done).first()
    watch = Watch.objects.filter(finding=Watch.Finding.REMOVED).first()
    assert attempt
    assert watch
    return {
        "project_id": built.project.public_id,
        "region_id": built.asked[0].public_id,
        "photo_id": f"photo{built.asked[0].picture_id}",
        "code": built.done.code,
        "attempt_id": str(attempt.pk),
        "watch_id": str(watch.pk),
        "user_id": built.members[3].public_id,
        "source_id": str(built.project.sources.values_list("pk", flat=True)[0]),
        "told_id": str(built.owner.notifications.values_list("pk", flat=True)[0]),
    }


def ask_pages(bench: Bench) -> None:
    """Every address that answers to GET, as the owner asks it; the open ones as a visitor, too."""
    built = bench.built
    looker = bench.client(built.owner)
    face, other = (region.public_id for region in built.asked[:2])
    needed = {
        "review-compare": f"?region={face}&region={other}",
        "review-else": f"?region={face}",
    }
    for name, path in addresses(built):
        path += needed.get(name, "")
        status = looker.get(path).status_code
        if status == 405 or 300 <= status < 400:
            continue
        if status != 200:
            print(f"{name}: {status} at {path}", file=sys.stderr)
            continue
        for variant in ("", *VARIANTS.get(name, ())):
            bench.get(name + variant, path + variant, built.owner)
    project = f"/p/{built.project.public_id}"
    running = f"{project}/batch/{built.running.code}"
    bench.get("batch, running", running, built.owner)
    bench.get("batch-status, running", f"{running}/status", built.owner)
    poll = poll_address(built, looker)
    bench.ask("project-status, nothing changed", lambda _n: looker.get(poll))
    bench.get("review, its script", f"{project}/review?which=others", built.owner, **SCRIPT)
    for name, path in (("home", "/"), ("projects", "/projects"), ("project", f"{project}/")):
        bench.get(f"{name}, a visitor", path, None)
    bench.get("home, another to try", "/?after=x", None, **{"HX-Request": "true"})


def ask_uncounted(bench: Bench) -> None:
    """What people open first, before anybody has counted the project."""
    project = f"/p/{bench.built.project.public_id}"
    for name in ("", "review", "ask", "grid", "tray", "sources/"):
        address = f"{project}/{name}"
        bench.get(f"{name.strip('/') or 'project'}, not counted", address, bench.built.owner)


SCRIPT = {"X-Background": "1"}


def poll_address(built: Multitude, looker: Client) -> str:
    """As the project's page asks for its moving part again."""
    address = f"/p/{built.project.public_id}"
    page = looker.get(f"{address}/").content.decode()
    ticket = re.search(r'data-ticket="([^"]+)"', page)
    assert ticket
    return f"{address}/status?ticket={ticket[1]}"


def alternatives(bench: Bench) -> dict[str, float]:
    """How many times as long the obvious way takes."""
    from classify.review import galleries
    from classify.selectors import counted_faces

    project = bench.built.project
    others = galleries.likeliest_first(galleries.rows_of(project, galleries.Which.OTHERS))
    at = min(60_000, FACES // 2)
    key: Any = others.values_list("key", "pk")[at - 1]
    poll = next(each for each in bench.rows if each.name == "project-status, nothing changed")
    pairs = {
        "a poll, against counting all scores": (poll.p50, lambda: counted_faces.count(project)),
        f"page {at // 60:,} of a gallery, against OFFSET": (
            _ms(lambda: galleries.gallery(project, "others", "best", key)),
            lambda: list(others.select_related("region", "photo__picture")[at : at + 61]),
        ),
    }
    return {name: _ms(other) / ours for name, (ours, other) in pairs.items()}


def _ms(what: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        what()
        times.append(1000 * (time.perf_counter() - begun))
    return median(times)


def ask_next(bench: Bench) -> list[Asked]:
    """The next question and the next screen of somebody who holds some already, freshly leased."""
    from django.utils import timezone

    from bench.multitude import FREE
    from classify.asking.queue import LEASE
    from classify.models import Question

    built = bench.built
    base = f"/p/{built.project.public_id}"
    clients = [bench.client(user) for user in built.members]
    held: list[str] = []

    def hold(number: int, faces: int) -> None:
        """Of the first ones this one holds a few, and nobody holds the others."""
        user = built.members[number % MEMBERS]
        every = Question.objects.filter(subject=built.project.subject, rank__lt=FREE)
        every.update(leased_to=None, leased_until=None)
        first = list(every.order_by("rank")[:faces])
        mine = every.filter(pk__in=[each.pk for each in first])
        mine.update(leased_to=user, leased_until=timezone.now() + LEASE)
        held[:] = [each.region.public_id for each in first]

    found = []
    for name, faces in (("question-next", 5), ("grid-next", 20)):
        address = f"{base}/{name.replace('question-', 'ask/').replace('-', '/')}"
        found.append(
            bench.ask(
                f"{name}, {faces} held",
                lambda n, to=address: clients[n % MEMBERS].get(  # type: ignore[misc]
                    to, {"exclude": held}, headers=SCRIPT
                ),
                lambda n, f=faces: hold(n, f),  # type: ignore[misc]
                seconds=5 * SECONDS,  # all three rounds: each lease waits for the disk
            )
        )
    return found


def ask_posts(bench: Bench) -> None:
    """What people answer: each time other faces, since an answer is given once. Drawing is left
    out: it asks the wiki first."""
    built = bench.built
    base = f"/p/{built.project.public_id}"
    clients = [bench.client(user) for user in built.members]
    faces = iter(_regions(built.hardly))
    asked = iter(built.asked)

    def post(address: str, data: Callable[[], dict[str, Any]]) -> None:
        from bench.multitude import new_uuid

        sent: dict[str, Any] = {}

        def fill(_number: int) -> None:
            sent.clear()
            sent.update({"client_uuid": new_uuid()} | data())

        bench.ask(
            f"POST {address}",
            lambda n: clients[n % MEMBERS].post(f"{base}/{address}", sent, headers=SCRIPT),
            fill,
        )

    def one(faces: Iterator[Any]) -> dict[str, Any]:
        region = next(faces)
        return {"region": region.public_id, "photo": f"photo{region.picture_id}"}

    def many(faces: Iterator[Any], number: int) -> list[str]:
        return [next(faces).public_id for _ in range(number)]

    post("answer", lambda: one(asked) | {"verdict": "yes"})
    post("skip", lambda: one(faces))
    post("grid/answer", lambda: {"shown": (shown := many(faces, 20)), "yes": shown[:10]})
    post("grid/skip", lambda: {"shown": many(faces, 20)})
    post("undo", dict)
    post("review/answer", lambda: {"deed": "reject", "region": many(faces, 20)})


def press_keys(bench: Bench) -> list[float]:
    """What somebody waits for a face whose keys answer one after the other, ms: all questions are
    free, and a web server of its own serves the same database."""
    from django.conf import settings

    from bench import keypress
    from classify.models import Question

    built = bench.built
    asked = Question.objects.filter(subject=built.project.subject)
    asked.update(leased_to=None, leased_until=None)
    cookies = bench.client(built.members[5]).cookies
    with keypress.server(settings.PORT, {"DATABASE_URL": _address()}) as origin:
        return keypress.times(f"{origin}/p/{built.project.public_id}/ask", cookies, ANSWERS)


def _address() -> str:
    """DATABASE_URL of the database that is asked."""
    from django.db import connection

    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite://{name}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def _regions(ids: list[int]) -> list[Region]:
    from crawler.models import Region

    some = ids[: 90 * TIMES]
    found = Region.objects.in_bulk(some)
    return [found[each] for each in some]


def static_files(html: str) -> set[str]:
    """The CSS and JS that a page loads, with what its modules import."""
    from django.conf import settings

    root = Path(settings.STATIC_ROOT)
    loaded: set[str] = set()
    waiting = set(re.findall(r'(?:href|src)="/static/([^"]+\.(?:css|js))"', html))
    while waiting:
        name = waiting.pop()
        loaded.add(name)
        text = (root / name).read_text()
        for path in re.findall(r'(?:from|import|@import)\s*\(?["\'](\.{1,2}/[^"\']+)["\']', text):
            found = os.path.normpath(str(Path(name).parent / path))
            waiting |= {found} - loaded
    return loaded


def assets(bench: Bench) -> tuple[str, float]:
    """The page that loads most CSS and JS, and how many KB that is as whitenoise serves it."""
    from django.conf import settings

    root = Path(settings.STATIC_ROOT)
    heaviest = ("", 0.0)
    client = bench.client(bench.built.owner)
    for each in bench.rows:
        if each.path and not each.is_download:
            response = client.get(each.path)
            if "html" in response.headers.get("Content-Type", "") and b"<html" in response.content:
                names = static_files(response.content.decode())
                size = sum(_wire(root / name) for name in names) / 1000
                heaviest = max(heaviest, (each.name, size), key=lambda pair: pair[1])
    return heaviest


def _short(sql: str) -> str:
    """Without the list of columns."""
    return re.sub(r"^SELECT (.{40}).*? FROM ", r"SELECT \1… FROM ", sql.replace("`", ""))[:300]


def _wire(path: Path) -> int:
    packed = path.with_name(path.name + ".gz")
    return (packed if packed.exists() else path).stat().st_size


def grid_kb(bench: Bench) -> float:
    """A grid of 20 faces: its page and the crops it shows."""
    client = bench.client(bench.built.owner)
    page = client.get(f"/p/{bench.built.project.public_id}/grid/next").content
    crops = set(re.findall(r'src="([^"]+/crops/[^"]+)"', page.decode()))
    assert len(crops) >= 20, f"only {len(crops)} crops in a grid"
    shown = sum(len(_content(client.get(path))) for path in crops)
    return (len(gzip.compress(page, 6)) + shown) / 1000


@contextmanager
def database() -> Iterator[None]:
    """A database of its own, dropped at the end, and static files as they are served."""
    folder = tempfile.mkdtemp(prefix="bench-pages-")
    os.environ.setdefault("DATABASE_URL", LOCAL)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="wikivisage.settings",
        DATA_DIR=folder,
        PORT=str(free_ports(1)[0]),
        WIKI="sandbox",
        DEBUG="",
        LOG_LEVEL="ERROR",
    )
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    options = connection.settings_dict["TEST"]
    is_file = connection.vendor == "sqlite"
    options["NAME"] = f"{folder}/pages.sqlite3" if is_file else f"wv_bench_pages_{os.getpid()}"
    connection.settings_dict.setdefault("OPTIONS", {})
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield
        finally:
            connection.creation.destroy_test_db("", verbosity=0)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    started = time.monotonic()
    with database():
        from bench import multitude
        from classify.learner import census

        built = multitude.build(FACES, MEMBERS)
        multitude.analyze()
        multitude.cut_crops(built.asked)
        print(f"built in {time.monotonic() - started:.0f} s, load {os.getloadavg()[0]:.1f}")
        print(f"{'':44} HTTP  sql      rows   median      p95   KB gz")
        bench = Bench(built)
        ask_uncounted(bench)
        begun = time.monotonic()
        census.count_all(60)
        print(f"all parts of the census counted in {time.monotonic() - begun:.1f} s")
        ask_pages(bench)
        asked = ask_next(bench)
        heaviest, css_js = assets(bench)
        grid = grid_kb(bench)
        ratios = alternatives(bench)
        pages = [each for each in bench.rows if each.path and not each.is_download]
        ask_posts(bench)
        waits = press_keys(bench)
    worst = max(pages, key=lambda each: each.p95)
    for each in bench.rows:
        if each.rows > MANY_ROWS and not each.is_download:
            print(f"{each.name}: {each.rows:,} rows examined by {_short(each.scan)}")
    scans = [each for each in bench.rows if each.rows > FACES // 5 and not each.is_download]
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.0f} times as quick")
    print(
        f"from a key to the next face, {len(waits)} times in Chromium: median {median(waits):.0f}, "
        f"95 % within {quantile(waits, 0.95):.0f}, slowest {max(waits):.0f} ms"
    )
    print(f"heaviest: {heaviest}, {css_js:.1f} KB of CSS and JS; slowest: {worst.name}")
    print(f"load {os.getloadavg()[0]:.1f}, {time.monotonic() - started:.0f} s in all")
    last = {
        "next_question_p95_ms": round(max(each.p95 for each in asked), 1),
        "next_question_queries": max(each.queries for each in asked),
        "worst_page_p95_ms": round(worst.p95, 1),
        "css_js_wire_kb": round(css_js, 1),
        "grid_kb": round(grid, 1),
        "next_question_browser_p95_ms": round(quantile(waits, 0.95), 1),
    }
    print(json.dumps(last))
    met = (
        last["next_question_p95_ms"] < NEXT_MS
        and last["next_question_queries"] <= MOST_QUERIES
        and last["worst_page_p95_ms"] < PAGE_MS
        and last["css_js_wire_kb"] < ASSETS_KB
        and last["grid_kb"] < GRID_KB
        and last["next_question_browser_p95_ms"] < BROWSER_MS
        and not scans
    )
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
