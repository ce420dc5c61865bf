"""The pages of the preview and of batches: what they show, and to whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from projects.models import Membership, Project, User
from sdc.batches import services as batches
from sdc.models import ClaimAttempt, EditBatch
from sdc.selectors import number_of
from sdc.views import preview
from sdc.writing.reasons import Reason
from tests.classify.crowd import Crowd, look_at_all
from tests.conftest import ClientOf
from tests.factories import make_moderator, make_user
from tests.sdc.conftest import Make, WikiItself, confirmed, send, send_to_the_end, the_attempt

Outcome = ClaimAttempt.Outcome
State = EditBatch.State
HTMX = {"HX-Request": "true"}


def test_from_the_preview_to_the_batch_page_by_hand(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, wiki: WikiItself
) -> None:
    keep, leave = said_yes(project, 2)
    browser = client_of(alice)
    page = browser.get(reverse("preview", args=[project.public_id]))
    text = page.content.decode()
    assert "Send 2 edits" in text
    assert "written to the sandbox wiki</h1>" in text
    assert text.count('row-head">Will be added<') == text.count('row-head">Has now<') == 2
    assert keep.photo.name in text
    assert "pct:25.0,10.0,20.0,30.0" in text
    assert "Alice" in text
    batch = EditBatch.objects.get()
    assert batch.summary in page.content.decode().replace("&#x27;", "'")

    row = batch.attempts.get(claim__page_id=leave.photo.page_id)
    address = reverse("attempt-exclude", args=[project.public_id, row.pk])
    card = browser.post(address, headers=HTMX).content.decode()
    assert "Send 1 edit<" in card
    assert 'hx-swap-oob="true"' in card  # the filters count with it
    assert "<b>1</b> edit<" in card  # the bar on phones
    assert "Send 2 edits" in browser.post(address, {"keep": row.pk}, headers=HTMX).content.decode()
    browser.post(address, headers=HTMX)

    sent = browser.post(reverse("batch-confirm", args=[project.public_id, batch.code]))
    assert sent["Location"] == batch.project_url
    assert "Sending, 0 of 1" in browser.get(batch.project_url).content.decode()
    send()
    status = reverse("batch-status", args=[project.public_id, batch.code])
    fragment = browser.get(status, headers=HTMX).content.decode()
    assert "Sent. 1 of 1 were written." in fragment
    [edit] = wiki.edits()
    assert f"Special:Diff/{edit.id}" in fragment
    assert "hx-trigger" not in fragment  # nothing moves any more
    assert not wiki.depicts(leave.photo.page_id)


def test_how_sure_it_is_stands_before_the_button(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    labels = said_yes(project, 2)
    regions = np.array([label.region_id for label in labels])
    photos = np.array([label.photo_id for label in labels])
    crowd = Crowd(project, regions, photos, np.eye(2, 16, dtype=np.float32))
    browser, address = client_of(alice), reverse("preview", args=[project.public_id])
    again = f'<a href="{reverse("again", args=[project.public_id])}">2 faces not looked at twice'
    before = browser.get(address).content.decode()
    assert "2 faces not looked at twice yet" in before
    assert again not in before  # there is no round yet
    crowd.draw()
    assert again in browser.get(address).content.decode()
    look_at_all(project, alice, lambda region: True)
    after = browser.get(address).content.decode()
    assert after.index("All 2 approved faces were seen twice.") < after.index("Send 2 edits")
    assert "not looked at twice" not in after


def test_what_is_skipped_is_grouped_by_its_reason(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, wiki: WikiItself
) -> None:
    for label in said_yes(project, 3):
        wiki.somebody_adds(label.photo.page_id)
    text = client_of(alice).get(reverse("preview", args=[project.public_id])).content.decode()
    assert "3 files are skipped" in text
    assert text.count(str(Reason.ALREADY_THERE.sentence)) == 1
    assert "Nothing to send" in text


def test_a_wiki_that_can_not_be_read_is_said_and_can_be_tried_again(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, wiki: WikiItself
) -> None:
    said_yes(project)
    wiki.running.faults.add("http", {"path": "/commons/w/api.php"}, status=500)
    page = client_of(alice).get(reverse("preview", args=[project.public_id]))
    assert page.status_code == 503
    assert b"Try again" in page.content
    assert not EditBatch.objects.exists()


def test_reading_again_makes_a_fresh_draft_and_looking_twice_does_not(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    browser, address = client_of(alice), reverse("preview", args=[project.public_id])
    browser.get(address)
    first = EditBatch.objects.get()
    browser.get(address)
    assert EditBatch.objects.get() == first
    assert browser.post(address).status_code == 302
    assert EditBatch.objects.get() != first


def test_sending_a_preview_that_another_tab_replaced_shows_the_newer_one(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    old = batches.prepare_batch(project, alice)
    batches.prepare_batch(project, alice)
    send_old = reverse("batch-confirm", args=[project.public_id, old.code])
    page = client_of(alice).post(send_old, follow=True)
    assert "A newer preview took the place" in page.content.decode()
    assert EditBatch.objects.get().state == State.DRAFT


def test_long_previews_come_in_pages(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, monkeypatch: Any
) -> None:
    monkeypatch.setattr(preview, "ROWS", 2)
    said_yes(project, 3)
    browser, address = client_of(alice), reverse("preview", args=[project.public_id])
    text = browser.get(address).content.decode()
    assert text.count('class="preview-row"') == 2
    assert "1 to 2 of 3" in text
    assert browser.get(f"{address}?page=2").content.decode().count('class="preview-row"') == 1


def test_a_refused_edit_says_why_and_the_page_goes_on(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf, wiki: WikiItself
) -> None:
    first, _second = said_yes(project, 2)
    batch = confirmed(project, alice)
    match = {"action": "wbsetclaim", "title": first.photo.title}
    wiki.running.faults.add("protected", match)
    send_to_the_end(batch)
    browser = client_of(alice)
    text = browser.get(batch.project_url + "?show=not-as-planned").content.decode()
    assert str(Reason.PROTECTED.label) in text
    assert text.count('id="row-') == 1


def test_a_paused_batch_offers_the_login_it_needs(
    project: Project, alice: User, bob: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    alice.credentials.all().delete()
    send()
    text = client_of(alice).get(batch.project_url).content.decode()
    assert reverse("login") + "?next=" in text
    others = client_of(bob).get(batch.project_url).content.decode()
    assert reverse("login") + "?next=/p/" not in others.split("batch-status")[1]


def test_pausing_resuming_and_stopping_by_button(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    batch, browser = confirmed(project, alice), client_of(alice)
    for deed, state in (
        ("pause", State.PAUSED),
        ("resume", State.RUNNING),
        ("stop", State.STOPPED),
    ):
        answer = browser.post(reverse(f"batch-{deed}", args=[project.public_id, batch.code]))
        assert answer.status_code == 302
        batch.refresh_from_db()
        assert batch.state == state


def test_the_list_of_batches_shows_what_was_confirmed(
    project: Project, alice: User, bob: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project, 2)
    batch = send_to_the_end(confirmed(project, alice))
    batches.prepare_batch(project, bob)  # a draft is nobody else's business
    text = client_of(None).get(reverse("batches", args=[project.public_id])).content.decode()
    assert "Batch 1" in text
    assert "2 written" in text
    assert batch.project_url in text
    assert "Batch 2" not in text


def test_a_draft_is_shown_to_its_maker_only(
    project: Project, alice: User, bob: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project)
    draft = batches.prepare_batch(project, alice)
    assert client_of(alice).get(draft.project_url).status_code == 302
    assert client_of(bob).get(draft.project_url).status_code == 404
    row = reverse("attempt-exclude", args=[project.public_id, the_attempt(draft).pk])
    assert client_of(bob).post(row).status_code == 404
    confirm = reverse("batch-confirm", args=[project.public_id, draft.code])
    assert client_of(bob).post(confirm).status_code == 403
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


GET_PAGES = ["batch", "batch-status", "batches"]
MEMBERS_GET = ["preview"]
DEEDS = ["batch-pause", "batch-resume", "batch-stop", "batch-confirm", "attempt-exclude"]
DEEDS += ["attempt-ask", "preview-choose", "batch-looked"]
DEEDS += ["batch-hand-over", "batch-take-back-hand-over"]


@pytest.fixture
def running(project: Project, alice: User, said_yes: Make) -> EditBatch:
    said_yes(project)
    return confirmed(project, alice)


def address(name: str, project: Project, batch: EditBatch) -> str:
    if name in ("batches", "preview", "preview-choose"):
        return reverse(name, args=[project.public_id])
    last = the_attempt(batch).pk if name.startswith("attempt-") else batch.code
    return reverse(name, args=[project.public_id, last])


PEOPLE = ["nobody", "stranger", "member", "left", "banned", "moderator"]


@pytest.mark.parametrize("name", GET_PAGES + MEMBERS_GET)
def test_who_may_look(name: str, project: Project, running: EditBatch, client_of: ClientOf) -> None:
    seen, wanted = {}, {}
    for visibility in Project.Visibility.values:
        Project.objects.update(visibility=visibility)
        for who in PEOPLE:
            browser = client_of(person(who, project))
            seen[visibility, who] = browser.get(address(name, project, running)).status_code
            wanted[visibility, who] = what_to_see(name, who, visibility == "public")
    assert seen == wanted


def what_to_see(name: str, who: str, public: bool) -> int:
    """Members see everything; pages of a batch are for everybody who may see the project."""
    sees = who in ("member", "moderator") or (public and who != "banned")
    if who == "member":
        return 200
    if who == "nobody" and not (public and name in GET_PAGES):
        return 302  # to log in
    if not sees:
        return 404
    return 200 if name in GET_PAGES else 403


@pytest.mark.parametrize("name", DEEDS)
def test_only_the_sender_and_the_owner_may_act(
    name: str, project: Project, running: EditBatch, client_of: ClientOf
) -> None:
    for who in PEOPLE:
        if (name, who) == ("batch-stop", "moderator"):
            continue  # see test_undo_pages.py
        browser = client_of(person(who, project))
        status = browser.post(address(name, project, running)).status_code
        assert status == 401 if who == "nobody" else status in (403, 404), who
        assert browser.get(address(name, project, running)).status_code == 405
    running.refresh_from_db()
    assert running.state == State.RUNNING
    assert the_attempt(running).outcome == Outcome.PLANNED


@pytest.mark.parametrize("name", DEEDS)
def test_deeds_need_the_csrf_token(
    name: str, project: Project, running: EditBatch, alice: User, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    browser.handler.enforce_csrf_checks = True
    assert browser.post(address(name, project, running)).status_code == 403


def person(who: str, project: Project) -> User | None:
    if who == "nobody":
        return None
    user = make_user()
    if who == "moderator":
        make_moderator(user)
    state = {"member": "active", "left": "left", "banned": "banned"}.get(who)
    if state:
        Membership.objects.create(project=project, user=user, state=state)
    return user


def test_numbers_follow_the_confirmations(
    project: Project, alice: User, bob: User, said_yes: Make
) -> None:
    said_yes(project, 1)
    first = confirmed(project, alice)
    said_yes(project, 1, skip=1)
    second = confirmed(project, bob)
    assert (number_of(first), number_of(second)) == (1, 2)
    assert first.confirmed_at
    assert first.confirmed_at <= timezone.now()
