"""Hostile pictures, through the real way: HTTP, decoder, engine, a worker's child, the database."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from functools import cache
from pathlib import Path

import psutil
import pytest
from pytest_django import Settings

from core.events import wake
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto, Region
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from projects.models import Project, User
from sandbox import RunningSandbox
from sandbox.files import describe
from sandbox.wikitext import InvalidTitle, normalize_title
from tests.conftest import MakeProject
from tests.crawler.helpers import add_files, crawl, look, make_due, open_lanes, photo
from tests.crawler.test_crashes import environment, until, worker
from tests.factories import make_user
from tests.hostile import corpus, fuzz_decoder
from tests.hostile.corpus import LOOKED, Case
from tests.hostile.limited import ends
from tests.hostile.server import path_of, serve
from wiki import sites

SEED = 20_261_125
MOST_MB = 400  # of a child that fetches and decodes, besides what it was forked with


@cache
def all_cases() -> list[Case]:
    return corpus.make(SEED)


def one_of_each_kind() -> list[Case]:
    """They come first."""
    return all_cases()[: len(corpus.KINDS) + len(corpus.HANDED)]


@pytest.mark.long
def test_a_seed_makes_the_same_files_again() -> None:
    cases = all_cases()
    assert len(cases) >= 500
    assert corpus.make(SEED, count=0) == one_of_each_kind()
    assert len({case.kind for case in cases}) == len(corpus.KINDS) + len(corpus.HANDED) >= 100
    assert {case.name for case in cases} == set(corpus.NAMES)
    assert _bits_flipped(SEED) == _bits_flipped(SEED) != _bits_flipped(SEED + 1)


def _bits_flipped(seed: int) -> bytes:
    return corpus.KINDS["bits_flipped"](random.Random(seed))[0]


@pytest.mark.process
def test_every_file_ends_as_pixels_or_with_a_reason(settings: Settings) -> None:
    """Fetched and decoded in one child, under the limits of a worker: it never dies."""
    settings.PICTURE_MAX_BYTES, settings.PICTURE_SECONDS = 2_000_000, 5
    cases = all_cases()
    with serve(cases) as url:
        settings.WIKI = sites.sandbox(url)

        def outcome(number: int) -> str:
            try:
                data = pictures_fetch.fetch(url + path_of(number, cases[number]))
            except Unusable as error:
                return error.code
            return fuzz_decoder.test_one_input(data)

        held = psutil.Process().memory_info().rss // 2**20
        ended = list(ends(outcome, len(cases), patience=30))
    wrong = [
        (end.number, cases[end.number].kind, end.outcome)
        for end in ended
        if end.outcome not in cases[end.number].ways
    ]
    assert not wrong, "\n".join(map(str, wrong))
    assert len(ended) == len(cases)
    counted = Counter(end.outcome for end in ended)
    assert counted[LOOKED] > 150, "most that is sound is looked at"
    assert set(counted) == {
        LOOKED,
        *("broken", "not-a-picture", "too-large", "too-many-bytes", "gone"),
        *("network", "no-thumbnail", "forbidden-host"),
    }
    assert max(end.memory for end in ended) - held < MOST_MB


@pytest.mark.process
def test_the_fuzz_target_finds_nothing_in_a_moment() -> None:
    result = fuzz_decoder.fuzz(SEED, seconds=60, count=300)
    assert result["found"] == []
    assert result["inputs"] == 300
    assert {LOOKED, "broken"} <= set(result["outcomes"])  # type: ignore[call-overload]


@pytest.mark.process
def test_what_kills_or_hangs_the_child_ends_that_number_alone() -> None:
    def look(number: int) -> str:
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 2:
            os.read(os.pipe()[0], 1)  # for ever
        if number == 3:
            raise KeyError("what the decoder must not do")
        return LOOKED

    ended = [end.outcome.partition(":")[0] for end in ends(look, 5, patience=0.5)]
    assert ended == [LOOKED, "died", "hung", "escaped", LOOKED]


def photos_of(project: Project, cases: list[Case]) -> None:
    for number, case in enumerate(cases):
        # Where the network fails it has been tried before: this is the last time.
        tries = Picture.max_tries - 1 if case.ways == {"network"} else 0
        picture = Picture.objects.create(
            sha1=f"hostile-{number}", width=9, height=9, mime="x", tries=tries
        )
        shown = Photo.objects.create(
            wiki="sandbox",
            page_id=number + 1,
            title=f"File:{case.name}"[:255],
            picture=picture,
            thumb_path=path_of(number, case),
        )
        ProjectPhoto.objects.create(project=project, photo=shown)


@pytest.mark.process
@pytest.mark.timeout(240)
def test_one_of_each_kind_through_the_detecting_worker(
    shared_database: str, sandbox: RunningSandbox, make_project: MakeProject, tmp_path: Path
) -> None:
    """One child of a real worker looks at all of them, and lives; the database knows the ends."""
    cases = one_of_each_kind()
    photos_of(make_project(make_user("Alice"), "Q1615", []), cases)
    unsettled = Picture.objects.exclude(state__in=(WorkState.DONE, WorkState.ASIDE))
    with serve(cases) as url:
        limits = {"PICTURE_SECONDS": "5", "PICTURE_MAX_BYTES": "2000000", "SANDBOX_URL": url}
        with worker("detect", environment("", tmp_path) | limits) as process:
            children: set[int] = set()

            def all_settled() -> bool:
                open_lanes()
                make_due(unsettled.filter(state=WorkState.QUEUED, tries__gt=0))
                wake("crawler.detect")
                time.sleep(0.4)
                children.update(child.pid for child in psutil.Process(process.pid).children())
                return not unsettled.exists()

            until(all_settled, seconds=150)
            assert process.poll() is None, "the parent lives"
            assert len(children) == 1, "and so does its child"
            (child,) = children
            assert psutil.Process(child).memory_info().rss < 1_000_000_000
    ended = dict(Picture.objects.values_list("sha1", "error"))
    wrong = [
        (case.kind, ended[f"hostile-{number}"])
        for number, case in enumerate(cases)
        if (ended[f"hostile-{number}"] or LOOKED) not in case.ways
    ]
    assert not wrong, "\n".join(map(str, wrong))
    assert set(ended.values()) <= {"", *Picture.Error.values}
    seen = Picture.objects.filter(state=WorkState.DONE)
    assert all(picture.tries == 0 and picture.faces is not None for picture in seen)
    # Those that were put off while the wiki was away cost no try; none is tried for ever.
    assert not Picture.objects.filter(attempt__gt=20).exists()
    faces = Region.objects.filter(picture__state=WorkState.DONE).values("picture").distinct()
    assert faces.count() > 20


@pytest.mark.waits
@pytest.mark.parametrize(
    "attempt", [pictures_fetch.ALWAYS_BUSY - 2, pictures_fetch.ALWAYS_BUSY - 1]
)
def test_a_picture_at_which_the_wiki_is_always_busy_is_set_aside_at_last(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject, attempt: int
) -> None:
    (case,) = [one for one in one_of_each_kind() if one.kind == "baseline_jpeg"]
    photos_of(make_project(alice, "Q1615", []), [case])
    Picture.objects.update(attempt=attempt)
    sandbox.faults.add("http", {"path": "/upload"}, status=503)
    look()
    open_lanes()
    picture = Picture.objects.get()
    last = attempt == pictures_fetch.ALWAYS_BUSY - 1
    assert (picture.state == WorkState.ASIDE) is last
    assert picture.error == "network"
    if not last:
        rest = picture.due_at - picture.photos.get().seen_at
        assert rest.total_seconds() > 800, "it makes room for the others meanwhile"


@pytest.mark.waits
def test_names_of_every_kind_come_through_the_crawl(
    fresh_sandbox: RunningSandbox, alice: User, make_project: MakeProject, tmp_path: Path
) -> None:
    """Uploaded to the sandbox wiki, listed by its API, fetched by the address that it gives."""
    project = make_project(alice, "Q1615", [])
    body = one_of_each_kind()[0].body
    wanted = [name for name in corpus.NAMES if _is_title(name)]
    for number, name in enumerate(wanted):
        data = corpus.with_segment(body, corpus.segment(0xFE, str(number).encode()))
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(data)
        fresh_sandbox.world.upload(f"File:{name}", path, describe(path), user="Alice")
    add_files(project, *(f"File:{name}" for name in wanted))
    crawl()
    look()
    assert len(wanted) > 12
    ended = {name: photo(f"File:{name}").picture for name in wanted}
    aside = {name: one.error for name, one in ended.items() if one.state != WorkState.DONE}
    assert aside == {name: "gone" for name in wanted if "/" in name}, "a path has no slashes"


def _is_title(name: str) -> bool:
    """Does the wiki take it, and leave it as it is?"""
    try:
        return normalize_title("commons", f"File:{name}")[1] == f"File:{name}"
    except InvalidTitle:
        return False
