"""What a paused, resumed, archived project means for its batches."""

from __future__ import annotations

import pytest

from projects.lifecycle.services import set_state
from projects.models import AuditEvent, Project, User
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt, EditBatch
from sdc.writing import scheduler
from sdc.writing.reasons import Reason
from tests.conftest import MakeProject
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    send,
    send_to_the_end,
    the_attempt,
)

pytestmark = pytest.mark.django_db

State = EditBatch.State


def state_of(batch: EditBatch) -> tuple[str, str]:
    batch.refresh_from_db()
    return batch.state, batch.reason


def set_project(project: Project, state: str) -> None:
    set_state(project, project.owner, state)
    project.refresh_from_db()


@pytest.mark.parametrize(
    ("state", "code"),
    [(Project.State.PAUSED, "project-paused"), (Project.State.ARCHIVED, "archived")],
)
def test_nothing_is_confirmed_in_a_project_that_stands(
    project: Project, alice: User, said_yes: Make, state: str, code: str
) -> None:
    said_yes(project)
    batch = batches.prepare_batch(project, alice)
    set_project(project, state)
    with pytest.raises(batches.Refused, match=code) as refused:
        batches.confirm(EditBatch.objects.get(pk=batch.pk), alice)
    assert "project" in refused.value.sentence
    assert state_of(batch) == (State.DRAFT, "")


def test_a_batch_goes_on_by_itself_with_its_project(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    set_project(project, Project.State.PAUSED)
    send()
    assert state_of(batch) == (State.PAUSED, Reason.PROJECT_PAUSED)
    with pytest.raises(batches.Refused, match="project-paused"):
        batches.resume(EditBatch.objects.get(pk=batch.pk), alice)
    send()
    assert state_of(batch) == (State.PAUSED, Reason.PROJECT_PAUSED)
    assert not wiki.edits(label.photo.page_id)
    set_project(project, Project.State.ACTIVE)
    before = Project.objects.get(pk=project.pk).pulse
    scheduler.sweep()
    resumed = AuditEvent.objects.get(action="batch.resumed")
    assert (resumed.actor, resumed.target) == (None, f"batch:{batch.code}")
    assert Project.objects.get(pk=project.pk).pulse > before, "its pages show it at once"
    send()
    assert state_of(batch) == (State.DONE, "")
    assert len(wiki.edits(label.photo.page_id)) == 1


def test_a_batch_that_a_person_paused_waits_for_a_person(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    batches.pause(batch, alice)
    set_project(project, Project.State.PAUSED)
    send()
    set_project(project, Project.State.ACTIVE)
    send()
    assert state_of(batch) == (State.PAUSED, Reason.PAUSED)


def test_another_project_that_stands_holds_nothing_up(
    project: Project, alice: User, bob: User, said_yes: Make, make_project: MakeProject
) -> None:
    other = make_project(bob, "Q937", members=[alice])
    said_yes(project)
    said_yes(other, skip=1)
    here, there = confirmed(project, alice), confirmed(other, alice)
    set_project(other, Project.State.PAUSED)
    assert send_to_the_end(here).state == State.DONE
    assert state_of(there) == (State.PAUSED, Reason.PROJECT_PAUSED)


@pytest.mark.parametrize("first", ["running", "paused by a person", "paused with its project"])
def test_archiving_ends_batches_and_frees_their_files(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, first: str
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    assert claim_of(label).state == Claim.State.SENDING
    if first == "paused by a person":
        batches.pause(batch, alice)
    if first == "paused with its project":
        set_project(project, Project.State.PAUSED)
        send()
    set_project(project, Project.State.ARCHIVED)
    send()
    assert state_of(batch) == (State.STOPPED, Reason.ARCHIVED)
    assert the_attempt(batch).outcome == ClaimAttempt.Outcome.SKIPPED
    assert claim_of(label).state == Claim.State.FREE
    assert not wiki.edits(label.photo.page_id)
    set_project(project, Project.State.ACTIVE)
    assert send_to_the_end(confirmed(project, alice)).state == State.DONE
