"""Whoever may not send yet hands over to a member who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from projects.models import AuditEvent, Membership, Project, User
from sdc.batches import services as batches
from sdc.models import ClaimAttempt, EditBatch
from sdc.sending_rights import limits, probation
from sdc.writing.reasons import Reason
from tests import factories
from tests.conftest import ClientOf
from tests.sdc.conftest import Make, WikiItself, send_to_the_end

Outcome = ClaimAttempt.Outcome
State = EditBatch.State


@pytest.fixture
def newcomer(project: Project, wiki: WikiItself) -> User:
    user = factories.wiki_user(wiki.running, "Newcomer")
    Membership.objects.create(project=project, user=user)
    return user


@pytest.fixture
def handed(project: Project, newcomer: User, said_yes: Make) -> EditBatch:
    said_yes(project, 3, by=newcomer)
    draft = batches.prepare_batch(project, newcomer)
    assert probation.hand_over(draft, newcomer)
    draft.refresh_from_db()
    return draft


def page_of(name: str, user: User, project: Project, client_of: ClientOf) -> str:
    return client_of(user).get(reverse(name, args=[project.public_id])).content.decode()


def test_from_a_newcomers_answers_to_the_statements_by_hand(
    project: Project,
    alice: User,
    newcomer: User,
    said_yes: Make,
    client_of: ClientOf,
    wiki: WikiItself,
) -> None:
    limits.standing_of(alice)
    said_yes(project, 3, by=newcomer)
    text = page_of("preview", newcomer, project, client_of)
    assert "Hand over 3 edits" in text
    assert "Alice" in text
    assert 'id="send"' not in text
    draft = EditBatch.objects.get()
    client_of(newcomer).post(reverse("batch-hand-over", args=[project.public_id, draft.code]))
    draft.refresh_from_db()
    assert draft.state == State.HANDED
    assert AuditEvent.objects.filter(action="batch.handed-over", actor=newcomer).count() == 1
    assert 'id="take-back"' in page_of("preview", newcomer, project, client_of)
    assert not wiki.edits()

    line = page_of("project", alice, project, client_of)
    assert f'id="handed-{draft.code}"' in line
    assert "Newcomer</bdi> hands over 3 edits." in line
    assert "Newcomer" in page_of("preview", alice, project, client_of)  # who said Yes
    hers = EditBatch.objects.get(user=alice)
    sent = send_to_the_end(batches.confirm(hers, alice))

    draft.refresh_from_db()
    assert (draft.state, draft.reason) == (State.DONE, Reason.HANDED_OVER)
    assert {edit.user for edit in wiki.edits()} == {"Alice"}
    assert len(wiki.edits()) == 3
    text = page_of("preview", newcomer, project, client_of)
    assert "took up what you handed over" in text
    assert sent.project_url in text
    assert "hands over" not in page_of("project", alice, project, client_of)


def test_what_was_handed_over_can_not_be_confirmed_by_anybody(
    project: Project, alice: User, newcomer: User, handed: EditBatch
) -> None:
    with pytest.raises(batches.Refused, match="handed-over"):
        batches.confirm(handed, newcomer)
    with pytest.raises(PermissionDenied):
        batches.confirm(handed, alice)
    handed.refresh_from_db()
    assert handed.state == State.HANDED


def test_the_newcomer_can_take_it_back(
    project: Project, alice: User, newcomer: User, handed: EditBatch, client_of: ClientOf
) -> None:
    with pytest.raises(PermissionDenied):
        probation.take_back(handed, alice)
    back = reverse("batch-take-back-hand-over", args=[project.public_id, handed.code])
    assert client_of(newcomer).post(back).status_code == 302
    handed.refresh_from_db()
    assert handed.state == State.DRAFT
    assert not probation.take_back(handed, newcomer)
    assert not probation.waiting(project, alice)


def test_handing_over_again_takes_the_place_of_the_first_time(
    project: Project, alice: User, newcomer: User, handed: EditBatch, said_yes: Make
) -> None:
    said_yes(project, 1, by=newcomer, skip=3)
    again = batches.prepare_batch(project, newcomer)
    assert probation.hand_over(again, newcomer)
    assert list(EditBatch.objects.filter(state=State.HANDED)) == [again]
    assert probation.waiting(project, alice) == [(again, 4)]


def test_part_of_it_sent_leaves_the_rest_waiting(
    project: Project, alice: User, newcomer: User, handed: EditBatch, settings: Any
) -> None:
    settings.FIRST_BATCH = 2
    first = batches.confirm(batches.prepare_batch(project, alice), alice)
    handed.refresh_from_db()
    assert handed.state == State.HANDED
    assert probation.waiting(project, alice) == [(handed, 1)]
    send_to_the_end(first)
    probation.looked_at(first, alice)
    batches.confirm(batches.prepare_batch(project, alice), alice)
    handed.refresh_from_db()
    assert handed.state == State.DONE


def test_a_row_that_the_sender_left_out_does_not_keep_it_waiting(
    project: Project, alice: User, handed: EditBatch
) -> None:
    draft = batches.prepare_batch(project, alice)
    batches.exclude(draft.attempts.all()[0], alice)
    batches.confirm(draft, alice)
    handed.refresh_from_db()
    assert handed.state == State.DONE


def test_who_may_send_has_nothing_to_hand_over(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project)
    draft = batches.prepare_batch(project, alice)
    with pytest.raises(batches.Refused, match="may-send"):
        probation.hand_over(draft, alice)


def test_nobody_else_sees_a_hand_over_but_those_who_may_send(
    project: Project, alice: User, bob: User, newcomer: User, handed: EditBatch, client_of: ClientOf
) -> None:
    assert "hands over" in page_of("project", bob, project, client_of)
    assert "hands over" not in page_of("project", newcomer, project, client_of)
    stranger = factories.make_user()
    assert "hands over" not in page_of("project", stranger, project, client_of)
    another = factories.make_user()
    Membership.objects.create(project=project, user=another)
    assert "hands over" in page_of("project", another, project, client_of), "never asked: perhaps"
    own = reverse("preview", args=[project.public_id])  # what he could send himself
    assert client_of(bob).get(handed.project_url)["Location"] == own
    assert client_of(newcomer).get(handed.project_url).status_code == 302


def test_a_newcomer_alone_is_told_what_to_do(
    newcomer: User, make_project: Any, said_yes: Make, client_of: ClientOf
) -> None:
    own = make_project(newcomer, "Q937")
    said_yes(own, 1, by=newcomer)
    text = page_of("preview", newcomer, own, client_of)
    assert "No other member may send yet" in text
    assert reverse("members", args=[own.public_id]) in text
