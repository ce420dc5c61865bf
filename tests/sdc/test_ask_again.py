"""A person asks for this very file, although it was spoken against or renamed."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from projects.models import AuditEvent, DenyEntry, Project, User
from sdc.batches import moderation
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch
from sdc.preview import warnings
from sdc.preview.warnings import Caution
from sdc.writing.reasons import Reason
from tests.conftest import ClientOf
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    send_to_the_end,
    the_attempt,
)
from tests.sdc.test_preview import change_page

Outcome = ClaimAttempt.Outcome
SPOKEN_AGAINST = [
    (Claim.State.REMOVED, Reason.REMOVED),
    (Claim.State.UNDONE, Reason.TAKEN_BACK),
    (Claim.State.REJECTED, Reason.REJECTED),
]


def skipped(project: Project, user: User) -> ClaimAttempt:
    row = the_attempt(batches.prepare_batch(project, user))
    assert row.outcome == Outcome.SKIPPED
    return row


@pytest.mark.parametrize(("state", "reason"), SPOKEN_AGAINST)
def test_what_was_spoken_against_is_sent_when_a_person_asks_for_this_very_file(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, state: str, reason: Reason
) -> None:
    [label] = said_yes(project)
    batches.prepare_batch(project, alice)
    Claim.objects.update(state=state)
    row = skipped(project, alice)
    assert row.reason == reason
    with pytest.raises(batches.Refused, match="nothing"):
        batches.confirm(row.batch, alice)
    assert batches.ask_for(row, alice)
    assert row.asked_for
    assert warnings.of_row(row) == [Caution.ASKED_AGAIN]
    send_to_the_end(batches.confirm(row.batch, alice))
    assert len(wiki.depicts(label.photo.page_id)) == 1
    assert claim_of(label).state == Claim.State.WRITTEN
    event = AuditEvent.objects.get(action="claim.asked-again")
    assert (event.actor, event.data["reason"]) == (alice, reason)


@pytest.mark.parametrize(("state", "reason"), SPOKEN_AGAINST)
def test_what_was_asked_for_and_not_written_is_as_it_was(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, state: str, reason: Reason
) -> None:
    [label] = said_yes(project)
    batches.prepare_batch(project, alice)
    Claim.objects.update(state=state)
    row = skipped(project, alice)
    batches.ask_for(row, alice)
    batch = batches.confirm(row.batch, alice)
    change_page(wiki.running, label.photo.page_id, "protect")
    send_to_the_end(batch)
    assert claim_of(label).state == state
    assert skipped(project, alice).reason == Reason.PROTECTED


def test_asking_survives_a_new_reading_and_can_be_taken_back(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batches.prepare_batch(project, alice)
    Claim.objects.update(state=Claim.State.REMOVED)
    batches.ask_for(skipped(project, alice), alice)
    row = the_attempt(batches.prepare_batch(project, alice))
    assert (row.outcome, row.claim_was) == (Outcome.PLANNED, Claim.State.REMOVED)
    batches.exclude(row, alice)
    row = the_attempt(batches.prepare_batch(project, alice))
    assert row.outcome == Outcome.EXCLUDED
    assert batches.exclude(row, alice, leave_out=False)
    assert batches.confirm(row.batch, alice).state == EditBatch.State.RUNNING


def test_nobody_elses_preview_asks_for_it(
    project: Project, alice: User, bob: User, said_yes: Make
) -> None:
    said_yes(project)
    batches.prepare_batch(project, alice)
    Claim.objects.update(state=Claim.State.REMOVED)
    row = skipped(project, alice)
    with pytest.raises(PermissionDenied):
        batches.ask_for(row, bob)
    batches.ask_for(row, alice)
    assert skipped(project, bob).reason == Reason.REMOVED


def test_what_changed_since_it_was_asked_for_is_not_sent(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batches.prepare_batch(project, alice)
    Claim.objects.update(state=Claim.State.REMOVED)
    row = skipped(project, alice)
    batches.ask_for(row, alice)
    Claim.objects.update(state=Claim.State.REJECTED)  # a moderator said no meanwhile
    batch = batches.confirm(row.batch, alice)
    row.refresh_from_db()
    assert (batch.state, row.reason) == (EditBatch.State.DONE, Reason.REJECTED)
    assert not wiki.edits()


@pytest.mark.parametrize("change", ["hold", "deny", "sending", "undoing"])
def test_what_a_moderator_holds_or_that_is_under_way_can_not_be_asked_for(
    project: Project, alice: User, mona: User, said_yes: Make, change: str
) -> None:
    [label] = said_yes(project)
    batches.prepare_batch(project, alice)
    Claim.objects.update(state=Claim.State.UNDONE)
    row = skipped(project, alice)
    match change:
        case "hold":
            moderation.hold(claim_of(label), mona, "wait")
        case "deny":
            DenyEntry.objects.create(
                wiki=settings.WIKI.code, kind=DenyEntry.Kind.FILE, value=label.photo.title
            )
            row = skipped(project, alice)
        case "sending":
            Claim.objects.update(state=Claim.State.SENDING)
        case "undoing":
            Claim.objects.update(state=Claim.State.UNDOING)
    assert not batches.ask_for(row, alice)
    row.refresh_from_db()
    assert row.outcome == Outcome.SKIPPED
    assert not AuditEvent.objects.filter(action="claim.asked-again").exists()


def test_what_is_there_already_can_not_be_asked_for(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    wiki.somebody_adds(label.photo.page_id)
    assert not batches.ask_for(skipped(project, alice), alice)


def test_a_renamed_file_is_sent_under_its_new_name_when_asked_for(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, client_of: ClientOf
) -> None:
    [label] = said_yes(project)
    change_page(wiki.running, label.photo.page_id, "move")
    browser, address = client_of(alice), reverse("preview", args=[project.public_id])
    text = browser.get(address).content.decode()
    assert "Another name.jpg" in text
    assert f"It was “<bdi>{label.photo.name}</bdi>”" in text
    row = the_attempt(EditBatch.objects.get())
    ask = reverse("attempt-ask", args=[project.public_id, row.pk])
    text = browser.post(ask, follow=True).content.decode()
    assert 'data-caution="renamed"' in text
    assert "Send 1 edit<" in text
    send_to_the_end(batches.confirm(EditBatch.objects.get(), alice))
    assert len(wiki.depicts(label.photo.page_id)) == 1


def test_the_page_says_who_removed_it_and_when(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, client_of: ClientOf
) -> None:
    [label] = said_yes(project)
    send_to_the_end(confirmed(project, alice))
    wiki.somebody_removes(label.photo.page_id)
    Claim.objects.update(state=Claim.State.REMOVED)
    watch = Watch.objects.get()
    Watch.objects.update(
        finding=Watch.Finding.REMOVED, by="Rosalind M.", found_at=watch.claim_attempt.ended_at
    )
    browser, address = client_of(alice), reverse("preview", args=[project.public_id])
    assert "Rosalind M., " in browser.get(address).content.decode()
    row = ClaimAttempt.objects.get(batch__state=EditBatch.State.DRAFT)
    ask = reverse("attempt-ask", args=[project.public_id, row.pk])
    text = browser.post(ask, follow=True).content.decode()
    assert 'data-caution="asked-again"' in text
    assert "removed by somebody (Rosalind M., " in text


def test_asking_must_find_room_in_the_batch(
    project: Project, alice: User, said_yes: Make, settings: Any, client_of: ClientOf
) -> None:
    settings.BATCH_MAX = 2
    labels = said_yes(project, 3)
    batches.prepare_batch(project, alice)
    Claim.objects.filter(page_id=labels[0].photo.page_id).update(state=Claim.State.REMOVED)
    batch = batches.prepare_batch(project, alice)
    row = batch.attempts.get(outcome=Outcome.SKIPPED)
    ask = reverse("attempt-ask", args=[project.public_id, row.pk])
    text = client_of(alice).post(ask, follow=True).content.decode()
    assert "leave another out first" in text
    row.refresh_from_db()
    assert row.outcome == Outcome.SKIPPED
