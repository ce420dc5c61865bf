"""Another engine for a project: no label is lost, nothing is doubled, the old one serves until
all is there, and a kill costs nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from classify.answers import answer, draw
from classify.models import Label
from core.work import WorkState
from crawler import comparison
from crawler import retention as crawler_retention
from crawler.detection import drawn_boxes, reembed
from crawler.detection import queue as detection_queue
from crawler.engines import KINDS, load
from crawler.engines.boxes import overlap
from crawler.models import Embedding, EngineLook, Photo, Picture, ProjectEngine, Region
from crawler.registry import selection
from crawler.registry.versions import version
from projects.models import AuditEvent, DenyEntry, Project, User
from projects.privacy import denylist_changes
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import (
    ARMSTRONG,
    CURIE_1903,
    add_files,
    crawl,
    let_lease_end,
    look,
    make_due,
    open_lanes,
    photo,
    stored,
)
from tests.crawler.test_crashes import killed_at
from tests.factories import make_user, set_engine

DLIB, SFACE = KINDS["dlib"], KINDS["sface"]


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, make_project: MakeProject) -> Project:
    return labelled(make_project(alice, "Q7186", []))


def labelled(project: Project) -> Project:
    """Looked at by dlib: faces answered, one redrawn, one drawn where none was found."""
    set_engine(project, "dlib")
    add_files(project, ARMSTRONG, CURIE_1903, *more_files())
    crawl()
    look()
    for region in Region.objects.order_by("pk"):
        shown = Photo.objects.get(picture=region.picture)
        answer(
            project, region, shown, project.owner, "yes" if region.pk % 2 else "no", "ask", uuid4()
        )
    found = Region.objects.filter(picture=photo(CURIE_1903).picture).first()
    assert found
    x, y, w, h = found.box
    draw(project, photo(CURIE_1903), (x, y, w, h * 0.95), project.owner, uuid4(), replaces=found)
    draw(project, photo(ARMSTRONG), (0.05, 0.7, 0.1, 0.1), project.owner, uuid4())
    assert drawn_boxes.embed(load, 30) is False
    project.refresh_from_db()
    return project


def more_files() -> tuple[str, ...]:
    return ("File:Barack Obama O000167.jpg", "File:John Kerry K000148.jpg")


def standing() -> set[int]:
    faces = Region.objects.filter(replaced_by=None).exclude(origin=Region.Origin.PHOTO)
    return set(faces.values_list("pk", flat=True))


def switch(project: Project, name: str) -> None:
    reembed.choose(project, version(name))
    while reembed.work(load, 60):
        pass
    project.refresh_from_db()


@pytest.mark.engine
def test_every_label_keeps_its_face_and_no_face_is_there_twice(project: Project) -> None:
    labels = list(Label.objects.order_by("pk").values_list("pk", "region", "verdict"))
    boxes = {region.pk: region.box for region in Region.objects.all()}
    before = stored(project)
    assert before.engine == DLIB.name
    revision = project.revision
    switch(project, SFACE.name)
    after = stored(project)
    assert (after.engine, after.metric) == (SFACE.name, "cosine")
    assert list(Label.objects.order_by("pk").values_list("pk", "region", "verdict")) == labels
    assert {pk: Region.objects.get(pk=pk).box for pk in boxes} == boxes, "boxes stay where they are"
    assert set(after.region_ids.tolist()) >= set(before.region_ids.tolist())
    assert set(after.region_ids.tolist()) == standing()
    assert np.allclose(np.linalg.norm(after.matrix, axis=1), 1, atol=1e-4)
    assert project.revision > revision, "the learner is told"
    for picture in Picture.objects.all():
        of_it = [one for one in picture.regions.all() if one.pk in standing()]
        assert not [
            (one.box, other.box)
            for place, one in enumerate(of_it)
            for other in of_it[place + 1 :]
            if overlap(one.box, other.box) >= 0.3
        ]


@pytest.mark.engine
def test_the_old_engine_serves_until_all_is_there(
    project: Project, sandbox: RunningSandbox
) -> None:
    before = stored(project)
    reembed.choose(project, version(SFACE.name))
    reembed.plan()
    number = EngineLook.objects.count()
    assert number == Picture.objects.count()
    first = EngineLook.objects.order_by("pk")[0]
    assert first.take(detection_queue.lease())
    reembed.look(first, load(SFACE.name))
    reembed.finish()
    halfway = stored(project)
    assert halfway.engine == DLIB.name
    assert halfway.region_ids.tolist() == before.region_ids.tolist()
    assert np.array_equal(halfway.matrix, before.matrix)
    is_at = reembed.progress(project)
    assert (is_at.changing, is_at.pictures, is_at.lacking) == (True, number, number - 1)
    sandbox.world.reset_request_counts()
    switch(project, SFACE.name)
    got = [key for key in sandbox.world.request_counts if key.startswith("/upload")]
    assert len(got) == number - 1, "what is done is not done again"
    assert selection.serving(project).name == SFACE.name


@pytest.mark.engine
def test_back_is_one_command_and_needs_no_download(
    project: Project, sandbox: RunningSandbox
) -> None:
    before = stored(project)
    switch(project, SFACE.name)
    lost = {pk for pk in standing() if pk not in set(before.region_ids.tolist())}
    sandbox.world.reset_request_counts()
    out = StringIO()
    call_command("engine", "switch", "dlib", f"--project={project.public_id}", stdout=out)
    while reembed.work(load, 60):
        pass
    after = stored(project)
    assert after.engine == DLIB.name
    assert set(after.region_ids.tolist()) >= set(before.region_ids.tolist())
    rows = [after.region_ids.tolist().index(pk) for pk in before.region_ids.tolist()]
    assert np.allclose(after.matrix[rows], before.matrix, atol=1e-3)
    asked = [key for key in sandbox.world.request_counts if key.startswith("/upload")]
    # Only where the other engine found more faces: these want a vector, too.
    assert len(asked) == Picture.objects.filter(regions__in=lost).distinct().count()
    assert [
        event.data.get("serving")
        for event in AuditEvent.objects.filter(action="project.engine").order_by("pk")
        if "serving" in event.data
    ] == [
        SFACE.name,
        DLIB.name,
    ]


@pytest.mark.engine
def test_pictures_that_come_in_between_are_looked_at_by_both_with_one_download(
    project: Project, sandbox: RunningSandbox
) -> None:
    reembed.choose(project, version(SFACE.name))
    add_files(project, "File:Nancy Pelosi P000197.jpg")
    crawl()
    sandbox.world.reset_request_counts()
    look()
    new = photo("File:Nancy Pelosi P000197.jpg").picture
    engines = Embedding.objects.filter(region__picture=new).values_list("engine__name", flat=True)
    assert set(engines) == {DLIB.name, SFACE.name}
    counts = sandbox.world.request_counts
    assert sum(n for key, n in counts.items() if key.startswith("/upload")) == 1


@pytest.mark.engine
def test_what_cannot_be_looked_at_again_does_not_hold_it_up(
    project: Project, sandbox: RunningSandbox
) -> None:
    sandbox.faults.add("http", {"path": "/upload"}, status=404, times=1)
    switch(project, SFACE.name)
    aside = EngineLook.objects.get(state=WorkState.ASIDE)
    assert aside.error == Picture.Error.GONE
    assert selection.serving(project).name == SFACE.name
    assert reembed.progress(project).set_aside == 1
    switch(project, SFACE.name)  # asked again
    assert reembed.progress(project).set_aside == 0
    assert set(stored(project).region_ids.tolist()) == standing()


@pytest.mark.engine
def test_a_busy_wiki_costs_it_no_try(project: Project, sandbox: RunningSandbox) -> None:
    sandbox.faults.add("http", {"path": "/upload"}, status=429, retry_after=30, times=1)
    reembed.choose(project, version(SFACE.name))
    assert reembed.work(load, 60) is False
    assert set(EngineLook.objects.values_list("state", "tries")) == {(WorkState.QUEUED, 0)}
    assert selection.serving(project).name == DLIB.name
    open_lanes()
    make_due(EngineLook.objects.all())
    reembed.work(load, 60)
    assert selection.serving(project).name == SFACE.name


@pytest.mark.engine
def test_the_newest_project_comes_first_and_another_deployment_s_default_is_followed(
    project: Project, bob: User, make_project: MakeProject, settings: Settings
) -> None:
    other = make_project(bob, "Q1615", [])
    add_files(other, "File:Bernie Sanders S000033.jpg")
    crawl()
    look()
    ProjectEngine.objects.update(chosen=None)
    reembed.plan()
    assert selection.serving(other) == selection.default()
    settings.ENGINE = "sface" if settings.ENGINE == "dlib" else "dlib"
    ProjectEngine.objects.update(
        serving=version(next(k.name for k in KINDS.values() if k.key != settings.ENGINE))
    )
    reembed.plan()
    first = reembed._take_next()
    assert first
    if EngineLook.objects.filter(project=other).exists():
        assert first.project_id == other.pk
    first.fail("crashed")
    make_due(EngineLook.objects.all())
    while reembed.work(load, 60):
        pass
    assert selection.serving(project) == selection.default()
    assert selection.serving(other) == selection.default()


@pytest.mark.process
@pytest.mark.parametrize("point", ["reembed:before-commit", "reembed:after-commit"])
def test_a_killed_change_goes_on_where_it_was(
    sandbox: RunningSandbox,
    shared_database: str,
    make_project: MakeProject,
    tmp_path: Path,
    point: str,
) -> None:
    project = labelled(make_project(make_user("Alice"), "Q7186", []))
    labels = set(Label.objects.values_list("region", "verdict"))
    reembed.choose(project, version(SFACE.name))
    killed_at(point, tmp_path, task="detect")
    assert selection.serving(project).name == DLIB.name
    done = EngineLook.objects.filter(state=WorkState.DONE).count()
    assert done == (point == "reembed:after-commit")
    for row in EngineLook.objects.filter(state=WorkState.RUNNING):
        let_lease_end(row)
    while reembed.work(load, 60):
        pass
    assert selection.serving(project).name == SFACE.name
    assert set(Label.objects.values_list("region", "verdict")) == labels
    assert set(stored(project).region_ids.tolist()) == standing()
    assert max(EngineLook.objects.values_list("attempt", flat=True)) <= 2


@pytest.mark.engine
def test_an_archived_project_comes_back_with_the_engine_that_is_its_own_then(
    project: Project,
) -> None:
    labels = set(Label.objects.values_list("region", "verdict"))
    Project.objects.update(state=Project.State.ARCHIVED)
    crawler_retention.tidy()
    assert not Embedding.objects.exists()
    ProjectEngine.objects.update(serving=version(SFACE.name), chosen=version(SFACE.name))
    Project.objects.update(state=Project.State.ACTIVE)
    crawler_retention.tidy()
    look()
    assert drawn_boxes.embed(load, 30) is False
    assert set(stored(project).region_ids.tolist()) == standing()
    assert set(Label.objects.values_list("region", "verdict")) == labels


@pytest.mark.engine
def test_status_says_how_far_it_is(project: Project) -> None:
    def said(*words: str) -> str:
        out = StringIO()
        call_command("engine", *words, stdout=out)
        return out.getvalue()

    number = Picture.objects.count()
    said("switch", "sface", f"--project={project.public_id}")
    assert f"changing to {SFACE.name}: 0 of {number} pictures" in said("status")
    while reembed.work(load, 60):
        pass
    assert f"{project.public_id} {project}: {SFACE.name}\n" in said("status")
    with pytest.raises(CommandError, match="serves projects"):
        said("forget", "sface")
    assert "are deleted" in said("forget", "dlib")
    assert set(Embedding.objects.values_list("engine__name", flat=True)) == {SFACE.name}
    assert reembed.work(load, 5) is False, "nothing is lacking now"
    with pytest.raises(CommandError, match="no live project"):
        said("status", "--project", "none")


@pytest.mark.engine
@pytest.mark.parametrize("left", ["denied", "archived", "completed long ago"])
def test_a_project_that_is_not_live_keeps_no_engine(
    project: Project, mona: User, left: str
) -> None:
    """Should it go on after all, the vectors are made again."""
    faces = set(stored(project).region_ids.tolist())
    assert reembed.forget(version(DLIB.name)) is None
    entry = DenyEntry(kind=DenyEntry.Kind.PERSON, value=project.person.qid, reason="asked")
    if left == "denied":
        denylist_changes.deny(entry, mona)
    elif left == "archived":
        Project.objects.update(state=Project.State.ARCHIVED)
    else:
        long_ago = timezone.now() - timedelta(days=settings.RETENTION_DAYS + 1)
        Project.objects.update(state=Project.State.COMPLETED, active_at=long_ago)
    assert reembed.forget(version(DLIB.name))
    assert not Embedding.objects.exists()
    if left == "denied":
        denylist_changes.undeny(entry, mona, "No reason left")
    Project.objects.update(state=Project.State.ACTIVE, active_at=timezone.now())
    while reembed.work(load, 60):
        pass
    assert set(stored(project).region_ids.tolist()) == faces


@pytest.mark.engine
def test_the_project_s_page_says_whose_vectors_it_has(
    project: Project, client_of: ClientOf
) -> None:
    def said() -> str:
        page = client_of(project.owner).get(f"/p/{project.public_id}/").content.decode()
        return " ".join(page.partition('id="engine">')[2].partition("</p>")[0].split())

    number = Picture.objects.count()
    assert said() == f"Found and compared by HOG + dlib’s ResNet ({DLIB.name})."
    reembed.choose(project, version(SFACE.name))
    assert said().endswith(f"YuNet + SFace is looking again: 0 of {number} photos so far.")
    switch(project, SFACE.name)
    assert said() == f"Found and compared by YuNet + SFace ({SFACE.name})."


@pytest.mark.engine
def test_compare_runs_both_on_what_people_answered(project: Project) -> None:
    before = (Embedding.objects.count(), Region.objects.count())
    out = StringIO()
    call_command("engine", "compare", "dlib", "sface", f"--project={project.public_id}", stdout=out)
    said = {line.strip().split("  ")[0]: line for line in out.getvalue().splitlines()}
    assert {
        "labelled faces found",
        "person told from others (AUC)",
        "strangers let in at 95% of the person",
        "actions a tag",
        "tags reached, of faces found",
        "ms a photo",
    } <= set(said)
    found = re.findall(r"(\d+) of (\d+)", said["labelled faces found"])
    answered = Label.objects.exclude(region__replaced_by__isnull=False).count()
    assert [of for _, of in found] == [str(answered)] * 2
    assert said["ms a photo"].endswith((DLIB.name, SFACE.name, "equal"))
    assert "too few answers to say" in said["person told from others (AUC)"]
    assert (Embedding.objects.count(), Region.objects.count()) == before


def test_who_tells_better_apart_is_said_in_each_engine_s_own_metric() -> None:
    random = np.random.default_rng(1)

    def seen(name: str, spread: float) -> comparison.Seen:
        def person(at: int) -> list[np.ndarray]:
            middle = np.eye(128, dtype=np.float32)[at]
            return [
                middle + spread * random.standard_normal(128).astype(np.float32) for _ in range(8)
            ]

        return comparison.Seen(name, metric="euclidean", persons=person(0), others=person(1))

    good, bad = seen("good", 0.02), seen("bad", 0.3)
    assert good.auc == 1.0
    assert bad.auc
    assert bad.auc < 0.95
    assert good.strangers == 0.0
    assert bad.strangers
    better = {line.what: line.better for line in comparison.lines(good, bad)}
    assert better["person told from others (AUC)"] == "good"
    assert better["labelled faces found"] == "equal"
    assert comparison.auc(np.array([1.0, 2.0]), np.array([1.0, 0.0])) == pytest.approx(0.875)
