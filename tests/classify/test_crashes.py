"""Workers killed at named points, and started again: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from classify.models import Answer, Bootstrap, Label, Learner, Question, Score
from classify.tasks import infer, read_bootstrap
from core.work import WorkState
from crawler.models import Region
from projects.models import Project, User
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_photo

pytestmark = pytest.mark.process

WORKER = """
import sys, django
django.setup()
from classify import tasks
getattr(tasks, sys.argv[1])()
"""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(shared_database: str, project: Project, cast: Cast, alice: User, say: Say) -> Project:
    """Six faces confirmed, six to be found, six of others, one tagged photo."""
    for name in ("marie", "pierre"):
        for _ in range(6):
            add_photo(project, [cast.face(name)])
    for _ in range(6):
        _, [region] = add_photo(project, [cast.face("marie")])
        say(alice, "yes", region)
    add_photo(project, [cast.face("marie")], already_depicts=True)
    return project


def kill(task: str, point: str, tmp_path: Path) -> None:
    """Run a task in a process of its own that dies at the named point."""
    crash = f"{point}={tmp_path / 'crashed'}"
    settings = {"WIKIVISAGE_CRASH_AT": crash, "DJANGO_SETTINGS_MODULE": "wikivisage.settings"}
    died = subprocess.run(
        [sys.executable, "-c", WORKER, task],
        cwd=ROOT,
        env=os.environ | settings,
        timeout=60,
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr


def let_leases_end() -> None:
    past = timezone.now() - timedelta(seconds=1)
    for model in (Learner, Bootstrap):
        model.objects.filter(state=WorkState.RUNNING).update(lease_until=past)


@pytest.mark.parametrize(
    "point", ["before-work", "questions-prepared", "between-batches", "before-commit"]
)
def test_a_killed_learner_is_taken_up_again(project: Project, tmp_path: Path, point: str) -> None:
    kill("infer", f"infer:{point}", tmp_path)
    learner = Learner.objects.get()
    assert (learner.state, learner.attempt) == (WorkState.RUNNING, 1)
    assert Question.objects.exists() == (point != "before-work"), "questions come first"
    infer()
    learner.refresh_from_db()
    assert learner.attempt == 1, "nobody takes it before its lease ends"
    let_leases_end()
    infer()
    learner.refresh_from_db()
    assert (learner.attempt, learner.tries) == (2, 0)
    _check_all_done(project)


def test_killed_after_the_commit_nothing_is_left_to_do(project: Project, tmp_path: Path) -> None:
    kill("infer", "infer:after-commit", tmp_path)
    _check_all_done(project)
    infer()
    assert Learner.objects.get().attempt == 1


@pytest.mark.parametrize("point", ["before-work", "before-commit", "after-commit"])
def test_a_killed_bootstrap_is_taken_up_again(project: Project, tmp_path: Path, point: str) -> None:
    kill("read_bootstrap", f"bootstrap:{point}", tmp_path)
    let_leases_end()
    read_bootstrap()
    row = Bootstrap.objects.get()
    assert (row.state, row.tries) == (WorkState.DONE, 0)
    assert row.attempt == (1 if point == "after-commit" else 2)
    project.person.refresh_from_db()
    assert project.person.descriptions
    assert Answer.objects.filter(origin="bootstrap").count() == 1


def test_a_bootstrap_that_always_kills_its_worker_is_set_aside(
    project: Project, tmp_path: Path
) -> None:
    Bootstrap.objects.create(project=project, tries=Bootstrap.max_tries - 1)
    kill("read_bootstrap", "bootstrap:before-work", tmp_path)
    let_leases_end()
    read_bootstrap()
    row = Bootstrap.objects.get()
    assert (row.state, row.error, row.attempt) == (WorkState.ASIDE, "crashed", 1)


def _check_all_done(project: Project) -> None:
    project.refresh_from_db()
    learner = Learner.objects.get()
    assert (learner.state, learner.revision) == (WorkState.DONE, project.revision)
    assert (learner.faces, learner.confirmed, learner.matches) == (19, 7, 6)
    assert Score.objects.filter(is_match=True).count() == 6
    assert Score.objects.count() == Region.objects.count() == 19
    asked = Question.objects.filter(marked=True).values_list("region", flat=True)
    matches = Score.objects.filter(is_match=True).values_list("region", flat=True)
    assert set(asked) == set(matches)
    assert Label.objects.filter(origin="bootstrap").count() == 1
    assert Answer.objects.filter(origin="bootstrap").count() == 1
