"""A second look at what was removed: who may, what is kept, and what stays out."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse

from classify.answers import answer
from classify.models import Answer, Label, Origin, Verdict
from core.user_errors import Refused
from crawler.models import Photo, ProjectPhoto, Region
from projects.models import Membership, Project, User
from projects.privacy import objections
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch
from sdc.watch import face_review, recheck
from tests.conftest import ClientOf
from tests.factories import make_user
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    hours_pass,
    send_to_the_end,
)

HTMX = {"HX-Request": "true"}


@pytest.fixture
def labels(project: Project, said_yes: Make) -> list[Label]:
    return said_yes(project, 3)


@pytest.fixture
def batch(project: Project, alice: User, labels: list[Label], wiki: WikiItself) -> EditBatch:
    """Three statements of Alice's, of which Charlie removed one and changed one."""
    sent = send_to_the_end(confirmed(project, alice))
    wiki.somebody_removes(labels[0].photo.page_id, words="hardly visible <b>here</b>")
    wiki.somebody_changes(labels[1].photo.page_id, rank="preferred")
    hours_pass(24)
    recheck.work()
    return sent


def watch_of(label: Label) -> Watch:
    return Watch.objects.get(claim_attempt__claim__page_id=label.photo.page_id)


def page(client: Any, project: Project, **query: Any) -> str:
    found = client.get(reverse("second-looks", args=[project.public_id]), query)
    assert found.status_code == 200
    text: str = found.content.decode()
    return text


def say(client: Any, label: Label, verdict: str, given: uuid.UUID | None = None) -> Any:
    address = reverse("second-look", args=[label.subject.project.public_id, watch_of(label).pk])
    form = {"verdict": verdict, "client_uuid": str(given or uuid.uuid4())}
    return client.post(address, form, follow=True)


def test_the_page_says_who_why_and_where_to_look(
    project: Project, bob: User, labels: list[Label], batch: EditBatch, client_of: ClientOf
) -> None:
    text = page(client_of(bob), project, at=watch_of(labels[0]).pk)
    assert "2 faces to look at again" in text
    assert "<bdi>Charlie</bdi> took it out" in text
    assert "hardly visible &lt;b&gt;here&lt;/b&gt;" in text
    row = watch_of(labels[0])
    assert f"Special:Diff/{row.revision}" in text
    assert f"Special:Diff/{row.claim_attempt.revision}" in text
    assert labels[0].photo.page_url in text
    assert "?action=history" in text
    assert "It is <bdi>Marie Curie</bdi>" in text
    assert reverse("crop", args=[project.public_id, labels[0].region.public_id]) in text


@pytest.mark.parametrize("verdict", [Verdict.YES, Verdict.NO, Verdict.BACKGROUND])
def test_each_answer_is_kept_once_and_the_statement_stays_out(
    project: Project,
    alice: User,
    labels: list[Label],
    batch: EditBatch,
    client_of: ClientOf,
    wiki: WikiItself,
    verdict: Verdict,
) -> None:
    browser, given = client_of(alice), uuid.uuid4()
    answers = Answer.objects.count()
    for _twice in range(2):
        assert say(browser, labels[0], verdict, given).status_code == 200
    made = Answer.objects.get(client_uuid=given)
    assert Answer.objects.count() == answers + 1
    assert (made.verdict, made.origin, made.user) == (verdict, Origin.REVIEW, alice)
    labels[0].refresh_from_db()
    assert labels[0].verdict == verdict
    row = watch_of(labels[0])
    assert row.looked_by == alice
    assert row.looked_at
    assert claim_of(labels[0]).state == Claim.State.REMOVED
    draft = batches.prepare_batch(project, alice)
    planned = draft.attempts.filter(outcome=ClaimAttempt.Outcome.PLANNED)
    assert not planned.filter(claim__page_id=labels[0].photo.page_id).exists()
    assert not wiki.depicts(labels[0].photo.page_id)
    assert "1 face to look at again" in page(browser, project)


@pytest.mark.parametrize("kind", ["person", "file"])
def test_while_somebody_objects_no_second_look_is_taken(
    project: Project,
    alice: User,
    labels: list[Label],
    batch: EditBatch,
    client_of: ClientOf,
    kind: str,
) -> None:
    about = "Q7186" if kind == "person" else labels[0].photo.title
    objections.lodge(about, kind, "Please")
    browser, answers = client_of(alice), Answer.objects.count()
    assert "this is paused until" in say(browser, labels[0], Verdict.NO).content.decode()
    assert Answer.objects.count() == answers
    assert watch_of(labels[0]).looked_at is None
    shown = page(browser, project, at=watch_of(labels[0]).pk)
    address = reverse("second-look", args=[project.public_id, watch_of(labels[0]).pk])
    assert f'action="{address}"' not in shown
    if kind == "person":
        assert "Paused because somebody objected" in shown


def test_an_answer_is_undone_as_far_as_the_label(
    project: Project, alice: User, labels: list[Label], batch: EditBatch, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    assert "second-looks/undo" not in page(browser, project)
    say(browser, labels[0], Verdict.NO)
    assert "second-looks/undo" in page(browser, project)
    undo = reverse("second-look-undo", args=[project.public_id])
    back = browser.post(undo, follow=True)
    assert "Charlie</bdi> took it out" in back.content.decode()
    labels[0].refresh_from_db()
    assert labels[0].verdict == Verdict.YES
    assert watch_of(labels[0]).looked_at is None
    assert Answer.objects.filter(origin=Origin.UNDO).count() == 1
    assert "There is nothing to undo." in browser.post(undo, follow=True).content.decode()


def test_all_looked_at_and_nothing_found_say_so(
    project: Project, alice: User, labels: list[Label], wiki: WikiItself, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    assert "Nothing was taken back" in page(browser, project)
    send_to_the_end(confirmed(project, alice))
    wiki.somebody_removes(labels[0].photo.page_id)
    hours_pass(24)
    recheck.work()
    text = say(browser, labels[0], Verdict.NO).content.decode()
    assert "All of them were looked at again" in text
    assert "Kept: it is not Marie Curie." in text


def test_who_is_quicker_has_the_word(
    alice: User, bob: User, labels: list[Label], batch: EditBatch
) -> None:
    row = watch_of(labels[0])
    face_review.look_again(row, bob, Verdict.NO, uuid.uuid4())
    with pytest.raises(Refused):
        face_review.look_again(row, alice, Verdict.YES, uuid.uuid4())
    assert not face_review.take_back(row, alice, uuid.uuid4())
    assert Answer.objects.filter(origin=Origin.REVIEW).count() == 1


def test_the_page_by_role(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    alice: User,
    bob: User,
    charlie: User,
    mona: User,
    client_of: ClientOf,
) -> None:
    for user in (alice, bob):
        assert 'name="verdict"' in page(client_of(user), project)
    for reader in (charlie, mona, None):  # read-only: the list, no buttons
        text = page(client_of(reader), project)
        assert 'name="verdict"' not in text
        assert "Removed by <bdi>Charlie</bdi>" in text
    for user in (charlie, mona):
        assert say(client_of(user), labels[0], Verdict.NO).status_code == 403
        undo = reverse("second-look-undo", args=[project.public_id])
        assert client_of(user).post(undo).status_code == 403
    assert say(client_of(None), labels[0], Verdict.NO).status_code == 401
    assert watch_of(labels[0]).looked_at is None


def test_a_private_projects_findings_are_its_members(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    bob: User,
    charlie: User,
    mona: User,
    client_of: ClientOf,
) -> None:
    project.visibility = Project.Visibility.PRIVATE
    project.save()
    address = reverse("second-looks", args=[project.public_id])
    assert client_of(bob).get(address).status_code == 200
    assert client_of(mona).get(address).status_code == 200
    assert client_of(charlie).get(address).status_code == 404
    assert say(client_of(charlie), labels[0], Verdict.NO).status_code == 404
    banned = Membership.objects.get(project=project, user=bob)
    banned.state = Membership.State.BANNED
    banned.save()
    assert client_of(bob).get(address).status_code == 404


def test_a_finding_of_another_project_is_not_found(
    labels: list[Label], batch: EditBatch, bob: User, make_project: Any, client_of: ClientOf
) -> None:
    other = make_project(bob, "Q937")
    address = reverse("second-look", args=[other.public_id, watch_of(labels[0]).pk])
    form = {"verdict": "no", "client_uuid": str(uuid.uuid4())}
    assert client_of(bob).post(address, form).status_code == 404


def test_what_is_no_answer_is_said_so(
    labels: list[Label], batch: EditBatch, alice: User, client_of: ClientOf
) -> None:
    text = say(client_of(alice), labels[0], "maybe").content.decode()
    assert "That is not an answer we know." in text
    assert watch_of(labels[0]).looked_at is None


def test_a_face_that_nobody_can_judge_any_more_is_only_seen(
    project: Project, labels: list[Label], batch: EditBatch, alice: User, client_of: ClientOf
) -> None:
    Photo.objects.filter(pk=labels[0].photo_id).update(picture=labels[2].photo.picture)
    browser, at = client_of(alice), watch_of(labels[0]).pk
    text = page(browser, project, at=at)
    assert "another picture by now" in text
    assert 'value="yes"' not in text
    with pytest.raises(Refused):
        face_review.look_again(watch_of(labels[0]), alice, Verdict.YES, uuid.uuid4())
    assert watch_of(labels[0]).looked_at is None
    answers = Answer.objects.count()
    say(browser, labels[0], "")
    assert watch_of(labels[0]).looked_by == alice
    assert Answer.objects.count() == answers


def test_the_answer_goes_to_the_box_as_it_is_drawn_now(
    project: Project, labels: list[Label], batch: EditBatch, alice: User
) -> None:
    old = labels[0].region
    better = Region.objects.create(
        picture=old.picture, origin=Region.Origin.PERSON, x=0.2, y=0.1, w=0.3, h=0.3
    )
    answer(project, better, labels[0].photo, alice, Verdict.YES, Origin.DRAWN, uuid.uuid4())
    Region.objects.filter(pk=old.pk).update(replaced_by=better)
    row = watch_of(labels[0])
    assert face_review.face_of(row) == better
    face_review.look_again(row, alice, Verdict.NO, uuid.uuid4())
    assert Label.objects.get(subject=project.subject, region=better).verdict == Verdict.NO


def test_in_an_archived_project_the_list_is_read_only(
    project: Project, labels: list[Label], batch: EditBatch, alice: User, client_of: ClientOf
) -> None:
    project.state = Project.State.ARCHIVED
    project.save()
    assert 'name="verdict"' not in page(client_of(alice), project)
    assert "archived" in say(client_of(alice), labels[0], Verdict.NO).content.decode()
    assert watch_of(labels[0]).looked_at is None
    ProjectPhoto.objects.filter(project=project).delete()
    assert face_review.face_of(watch_of(labels[0])) is None


def test_the_projects_page_asks_for_a_second_look(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    alice: User,
    charlie: User,
    client_of: ClientOf,
) -> None:
    address = reverse("second-looks", args=[project.public_id])
    own = client_of(alice).get(project.get_absolute_url()).content.decode()
    assert "took <b>2</b> statements back or changed them" in own
    assert f'href="{address}">Look again' in own
    visitors = client_of(charlie).get(project.get_absolute_url()).content.decode()
    assert f'href="{address}">See which' in visitors
    for label in labels[:2]:
        say(client_of(alice), label, Verdict.NO)
    own = client_of(alice).get(project.get_absolute_url()).content.decode()
    assert 'id="look-again"' not in own


def test_ones_own_page_shows_how_ones_edits_stand(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    alice: User,
    bob: User,
    client_of: ClientOf,
) -> None:
    account = client_of(alice).get(reverse("account")).content.decode()
    assert f'hx-get="{reverse("my-edits")}"' in account
    assert f'href="{reverse("my-edits")}"' in account  # without script
    part = client_of(alice).get(reverse("my-edits"), headers=HTMX).content.decode()
    whole = client_of(alice).get(reverse("my-edits")).content.decode()
    for text in (part, whole):
        assert "<dt>stand</dt><dd>1</dd>" in text
        assert "<dt>removed since</dt><dd>1</dd>" in text
        assert "<dt>changed since</dt><dd>1</dd>" in text
        assert labels[0].photo.name in text
        assert batch.project_url in text
        assert "2 removed or changed since" in text
    assert "<html" not in part
    assert "<html" in whole
    others = client_of(bob).get(reverse("my-edits")).content.decode()
    assert labels[0].photo.name not in others
    assert "You have not sent anything yet." in others
    assert client_of(None).get(reverse("my-edits")).status_code == 302


def test_of_a_private_project_that_one_left_only_ones_edits_are_told(
    project: Project, labels: list[Label], batch: EditBatch, alice: User, client_of: ClientOf
) -> None:
    project.visibility = Project.Visibility.PRIVATE
    project.save()
    Membership.objects.filter(project=project, user=alice).update(state=Membership.State.LEFT)
    text = client_of(alice).get(reverse("my-edits")).content.decode()
    assert labels[0].photo.name in text
    assert project.public_id not in text


def test_who_may_check_a_batch_now(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    alice: User,
    bob: User,
    charlie: User,
    mona: User,
    client_of: ClientOf,
    wiki: WikiItself,
) -> None:
    address = reverse("batch-check", args=[project.public_id, batch.code])
    for user in (bob, charlie, make_user("Nora")):
        assert client_of(user).post(address).status_code == 403
    assert client_of(None).post(address).status_code in (302, 401, 403)
    assert client_of(alice).get(address).status_code == 405
    wiki.somebody_removes(labels[2].photo.page_id)
    for user in (mona, alice):
        assert client_of(user).post(address)["Location"] == batch.project_url
    recheck.work()
    assert watch_of(labels[2]).finding == Watch.Finding.REMOVED
