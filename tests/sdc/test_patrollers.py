"""Whoever patrols the wiki stops and undoes a batch; what everybody sees of one that was sent."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from core.user_errors import Refused
from projects.models import AuditEvent, DenyEntry, Notification, Project, User
from projects.privacy import denylist_changes
from sdc.batches import services as batches
from sdc.batches import undo as batches_undo
from sdc.models import ClaimAttempt, EditBatch, Writer
from sdc.sending_rights import patrollers
from tests.conftest import ClientOf
from tests.sdc.conftest import (
    Make,
    WikiItself,
    confirmed,
    send,
    send_to_the_end,
    time_passes,
)

pytestmark = pytest.mark.django_db
State = EditBatch.State
NAME = "Our secret list"


@pytest.fixture
def sent(project: Project, alice: User, said_yes: Make) -> EditBatch:
    """Alice's batch of three in a private project of its own name."""
    said_yes(project, 3)
    batch = send_to_the_end(confirmed(project, alice))
    Project.objects.update(visibility=Project.Visibility.PRIVATE, name=NAME)
    batch.refresh_from_db()
    batch.project.refresh_from_db()
    return batch


def open_page(batch: EditBatch) -> str:
    return reverse("sent-batch", args=[batch.code])


def text_of(browser: Any, address: str) -> str:
    answer = browser.get(address, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_everybody_sees_the_edits_of_a_private_project_and_nothing_else_of_it(
    sent: EditBatch, project: Project, bob: User, charlie: User, client_of: ClientOf
) -> None:
    for user in (None, charlie):
        browser = client_of(user)
        answer = browser.get(sent.project_url)
        assert (answer.status_code, answer["Location"]) == (302, open_page(sent))
        page = text_of(browser, open_page(sent))
        for row in sent.attempts.all():
            assert row.name in page
            assert f"Special:Diff/{row.revision}" in page
            assert row.place in page
        assert "<bdi>Alice</bdi>" in page
        assert "Q7186" in page
        for secret in (NAME, project.public_id, "Bob", "Undo 3 edits…", "/crop/"):
            assert secret not in page
    assert NAME in text_of(client_of(bob), open_page(sent)), "members are led into the project"


def test_what_was_not_written_is_nobodys_business(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    said_yes(project, 2)
    draft = batches.prepare_batch(project, alice)
    assert client_of(None).get(open_page(draft)).status_code == 404
    batch = batches.confirm(draft, alice)
    assert client_of(None).get(open_page(batch)).status_code == 404
    assert client_of(None).get(batch.project_url).status_code == 302  # to the login
    assert client_of(None).get(reverse("sent-batch", args=["0123456789ab"])).status_code == 404


def test_a_patroller_takes_it_back_under_their_own_token(
    sent: EditBatch, alice: User, pat: User, client_of: ClientOf, wiki: WikiItself
) -> None:
    browser = client_of(pat)
    page = text_of(browser, sent.project_url)
    undo_page = reverse("sent-batch-undo", args=[sent.code])
    assert "Undo 3 edits…" in page
    assert undo_page in page
    asked = text_of(browser, undo_page)
    assert "3 statements will be removed" in asked
    assert NAME not in asked
    without = browser.post(undo_page)
    assert without.status_code == 422
    assert "Say why" in without.content.decode()
    answer = browser.post(undo_page, {"reason": "these are her sister"})
    undo = EditBatch.objects.get(kind=EditBatch.Kind.UNDO)
    assert answer["Location"] == undo.get_absolute_url()
    at_work = text_of(browser, answer["Location"])
    assert f"Batch {undo.code}" in at_work
    assert NAME not in at_work
    send_to_the_end(undo)
    assert (undo.user, undo.state) == (pat, State.DONE)
    removals = [edit for edit in wiki.edits() if undo.code in edit.comment]
    assert [edit.user for edit in removals] == ["Pat"] * 3
    [event] = AuditEvent.objects.filter(action="batch.undone")
    assert (event.actor, event.data["reason"]) == (pat, "these are her sister")
    assert "these are her sister" in text_of(client_of(alice), sent.project_url)
    [told] = Notification.objects.filter(user=alice, kind=Notification.Kind.REVERTED)
    assert (told.data["n"], told.data["who"]) == (3, "Pat")
    assert told.data["reason"] == "these are her sister"
    # Pat is told of the end, and of nothing that is private
    [ended] = Notification.objects.filter(user=pat)
    listed = text_of(browser, reverse("notifications"))
    assert "What you wanted taken back for" in listed
    assert NAME not in listed
    assert f"Batch {undo.code}" in text_of(browser, reverse("notification", args=[ended.pk]))
    assert NAME not in text_of(browser, reverse("my-edits"))


def test_a_reason_that_is_too_long_is_refused_and_not_cut(
    sent: EditBatch, pat: User, client_of: ClientOf
) -> None:
    browser, undo_page = client_of(pat), reverse("sent-batch-undo", args=[sent.code])
    asked = text_of(browser, undo_page)
    assert "At most 255 characters." in asked
    assert "maxlength" not in asked, "a browser would cut what is pasted"
    answer = browser.post(undo_page, {"reason": "y" * 256})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Your reason has 256 characters. Shorten it to 255." in text
    assert "y" * 256 in text, "to be shortened"
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()
    browser.post(undo_page, {"reason": "y" * 255})
    assert AuditEvent.objects.get(action="batch.undone").data["reason"] == "y" * 255


def test_one_edit_in_a_public_project(
    sent: EditBatch, pat: User, client_of: ClientOf, wiki: WikiItself
) -> None:
    Project.objects.update(visibility=Project.Visibility.PUBLIC)
    one = sent.attempts.all()[1]
    address = reverse("edit-undo", args=[sent.project.public_id, sent.code, one.pk])
    browser = client_of(pat)
    assert address in text_of(browser, sent.project_url)
    browser.post(address, {"reason": "not her"})
    undo = send_to_the_end(EditBatch.objects.get(kind=EditBatch.Kind.UNDO))
    assert [row.undoes for row in undo.attempts.all()] == [one]


def age_answer(by: timedelta) -> None:
    """Let time pass since the wiki said whether somebody patrols it."""
    Writer.objects.update(patrols_asked_at=F("patrols_asked_at") - by)
    cache.clear()


def test_a_yes_is_kept_for_an_hour_and_a_no_for_a_minute(
    sent: EditBatch, pat: User, wiki: WikiItself, client_of: ClientOf
) -> None:
    browser, users = client_of(pat), wiki.running.world.users
    assert "Undo 3 edits…" in text_of(browser, open_page(sent))
    users.change("Pat", groups=["autoconfirmed"])
    age_answer(timedelta(minutes=59))
    assert "Undo 3 edits…" in text_of(browser, open_page(sent)), "known for an hour"
    undo_page = reverse("sent-batch-undo", args=[sent.code])
    assert browser.post(undo_page, {"reason": "wrong"}).status_code == 403
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()
    assert "Undo 3 edits…" not in text_of(browser, open_page(sent))
    users.change("Pat", groups=["autoconfirmed", "patroller"])
    age_answer(timedelta(seconds=50))
    assert "Undo 3 edits…" not in text_of(browser, open_page(sent))
    age_answer(timedelta(seconds=10))
    assert "Undo 3 edits…" in text_of(browser, open_page(sent)), "patrol alone will do"


@pytest.mark.parametrize("name", ["batch-undo", "batch-stop"])
def test_who_lost_the_right_since_the_page_was_opened_reads_so(
    name: str, sent: EditBatch, pat: User, wiki: WikiItself, client_of: ClientOf
) -> None:
    EditBatch.objects.update(state=State.RUNNING)
    browser = client_of(pat)
    assert "Undo 3 edits…" in text_of(browser, open_page(sent))
    wiki.running.world.users.change("Pat", groups=["autoconfirmed"])
    outside = browser.post(reverse(f"sent-{name}", args=[sent.code]), {"reason": "wrong"})
    Project.objects.update(visibility=Project.Visibility.PUBLIC)
    Writer.objects.filter(user=pat).update(patrols=True)  # as another page still has it
    where = [sent.project.public_id, sent.code]
    inside = browser.post(reverse(name, args=where), {"reason": "wrong"})
    for answer in (outside, inside):
        text = answer.content.decode()
        assert answer.status_code == 403
        assert "neither rollback nor patrol rights there now" in text
        assert "Join the project" not in text
    again = browser.post(reverse(f"sent-{name}", args=[sent.code]), {"reason": "wrong"})
    assert again.status_code == 403, "known by now"
    assert "somebody with rollback or patrol rights" in " ".join(again.content.decode().split())
    sent.refresh_from_db()
    assert sent.state == State.RUNNING
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()


@pytest.mark.parametrize("groups", [["rollbacker"], ["patroller"], ["sysop"]])
def test_either_right_will_do(groups: list[str], pat: User, wiki: WikiItself) -> None:
    wiki.running.world.users.change("Pat", groups=groups)
    assert patrollers.ask(pat)
    wiki.running.world.users.change("Pat", groups=["autoconfirmed"])
    assert not patrollers.ask(pat)


def test_an_answer_without_users_says_nothing_of_rights(
    sent: EditBatch, pat: User, wiki: WikiItself, client_of: ClientOf
) -> None:
    assert "Undo 3 edits…" in text_of(client_of(pat), open_page(sent))
    match = {"having": "list=users"}
    wiki.running.faults.add("body", body='{"query":{"users":[]}}', times=100, match=match)
    undo_page = reverse("sent-batch-undo", args=[sent.code])
    answer = client_of(pat).post(undo_page, {"reason": "wrong"})
    assert "can’t be read now" in answer.content.decode()


@pytest.mark.waits
def test_while_the_wiki_is_silent_nobody_becomes_a_patroller(
    sent: EditBatch, pat: User, wiki: WikiItself, client_of: ClientOf
) -> None:
    wiki.running.faults.add("http", status=503, times=100)
    page = text_of(client_of(pat), open_page(sent))
    assert "Undo 3 edits…" not in page
    wiki.running.faults.clear()
    assert "Undo 3 edits…" not in text_of(client_of(pat), open_page(sent)), "nobody waits twice"
    cache.clear()  # a minute later
    assert "Undo 3 edits…" in text_of(client_of(pat), open_page(sent))
    wiki.running.faults.add("http", status=503, times=100)
    undo_page = reverse("sent-batch-undo", args=[sent.code])
    answer = client_of(pat).post(undo_page, {"reason": "wrong"})
    assert "can’t be read now" in answer.content.decode()
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()


def test_the_service_asks_for_a_reason_and_lets_nobody_else(
    sent: EditBatch, pat: User, bob: User
) -> None:
    patrollers.refresh(pat)
    with pytest.raises(Refused):
        batches_undo.undo(sent, pat)
    with pytest.raises(PermissionDenied):
        batches_undo.undo(sent, bob, "because")


def send_one(attempt: ClaimAttempt) -> None:
    """Let a worker send this row and none of the others."""
    time_passes()
    later = timezone.now() + timedelta(minutes=5)
    ClaimAttempt.objects.exclude(pk=attempt.pk).update(due_at=later)
    send(0.5)


def ask_again(browser: Any, page: str) -> Any:
    """What the polled part of a page asks for next."""
    found = re.search(r'id="sent-status"[^>]* data-poll hx-get="([^"]+)"', page)
    assert found
    return browser.get(found[1], headers={"HX-Request": "true"})


def test_the_page_of_a_batch_that_is_sent_moves_and_tells_nothing_of_its_project(
    project: Project, alice: User, pat: User, said_yes: Make, client_of: ClientOf, wiki: WikiItself
) -> None:
    said_yes(project, 3)
    batch = confirmed(project, alice)
    Project.objects.update(visibility=Project.Visibility.PRIVATE, name=NAME)
    one, two, three = batch.attempts.order_by("pk")
    send_one(one)
    visitor, patroller = client_of(None), client_of(pat)
    pages = {each: text_of(each, open_page(batch)) for each in (visitor, patroller)}
    for browser, page in pages.items():
        assert "1 edit by" in page
        assert ask_again(browser, page).status_code == 204, "nothing has changed"
    age_answer(timedelta(hours=2))
    asked = wiki.running.world.request_counts.copy()
    ask_again(patroller, pages[patroller])
    assert wiki.running.world.request_counts == asked, "a poll waits for no wiki"

    send_one(two)
    for browser, page in pages.items():
        answer = ask_again(browser, page)
        pages[browser] = answer.content.decode()
        assert answer.status_code == 200
        assert "2 edits by" in pages[browser]
        assert f"next={open_page(batch)}" in pages[browser] or browser is patroller
        for secret in (NAME, project.public_id, "Bob", "/crop/", "data-ticket", three.name):
            assert secret not in pages[browser]
    assert 'id="stop"' in pages[patroller]
    assert 'id="stop"' not in pages[visitor]

    send_to_the_end(batch)
    for browser, page in pages.items():
        ended = ask_again(browser, page).content.decode()
        assert "3 edits by" in ended
        assert "data-poll" not in ended
        assert 'id="stop"' not in ended


def test_a_poll_of_somebody_who_may_see_the_project_by_now_leads_there(
    sent: EditBatch, charlie: User, client_of: ClientOf
) -> None:
    EditBatch.objects.update(state=State.RUNNING)
    browser = client_of(charlie)
    page = text_of(browser, open_page(sent))
    Project.objects.update(visibility=Project.Visibility.PUBLIC)
    answer = ask_again(browser, page)
    assert answer.headers["HX-Redirect"] == sent.project_url
    assert not answer.content


def test_a_patroller_stops_a_batch_that_runs(
    project: Project, alice: User, pat: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    browser = client_of(pat)
    assert 'id="stop"' in text_of(browser, batch.project_url)
    where = [project.public_id, batch.code]
    assert browser.post(reverse("batch-pause", args=where)).status_code == 403
    browser.post(reverse("batch-stop", args=where))
    batch.refresh_from_db()
    assert batch.state == State.STOPPED
    assert AuditEvent.objects.get(action="batch.stopped").actor == pat


def test_a_patroller_steers_what_they_take_back_of_a_private_project(
    sent: EditBatch, pat: User, client_of: ClientOf
) -> None:
    patrollers.refresh(pat)
    undo = batches_undo.undo(sent, pat, "wrong")
    browser = client_of(pat)
    for deed, state in (("pause", State.PAUSED), ("resume", State.RUNNING), ("stop", "stopped")):
        assert f'id="{deed}"' in text_of(browser, open_page(undo))
        browser.post(reverse(f"sent-batch-{deed}", args=[undo.code]))
        undo.refresh_from_db()
        assert undo.state == state


def test_of_a_denied_person_the_page_is_open_to_those_who_undo_alone(
    sent: EditBatch,
    alice: User,
    bob: User,
    charlie: User,
    mona: User,
    pat: User,
    client_of: ClientOf,
    wiki: WikiItself,
) -> None:
    """As decision 24 says: patrollers, moderators, the sender, and whoever undoes it."""
    denylist_changes.deny(DenyEntry(kind="person", value="Q7186", reason="asked"), mona)
    for user in (None, bob, charlie):
        assert client_of(user).get(open_page(sent), follow=True).status_code == 403
    for user in (alice, mona, pat):
        assert "Undo 3 edits…" in text_of(client_of(user), open_page(sent))
    undo = batches_undo.undo(sent, pat, "asked for")
    wiki.running.world.users.change("Pat", groups=["autoconfirmed"])
    assert not patrollers.ask(pat)
    assert f"Batch {undo.code}" in text_of(client_of(pat), open_page(undo))
    assert client_of(charlie).get(open_page(undo)).status_code == 404, "nothing is written yet"
    send_to_the_end(undo)
    assert undo.state == State.DONE
    assert client_of(charlie).get(open_page(undo)).status_code == 403


def test_nobody_outside_gets_the_id_of_a_private_project(
    sent: EditBatch, project: Project, alice: User, pat: User, client_of: ClientOf
) -> None:
    """Neither visitors, nor a patroller who undoes a batch in two parts: one edit, then the rest.
    Looked at are pages, redirects, polls, and what is kept about the patroller."""
    visitor, patroller = client_of(None), client_of(pat)
    answers: list[Any] = []

    def ask(browser: Any, address: str, data: dict[str, str] | None = None) -> Any:
        """The response at the end of its redirects; all of them are kept."""
        answer = browser.get(address) if data is None else browser.post(address, data)
        answers.append(answer)
        return ask(browser, answer["Location"]) if answer.status_code == 302 else answer

    def look(batch: EditBatch, browser: Any) -> None:
        page = ask(browser, open_page(batch)).content.decode()
        if found := re.search(r'hx-get="([^"]+)"', page):
            answers.append(browser.get(found[1], headers={"HX-Request": "true"}))
            changed = found[1].partition("?")[0]
            answers.append(browser.get(changed, headers={"HX-Request": "true"}))

    one = sent.attempts.order_by("pk")[0]
    ask(patroller, reverse("sent-edit-undo", args=[sent.code, one.pk]))
    ask(patroller, reverse("sent-edit-undo", args=[sent.code, one.pk]), {"reason": "not her"})
    undo_page = reverse("sent-batch-undo", args=[sent.code])
    ask(patroller, undo_page)
    ask(patroller, undo_page, {"reason": "nor are these"})
    nothing_left = ask(patroller, undo_page)
    assert "There is nothing left to take back" in nothing_left.content.decode()
    ask(patroller, undo_page, {"reason": "nor are these"})
    undos = list(EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).order_by("pk"))
    assert len(undos) == 2
    waiting = ask(visitor, open_page(sent)).content.decode()
    assert undos[0].code in waiting
    assert open_page(undos[0]) not in waiting, "nothing of it is on the wiki yet"
    for undo in undos:
        look(undo, patroller)
        for deed in ("pause", "resume"):
            assert ask(patroller, reverse(f"sent-batch-{deed}", args=[undo.code]), {})
    for undo in undos:
        send_to_the_end(undo)
    for browser in (visitor, patroller):
        for batch in (sent, *undos):
            look(batch, browser)
    shown = ask(visitor, open_page(sent)).content.decode()
    assert all(f'href="{open_page(undo)}"' in shown for undo in undos)
    assert f'href="{open_page(sent)}"' in ask(visitor, open_page(undos[0])).content.decode()
    for told in Notification.objects.filter(user=pat):
        ask(patroller, reverse("notification", args=[told.pk]))
    for name in ("account", "my-edits", "notifications", "projects", "home"):
        ask(patroller, reverse(name))
    ask(patroller, reverse("contributor", args=[pat.public_id]))
    kept = ask(patroller, reverse("account-data")).json()
    assert [row["code"] for row in kept["batches"]] == [undo.code for undo in undos]
    assert {row["project__public_id"] for row in kept["batches"]} == {None}

    assert all(answer.status_code in (200, 204, 302) for answer in answers)
    for answer in answers:
        text = f"{answer.headers} {answer.content.decode()}"
        for secret in (NAME, project.public_id):
            assert secret not in text, (answer.request["PATH_INFO"], answer.status_code)

    senders = ask(client_of(alice), reverse("account-data")).json()
    assert {row["project__public_id"] for row in senders["batches"]} == {project.public_id}


def test_who_sees_the_project_is_led_to_its_page_before_anything_is_written(
    project: Project, alice: User, bob: User, mona: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project, 1)
    batch = confirmed(project, alice)
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    for user in (alice, bob, mona):
        assert client_of(user).get(batch.get_absolute_url())["Location"] == batch.project_url
    stopped = client_of(mona).post(reverse("batch-stop", args=[project.public_id, batch.code]))
    assert stopped["Location"] == batch.get_absolute_url()
    assert client_of(None).get(batch.get_absolute_url()).status_code == 404
