"""Sending on a wiki that behaves."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from projects.models import Contribution, Project, User
from sdc import tasks
from sdc.batches import services as batches
from sdc.files import statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch
from sdc.writing import scheduler
from tests.sdc.conftest import Make, WikiItself, confirmed, send, send_to_the_end, the_attempt

Outcome = ClaimAttempt.Outcome


def test_a_confirmed_batch_stands_on_the_wiki_exactly_as_previewed(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    labels = said_yes(project, 3)
    draft = batches.prepare_batch(project, alice)
    previewed = {each.claim.page_id: each.statement for each in draft.attempts.all()}
    assert draft.state == EditBatch.State.DRAFT
    assert set(previewed) == {label.photo.page_id for label in labels}
    assert not wiki.edits()

    batch = send_to_the_end(batches.confirm(draft, alice))

    assert batch.state == EditBatch.State.DONE
    assert batch.finished_at
    for page_id, wanted in previewed.items():
        [found] = wiki.depicts(page_id)
        assert found["id"] == wanted["id"]
        assert found["rank"] == "normal"
        assert statements.place_in(found) == "pct:25.0,10.0,20.0,30.0"
        [edit] = wiki.edits(page_id)
        assert edit.user == "Alice"
        assert statements.batch_mark(batch.code) in edit.comment
        attempt = ClaimAttempt.objects.get(batch=batch, claim__page_id=page_id)
        assert attempt.outcome == ClaimAttempt.Outcome.WRITTEN
        assert attempt.revision == edit.id
        assert attempt.claim.state == Claim.State.WRITTEN
    ledger = Edit.objects.filter(attempt__batch=batch)
    assert {row.revision for row in ledger} == {edit.id for edit in wiki.edits()}
    assert Contribution.objects.filter(user=alice, kind=Contribution.Kind.EDIT).count() == 3


def test_one_write_a_file_and_reads_are_shared(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 5)
    batch = confirmed(project, alice)
    wiki.running.world.reset_request_counts()
    send(budget=5)
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.DONE
    counts = wiki.running.world.request_counts
    writes = [count for key, count in counts.items() if "wbsetclaim" in key]
    reads = [count for key, count in counts.items() if "wbgetentities" in key]
    assert sum(writes) == 5
    assert sum(reads) == 1


def test_the_place_can_be_left_out_for_a_project(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    project.write_region = False
    project.save()
    [label] = said_yes(project)
    send_to_the_end(confirmed(project, alice))
    [found] = wiki.depicts(label.photo.page_id)
    assert "qualifiers" not in found


def test_a_batch_that_is_sent_again_edits_nothing(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = send_to_the_end(confirmed(project, alice))
    batches.confirm(batch, alice)
    send()
    assert len(wiki.edits()) == 2
    again = batches.prepare_batch(project, alice)
    assert not again.attempts.exists()


def test_a_users_batches_take_turns(
    project: Project, alice: User, make_project: Any, said_yes: Make, wiki: WikiItself
) -> None:
    other = make_project(alice, "Q937")
    said_yes(project, 3)
    said_yes(other, 3, skip=3)
    first, second = confirmed(project, alice), confirmed(other, alice)
    send(budget=10)
    rows = ClaimAttempt.objects.filter(outcome=Outcome.WRITTEN).order_by("revision")
    assert [row.batch for row in rows] == [first, second] * 3


@pytest.mark.waits
def test_the_pace_is_the_operators(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, settings: Any
) -> None:
    settings.EDITS_A_MINUTE = 150  # one in 0.4 s
    said_yes(project, 4)
    batch = confirmed(project, alice)
    scheduler.work(10)
    times = sorted(each.began_at for each in batch.attempts.all() if each.began_at)
    since = [(at - times[0]).total_seconds() for at in times]
    assert len(wiki.edits()) == 4
    # one that was late does not delay the next ones; none comes before its slot
    assert all(seconds > 0.4 * number - 0.1 for number, seconds in enumerate(since))


def test_users_do_not_wait_for_each_other(
    project: Project, alice: User, bob: User, make_project: Any, said_yes: Make, wiki: WikiItself
) -> None:
    other = make_project(bob, "Q937")
    said_yes(project, 3)
    said_yes(other, 3, by=bob, skip=3)
    confirmed(project, alice)
    confirmed(other, bob)
    send(budget=10)
    by_time = sorted(wiki.edits(), key=lambda edit: edit.id)
    assert {edit.user for edit in by_time[:2]} == {"Alice", "Bob"}
    assert len(by_time) == 6


@pytest.mark.waits
def test_the_task_sends_what_is_due(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    tasks.write()
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.DONE


def test_settings_name_the_property(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    assert the_attempt(batch).statement["mainsnak"]["property"] == settings.WIKI.depicts


def test_a_site_without_a_consumer_sends_nothing(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, monkeypatch: pytest.MonkeyPatch
) -> None:
    said_yes(project, 1)
    batch = batches.prepare_batch(project, alice)
    monkeypatch.setattr(settings, "CAN_LOG_IN", False)
    with pytest.raises(batches.Refused) as refused:
        batches.confirm(batch, alice)
    assert refused.value.code == "read-only"
    assert EditBatch.objects.get(pk=batch.pk).state == EditBatch.State.DRAFT
    assert not wiki.edits()
