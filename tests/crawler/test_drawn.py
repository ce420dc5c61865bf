"""Boxes that people draw get a vector and a crop like any other."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.work import WorkState
from crawler import services
from crawler.detection import drawn_boxes
from crawler.engines import load
from crawler.models import Embedding, EmbedJob, Photo, Region
from crawler.pictures import crops, freshness
from projects.models import Project, User
from sandbox import RunningSandbox, files
from tests.conftest import MakeProject
from tests.crawler.helpers import (
    ARMSTRONG,
    CURIE,
    DATA,
    add_files,
    crawl,
    look,
    make_due,
    open_lanes,
    photo,
    stored,
)


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, make_project: MakeProject) -> Project:
    made = make_project(alice, "Q1615", [])
    add_files(made, ARMSTRONG)
    crawl()
    return made


@pytest.mark.engine
def test_a_drawn_face_stands_instead_of_the_found_one(project: Project, bob: User) -> None:
    look()
    found = Region.objects.get()
    before = stored(project).matrix[0]
    box = (found.x - 0.03, found.y - 0.05, found.w * 1.3, found.h * 1.5)
    region = services.draw_region(project, photo(ARMSTRONG), box, bob, replaces=found)
    assert (region.origin, region.drawn_by) == (Region.Origin.PERSON, bob)
    assert len(stored(project)) == 0  # the old one is out, the new one on its way
    assert drawn_boxes.embed(load, 5) is False
    loaded = stored(project)
    assert list(loaded.region_ids) == [region.pk]
    assert np.linalg.norm(loaded.matrix[0] - before) < 0.4
    assert crops.path_of(region).exists()
    assert EmbedJob.objects.get().state == WorkState.DONE
    project.refresh_from_db()
    assert project.revision == 3  # found, drawn, embedded


@pytest.mark.parametrize(
    "box",
    [
        (0.5, 0.5, 0.0, 0.1),
        (1.2, 0.5, 0.1, 0.1),
        (0.5, 0.5, -0.2, 0.1),
        (float("nan"), 0.5, 0.2, 0.1),
        (0.5, 0.5, float("inf"), 0.1),
    ],
)
def test_a_box_that_is_none_is_refused(
    project: Project, box: tuple[float, float, float, float]
) -> None:
    with pytest.raises(services.BadBox):
        services.draw_region(project, photo(ARMSTRONG), box, project.owner)
    assert not Region.objects.exists()


def test_what_sticks_out_is_cut_off(project: Project) -> None:
    region = services.draw_region(project, photo(ARMSTRONG), (-0.1, 0.9, 0.3, 0.3), project.owner)
    assert region.box == pytest.approx((0.0, 0.9, 0.2, 0.1))


def test_a_photo_without_a_usable_face_is_one_region_without_a_vector(
    project: Project, bob: User
) -> None:
    first = services.whole_photo_region(photo(ARMSTRONG), project.owner)
    assert services.whole_photo_region(photo(ARMSTRONG), bob) == first
    assert first.box == (0, 0, 1, 1)
    assert not EmbedJob.objects.exists()
    assert len(stored(project)) == 0


def test_a_drawn_face_of_a_photo_that_is_gone_says_so(project: Project) -> None:
    services.draw_region(project, photo(ARMSTRONG), (0.1, 0.1, 0.3, 0.3), project.owner)
    Photo.objects.update(state=Photo.State.WITHDRAWN)
    drawn_boxes.embed(load, 5)
    job = EmbedJob.objects.get()
    assert (job.state, job.error) == (WorkState.ASIDE, "gone")


@pytest.mark.engine
def test_a_busy_wiki_costs_a_drawn_face_no_try(project: Project, sandbox: RunningSandbox) -> None:
    services.draw_region(project, photo(ARMSTRONG), (0.1, 0.1, 0.3, 0.3), project.owner)
    sandbox.faults.add("http", {"path": "/upload"}, status=429, retry_after=30, times=1)
    drawn_boxes.embed(load, 5)
    job = EmbedJob.objects.get()
    assert (job.state, job.error, job.tries) == (WorkState.QUEUED, "network", 0)
    open_lanes()
    make_due([job])
    drawn_boxes.embed(load, 5)
    job.refresh_from_db()
    assert job.state == WorkState.DONE


@pytest.mark.engine
def test_a_drawn_face_waits_while_its_project_is_paused(project: Project) -> None:
    services.draw_region(project, photo(ARMSTRONG), (0.1, 0.1, 0.3, 0.3), project.owner)
    Project.objects.update(state=Project.State.PAUSED)
    assert drawn_boxes.embed(load, 5) is False
    assert EmbedJob.objects.get().state == WorkState.QUEUED
    Project.objects.update(state=Project.State.COMPLETED)  # people may go on in it
    drawn_boxes.embed(load, 5)
    assert EmbedJob.objects.get().state == WorkState.DONE


TURNED = "File:Mariecurie (EXIF orientation 8).jpg"
SOLVAY = "File:Solvay conference 1927.jpg"
UPRIGHT_FACE = (306, 387, 317, 315)  # as sandbox/data/manifest.csv has it, pixels


@pytest.mark.engine
def test_the_box_on_a_turned_picture_is_cut_from_the_pixels_that_people_see(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [])
    add_files(project, TURNED)
    crawl()
    turned = photo(TURNED)
    with Image.open(DATA / "photos" / "exif_rotated_curie.jpg") as file:
        stored_size, upright = file.size, ImageOps.exif_transpose(file).convert("RGB")
    size = (turned.picture.width, turned.picture.height)
    assert size == upright.size == stored_size[::-1]
    x, y, w, h = UPRIGHT_FACE
    box = (x / size[0], y / size[1], w / size[0], h / size[1])
    region = services.draw_region(project, turned, box, alice)
    drawn_boxes.embed(load, 30)
    assert EmbedJob.objects.get().state == WorkState.DONE
    wanted = Image.open(io.BytesIO(crops.cut(np.asarray(upright), box)))
    made = Image.open(crops.path_of(region))
    apart = np.asarray(made, float) - np.asarray(wanted.convert("RGB"), float)
    assert np.abs(apart).mean() < 6


@pytest.mark.engine
def test_the_vector_is_made_from_the_thumbnail_that_was_drawn_on(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    """At 1920 px, not from the smaller one that the detector looks at."""
    project = make_project(alice, "Q7186", [])
    add_files(project, SOLVAY)
    crawl()
    shown = photo(SOLVAY)
    assert (shown.picture.width, shown.picture.height) == (3000, 2171)
    box = (1945 / 3000, 1072 / 2171, 87 / 3000, 86 / 2171)
    region = services.draw_region(project, shown, box, alice)
    drawn_boxes.embed(load, 30)
    region.refresh_from_db()
    assert region.face_px == pytest.approx(86 * 1920 / 3000, abs=1)
    assert Embedding.objects.filter(region=region).exists()


def test_other_pixels_than_those_drawn_on_are_never_taken(
    fresh_sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    """The file was overwritten in between: its new picture is looked at, and the box set aside."""
    project = make_project(alice, "Q7186", [])
    add_files(project, CURIE)
    crawl()
    before = photo(CURIE)
    assert not freshness.is_overwritten(before)
    region = services.draw_region(project, before, (0.3, 0.2, 0.4, 0.3), alice)
    path = DATA / "photos" / "curie_1903_profile.jpg"
    fresh_sandbox.world.upload(CURIE, path, files.describe(path), user="Alice")
    drawn_boxes.embed(load, 30)
    job = EmbedJob.objects.get()
    assert (job.state, job.error) == (WorkState.ASIDE, "overwritten")
    assert not Embedding.objects.filter(region=region).exists()
    assert not crops.path_of(region).exists()
    after = photo(CURIE)
    assert after.picture_id != before.picture_id
    assert after.picture.state == WorkState.QUEUED, "the new one is looked at"
    assert not freshness.is_overwritten(after)
    assert freshness.is_overwritten(before), "a page that was opened before says so"
