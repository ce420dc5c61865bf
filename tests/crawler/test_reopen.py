"""An archived project that is opened again: vectors and crops come back, places stay."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest

from classify.answers import answer, draw
from classify.models import Label
from core.work import WorkState
from crawler import retention as crawler_retention
from crawler.detection import drawn_boxes
from crawler.engines import load
from crawler.models import Embedding, EmbedJob, Photo, Picture, Region
from crawler.pictures import crops
from projects.lifecycle.services import set_state
from projects.models import Project, User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import ARMSTRONG, CURIE_1903, add_files, crawl, look, photo, stored

pytestmark = pytest.mark.engine


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, make_project: MakeProject) -> Project:
    """Two photos that were looked at: in one a face was found, in the other it was redrawn."""
    made = make_project(alice, "Q1615", [])
    add_files(made, ARMSTRONG, CURIE_1903)
    crawl()
    look()
    kept, better = photo(ARMSTRONG), photo(CURIE_1903)
    face = Region.objects.get(picture=kept.picture)
    answer(made, face, kept, alice, "yes", "ask", uuid4())
    found = Region.objects.filter(picture=better.picture).first()
    assert found
    box = (found.x, found.y, found.w, found.h * 0.95)
    draw(made, better, box, alice, uuid4(), replaces=found)
    assert drawn_boxes.embed(load, 30) is False
    return made


def archive(project: Project) -> None:
    set_state(project, project.owner, Project.State.ARCHIVED)
    crawler_retention.tidy()
    assert not Embedding.objects.exists()
    assert set(Picture.objects.values_list("state", flat=True)) == {WorkState.STOPPED}


def reopen(project: Project) -> None:
    """Opened again, and the workers that this wakes."""
    set_state(project, project.owner, Project.State.ACTIVE)
    crawler_retention.tidy()
    look()
    assert drawn_boxes.embed(load, 30) is False


def test_it_has_the_same_faces_and_labels_with_vectors_and_crops_made_anew(
    project: Project,
) -> None:
    regions, labels = list(Region.objects.order_by("pk")), list(Label.objects.order_by("pk"))
    before = stored(project)
    assert len(before) >= 2
    archive(project)
    assert not any(crops.path_of(region).exists() for region in regions)
    reopen(project)
    after = stored(project)
    assert after.region_ids.tolist() == before.region_ids.tolist()
    assert np.allclose(after.matrix, before.matrix, atol=1e-3)
    assert list(Region.objects.order_by("pk")) == regions, "no face is there twice"
    assert list(Label.objects.order_by("pk")) == labels
    standing = Region.objects.filter(pk__in=after.region_ids.tolist())
    assert all(crops.path_of(region).exists() for region in standing)


def test_what_another_live_project_needs_was_never_forgotten(
    project: Project, bob: User, make_project: MakeProject
) -> None:
    other = make_project(bob, "Q1615", [])
    add_files(other, ARMSTRONG)
    crawl()
    set_state(project, project.owner, Project.State.ARCHIVED)
    crawler_retention.tidy()
    assert len(stored(other)) == 1
    reopen(project)
    assert photo(ARMSTRONG).picture.attempt == 1, "looked at once"
    assert photo(CURIE_1903).picture.attempt == 2


def test_what_is_withdrawn_or_still_archived_stays_forgotten(project: Project) -> None:
    archive(project)
    crawler_retention.tidy()
    assert set(Picture.objects.values_list("state", flat=True)) == {WorkState.STOPPED}
    Photo.objects.filter(title=CURIE_1903).update(state=Photo.State.WITHDRAWN)
    reopen(project)
    assert photo(ARMSTRONG).picture.state == WorkState.DONE
    assert photo(CURIE_1903).picture.state == WorkState.STOPPED
    assert EmbedJob.objects.get().state == WorkState.STOPPED
