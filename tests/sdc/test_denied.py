"""What is on the deny-list is not sent, though it was confirmed before."""

from __future__ import annotations

import pytest

from classify.models import Label
from projects import denying
from projects.models import DenyEntry, Project, User
from sdc.models import ClaimAttempt, EditBatch
from sdc.reasons import Reason
from sdc.services import prepare_batch
from tests.conftest import MakeProject
from tests.sdc.conftest import (
    CURIE,
    Make,
    WikiItself,
    confirmed,
    send_to_the_end,
    the_attempt,
)

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
    denying.deny(entry, mona)
    send_to_the_end(batch)
    assert the_attempt(batch).reason == Reason.DENIED
    assert batch.state == EditBatch.State.DONE
    assert wiki.edits() == []
    assert not prepare_batch(project, alice).attempts.exists()
    assert Label.objects.get().pk == label.pk  # what people said stays
