"""A user's first batch is small, and looked at on the wiki before the next one."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.urls import reverse

from projects.models import AuditEvent, Project, User
from sdc.batches import services as batches
from sdc.models import ClaimAttempt, EditBatch, Writer
from sdc.sending_rights import limits, probation
from sdc.writing.reasons import Reason
from tests.conftest import ClientOf
from tests.sdc.conftest import Make, WikiItself, confirmed, send_to_the_end

Outcome = ClaimAttempt.Outcome
State = EditBatch.State


@pytest.fixture(autouse=True)
def three_at_first(quick_pace: None, settings: Any) -> None:
    settings.FIRST_BATCH = 3


def planned(batch: EditBatch) -> int:
    return batch.attempts.filter(outcome=Outcome.PLANNED).count()


def preview_of(user: User, project: Project, client_of: ClientOf) -> str:
    address = reverse("preview", args=[project.public_id])
    return client_of(user).get(address).content.decode()


def test_the_first_batch_is_small_then_looked_at_then_the_rest_comes(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, client_of: ClientOf
) -> None:
    said_yes(project, 5)
    text = preview_of(alice, project, client_of)
    assert "Your first batch has at most 3 edits" in text
    assert "Send 3 edits" in text
    first = batches.confirm(EditBatch.objects.get(), alice)

    text = preview_of(alice, project, client_of)
    assert 'id="first-goes"' in text
    assert 'id="send"' not in text

    page = client_of(alice).get(first.project_url).content.decode()
    assert 'hx-select="#first-batch"' in page, "the card comes by itself"
    send_to_the_end(first)
    page = client_of(alice).get(first.project_url).content.decode()
    assert 'id="looked"' in page
    text = preview_of(alice, project, client_of)
    assert 'id="send"' not in text
    assert text.count("Special:Diff/") == 3
    for edit in wiki.edits():
        assert f"Special:Diff/{edit.id}" in text
    with pytest.raises(batches.Refused, match="look-first"):
        batches.confirm(batches.prepare_batch(project, alice), alice)

    looked = reverse("batch-looked", args=[project.public_id, first.code])
    assert client_of(alice).post(looked).status_code == 302
    assert AuditEvent.objects.filter(action="writer.looked-at", actor=alice).count() == 1
    assert "Send 2 edits" in preview_of(alice, project, client_of)
    send_to_the_end(batches.confirm(batches.prepare_batch(project, alice), alice))
    assert len(wiki.edits()) == 5


def test_a_draft_from_before_is_read_again_once_it_may_hold_more(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project, 2)
    first = send_to_the_end(confirmed(project, alice))
    said_yes(project, 4, skip=2)
    before = batches.prepare_batch(project, alice)
    assert batches.draft_of(project, alice) == before
    assert probation.looked_at(first, alice)
    assert batches.draft_of(project, alice) is None


def test_a_first_batch_that_wrote_nothing_does_not_count(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    labels = said_yes(project, 5)
    first = confirmed(project, alice)
    for label in labels[:3]:
        wiki.somebody_adds(label.photo.page_id)
    send_to_the_end(first)
    standing = limits.standing_of(alice)
    assert standing.may_send
    assert standing.first
    assert standing.limit == 3


def test_a_first_batch_that_was_stopped_early_is_looked_at_too(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project, 3)
    first = confirmed(project, alice)
    batches.pause(first, alice)
    assert limits.standing_of(alice).reason is Reason.FIRST_GOES
    row = first.attempts.order_by("pk").first()
    assert row
    ClaimAttempt.objects.filter(pk=row.pk).update(outcome=Outcome.WRITTEN, state="d")
    batches.stop(first, alice)
    assert limits.standing_of(alice).to_look_at == first


def test_a_first_batch_taken_back_as_a_whole_begins_anew(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project, 2)
    first = send_to_the_end(confirmed(project, alice))
    assert limits.standing_of(alice).to_look_at == first
    undo = EditBatch.objects.create(
        project=project, user=alice, wiki=first.wiki, kind=EditBatch.Kind.UNDO, undoes=first
    )
    rows = list(first.attempts.select_related("claim"))
    for row in rows:
        assert limits.standing_of(alice).to_look_at == first, "one still stands"
        ClaimAttempt.objects.create(
            batch=undo,
            claim=row.claim,
            undoes=row,
            statement=row.statement,
            sha1=row.sha1,
            outcome=Outcome.WRITTEN,
        )
    assert limits.standing_of(alice).first


def test_it_counts_for_a_user_not_for_a_project(
    project: Project, alice: User, bob: User, make_project: Any, said_yes: Make
) -> None:
    said_yes(project, 5)
    other = make_project(alice, "Q937")
    said_yes(other, 5, skip=5)
    send_to_the_end(confirmed(project, alice))
    draft = batches.prepare_batch(other, alice)
    with pytest.raises(batches.Refused, match="look-first"):
        batches.confirm(draft, alice)
    assert limits.standing_of(bob).first


def test_only_the_sender_says_that_they_looked_and_only_of_the_first(
    project: Project, alice: User, bob: User, said_yes: Make
) -> None:
    said_yes(project, 2)
    first = confirmed(project, alice)
    assert not probation.looked_at(first, alice), "it is still being sent"
    send_to_the_end(first)
    with pytest.raises(PermissionDenied):
        probation.looked_at(first, bob)
    assert probation.looked_at(first, alice)
    assert not probation.looked_at(first, alice)
    assert Writer.objects.get(user=alice).looked_at is not None


def test_more_than_the_first_batch_may_have_is_refused_by_the_server(
    project: Project, alice: User, said_yes: Make, settings: Any
) -> None:
    said_yes(project, 4)
    settings.FIRST_BATCH = 0
    draft = batches.prepare_batch(project, alice)
    settings.FIRST_BATCH = 3
    with pytest.raises(batches.Refused, match="too-many"):
        batches.confirm(draft, alice)
    batches.exclude(draft.attempts.all()[0], alice)
    assert batches.confirm(draft, alice).state == State.RUNNING


def test_a_row_taken_in_again_must_find_room(project: Project, alice: User, said_yes: Make) -> None:
    said_yes(project, 5)
    draft = batches.prepare_batch(project, alice)
    assert planned(draft) == 3
    left = draft.attempts.order_by("pk").first()
    assert left
    batches.exclude(left, alice)
    draft = batches.prepare_batch(project, alice)
    assert planned(draft) == 3, "what is left out makes room for another"
    left = draft.attempts.get(outcome=Outcome.EXCLUDED)
    with pytest.raises(batches.Refused, match="full"):
        batches.exclude(left, alice, leave_out=False, limit=3)
    assert planned(draft) == 3


def test_two_first_batches_confirmed_at_the_same_moment_are_one(
    shared_database: str,
    project: Project,
    alice: User,
    make_project: Any,
    said_yes: Make,
) -> None:
    said_yes(project, 3)
    other = make_project(alice, "Q937")
    said_yes(other, 3, skip=3)
    drafts = [batches.prepare_batch(each, alice) for each in (project, other)]
    gate, refused = threading.Barrier(2), []

    def one(batch: EditBatch) -> None:
        gate.wait()
        try:
            batches.confirm(batch, alice)
        except batches.Refused as no:
            refused.append(no.code)
        finally:
            connection.close()

    racers = [threading.Thread(target=one, args=[draft]) for draft in drafts]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert refused == [Reason.FIRST_GOES]
    assert EditBatch.objects.filter(state=State.RUNNING).count() == 1
