"""What moderators do: each deed works, is theirs alone, and is written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from projects.models import AuditEvent, Project, User
from sandbox import RunningSandbox
from sdc.batches import moderation
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch, WritingStop
from sdc.sending_rights import stops
from sdc.writing.reasons import Reason
from tests.conftest import ClientOf, MakeProject
from tests.factories import make_user
from tests.sdc.conftest import (
    CURIE,
    Make,
    WikiItself,
    claim_of,
    confirmed,
    send,
    send_to_the_end,
    the_attempt,
)

pytestmark = pytest.mark.django_db
WORDS = "Is this her sister?"


@pytest.fixture
def project(alice: User, make_project: MakeProject) -> Project:
    return make_project(alice)


@pytest.fixture
def batch(project: Project, alice: User, said_yes: Make) -> EditBatch:
    """Confirmed, and not sent yet."""
    said_yes(project, 1)
    return confirmed(project, alice)


def logged(action: str) -> list[tuple[str, str, str]]:
    events = AuditEvent.objects.filter(action=action).order_by("pk")
    return [(str(e.actor), e.target, e.data.get("reason", "")) for e in events]


# Rights -----------------------------------------------------------------------------------

DEEDS: dict[str, Callable[[EditBatch, User], Any]] = {
    "hold": lambda batch, by: moderation.hold(the_attempt(batch).claim, by, WORDS),
    "release": lambda batch, by: moderation.release(the_attempt(batch).claim, by),
    "reject": lambda batch, by: moderation.reject(the_attempt(batch).claim, by, WORDS),
    "stop a batch": lambda batch, by: moderation.stop_batch(batch, by, WORDS),
    "undo a batch": lambda batch, by: moderation.undo_batch(batch, by),
    "stop a user": lambda batch, by: moderation.stop_user(batch.user, by, WORDS),
    "stop a project": lambda batch, by: moderation.stop_project(batch.project, by, WORDS),
    "stop everything": lambda batch, by: moderation.stop_everything(by, WORDS),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_nobody_else_may(deed: str, batch: EditBatch, alice: User) -> None:
    count = AuditEvent.objects.count()
    for user in (alice, make_user(is_staff=True)):
        with pytest.raises(PermissionDenied):
            DEEDS[deed](batch, user)
    assert AuditEvent.objects.count() == count
    assert not WritingStop.objects.exists()


@pytest.mark.parametrize(
    "deed", [each for each in DEEDS if each not in ("release", "undo a batch")]
)
def test_each_deed_is_written_down_with_its_reason(deed: str, batch: EditBatch, mona: User) -> None:
    DEEDS[deed](batch, mona)
    event = AuditEvent.objects.filter(actor=mona).latest("pk")
    assert event.data["reason"] == WORDS


def test_only_moderators_lift_a_stop(batch: EditBatch, alice: User, mona: User) -> None:
    stop = moderation.stop_user(alice, mona, WORDS)
    with pytest.raises(PermissionDenied):
        moderation.let_write(stop, alice)
    assert stops.active().get() == stop


# Claims -----------------------------------------------------------------------------------


def test_a_held_claim_waits_and_a_released_one_goes(
    project: Project, alice: User, mona: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project, 1)
    batch = confirmed(project, alice)
    moderation.hold(claim_of(label), mona, WORDS)
    send_to_the_end(batch)
    assert the_attempt(batch).reason == Reason.HELD
    assert moderation.release(claim_of(label), mona)
    assert not moderation.release(claim_of(label), mona)  # it is
    assert send_to_the_end(confirmed(project, alice)).state == EditBatch.State.DONE
    assert len(wiki.edits(label.photo.page_id)) == 1
    target = f"claim:{claim_of(label).pk}"
    assert logged("claim.held") == [("Mona", target, WORDS)]
    assert logged("claim.released") == [("Mona", target, "")]


def test_a_claim_that_is_rejected_while_it_waits_is_skipped(
    batch: EditBatch, mona: User, wiki: WikiItself
) -> None:
    claim = the_attempt(batch).claim
    assert claim.state == Claim.State.SENDING
    assert moderation.reject(claim, mona, WORDS)
    send_to_the_end(batch)
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.reason) == ("skipped", Reason.REJECTED)
    assert attempt.claim.state == Claim.State.REJECTED
    assert wiki.edits(claim.page_id) == []


@pytest.mark.parametrize("state", Claim.State.values)
def test_what_is_or_goes_onto_the_wiki_is_not_rejected_but_taken_back(
    state: str, batch: EditBatch, mona: User
) -> None:
    claim = the_attempt(batch).claim
    Claim.objects.update(state=state)
    claim.refresh_from_db()
    may_be = state in ("free", "sending", "removed", "undone")
    assert moderation.reject(claim, mona, WORDS) is may_be
    claim.refresh_from_db()
    assert claim.state == (Claim.State.REJECTED if may_be else state)
    assert len(logged("claim.rejected")) == may_be


@pytest.mark.parametrize(
    ("before", "after"),
    [("free", "free"), ("sending", "free"), ("removed", "removed"), ("undone", "undone")],
)
def test_a_rejection_that_is_released_gives_back_what_others_said(
    before: str, after: str, batch: EditBatch, mona: User
) -> None:
    claim = the_attempt(batch).claim
    Claim.objects.update(state=before)
    claim.refresh_from_db()
    moderation.reject(claim, mona, WORDS)
    assert moderation.release(claim, mona, "It is her")
    assert (claim.state, claim.held_reason) == (after, "")


# Batches ----------------------------------------------------------------------------------


def test_a_stopped_batch_writes_nothing_more(
    batch: EditBatch, mona: User, wiki: WikiItself
) -> None:
    assert moderation.stop_batch(batch, mona, WORDS)
    assert not moderation.stop_batch(batch, mona, WORDS)
    send_to_the_end(batch)
    assert wiki.edits() == []
    assert batch.state == EditBatch.State.STOPPED
    assert logged("batch.stopped") == [("Mona", f"batch:{batch.code}", WORDS)]


def test_a_batch_is_taken_back_in_the_moderators_own_name(
    batch: EditBatch, mona: User, wiki: WikiItself, fresh_sandbox: RunningSandbox
) -> None:
    send_to_the_end(batch)
    page_id = the_attempt(batch).claim.page_id
    assert len(wiki.depicts(page_id)) == 1
    undo = send_to_the_end(moderation.undo_batch(batch, mona, WORDS))
    assert undo.user == mona
    assert wiki.depicts(page_id) == []
    assert wiki.edits(page_id)[0].user == "Mona"
    assert logged("batch.undone") == [("Mona", f"batch:{batch.code}", WORDS)]
    assert Claim.objects.get().state == Claim.State.UNDONE


# Stops ------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["user", "project", "everything"])
def test_what_is_stopped_waits_and_goes_on_once_released(
    what: str, batch: EditBatch, alice: User, mona: User, wiki: WikiItself
) -> None:
    if what == "user":
        moderation.stop_user(alice, mona, WORDS)
    elif what == "project":
        moderation.stop_project(batch.project, mona, WORDS)
    else:
        moderation.stop_everything(mona, WORDS)
    send()
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.PAUSED
    assert wiki.edits() == []
    if what == "user":
        assert moderation.release_user(alice, mona) == 1
    elif what == "project":
        assert moderation.release_project(batch.project, mona) == 1
    else:
        assert moderation.release_everything(mona) == 1
    send_to_the_end(batch)
    assert len(wiki.edits()) == 1
    assert len(logged("writing.stopped")) == len(logged("writing.released")) == 1


def test_a_release_lifts_whatever_held_a_user_back(alice: User, mona: User) -> None:
    stops.place(WritingStop.Source.SHARE, "4 of 10 removed", user=alice)
    moderation.stop_user(alice, mona, WORDS)
    assert moderation.release_user(alice, mona) == 2
    assert not stops.active().exists()


# In the admin -----------------------------------------------------------------------------


def post(browser: Any, rows: list[Model], action: str, reason: str = WORDS, **more: Any) -> Any:
    meta = rows[0]._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    form = {"action": action, "_selected_action": [row.pk for row in rows], "reason": reason}
    return browser.post(address, form | more, follow=True)


def test_deeds_are_done_from_the_lists(
    batch: EditBatch, alice: User, mona: User, client_of: ClientOf
) -> None:
    browser, claim = client_of(mona), Claim.objects.get()
    page = post(browser, [claim], "hold").content.decode()
    assert "1 held." in page
    post(browser, [claim], "release", "")
    post(browser, [claim], "reject")
    claim.refresh_from_db()
    assert (claim.state, claim.held) == (Claim.State.REJECTED, False)
    post(browser, [batch.project], "stop_projects")
    post(browser, [alice], "stop_users")
    assert {stop.reason for stop in stops.active()} == {WORDS}
    post(browser, [alice], "release_users", "")
    post(browser, list(stops.active()), "lift", "")
    assert not stops.active().exists()
    post(browser, [batch], "stop_batches")
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.STOPPED


@pytest.mark.parametrize("action", ["hold", "reject"])
def test_a_claim_is_not_touched_without_a_reason(
    action: str, batch: EditBatch, mona: User, client_of: ClientOf
) -> None:
    page = post(client_of(mona), [Claim.objects.get()], action, "  ").content.decode()
    assert "Give a reason beside the menu." in page
    claim = Claim.objects.get()
    assert (claim.state, claim.held) == (Claim.State.SENDING, False)
    assert not AuditEvent.objects.filter(action__startswith="claim.").exists()


def test_a_batch_is_taken_back_from_the_list(
    batch: EditBatch, mona: User, client_of: ClientOf, wiki: WikiItself,
    fresh_sandbox: RunningSandbox,
) -> None:  # fmt: skip
    send_to_the_end(batch)
    page = post(client_of(mona), [batch], "undo_batches", "").content.decode()
    undo = EditBatch.objects.get(kind=EditBatch.Kind.UNDO)
    assert undo.project_url in page
    send_to_the_end(undo)
    assert wiki.depicts(the_attempt(batch).claim.page_id) == []


def test_what_the_wiki_stops_is_lifted_there(mona: User, client_of: ClientOf, db: None) -> None:
    stop = stops.place(WritingStop.Source.PAGE, "Charlie: stop")
    page = post(client_of(mona), [stop], "lift", "").content.decode()
    assert "change it there" in page
    assert stops.of_everything() == stop


def test_claims_are_searched_by_title_item_and_user_whatever_the_case(
    batch: EditBatch, mona: User, client_of: ClientOf
) -> None:
    browser, address = client_of(mona), reverse("admin:sdc_claim_changelist")
    claim = Claim.objects.select_related("photo").get()
    row = reverse("admin:sdc_claim_change", args=[claim.pk])
    title = claim.photo.name
    found = (
        title.upper(),
        f"File:{title.replace(' ', '_')}",
        "q7186",
        f"M{claim.page_id}",
        "alice",
    )
    for words in found:
        assert row in browser.get(address, {"q": words}).content.decode(), words
    for words in ("Nobody", "Q937", "M1"):
        assert row not in browser.get(address, {"q": words}).content.decode(), words


def test_claims_are_filtered_by_who_where_and_risk(
    batch: EditBatch, mona: User, client_of: ClientOf
) -> None:
    browser, address = client_of(mona), reverse("admin:sdc_claim_changelist")
    claim, attempt = Claim.objects.get(), the_attempt(batch)
    row = reverse("admin:sdc_claim_change", args=[claim.pk])

    def shown(**filters: str) -> bool:
        page = browser.get(address, filters)
        assert page.status_code == 200
        return row in page.content.decode()

    public_id = batch.project.public_id
    assert shown(person=CURIE, user="alice", project=f"https://x.example/p/{public_id}/batches")
    assert not shown(person="Q937")
    assert not shown(user="Bob")
    assert not shown(project="elsewhere")
    assert shown(state__exact="sending")
    assert not shown(risk="any")
    ClaimAttempt.objects.filter(pk=attempt.pk).update(cautions="after-death crowd")
    assert shown(risk="any")
    assert shown(risk="crowd")
    assert not shown(risk="artwork")
    assert not shown(risk="disputed")
    assert attempt.label
    type(attempt.label).objects.update(disputed=True)
    assert shown(risk="disputed")
    assert not shown(reverted="yes")
    Watch.objects.create(claim_attempt=attempt, finding=Watch.Finding.CHANGED)
    assert shown(reverted="yes")
    assert shown(reverted="unlooked")
    assert not shown(reverted="removed")


def test_pages_show_the_box_the_attempts_the_diffs_and_the_deeds(
    batch: EditBatch, mona: User, client_of: ClientOf, fresh_sandbox: RunningSandbox
) -> None:
    send_to_the_end(batch)
    attempt = the_attempt(batch)
    moderation.hold(attempt.claim, mona, WORDS)
    browser = client_of(mona)
    edit = attempt.edits.get()
    for row in (attempt.claim, attempt, edit, attempt.watch):
        meta = row._meta
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
        page = browser.get(address).content.decode()
        assert '<rect class="line"' in page, meta.label
        assert "style=" not in page, meta.label
        listed = browser.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))
        assert '<rect class="line"' in listed.content.decode()
        assert "/crops/" in listed.content.decode() or "crop" in listed.content.decode()
    page = browser.get(reverse("admin:sdc_claim_change", args=[attempt.claim.pk])).content.decode()
    assert f"Special:Diff/{edit.revision}" in page
    assert WORDS in page
    assert batch.project_url in page
    history = browser.get(reverse("admin:sdc_claim_history", args=[attempt.claim.pk]))
    assert history.headers["Location"].endswith(f"?target__exact=claim%3A{attempt.claim.pk}")


@pytest.mark.parametrize("model", ["claim", "claimattempt", "edit", "watch", "editbatch"])
def test_longer_lists_take_no_more_queries(
    model: str, project: Project, alice: User, mona: User, said_yes: Make, client_of: ClientOf,
    fresh_sandbox: RunningSandbox, django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    said_yes(project, 1)
    send_to_the_end(confirmed(project, alice))
    browser, address = client_of(mona), reverse(f"admin:sdc_{model}_changelist")
    browser.get(address)
    with django_assert_max_num_queries(20) as few:
        browser.get(address)
    said_yes(project, 3, skip=1)
    send_to_the_end(confirmed(project, alice))
    with django_assert_max_num_queries(len(few)):
        assert browser.get(address).status_code == 200


# The start page ---------------------------------------------------------------------------


def test_the_start_page_counts_what_needs_eyes_and_leads_there(
    batch: EditBatch, alice: User, mona: User, client_of: ClientOf
) -> None:
    attempt = the_attempt(batch)
    Watch.objects.create(claim_attempt=attempt, finding=Watch.Finding.REMOVED)
    ClaimAttempt.objects.filter(pk=attempt.pk).update(
        outcome="refused", reason=Reason.UNKNOWN, error_detail="strange-new-code"
    )
    stops.place(WritingStop.Source.SHARE, "4 of 10 removed", user=alice)
    page = client_of(mona).get(reverse("admin:index"))
    eyes = {eye.url: eye.count for eye in page.context["eyes"] + page.context["unknown_codes"]}
    assert sum(eyes.values()) == 5  # running, unlooked, share, unknown, its code
    browser = client_of(mona)
    for url, count in eyes.items():
        listed = browser.get(url)
        assert listed.status_code == 200, url
        assert listed.context["cl"].result_count == count, url
    assert "strange-new-code" in page.content.decode()


def test_staff_without_the_right_sees_no_desk(client_of: ClientOf) -> None:
    page = client_of(make_user(is_staff=True)).get(reverse("admin:index"))
    assert "Stop all writing" not in page.content.decode()


def test_the_switch_asks_for_a_reason_and_then_once_more(
    batch: EditBatch, mona: User, client_of: ClientOf, wiki: WikiItself
) -> None:
    browser, address = client_of(mona), reverse("admin:switch")
    page = browser.post(address, {"do": "stop", "reason": " "}, follow=True).content.decode()
    assert "Say why" in page
    page = browser.post(address, {"do": "stop", "reason": WORDS}).content.decode()
    assert "Yes, stop all writing" in page
    assert not stops.active().exists()
    done = browser.post(address, {"do": "stop", "reason": WORDS, "sure": "yes"}, follow=True)
    assert "All writing is stopped." in done.content.decode()
    send()
    assert wiki.edits() == []
    for user in (None, mona, batch.user):
        home = client_of(user).get(reverse("home")).content.decode()
        assert "Nothing is written to the wiki for now." in home
        assert "<bdi>Mona</bdi>" in home
        assert WORDS in home
    assert "Nothing is written" in browser.get(reverse("admin:index")).content.decode()
    browser.post(address, {"do": "go", "reason": "All is well"})
    assert "Nothing is written" not in client_of(None).get(reverse("home")).content.decode()
    send_to_the_end(batch)
    assert len(wiki.edits()) == 1


def test_the_switch_is_for_moderators(alice: User, client_of: ClientOf) -> None:
    form = {"do": "stop", "reason": WORDS, "sure": "yes"}
    for user in (alice, make_user(is_staff=True), None):
        client_of(user).post(reverse("admin:switch"), form)
        assert not stops.active().exists()
    assert (
        client_of(make_user(is_staff=True)).post(reverse("admin:switch"), form).status_code == 403
    )
