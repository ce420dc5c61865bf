"""The preview says what would be written and why not; only what was confirmed is sent."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from crawler.models import ProjectPhoto, Region
from projects.models import AuditEvent, DenyEntry, Membership, Project, User
from sandbox import RunningSandbox, files
from sdc.batches import moderation
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt, EditBatch
from sdc.preview import drafts as previewing
from sdc.preview.eligibility import ready_count
from sdc.writing.reasons import Reason
from tests.sdc.conftest import (
    CURIE,
    Make,
    WikiItself,
    claim_of,
    confirmed,
    label_yes,
    send,
    send_to_the_end,
    the_attempt,
    time_passes,
)

Outcome = ClaimAttempt.Outcome
State = EditBatch.State


def row(batch: EditBatch) -> tuple[str, str]:
    attempt = the_attempt(batch)
    return attempt.outcome, attempt.reason


def test_a_file_that_says_so_already_is_left_alone(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    wiki.somebody_adds(label.photo.page_id)
    assert row(batches.prepare_batch(project, alice)) == (Outcome.SKIPPED, Reason.ALREADY_THERE)


def test_the_preview_shows_what_a_file_has_now(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    wiki.somebody_adds(label.photo.page_id, "Q37463")
    attempt = the_attempt(batches.prepare_batch(project, alice))
    assert attempt.has_now
    shown = {each["qid"]: each["label"] for each in attempt.has_now}
    assert shown["Q37463"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("delete", Reason.DELETED),
        ("protect", Reason.PROTECTED),
        ("reupload", Reason.CHANGED),
        ("redirect", Reason.REDIRECT),
    ],
)
def test_what_became_of_the_page_is_said(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, change: str, reason: Reason
) -> None:
    [label] = said_yes(project)
    change_page(wiki.running, label.photo.page_id, change)
    assert row(batches.prepare_batch(project, alice)) == (Outcome.SKIPPED, reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("delete", Reason.DELETED),
        ("protect", Reason.PROTECTED),
        ("reupload", Reason.CHANGED),
        ("redirect", Reason.REDIRECT),
        ("move", Reason.MOVED),
    ],
)
def test_what_changed_after_the_preview_is_not_sent(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, change: str, reason: Reason
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    change_page(wiki.running, label.photo.page_id, change)
    assert send_to_the_end(batch).state == State.DONE
    assert row(batch) == (Outcome.SKIPPED, reason)
    assert claim_of(label).state == Claim.State.FREE
    assert not wiki.running.world.store.value(
        "SELECT count(*) FROM revision WHERE id > ? AND comment LIKE '%editgroups%'",
        (wiki.since,),
    )


def test_a_file_renamed_since_it_was_looked_at_is_skipped_under_both_names(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    change_page(wiki.running, label.photo.page_id, "move")
    batch = batches.prepare_batch(project, alice)
    assert row(batch) == (Outcome.SKIPPED, Reason.MOVED)
    attempt = the_attempt(batch)
    assert (attempt.title, label.photo.title) == (
        "File:Another name.jpg",
        attempt.claim.photo.title,
    )
    assert attempt.title != label.photo.title


def test_the_first_project_wins(
    project: Project, alice: User, bob: User, make_project: Any, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    other = make_project(bob, CURIE)
    label_yes(other, wiki, label.photo.page_id, bob)
    his = batches.prepare_batch(other, bob)
    hers = batches.confirm(batches.prepare_batch(project, alice), alice)
    lost = batches.confirm(his, bob)
    assert (lost.state, row(lost)) == (State.DONE, (Outcome.SKIPPED, Reason.CLAIMED))
    assert row(batches.prepare_batch(other, bob)) == (Outcome.SKIPPED, Reason.CLAIMED)
    assert send_to_the_end(hers).state == State.DONE
    assert row(batches.prepare_batch(other, bob)) == (Outcome.SKIPPED, Reason.ALREADY_THERE)
    assert len(wiki.edits()) == 1


def test_two_projects_that_confirm_at_the_same_moment_send_once(
    shared_database: str,
    project: Project,
    alice: User,
    bob: User,
    make_project: Any,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    labels = said_yes(project, 4)
    other = make_project(bob, CURIE)
    for label in labels:
        label_yes(other, wiki, label.photo.page_id, bob)
    drafts = [batches.prepare_batch(project, alice), batches.prepare_batch(other, bob)]
    gate = threading.Barrier(2)

    def one(batch: EditBatch, user: User) -> None:
        gate.wait()
        try:
            batches.confirm(batch, user)
        finally:
            connection.close()

    racers = [
        threading.Thread(target=one, args=pair) for pair in zip(drafts, (alice, bob), strict=True)
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    planned = ClaimAttempt.objects.filter(outcome=Outcome.PLANNED)
    assert planned.count() == 4
    assert ClaimAttempt.objects.filter(reason=Reason.CLAIMED).count() == 4
    for _ in range(3):
        send()
        time_passes()
    assert len(wiki.edits()) == 4
    assert all(len(wiki.depicts(label.photo.page_id)) == 1 for label in labels)


def test_a_second_batch_of_the_same_project_does_not_take_what_is_being_sent(
    project: Project, alice: User, bob: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    confirmed(project, alice)
    assert row(batches.prepare_batch(project, bob)) == (Outcome.SKIPPED, Reason.SENDING)


def test_a_row_left_out_is_not_sent_and_stays_out_when_read_again(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    keep, leave = said_yes(project, 2)
    batch = batches.prepare_batch(project, alice)
    attempt = batch.attempts.get(claim__page_id=leave.photo.page_id)
    assert batches.exclude(attempt, alice)
    batch = batches.prepare_batch(project, alice)
    send_to_the_end(batches.confirm(batch, alice))
    assert wiki.depicts(keep.photo.page_id)
    assert not wiki.depicts(leave.photo.page_id)
    assert claim_of(leave).state == Claim.State.FREE
    again = the_attempt(batches.prepare_batch(project, alice))  # nor is it in the next batch
    assert (again.claim, again.outcome) == (claim_of(leave), Outcome.EXCLUDED)
    assert batches.exclude(again, alice, leave_out=False)
    assert the_attempt(batches.prepare_batch(project, alice)).outcome == Outcome.PLANNED


def test_a_new_preview_throws_the_old_one_away(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project)
    old = batches.prepare_batch(project, alice)
    new = batches.prepare_batch(project, alice)
    assert list(EditBatch.objects.all()) == [new]
    assert not ClaimAttempt.objects.filter(batch_id=old.pk).exists()
    assert not Claim.objects.exclude(state=Claim.State.FREE).exists()


def test_only_the_one_who_prepared_it_may_confirm(
    project: Project, alice: User, bob: User, charlie: User, said_yes: Make
) -> None:
    said_yes(project)
    batch = batches.prepare_batch(project, alice)
    for user in (bob, charlie):
        with pytest.raises(PermissionDenied):
            batches.confirm(batch, user)
    Membership.objects.filter(user=alice).update(state=Membership.State.LEFT)
    with pytest.raises(PermissionDenied):
        batches.confirm(batch, alice)


def test_a_preview_of_yesterday_must_be_read_again(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project)
    batch = batches.prepare_batch(project, alice)
    EditBatch.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    batch.refresh_from_db()
    with pytest.raises(batches.Refused, match="too-old"):
        batches.confirm(batch, alice)


def test_a_preview_that_a_newer_one_replaced_is_not_sent(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project)
    old = batches.prepare_batch(project, alice)
    new = batches.prepare_batch(project, alice)
    with pytest.raises(batches.Refused, match="replaced"):
        batches.confirm(old, alice)
    assert batches.confirm(new, alice).state == State.RUNNING


def test_no_more_than_the_limit_is_planned(
    project: Project, alice: User, said_yes: Make, settings: Any
) -> None:
    settings.BATCH_MAX = 2
    said_yes(project, 3)
    assert batches.prepare_batch(project, alice).attempts.count() == 2
    assert ready_count(project) == 3


def test_of_files_that_said_so_already_only_the_newest_are_read_again(
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(previewing, "LOOK_BACK", 1)
    older, newer, fresh = said_yes(project, 3)
    for label in (older, newer):
        wiki.somebody_adds(label.photo.page_id)
        ProjectPhoto.objects.filter(photo=label.photo).update(already_depicts=True)
    batch = batches.prepare_batch(project, alice)
    looked_at = batch.attempts.values_list("claim__page_id", "outcome")
    assert set(looked_at) == {
        (fresh.photo.page_id, Outcome.PLANNED),
        (newer.photo.page_id, Outcome.SKIPPED),
    }


def test_what_a_moderator_holds_waits_until_released(
    project: Project, alice: User, bob: User, mona: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batches.prepare_batch(project, alice)
    claim = claim_of(label)
    with pytest.raises(PermissionDenied):
        moderation.hold(claim, bob, "because")
    moderation.hold(claim, mona, "Not sure that this is her")
    assert row(batches.prepare_batch(project, alice)) == (Outcome.SKIPPED, Reason.HELD)
    moderation.release(claim, mona)
    batch = confirmed(project, alice)
    moderation.hold(claim, mona, "On second thought")
    send_to_the_end(batch)
    assert row(batch) == (Outcome.SKIPPED, Reason.HELD)
    assert not wiki.edits()
    actions = AuditEvent.objects.filter(actor=mona).values_list("action", flat=True)
    assert list(actions) == ["claim.held", "claim.released", "claim.held"]


def test_what_was_removed_on_the_wiki_is_not_offered_again(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    send_to_the_end(confirmed(project, alice))
    wiki.somebody_removes(label.photo.page_id)
    assert row(batches.prepare_batch(project, alice)) == (Outcome.SKIPPED, Reason.REMOVED)
    assert claim_of(label).state == Claim.State.REMOVED


def test_what_was_taken_back_is_not_offered_again(
    project: Project, alice: User, said_yes: Make
) -> None:
    [label] = said_yes(project)
    batches.prepare_batch(project, alice)
    Claim.objects.update(state=Claim.State.UNDONE)
    assert row(batches.prepare_batch(project, alice)) == (Outcome.SKIPPED, Reason.TAKEN_BACK)
    assert label.photo.page_id


def test_those_who_asked_to_be_left_alone_are(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project)
    DenyEntry.objects.create(wiki=settings.WIKI.code, kind=DenyEntry.Kind.PERSON, value=CURIE)
    assert row(batches.prepare_batch(project, alice)) == (Outcome.SKIPPED, Reason.DENIED)


def test_a_photo_as_a_whole_is_written_without_a_place(
    project: Project, alice: User, said_yes: Make
) -> None:
    [label] = said_yes(project)
    Region.objects.update(origin=Region.Origin.PHOTO, x=0, y=0, w=1, h=1)
    attempt = the_attempt(batches.prepare_batch(project, alice))
    assert label.region_id == attempt.region_id
    assert "qualifiers" not in attempt.statement


def test_pause_resume_and_stop(
    project: Project, alice: User, bob: User, charlie: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 3)
    batch = confirmed(project, bob)
    with pytest.raises(PermissionDenied):
        batches.pause(batch, charlie)
    assert batches.pause(batch, alice)  # the owner may
    send()
    assert not wiki.edits()
    with pytest.raises(PermissionDenied):
        batches.resume(batch, alice)  # but it goes on in Bob's name, so Bob says so
    assert batches.resume(batch, bob)
    assert batches.stop(batch, bob)
    send()
    assert not wiki.edits()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.STOPPED, Reason.STOPPED)
    assert not batches.resume(batch, bob)
    send_to_the_end(confirmed(project, bob))  # what was stopped can be sent in another batch
    assert len(wiki.edits()) == 3


def change_page(running: RunningSandbox, page_id: int, change: str) -> None:
    world = running.world
    page = world.page_by_id("commons", page_id)
    assert page
    match change:
        case "delete":
            world.delete(page, user="Admin", comment="out of scope")
        case "protect":
            world.protect(page, "sysop")
        case "move":
            world.move(page, "File:Another name.jpg", user="Admin", comment="better name")
        case "redirect":
            other = world.page("commons", "File:Marie Curie c. 1920s.jpg")
            assert other
            with world.store.transaction() as db:
                db.execute(
                    "UPDATE page SET redirect_to = ? WHERE wiki = 'commons' AND id = ?",
                    (other.title, page.id),
                )
        case "reupload":
            old = world.file(page)
            assert old
            rows = world.store.rows(
                "SELECT path FROM file WHERE sha1 <> ? AND mime = ? LIMIT 1", (old.sha1, old.mime)
            )
            path = Path(rows[0]["path"])
            if not path.is_absolute():
                path = settings.BASE_DIR / "sandbox" / "data" / path
            world.upload(page.title, path, files.describe(path), user="Admin", comment="better")
