"""Crops that are lacking, as all are after a restore: who makes them, and who waits meanwhile."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crawler import services
from crawler.models import Region
from crawler.pictures import crops
from crawler.pictures import fetch as pictures_fetch
from projects.models import Project
from sandbox import RunningSandbox
from tests import factories
from tests.conftest import MakeProject
from tests.crawler.gate import PATIENCE, Gate, gate
from tests.crawler.helpers import ARMSTRONG, CURIE, CURIE_1903, add_files, crawl, open_lanes, photo
from wiki import pace

__all__ = ["gate"]

Box = tuple[float, float, float, float]
LEFT: Box = (0.1, 0.1, 0.2, 0.2)
RIGHT: Box = (0.6, 0.1, 0.2, 0.2)


@pytest.fixture
def project(sandbox: RunningSandbox, shared_database: str, make_project: MakeProject) -> Project:
    """Three photos, of whose faces no crop is there."""
    made = make_project(factories.wiki_user(sandbox, "Alice"), "Q7186", [])
    add_files(made, ARMSTRONG, CURIE, CURIE_1903)
    crawl()
    return made


def face(project: Project, title: str, box: Box = LEFT) -> Region:
    return services.draw_region(project, photo(title), box, project.owner)


def get(project: Project, region: Region) -> Any:
    """As a browser that nobody is logged in with, from a thread of its own perhaps."""
    browser = Client(headers={"host": f"127.0.0.1:{settings.PORT}"})
    return browser.get(reverse("crop", args=[project.public_id, region.public_id]))


def get_beside(pool: ThreadPoolExecutor, project: Project, region: Region) -> Future[int]:
    def ask() -> int:
        try:
            return int(get(project, region).status_code)
        finally:
            connection.close()

    return pool.submit(ask)


def assert_comes_later(answer: Any) -> None:
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer["Cache-Control"] == "no-store"


def test_few_threads_wait_for_pictures_and_the_others_are_there_for_pages(
    project: Project, gate: Gate
) -> None:
    faces = [face(project, title) for title in (ARMSTRONG, CURIE, CURIE_1903)]
    with ThreadPoolExecutor(2) as pool:
        held = [get_beside(pool, project, one) for one in faces[: crops.MAKERS]]
        for _ in held:
            gate.wait_until_asked()
        assert_comes_later(get(project, faces[2]))
        gate.open()
        assert [each.result(PATIENCE) for each in held] == [200, 200]
    assert gate.count == 2
    assert get(project, faces[2]).status_code == 200


def test_two_threads_never_download_the_same_picture(project: Project, gate: Gate) -> None:
    one, beside = face(project, CURIE), face(project, CURIE, RIGHT)
    with ThreadPoolExecutor(1) as pool:
        held = get_beside(pool, project, one)
        gate.wait_until_asked()
        assert_comes_later(get(project, beside))
        gate.open()
        assert held.result(PATIENCE) == 200
    assert get(project, beside).status_code == 200
    assert gate.count == 1


def test_one_download_makes_the_crops_of_all_faces_of_a_picture(
    project: Project, gate: Gate
) -> None:
    gate.open()
    faces = [face(project, CURIE), face(project, CURIE, RIGHT)]
    of_another = face(project, ARMSTRONG)
    redrawn = face(project, CURIE, (0.3, 0.5, 0.3, 0.3))
    Region.objects.filter(pk=redrawn.pk).update(replaced_by=faces[0])
    whole = services.whole_photo_region(photo(CURIE))
    assert get(project, faces[0]).status_code == 200
    made = [each for each in Region.objects.all() if crops.path_of(each).exists()]
    assert made == faces, f"not {of_another}, {redrawn} or {whole}"
    assert [get(project, each).content[:2] for each in faces] == [b"\xff\xd8"] * 2
    assert gate.count == 1


@pytest.mark.parametrize("how", ["asleep", "left out", "archived"])
def test_a_picture_that_nobody_works_on_gets_no_more_crops_than_are_asked_for(
    project: Project, gate: Gate, how: str
) -> None:
    gate.open()
    asked, beside = face(project, CURIE), face(project, CURIE, RIGHT)
    if how == "asleep":
        long_ago = timezone.now() - timedelta(days=settings.RETENTION_DAYS + 1)
        Project.objects.update(active_at=long_ago)
    elif how == "left out":
        project.project_photos.update(left_out=True)
    else:
        Project.objects.update(state=Project.State.ARCHIVED)
    assert get(project, asked).status_code == 200
    assert crops.path_of(asked).exists()
    assert not crops.path_of(beside).exists()


def test_no_page_waits_long_for_its_turn_at_the_wiki(project: Project, gate: Gate) -> None:
    gate.open()
    region = face(project, CURIE)
    pace.reserve(pictures_fetch.LANE, per_minute=1)  # by whoever else downloads
    answer = get(project, region)
    assert_comes_later(answer)
    assert 50 <= int(answer["Retry-After"]) <= 60
    pace.pause(pictures_fetch.LANE, 90, "http-429")
    assert int(get(project, region)["Retry-After"]) == 90
    assert gate.count == 0
    open_lanes()


def test_a_wiki_that_is_busy_is_asked_again_later(
    project: Project, sandbox: RunningSandbox
) -> None:
    region = face(project, CURIE)
    sandbox.faults.add("http", {"path": "/upload"}, status=429, retry_after=20, times=1)
    answer = get(project, region)
    assert_comes_later(answer)
    assert answer["Retry-After"] == "20"
    open_lanes()
    sandbox.faults.add("http", {"path": "/upload"}, status=404, times=1)
    assert get(project, region).status_code == 404, "asking again would not help"
    assert get(project, region).status_code == 200


def test_a_crop_to_come_is_no_failure_of_ours(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    pace.pause(pictures_fetch.LANE, 90, "http-429")
    assert_comes_later(get(project, face(project, CURIE)))
    open_lanes()
    measured = Client().get("/metrics").content.decode()
    assert 'route="crop",status="later"' in measured
    assert 'route="crop",status="5xx"' not in measured
    assert [each for each in caplog.records if each.name == "django.request"] == []
