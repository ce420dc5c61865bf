"""What is on the deny-list is not sent, though it was confirmed before."""

from __future__ import annotations

import pytest

from classify.models import Label
from projects.models import DenyEntry, Project, User
from projects.privacy import denylist_changes
from sdc.batches.services import prepare_batch
from sdc.models import ClaimAttempt, EditBatch
from sdc.writing.reasons import Reason
from tests.conftest import MakeProject
from tests.sdc.conftest import (
    CURIE,
    Make,
    WikiItself,
    confirmed,
    send_to_the_end,
    the_attempt,
)

Outcome = ClaimAttempt.Outcome
pytestmark = pytest.mark.django_db


@pytest.fixture
def project(alice: User, make_project: MakeProject) -> Project:
    return make_project(alice)


def test_what_was_confirmed_of_a_denied_person_is_not_sent(
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    said_yes(project, 1)
    batch = confirmed(project, alice)
    DenyEntry.objects.create(wiki="sandbox", kind=DenyEntry.Kind.PERSON, value=CURIE)
    send_to_the_end(batch)
    assert the_attempt(batch).reason == Reason.DENIED
    assert wiki.edits() == []
    row = ClaimAttempt.objects.get(batch=prepare_batch(project, alice))
    assert row.reason == Reason.DENIED


def test_a_denied_file_is_not_sent_though_it_was_confirmed_before(
    project: Project,
    alice: User,
    mona: User,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    [label] = said_yes(project, 1)
    batch = confirmed(project, alice)
    entry = DenyEntry(kind=DenyEntry.Kind.FILE, value=label.photo.name, reason="asked")
    denylist_changes.deny(entry, mona)
    send_to_the_end(batch)
    assert the_attempt(batch).reason == Reason.DENIED
    assert batch.state == EditBatch.State.DONE
    assert wiki.edits() == []
    assert not prepare_batch(project, alice).attempts.exists()
    assert Label.objects.get().pk == label.pk  # what people said stays


@pytest.mark.parametrize("when", ["before the preview", "after the confirmation"])
def test_nothing_is_sent_to_a_file_of_a_category_on_the_list(
    when: str, project: Project, alice: User, mona: User, said_yes: Make, wiki: WikiItself
) -> None:
    """Its files may have come before it was put there, or from another category."""
    labels = said_yes(project, 2)
    page_id = labels[0].photo.page_id
    with wiki.running.world.store.transaction() as db:
        db.execute(
            "INSERT INTO category_member"
            " (wiki, page_id, category_title, sortkey, prefix, timestamp, type)"
            " VALUES ('commons', ?, 'Category:Left alone', '', '', '2026-01-01T00:00:00Z', 1)",
            (page_id,),
        )
    entry = DenyEntry(kind=DenyEntry.Kind.CATEGORY, value="Left alone", reason="asked")
    if when == "before the preview":
        denylist_changes.deny(entry, mona)
        batch = confirmed(project, alice)
    else:
        batch = confirmed(project, alice)
        denylist_changes.deny(entry, mona)
    send_to_the_end(batch)
    attempt = batch.attempts.get(claim__page_id=page_id)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.DENIED)
    assert len(wiki.edits()) == 1
