"""kill -9 at every point: nothing is lost, nothing is half done, one picture pays at most."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from core.events import wake
from core.work import WorkState
from crawler import services
from crawler.detection import drawn_boxes
from crawler.engines import load
from crawler.models import CrawlStep, Embedding, EmbedJob, Photo, Picture, Region
from projects.models import Project
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import (
    ARMSTRONG,
    add_files,
    crawl,
    let_lease_end,
    look,
    photo,
    stored,
    titles,
)
from tests.factories import make_user

pytestmark = pytest.mark.process

TASK = "import django; django.setup(); from crawler import tasks; tasks.{task}()"


@pytest.fixture
def project(sandbox: RunningSandbox, shared_database: str, make_project: MakeProject) -> Project:
    return make_project(make_user("Alice"), "Q1615", [])


def environment(point: str, folder: Path) -> dict[str, str]:
    crash = {"WIKIVISAGE_CRASH_AT": f"{point}={folder / 'crashed'}"} if point else {}
    return os.environ | {"DJANGO_SETTINGS_MODULE": "wikivisage.settings"} | crash


def killed_at(point: str, folder: Path, task: str = "") -> None:
    """Run the task of a crash point in a process of its own, which dies there."""
    task = task or point.partition(":")[0]
    died = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TASK.format(task=task)],
        env=environment(point, folder),
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


@pytest.mark.parametrize("point", ["crawl:read", "crawl:before-commit", "crawl:after-commit"])
def test_a_killed_crawl_goes_on_where_it_was(project: Project, tmp_path: Path, point: str) -> None:
    add_files(project, ARMSTRONG)
    killed_at(point, tmp_path)
    step = CrawlStep.objects.get()
    committed = point == "crawl:after-commit"
    assert Photo.objects.exists() is committed
    assert (step.state == WorkState.DONE) is committed
    assert step.files == committed
    let_lease_end(step)
    crawl()
    step.refresh_from_db()
    assert (step.state, step.files) == (WorkState.DONE, 1)
    assert len(titles(project)) == 1


@pytest.mark.parametrize("point", ["detect:before-commit", "detect:after-commit"])
def test_a_killed_look_is_whole_or_did_not_happen(
    project: Project, tmp_path: Path, point: str
) -> None:
    add_files(project, ARMSTRONG)
    crawl()
    killed_at(point, tmp_path)
    picture = Picture.objects.get()
    committed = point == "detect:after-commit"
    assert picture.attempt == 1  # counted before the work
    assert (picture.state == WorkState.DONE) is committed
    assert Region.objects.count() == Embedding.objects.count() == committed
    project.refresh_from_db()
    assert project.revision == committed
    let_lease_end(picture)
    look()
    assert Region.objects.count() == Embedding.objects.count() == 1
    assert len(stored(project)) == 1


def test_a_killed_embedding_of_a_drawn_box_is_done_later(project: Project, tmp_path: Path) -> None:
    add_files(project, ARMSTRONG)
    crawl()
    services.draw_region(project, photo(ARMSTRONG), (0.5, 0.16, 0.2, 0.17), project.owner)
    killed_at("embed:before-commit", tmp_path)
    job = EmbedJob.objects.get()
    assert job.state == WorkState.RUNNING
    assert not Embedding.objects.exists()
    let_lease_end(job)
    drawn_boxes.embed(load, 5)
    assert Embedding.objects.count() == 1


@contextmanager
def worker(queue: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A real prefork worker on the embedded broker."""
    command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", "celery_app", "worker"]
    options = ["-P", "prefork", "-c", "1", "-Q", queue, "-l", "ERROR", "--without-gossip"]
    process = subprocess.Popen([*command, *options], env=env, cwd=settings.BASE_DIR)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(happens: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_a_picture_that_kills_its_process_costs_that_picture_alone(
    project: Project, tmp_path: Path
) -> None:
    """The worker gets a new child and goes on with the others; the dead one's lease runs on."""
    add_files(project, ARMSTRONG, "File:Barack Obama O000167.jpg")
    crawl()
    assert Picture.objects.count() == 2
    with worker("detect", environment("detect:downloaded", tmp_path)) as process:
        wake("crawler.detect")
        until((tmp_path / "crashed").exists)
        victim = Picture.objects.get(state=WorkState.RUNNING)
        wake("crawler.detect")
        until(lambda: Picture.objects.filter(state=WorkState.DONE).count() == 1)
        victim.refresh_from_db()
        assert (victim.state, victim.attempt) == (WorkState.RUNNING, 1)
        assert process.poll() is None
        let_lease_end(victim)
        wake("crawler.detect")
        until(lambda: Picture.objects.filter(state=WorkState.DONE).count() == 2)
    victim.refresh_from_db()
    assert victim.attempt == 2
