"""Taking back by hand: the pages of a batch, what they offer to whom, and their confirmation."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from projects.ledger import contribute
from projects.models import Contribution, Membership, Project, User
from sdc.batches.undo import undo
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch
from sdc.sending_rights import stops
from sdc.writing.reasons import Reason
from tests.conftest import ClientOf
from tests.sdc.conftest import Make, WikiItself, confirmed, send_to_the_end
from wikivisage.pages.site_stats import together

Outcome = ClaimAttempt.Outcome
State = EditBatch.State


@pytest.fixture
def sent(project: Project, alice: User, said_yes: Make) -> EditBatch:
    """Alice's batch of three that stand."""
    said_yes(project, 3)
    return send_to_the_end(confirmed(project, alice))


def text_of(browser: Any, address: str) -> str:
    return str(browser.get(address, follow=True).content.decode())


def undo_page(batch: EditBatch, attempt: ClaimAttempt | None = None) -> str:
    where = [batch.project.public_id, batch.code]
    if attempt:
        return reverse("edit-undo", args=[*where, attempt.pk])
    return reverse("batch-undo", args=where)


def test_from_the_batch_page_through_the_confirmation_to_the_undo(
    sent: EditBatch, alice: User, client_of: ClientOf, wiki: WikiItself
) -> None:
    browser = client_of(alice)
    page = text_of(browser, sent.project_url)
    assert "Undo 3 edits…" in page
    assert undo_page(sent) in page
    asked = text_of(browser, undo_page(sent))
    assert "3 statements will be removed" in asked
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()
    answer = browser.post(undo_page(sent))
    undoing = EditBatch.objects.get(kind=EditBatch.Kind.UNDO)
    assert answer["Location"] == undoing.get_absolute_url()
    assert "Taking back, 0 of 3" in text_of(browser, answer["Location"])
    send_to_the_end(undoing)
    after = text_of(browser, undoing.project_url)
    assert "Batch 2: takes back batch 1" in after
    assert "Taken back. 3 of 3 were removed." in after
    before = text_of(browser, sent.project_url)
    assert "3 of 3 were written, none of them stands." in before
    assert before.count('data-became="taken-back"') == 3
    assert undoing.project_url in before
    assert undo_page(sent) not in before
    assert len(wiki.edits()) == 6


def test_one_edit_by_hand(
    sent: EditBatch, alice: User, client_of: ClientOf, wiki: WikiItself
) -> None:
    browser, one = client_of(alice), sent.attempts.order_by("pk")[0]
    assert undo_page(sent, one) in text_of(browser, sent.project_url)
    asked = text_of(browser, undo_page(sent, one))
    assert one.name in asked
    assert one.place in asked
    assert "Remove 1 statement<" in asked
    assert browser.post(undo_page(sent, one)).status_code == 302
    [undoing] = EditBatch.objects.filter(kind=EditBatch.Kind.UNDO)
    send_to_the_end(undoing)
    assert [row.undoes for row in undoing.attempts.all()] == [one]
    assert "There is nothing left to take back" in text_of(browser, undo_page(sent, one))
    assert "Undo 2 edits…" in text_of(browser, sent.project_url)


def test_who_is_offered_it_and_who_may(
    sent: EditBatch, project: Project, bob: User, charlie: User, mona: User, client_of: ClientOf
) -> None:
    for user in (None, bob, charlie):
        browser = client_of(user)
        assert undo_page(sent) not in text_of(browser, sent.project_url)
        looked, sends = (302, 401) if user is None else (403, 403)
        assert browser.get(undo_page(sent)).status_code == looked
        assert browser.post(undo_page(sent)).status_code == sends
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()
    browser = client_of(mona)
    assert undo_page(sent) in text_of(browser, sent.project_url)
    assert "<bdi>Alice</bdi> sent what is taken back" in text_of(browser, undo_page(sent))
    assert browser.post(undo_page(sent)).status_code == 302
    assert EditBatch.objects.get(kind=EditBatch.Kind.UNDO).user == mona


def test_the_owner_of_the_project_may_not_take_back_what_another_one_sent(
    project: Project, alice: User, bob: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    batch = send_to_the_end(confirmed(project, bob))
    assert client_of(alice).post(undo_page(batch)).status_code == 403


def test_a_sender_who_was_banned_from_a_private_project_still_reaches_their_batch(
    sent: EditBatch, project: Project, alice: User, client_of: ClientOf
) -> None:
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    Membership.objects.filter(user=alice).update(state=Membership.State.BANNED)
    browser = client_of(alice)
    assert browser.get(project.get_absolute_url()).status_code == 404
    assert "Undo 3 edits…" in text_of(browser, sent.project_url)
    assert browser.post(undo_page(sent)).status_code == 302


def test_an_edit_of_another_batch_is_not_found(
    sent: EditBatch, project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project, 1, skip=3)
    other = send_to_the_end(confirmed(project, alice))
    foreign = other.attempts.all()[0]
    assert client_of(alice).get(undo_page(sent, foreign)).status_code == 404
    assert client_of(alice).post(undo_page(sent, foreign)).status_code == 404


def test_the_confirmation_needs_the_csrf_token(
    sent: EditBatch, alice: User, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    browser.handler.enforce_csrf_checks = True
    assert browser.post(undo_page(sent)).status_code == 403
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()


def test_while_all_writing_is_stopped_the_page_says_so(
    sent: EditBatch, alice: User, mona: User, client_of: ClientOf
) -> None:
    stops.place(stops.Source.MODERATOR, "look first", by=mona)
    browser = client_of(alice)
    assert "All writing is stopped." in text_of(browser, undo_page(sent))
    answer = browser.post(undo_page(sent), follow=True).content.decode()
    assert "Moderators stopped all writing" in answer
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()


def test_a_moderator_stops_a_batch_of_others_by_button(
    project: Project, alice: User, mona: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    address = reverse("batch-stop", args=[project.public_id, batch.code])
    page = text_of(client_of(mona), batch.project_url)
    assert address in page
    assert reverse("batch-pause", args=[project.public_id, batch.code]) not in page
    assert client_of(mona).post(address).status_code == 302
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.STOPPED, Reason.STOPPED)


def found(attempt: ClaimAttempt, finding: str, state: str) -> None:
    Watch.objects.filter(claim_attempt=attempt).update(
        finding=finding,
        by="Rosalind M.",
        comment="Hardly visible <in> the crowd.",
        revision=4711,
        found_at=timezone.now(),
        checks=1,
        checked_at=timezone.now(),
    )
    Claim.objects.filter(pk=attempt.claim_id).update(state=state)


def test_what_somebody_removed_comes_first_with_who_why_and_both_diffs(
    sent: EditBatch, alice: User, client_of: ClientOf
) -> None:
    removed, changed, stands = sent.attempts.order_by("pk")
    found(removed, Watch.Finding.REMOVED, Claim.State.REMOVED)
    found(changed, Watch.Finding.CHANGED, Claim.State.WRITTEN)
    page = text_of(client_of(alice), sent.project_url)
    assert "Sent. 3 of 3 were written, 1 of them stand." in page
    rows = page.split('<ul class="batch-rows">')[1]
    assert rows.index(f'id="row-{stands.pk}"') > rows.index(f'id="row-{removed.pk}"')
    assert rows.index(f'id="row-{stands.pk}"') > rows.index(f'id="row-{changed.pk}"')
    assert "Removed by <bdi>Rosalind M.</bdi>" in rows
    assert "<q><bdi>Hardly visible &lt;in&gt; the crowd.</bdi></q>" in rows
    assert f"Special:Diff/{removed.revision}" in rows
    assert "Special:Diff/4711" in rows
    assert reverse("second-looks", args=[sent.project.public_id]) in page
    assert "Undo 1 edit…" in page
    asked = text_of(client_of(alice), undo_page(sent))
    assert "1 more was changed by somebody and stays." in asked
    assert "1 more was removed by somebody before." in asked
    for show, shown in (("stand", stands), ("not-as-planned", removed)):
        page = text_of(client_of(alice), sent.project_url + f"?show={show}")
        assert f'id="row-{shown.pk}"' in page
        assert (f'id="row-{stands.pk}"' in page) == (show == "stand")


def test_a_batch_that_wrote_nothing_does_not_look_like_a_success(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.somebody_adds(label.photo.page_id)
    send_to_the_end(batch)
    browser = client_of(alice)
    assert "Nothing was written." in text_of(browser, batch.project_url)
    for address in (reverse("batches", args=[project.public_id]), project.get_absolute_url()):
        page = text_of(browser, address)
        assert "Nothing written" in page
        assert 'chip yes">Done' not in page


def test_lists_tell_undo_batches_apart(
    sent: EditBatch, project: Project, alice: User, client_of: ClientOf, wiki: WikiItself
) -> None:
    wiki.somebody_removes(sent.attempts.all()[0].claim.page_id)
    send_to_the_end(undo(sent, alice))
    browser = client_of(alice)
    for address in (reverse("batches", args=[project.public_id]), project.get_absolute_url()):
        page = text_of(browser, address)
        assert "Batch 2: takes back batch 1</a>" in page
        assert "2 removed, 1 left alone" in page
        assert "3 written, 2 taken back" in page


def test_check_now_is_offered_to_the_sender(
    sent: EditBatch, alice: User, bob: User, client_of: ClientOf
) -> None:
    address = reverse("batch-check", args=[sent.project.public_id, sent.code])
    page = text_of(client_of(alice), sent.project_url)
    assert "After a day" in page
    assert address in page
    assert address not in text_of(client_of(bob), sent.project_url)
    client_of(alice).post(address)
    assert Watch.objects.due().count() == 3


def test_a_batch_taken_back_in_full_looks_so_among_ones_edits_and_offers_no_undo(
    sent: EditBatch, alice: User, client_of: ClientOf
) -> None:
    def pages() -> list[str]:
        browser = client_of(alice)
        return [text_of(browser, address) for address in (reverse("my-edits"), own)]

    own = reverse("contributor", args=[alice.public_id])
    one, *_others = sent.attempts.order_by("pk")
    send_to_the_end(undo(one, alice))
    for page in pages():
        assert "3 edits, 1 taken back" in page
        assert undo_page(sent) in page
    send_to_the_end(undo(sent, alice))
    for page in pages():
        assert "3 edits, 3 taken back" in page
        assert ">Taken back<" in page
        assert undo_page(sent) not in page


def test_the_first_page_says_that_all_was_taken_back_and_counts_it_once(
    sent: EditBatch,
    alice: User,
    client_of: ClientOf,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    contribute(sent.project, alice, Contribution.Kind.ANSWER)
    send_to_the_end(undo(sent, alice))
    cache.clear()
    page = text_of(client_of(None), "/")
    assert "was taken back." in page
    assert "Nothing was sent to" not in page
    with django_assert_num_queries(0):
        found = together()
    assert found
    assert found.statements == 0
    cache.clear()


def test_statements_that_rest_on_a_members_answers_are_listed_without_a_count(
    sent: EditBatch, alice: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = reverse("member-statements", args=[sent.project.public_id, alice.public_id])
    browser = client_of(alice)
    names = [attempt.name for attempt in sent.attempts.order_by("-pk")]
    whole = text_of(browser, address)
    assert "3 statements on" in whole
    assert all(name in whole for name in names)
    assert f'href="{sent.project_url}"' in whole
    monkeypatch.setattr("sdc.views.member.ROWS", 2)
    first = text_of(browser, address)
    assert "2+ statements on" in first
    assert names[2] not in first
    found = re.search(r'href="(\?before=\d+)"', first)
    assert found
    last = text_of(browser, address + found[1])
    assert names[2] in last
    assert names[1] not in last
    assert "on a Yes of theirs" not in last, "the first page says how many"
    assert 'href="?before=' not in last
