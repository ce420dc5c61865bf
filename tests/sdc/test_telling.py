"""What senders hear of, and which of their statements count."""

from __future__ import annotations

from typing import Any

import pytest

from classify.review.galleries import Which, gallery_counts, rows_of
from crawler.models import ProjectPhoto
from projects.models import Contribution, Notification, Project, Tally, User
from sdc.batches import notify, undo
from sdc.batches import services as batches
from sdc.models import EditBatch
from sdc.watch import recheck
from tests.conftest import ClientOf
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    hours_pass,
    send,
    send_to_the_end,
)

pytestmark = pytest.mark.django_db
Kind = Notification.Kind


def edits_of(user: User) -> int:
    kind = Contribution.Kind.EDIT
    counted = sum(Tally.objects.filter(user=user, kind=kind).values_list("amount", flat=True))
    rows = Contribution.objects.filter(user=user, kind=kind).values_list("amount", flat=True)
    assert sum(rows) == counted
    return counted


def told(user: User, kind: str) -> list[dict[str, Any]]:
    return [each.data for each in Notification.objects.filter(user=user, kind=kind)]


def look() -> None:
    hours_pass(25)
    recheck.work()


def test_who_sent_hears_of_the_end_and_of_what_is_taken_out_and_it_counts_no_more(
    project: Project, said_yes: Make, wiki: WikiItself, alice: User, client_of: ClientOf
) -> None:
    labels = said_yes(project, 3)
    batch = send_to_the_end(confirmed(project, alice))
    [done] = told(alice, Kind.BATCH)
    assert (done["state"], done["written"], done["code"]) == ("done", 3, batch.code)
    assert edits_of(alice) == 3
    pages = [claim_of(label).page_id for label in labels]

    before = wiki.running.world.history(wiki.page(pages[0]))[0].id
    wiki.somebody_removes(pages[0])
    wiki.somebody_removes(pages[1], user="Alice")
    look()
    assert edits_of(alice) == 1
    assert told(alice, Kind.REVERTED) == [{"n": 1}], "not what one took out oneself"
    look()
    assert (edits_of(alice), told(alice, Kind.REVERTED)) == (1, [{"n": 1}]), "told once"
    wiki.somebody_restores(pages[0], before)
    hours_pass(24 * 8)
    recheck.work()
    assert edits_of(alice) == 2, "restored, it counts again"
    page = client_of(alice).get("/notifications").content.decode()
    assert "3 statements written" in page
    assert "1 statement that you sent" in page


def test_what_a_moderator_takes_back_is_told_and_counted_once(
    project: Project, said_yes: Make, alice: User, mona: User
) -> None:
    said_yes(project, 2)
    batch = send_to_the_end(confirmed(project, alice))
    Notification.objects.all().delete()
    back = send_to_the_end(undo.undo(batch, mona))
    assert back.state == EditBatch.State.DONE
    assert edits_of(alice) == 0
    assert [told_of["n"] for told_of in told(alice, Kind.REVERTED)] == [2]
    [done] = told(mona, Kind.BATCH)
    assert (done["of"], done["written"]) == ("undo", 2)
    assert not told(alice, Kind.BATCH)


def test_the_sender_reads_who_undid_a_batch_and_why(
    project: Project, said_yes: Make, alice: User, mona: User, client_of: ClientOf
) -> None:
    said_yes(project, 3)
    batch = send_to_the_end(confirmed(project, alice))
    one = batch.attempts.order_by("pk")[0]
    first = send_to_the_end(undo.undo(one, mona, "<b>her sister</b>"))
    second = send_to_the_end(undo.undo(batch, mona))
    browser = client_of(alice)
    page = " ".join(browser.get("/notifications").content.decode().split())
    assert "<bdi>Mona</bdi> undid 1 statement that you sent for <bdi>Marie Curie</bdi>" in page
    assert "Their reason: <q><bdi>&lt;b&gt;her sister&lt;/b&gt;</bdi></q>" in page
    assert "<bdi>Mona</bdi> undid 2 statements" in page
    assert page.count("Their reason:") == 1, "the other batch has none"
    rows = Notification.objects.filter(user=alice, kind=Kind.REVERTED).order_by("pk")
    assert [row.data["of"] for row in rows] == [first.code, second.code]
    answer = browser.get(f"/notifications/{rows[0].pk}")
    assert answer["Location"] == batch.get_absolute_url()


def test_the_review_shows_as_on_commons_what_stands_there_and_learns_nothing_from_it(
    project: Project, said_yes: Make, alice: User
) -> None:
    labels = said_yes(project, 3)
    ProjectPhoto.objects.filter(photo=labels[0].photo).update(already_depicts=True)

    def on_commons() -> set[int]:
        return set(rows_of(project, Which.ON_COMMONS).values_list("pk", flat=True))

    assert on_commons() == {labels[0].pk}
    batch = send_to_the_end(confirmed(project, alice))
    assert on_commons() == {label.pk for label in labels}
    assert gallery_counts(project)["on-commons"] == 3
    assert ProjectPhoto.objects.filter(already_depicts=True).count() == 1
    send_to_the_end(undo.undo(batch, alice))
    assert on_commons() == {labels[0].pk}


def test_who_stops_a_batch_needs_no_telling(
    project: Project, said_yes: Make, alice: User, bob: User, mona: User
) -> None:
    said_yes(project, 2, by=bob)
    batch = confirmed(project, bob)
    batches.stop(batch, bob)
    assert not told(bob, Kind.BATCH)
    other = confirmed(project, bob)
    batches.stop(other, mona)
    assert [each["state"] for each in told(bob, Kind.BATCH)] == ["stopped"]


def test_what_a_batch_wrote_is_told_once_whatever_it_went_through(
    project: Project, said_yes: Make, alice: User, client_of: ClientOf
) -> None:
    said_yes(project, 3)
    batch = confirmed(project, alice)

    def heard() -> str:
        return " ".join(client_of(alice).get("/notifications").content.decode().split())

    for _twice in range(2):
        EditBatch.objects.update(state=EditBatch.State.PAUSED)
        notify.batch_ended(batch, EditBatch.State.PAUSED)
    assert "its page says why. </a>" in heard(), "no number that grows with each pause"
    batches.resume(batch, alice)
    assert not alice.notifications.filter(read_at=None).exists(), "it waits for nobody"
    notify.batch_ended(batch, EditBatch.State.PAUSED)
    send_to_the_end(batch)
    back = send_to_the_end(undo.undo(batch, alice))
    assert "done. 3 statements written." in heard()
    assert "done. 3 statements taken back." in heard()
    unread = alice.notifications.filter(read_at=None).values_list("data", flat=True)
    assert {data["code"] for data in unread} == {batch.code, back.code}


def test_a_lost_login_is_told_since_only_the_sender_can_go_on(
    project: Project, said_yes: Make, alice: User
) -> None:
    said_yes(project, 1)
    batch = confirmed(project, alice)
    alice.credentials.all().delete()
    send()
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.PAUSED
    assert [each["state"] for each in told(alice, Kind.BATCH)] == ["paused"]
