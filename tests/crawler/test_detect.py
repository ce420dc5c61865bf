"""Looking at pictures: what is saved, what is set aside, who may commit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from core.encryption import Unsealable, unseal
from core.work import WorkState
from crawler import omissions, selectors, services
from crawler import retention as crawler_retention
from crawler.detection import detect as detection_detect
from crawler.detection import queue as detection_queue
from crawler.detection.embeddings import context_of
from crawler.engines import KINDS, Face, load
from crawler.engines.base import EngineUnavailable
from crawler.engines.base import Picture as Pixels
from crawler.engines.dlib_engine import DlibEngine
from crawler.models import Embedding, Photo, Picture, ProjectPhoto, Region
from crawler.pictures import crops
from crawler.registry import selection
from crawler.registry.versions import version
from projects.models import Project, User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import (
    ARMSTRONG,
    add_files,
    crawl,
    look,
    make_due,
    open_lanes,
    photo,
    stored,
)


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, make_project: MakeProject) -> Iterator[Project]:
    """One small portrait, crawled."""
    made = make_project(alice, "Q1615", [])
    add_files(made, ARMSTRONG)
    crawl()
    yield made
    open_lanes()


def picture() -> Picture:
    return Picture.objects.get()


@pytest.mark.engine
def test_a_face_is_found_kept_and_sealed(project: Project, settings: Settings) -> None:
    look()
    looked = picture()
    default = KINDS[settings.ENGINE]
    assert (looked.state, looked.faces, looked.detector) == (
        WorkState.DONE,
        1,
        version(default.detector.name),
    )
    region = Region.objects.get()
    assert region.origin == Region.Origin.DETECTOR
    assert region.score
    assert region.face_px > 40
    x, y, w, h = (204 / 400, 79 / 478, 73 / 400, 73 / 478)  # the manifest's box
    assert abs(region.x + region.w / 2 - (x + w / 2)) < 0.05
    assert abs(region.y + region.h / 2 - (y + h / 2)) < 0.05
    row = Embedding.objects.get()
    assert row.engine == looked.engine == selection.default()
    assert len(unseal(bytes(row.vector), context_of(row.region, row.engine))) == 512
    with pytest.raises(Unsealable):
        unseal(bytes(row.vector), b"access-token")
    loaded = stored(project)
    (other,) = set(KINDS.values()) - {default}
    assert loaded.matrix.shape == (1, 128)
    assert list(loaded.region_ids) == [region.pk]
    assert list(loaded.photo_ids) == [photo(ARMSTRONG).pk]
    assert len(stored(project, engine=other.name)) == 0
    assert (loaded.engine, loaded.metric) == (default.name, default.metric)
    with Image.open(crops.path_of(region)) as crop:
        assert crop.size == (160, 160)
        assert crop.format == "JPEG"


@pytest.mark.engine
def test_the_learners_of_all_projects_that_show_it_are_told(
    project: Project,
    bob: User,
    make_project: MakeProject,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    other = make_project(bob, "Q2252", [])
    ProjectPhoto.objects.create(project=other, photo=photo(ARMSTRONG))
    before = [project.revision, other.revision]
    with django_capture_on_commit_callbacks() as announced:
        look()
    project.refresh_from_db()
    other.refresh_from_db()
    assert [project.revision, other.revision] == [number + 1 for number in before]
    assert announced
    assert picture().attempt == 1  # once for both


@pytest.mark.engine
def test_one_that_slept_past_its_lease_changes_nothing(project: Project) -> None:
    slow = detection_queue.Turns().take_next()
    assert slow
    Picture.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    look()
    regions = set(Region.objects.values_list("public_id", flat=True))
    was = Project.objects.get(pk=project.pk).revision
    detection_detect.look(slow, load(selection.default().name))
    assert set(Region.objects.values_list("public_id", flat=True)) == regions
    assert Project.objects.get(pk=project.pk).revision == was
    assert Embedding.objects.count() == 1
    crops_kept = {path.stem for path in crops.path_of(Region.objects.get()).parent.iterdir()}
    assert crops_kept >= regions


@pytest.mark.engine
def test_looking_again_keeps_the_regions_that_answers_point_to(project: Project) -> None:
    look()
    region = Region.objects.get()
    Picture.objects.update(state=WorkState.QUEUED)
    look()
    assert Region.objects.get() == region
    assert Embedding.objects.count() == 1


@pytest.mark.waits
def test_a_lost_connection_is_tried_later_and_then_set_aside(
    project: Project, sandbox: RunningSandbox
) -> None:
    sandbox.faults.add("cut-before", {"path": "/upload"})
    dues = []
    for _ in range(Picture.max_tries):
        make_due([picture()])
        look()
        open_lanes()
        dues.append((picture().due_at - timezone.now()).total_seconds())
    assert 0 < dues[0] <= 5 < dues[1] <= 20
    assert (picture().state, picture().error) == (WorkState.ASIDE, Picture.Error.NETWORK)
    sandbox.faults.clear()
    assert services.retry_photo(photo(ARMSTRONG))
    look()
    assert picture().state == WorkState.DONE
    assert picture().error == ""


@pytest.mark.engine
def test_a_busy_wiki_costs_a_picture_no_try(project: Project, sandbox: RunningSandbox) -> None:
    sandbox.faults.add("http", {"path": "/upload"}, status=429, retry_after=60)
    look()
    assert (picture().state, picture().tries) == (WorkState.QUEUED, 0)
    assert picture().due_at > timezone.now() + timedelta(seconds=50)
    make_due([picture()])
    assert selectors.crawl_progress(project).waiting_until
    look()  # the lane waits: nobody asks
    assert picture().attempt == 1


@pytest.mark.engine
def test_a_broken_file_is_set_aside_at_once_with_its_reason(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q76", [])
    add_files(
        project,
        "File:Barack Obama at the lectern (interrupted upload).jpg",
        "File:Letter to Albert Einstein.jpg",
        "File:Seating plan of the Solvay Conference (300 megapixels).png",
        ARMSTRONG,
    )
    crawl()
    look()
    reasons = {group.reason: group for group in selectors.set_aside(project)}
    assert sum(group.count for group in reasons.values()) == 3
    assert set(reasons) <= set(Picture.Error.values)
    assert "crashed" not in reasons
    assert all(group.label and len(group.photos) == group.count for group in reasons.values())
    assert photo(ARMSTRONG).picture.state == WorkState.DONE
    assert selectors.crawl_progress(project).set_aside == 3
    omissions.leave_out(project, photo("File:Letter to Albert Einstein.jpg"), alice)
    assert selectors.crawl_progress(project).set_aside == 2
    assert services.retry_all(project) == 2
    progress = selectors.crawl_progress(project)
    assert (progress.pending, progress.photos) == (2, 3)


def test_too_little_memory_is_a_reason_too(project: Project) -> None:
    class Hungry(DlibEngine):
        def look(self, picture: Pixels, *, upsample: int = 1) -> list[Face]:
            np.zeros((1 << 50,), dtype=np.uint8)
            return super().look(picture, upsample=upsample)

    detection_detect.detect(lambda name: Hungry(), 60)
    assert (picture().state, picture().error) == (WorkState.QUEUED, Picture.Error.MEMORY)


def test_a_surprise_in_the_engine_is_written_down_and_tried_later(project: Project) -> None:
    class Odd(DlibEngine):
        def look(self, picture: Pixels, *, upsample: int = 1) -> list[Face]:
            raise RuntimeError("cast assertion failed")

    detection_detect.detect(lambda name: Odd(), 60)
    assert (picture().state, picture().error_detail) == (WorkState.QUEUED, "RuntimeError")


def test_an_engine_that_can_t_be_loaded_costs_no_picture_a_try(project: Project) -> None:
    def missing(name: str) -> DlibEngine:
        raise EngineUnavailable

    with pytest.raises(EngineUnavailable):
        detection_detect.detect(missing, 60)
    assert (picture().state, picture().attempt) == (WorkState.QUEUED, 0)


@pytest.mark.engine
def test_a_photo_without_a_face_lies_in_the_tray(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q76", [])
    add_files(project, "File:Moraine Lake 17092005.jpg", ARMSTRONG)
    crawl()
    look()
    (alone,) = selectors.photos_without_faces(project)
    assert alone.title == "File:Moraine Lake 17092005.jpg"
    services.draw_region(project, alone, (0.1, 0.1, 0.2, 0.2), project.owner)
    assert not selectors.photos_without_faces(project)


@pytest.mark.engine
def test_progress_counts_and_tells_the_time_left(project: Project) -> None:
    before = selectors.crawl_progress(project)
    assert (before.photos, before.pending, before.looked_at) == (1, 1, 0)
    assert before.seconds_left is None
    look()
    Picture.objects.create(sha1="waits", width=1, height=1, mime="image/png")
    Photo.objects.create(
        wiki="sandbox", page_id=9, title="File:W.png", picture=Picture.objects.get(sha1="waits")
    )
    ProjectPhoto.objects.create(project=project, photo=photo("File:W.png"))
    after = selectors.crawl_progress(project)
    assert (after.photos, after.pending, after.looked_at, after.faces) == (2, 1, 1, 1)
    assert after.rate_a_minute > 0
    assert after.seconds_left


@pytest.mark.engine
def test_vectors_and_crops_go_when_no_project_needs_them_and_come_back(
    project: Project, bob: User, make_project: MakeProject
) -> None:
    look()
    region = Region.objects.get()
    assert crawler_retention.forget_unneeded() == 0
    Project.objects.filter(pk=project.pk).update(state=Project.State.ARCHIVED)
    assert crawler_retention.forget_unneeded() == 1
    assert not Embedding.objects.exists()
    assert not crops.path_of(region).exists()
    assert Region.objects.get() == region  # answers point to it
    other = make_project(bob, "Q1615", [])
    add_files(other, ARMSTRONG)
    crawl()
    look()
    assert Region.objects.get() == region
    assert len(stored(other)) == 1


@pytest.mark.engine
def test_the_folder_of_crops_stays_within_its_bound(project: Project) -> None:
    look()
    region = Region.objects.get()
    size = crops.path_of(region).stat().st_size
    crops.trim(10**9)
    assert crops.path_of(region).exists()
    assert crops.trim(0) >= 1
    assert not crops.path_of(region).exists()
    data = crops.read(region, photo(ARMSTRONG))  # made again from the thumbnail
    assert data
    assert len(data) == size


def test_a_crop_at_the_edge_stays_inside() -> None:
    pixels = np.zeros((100, 300, 3), dtype=np.uint8)
    for box in ((0.9, 0.8, 0.1, 0.2), (0.0, 0.0, 1.0, 1.0), (0.5, 0.5, 0.001, 0.001)):
        with Image.open(io.BytesIO(crops.cut(pixels, box))) as crop:
            assert max(crop.size) == 160
