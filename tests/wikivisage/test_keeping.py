"""No central face database: what is made of faces goes with the last project that needs it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.models import BinaryField
from django.urls import reverse
from django.utils import timezone

from classify.answers import answer
from classify.models import Label, Question, Score
from crawler.detection import reembed
from crawler.engines import load
from crawler.models import Embedding, Region
from crawler.pictures import crops
from projects.ledger import audit
from projects.lifecycle import activity as lifecycle_activity
from projects.lifecycle.services import set_state
from projects.models import DenyEntry, Project, User
from projects.privacy import denylist_changes, objections
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import ARMSTRONG, CURIE_1903, add_files, crawl, look, photo, stored
from wikivisage.ops import backup, rotate_keys
from wikivisage.ops import retention as ops_retention

pytestmark = pytest.mark.django_db
State = Project.State


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, make_project: MakeProject) -> Project:
    """Two faces: one said to be the person, one that nobody answered; each with a score."""
    made = make_project(alice, "Q1615", [])
    add_files(made, ARMSTRONG, CURIE_1903)
    crawl()
    look()
    said = photo(ARMSTRONG)
    answer(made, Region.objects.get(picture=said.picture), said, alice, "yes", "ask", uuid4())
    for title in (ARMSTRONG, CURIE_1903):
        shown = photo(title)
        for region in Region.objects.filter(picture=shown.picture):
            Score.objects.create(subject=made.subject, photo=shown, region=region, revision=1)
    return made


def sweep() -> dict[str, int]:
    went = ops_retention.sweep(60)
    assert not any(ops_retention.due().values()), "one sweep takes all that is due"
    return went


def last_active(project: Project, days: int) -> None:
    Project.objects.filter(pk=project.pk).update(active_at=timezone.now() - timedelta(days=days))


def of(title: str) -> list[int]:
    return list(Region.objects.filter(picture=photo(title).picture).values_list("pk", flat=True))


def held() -> set[int]:
    return set(Embedding.objects.values_list("region", flat=True))


def cropped() -> set[int]:
    return {one.pk for one in Region.objects.all() if crops.path_of(one).exists()}


def files() -> Iterator[tuple[Path, bytes]]:
    for path in Path(settings.DATA_DIR).rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


def assert_nothing_is_left(vectors: list[bytes], pictures: list[bytes]) -> None:
    for model in ops_retention.BIOMETRIC_TABLES:
        assert not model._default_manager.exists(), model
    assert not Score.objects.exists()
    assert not Question.objects.exists()
    assert not Region.objects.exclude(phash="").exists()
    for path, data in files():
        assert path.suffix not in (".jpg", ".part"), path
        assert not any(secret in data for secret in vectors + pictures), path


@pytest.mark.engine
def test_a_project_falls_asleep_wakes_and_ends(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    last_active(project, settings.RETENTION_DAYS - 1)
    assert sweep()["vectors of sleeping projects"] == 0
    before = stored(project)
    vectors = [row.tobytes() for row in before.matrix]
    pictures = [data for path, data in files() if path.suffix == ".jpg"]
    assert len(vectors) >= 2
    assert len(pictures) >= 2

    last_active(project, settings.RETENTION_DAYS + 1)
    call_command("sweep", "--dry-run", "--json")
    assert held() == cropped() == {*of(ARMSTRONG), *of(CURIE_1903)}, "it only counted"
    sweep()
    assert held() == cropped() == {*of(ARMSTRONG)}, "those said to be the person stay"
    assert {score.region_id for score in Score.objects.all()} == {*of(ARMSTRONG)}

    reembed.plan()
    assert not reembed.work(load, 30), "nothing is made again for nobody"
    assert held() == {*of(ARMSTRONG)}
    page = client_of(alice)
    assert (
        "Nobody has worked here for long" in page.get(project.get_absolute_url()).content.decode()
    )
    asked = page.get(reverse("ask", args=[project.public_id])).content.decode()
    assert reverse("project-wake", args=[project.public_id]) in asked
    page.post(reverse("project-wake", args=[project.public_id]))
    reembed.work(load, 30)
    after = stored(Project.objects.get(pk=project.pk))
    assert after.region_ids.tolist() == before.region_ids.tolist(), "the same faces, made again"
    assert "Nobody has worked" not in page.get(project.get_absolute_url()).content.decode()

    set_state(project, alice, State.ARCHIVED)
    sweep()
    assert_nothing_is_left(vectors, pictures)
    crops.read(Region.objects.get(pk=of(ARMSTRONG)[0]), photo(ARMSTRONG))  # by an old page
    half = crops.path_of(Region.objects.get(pk=of(ARMSTRONG)[0])).with_suffix(".part")
    half.write_bytes(b"half a face")
    os.utime(half, (time.time() - 7200,) * 2)
    sweep()
    assert_nothing_is_left(vectors, pictures)


@pytest.mark.engine
@pytest.mark.parametrize("how", ["completed", "denied", "deleted"])
def test_what_no_live_project_needs_goes(
    project: Project, alice: User, mona: User, client_of: ClientOf, how: str
) -> None:
    if how == "completed":
        Project.objects.update(state=State.COMPLETED)
        sweep()
        assert held(), "a completed project may be opened again for a while"
        last_active(project, settings.RETENTION_DAYS + 1)
    elif how == "denied":
        denylist_changes.deny(DenyEntry(kind=DenyEntry.Kind.PERSON, value="Q1615"), mona)
    else:
        url = reverse("project-delete", args=[project.public_id])
        client_of(alice).post(url, {"name": str(project)})
    sweep()
    assert_nothing_is_left([], [])


@pytest.fixture
def beside(project: Project, bob: User, make_project: MakeProject) -> Project:
    """Another project that shows the picture of which somebody said Yes."""
    made = make_project(bob, "Q7186", [])
    add_files(made, ARMSTRONG)
    crawl()
    return made


@pytest.mark.engine
def test_a_picture_that_a_project_works_on_keeps_all_its_faces(
    project: Project, beside: Project
) -> None:
    last_active(project, settings.RETENTION_DAYS + 1)
    Label.objects.all().delete()
    sweep()
    assert held() == cropped() == {*of(ARMSTRONG)}


@pytest.mark.engine
def test_a_yes_of_an_ended_project_keeps_nothing_for_a_sleeping_one(
    project: Project, beside: Project, alice: User
) -> None:
    set_state(project, alice, State.ARCHIVED)
    last_active(beside, settings.RETENTION_DAYS + 1)
    sweep()
    assert held() == cropped() == set()


@pytest.mark.engine
def test_a_yes_keeps_no_crop_of_a_picture_that_no_live_project_shows(
    project: Project, beside: Project, bob: User
) -> None:
    """Such as one whose source was taken away after the answer."""
    set_state(beside, bob, State.ARCHIVED)
    project.project_photos.all().delete()
    sweep()
    assert held() == cropped() == set()
    crops.read(Region.objects.get(pk=of(ARMSTRONG)[0]), photo(ARMSTRONG))  # by an old page
    assert cropped()
    sweep()
    assert cropped() == set()


@pytest.mark.engine
def test_whatever_a_person_does_counts_as_activity_and_what_the_tool_does_not(
    project: Project, alice: User
) -> None:
    last_active(project, 200)
    audit(None, "project.engine", project)
    assert lifecycle_activity.asleep().get() == project
    audit(alice, "source.added", project)
    assert not lifecycle_activity.asleep().exists()


def test_backups_and_rotation_know_every_sealed_column() -> None:
    """A new binary column is sealed, listed, and where it is biometric left out of backups."""
    binary = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, BinaryField)
    }
    assert binary == {str(column) for column in rotate_keys.SEALED}
    assert {*ops_retention.BIOMETRIC_TABLES} <= {*backup.LEFT_OUT}


def test_the_command_says_what_it_took_away(mona: User, capsys: pytest.CaptureFixture[str]) -> None:
    made = objections.lodge("Q1", "person", "Please")
    objections.decline(made, mona, "No")
    type(made).objects.update(closed_at=timezone.now() - timedelta(days=91))
    for dry in (True, False):
        call_command("sweep", "--json", *(["--dry-run"] if dry else []))
        told = json.loads(capsys.readouterr().out)
        assert told["dry_run"] is dry
        assert told["counts"]["texts of closed objections"] == 1
    assert not ops_retention.due()["texts of closed objections"]


def test_the_public_page_says_at_once_whose_faces_are_looked_at(client_of: ClientOf) -> None:
    page = client_of(None).get("/privacy").text
    lead = page[page.index('class="lead"') :].partition("</p>")[0]
    assert "every face in the photos" in lead
    assert "strangers" in lead
    for kept in (
        "dates of birth and death",
        "since when it is open",
        "a crop that you saw",
    ):
        assert kept in page
