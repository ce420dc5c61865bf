"""An objection pauses asking and sending at once, for a week at most, until a moderator decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classify.asking.queue import is_silent, next_question, worth_of
from classify.models import Label, Question, Score
from classify.review.reassign import offered
from core.user_errors import Refused
from core.work import WorkState
from crawler import photo_pauses
from crawler.listing import crawl as listing_crawl
from crawler.models import Photo
from projects.models import (
    AuditEvent,
    DenyEntry,
    Membership,
    Notification,
    Objection,
    Project,
    Source,
    User,
)
from projects.privacy import denylist_changes, objections, pauses
from sdc.batches import services as batches
from sdc.models import ClaimAttempt, EditBatch
from sdc.preview.eligibility import ready_count
from sdc.selectors import batch_progress
from sdc.writing.reasons import Reason
from tests.conftest import ClientOf, MakeProject
from tests.sdc.conftest import (
    Make,
    WikiItself,
    confirmed,
    label_yes,
    send,
    send_to_the_end,
    the_attempt,
    time_passes,
)
from tests.sdc.test_last_word import before_the_call

pytestmark = pytest.mark.django_db
Outcome = ClaimAttempt.Outcome
FAMILY = "Marie Pierre Irene Curie.jpg"
WORDS = "She is my grandmother and lives in Sceaux"


def object_to(about: str, kind: str = "file") -> Objection:
    return objections.lodge(about, kind, WORDS)


def a_week_passes() -> None:
    """No moderator decided."""
    ago = timedelta(days=8)
    for row in Objection.objects.exclude(pauses_until=None):
        Objection.objects.filter(pk=row.pk).update(
            created_at=row.created_at - ago, pauses_until=row.created_at - timedelta(days=1)
        )
    Photo.objects.exclude(paused_until=None).update(paused_until=timezone.now())


def about_file(label: Any) -> str:
    return str(label.photo.title)


# Sending ----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["person", "file", "category"])
def test_the_preview_leaves_it_out_and_says_why(
    what: str,
    project: Project,
    alice: User,
    mona: User,
    said_yes: Make,
    client_of: ClientOf,
    wiki: WikiItself,
) -> None:
    label = said_yes(project, 1)[0]
    if what == "category":
        page = wiki.page(label.photo.page_id)
        rows = wiki.running.world.store.rows(
            "SELECT category_title FROM category_member WHERE wiki = 'commons' AND page_id = ?",
            (page.id,),
        )
        made = object_to(str(rows[0]["category_title"]), "category")
    else:
        made = object_to("Q7186" if what == "person" else about_file(label), what)
    assert made.pauses_until == made.created_at + timedelta(days=7)
    batch = batches.prepare_batch(project, alice)
    row = the_attempt(batch)
    assert (row.outcome, row.reason) == (Outcome.SKIPPED, Reason.OBJECTED)
    page_text = client_of(alice).get(reverse("preview", args=[project.public_id])).content.decode()
    assert "Paused: somebody objected" in page_text
    assert WORDS not in page_text
    with pytest.raises(Refused):
        batches.confirm(batch, alice)
    objections.lift_pause(made, mona, "look at it with me")
    address = reverse("preview", args=[project.public_id])
    if what == "category":  # which only the wiki knows: the draft is good for ten minutes
        client_of(alice).post(address)
    client_of(alice).get(address)
    draft = batches.draft_of(project, alice)
    assert draft
    assert the_attempt(draft).outcome == Outcome.PLANNED


@pytest.mark.parametrize("when", ["between preview and send", "right before the call"])
@pytest.mark.parametrize("what", ["person", "file", "category"])
def test_what_was_confirmed_waits_and_is_not_lost(
    when: str,
    what: str,
    project: Project,
    alice: User,
    mona: User,
    said_yes: Make,
    wiki: WikiItself,
    monkeypatch: pytest.MonkeyPatch,
    client_of: ClientOf,
) -> None:
    """The writer's last check counts: nothing is sent that somebody objected to just now."""
    label = said_yes(project, 1)[0]
    [category, *_] = wiki.running.world.store.rows(
        "SELECT category_title FROM category_member WHERE wiki = 'commons' AND page_id = ?",
        (label.photo.page_id,),
    )
    abouts = {
        "person": "Q7186",
        "file": about_file(label),
        "category": str(category["category_title"]),
    }

    def objects() -> None:
        object_to(abouts[what], what)

    batch = batches.prepare_batch(project, alice)
    if when == "between preview and send" and what != "person":
        objects()
        batch = batches.confirm(batch, alice)
    elif when == "between preview and send":
        objects()
        with pytest.raises(Refused):
            batches.confirm(batch, alice)
        return
    else:
        batch = batches.confirm(batch, alice)
        before_the_call(monkeypatch, objects)
    send()
    send()
    assert wiki.edits() == []
    row = the_attempt(batch)
    assert (row.outcome, row.state, row.error) == (Outcome.PLANNED, WorkState.QUEUED, "objected")
    objection = Objection.objects.get()
    assert row.due_at == objection.pauses_until
    progress = batch_progress(batch)
    assert (progress.objected, progress.seconds_left) == (1, None)
    shown = client_of(alice).get(batch.project_url).content.decode()
    assert "Paused because somebody objected." in shown
    assert "1 edit waits" in shown
    # a moderator says no: it goes on at once
    objections.decline(objection, mona, "The photo was taken in public.")
    send_to_the_end(batch)
    assert len(wiki.edits()) == 1
    # and the same objection pauses nothing any more
    assert object_to(abouts[what], what).pauses_until is None


def test_after_a_week_it_goes_on_by_itself(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    label = said_yes(project, 1)[0]
    batch = confirmed(project, alice)
    made = object_to(about_file(label))
    send()
    assert wiki.edits() == []
    a_week_passes()
    time_passes()
    send_to_the_end(batch)
    assert len(wiki.edits()) == 1
    assert list(objections.overdue()) == [made], "it stays open, and alerts"


def test_followed_it_is_never_sent(
    project: Project, alice: User, mona: User, said_yes: Make, wiki: WikiItself
) -> None:
    labels = said_yes(project, 2)
    batch = confirmed(project, alice)
    objections.uphold(object_to(about_file(labels[0])), mona, "Done")
    send_to_the_end(batch)
    assert [edit.id for edit in wiki.edits(labels[0].photo.page_id)] == []
    assert len(wiki.edits()) == 1
    assert batch.attempts.get(claim__photo=labels[0].photo).reason == Reason.DENIED


def test_what_waits_ends_at_once_where_it_is_denied_meanwhile(
    project: Project, alice: User, mona: User, said_yes: Make, wiki: WikiItself
) -> None:
    """By the deny-list itself, while the objection is open."""
    label = said_yes(project, 1)[0]
    batch = confirmed(project, alice)
    object_to(about_file(label))
    send()
    assert the_attempt(batch).error == "objected"
    denylist_changes.deny(DenyEntry(kind="file", value=about_file(label), reason="private"), mona)
    send_to_the_end(batch)
    assert the_attempt(batch).reason == Reason.DENIED
    assert wiki.edits() == []


def test_the_others_of_a_batch_go_on_and_it_can_be_stopped(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    labels = said_yes(project, 3)
    batch = confirmed(project, alice)
    object_to(about_file(labels[1]))
    send()
    assert len(wiki.edits()) == 2
    batches.stop(batch, alice)
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.STOPPED
    assert batch_progress(batch).objected == 0
    assert not ClaimAttempt.objects.filter(batch=batch, outcome=Outcome.PLANNED).exists()


def test_what_is_ready_does_not_count_it(project: Project, said_yes: Make, mona: User) -> None:
    labels = said_yes(project, 2)
    assert ready_count(project) == 2
    made = object_to(about_file(labels[0]))
    assert ready_count(project) == 1
    objections.lift_pause(made, mona, "It is about another photo.")
    assert ready_count(project) == 2


# Asking -----------------------------------------------------------------------------------


@pytest.fixture
def asked(project: Project, wiki: WikiItself, alice: User, said_yes: Make) -> list[Photo]:
    """Two photos about whose faces somebody may be asked."""
    labels = said_yes(project, 2)
    photos = []
    for rank, label in enumerate(labels):
        photos.append(label.photo)
        Question.objects.create(
            subject=project.subject, photo=label.photo, region=label.region, rank=rank
        )
        label.delete()
    return photos


def test_nothing_of_a_photo_is_asked(project: Project, bob: User, asked: list[Photo]) -> None:
    made = object_to(asked[0].title)
    question = next_question(project, bob)
    assert question
    assert question.photo == asked[1]
    assert next_question(project, bob, exclude=[question.public_id]) is None
    Objection.objects.filter(pk=made.pk).update(pauses_until=timezone.now())
    a_week_passes()
    found = next_question(project, bob, exclude=[question.public_id])
    assert found
    assert found.photo == asked[0]


def test_nothing_of_a_person_is_asked_and_pages_say_so(
    project: Project, bob: User, asked: list[Photo], client_of: ClientOf
) -> None:
    made = object_to("Q7186", "person")
    assert made.pauses_until
    assert is_silent(project)
    assert next_question(project, bob) is None
    assert worth_of([project]) == {}
    day = f"{made.pauses_until.day} {made.pauses_until:%B %Y}"
    for name in ("project", "ask", "grid", "again", "review", "preview"):
        page = client_of(bob).get(reverse(name, args=[project.public_id])).content.decode()
        assert "Paused because somebody objected" in page, name
        assert f"A moderator decides by {day}" in page, name
        assert WORDS not in page
        assert made.code not in page
    assert 'id="try"' not in client_of(None).get(reverse("home")).content.decode()


def post(browser: Client, project: Project, name: str, **sent: Any) -> Any:
    address = reverse(name, args=[project.public_id])
    form = {"client_uuid": str(uuid4())} | sent
    return browser.post(address, form, headers={"X-Background": "1"})


def test_of_a_paused_person_the_review_can_only_be_read(
    project: Project, alice: User, mona: User, asked: list[Photo], client_of: ClientOf
) -> None:
    Question.objects.all().delete()
    browser = client_of(alice)
    for photo in asked:
        region = photo.picture.regions.get()
        Score.objects.create(
            subject=project.subject,
            region=region,
            photo=photo,
            is_match=True,
            unlikely=0.1,
            revision=1,
        )
    gallery = reverse("review", args=[project.public_id])
    face = asked[0].picture.regions.get().public_id
    one = reverse("review-face", args=[project.public_id, face])
    for address in (gallery, one):
        assert "review/answer" in browser.get(address).content.decode()
    before = browser.get(gallery).content.decode()
    assert 'value="approve"' in before
    assert "reject the wrong ones" in before
    made = object_to("Q7186", "person")
    shown = browser.get(gallery).content.decode()
    for call in ('value="approve"', 'value="reject"', "approve-all", "to review</", "wrong ones"):
        assert call not in shown, call
    assert "Paused because somebody objected" in shown
    assert 'value="approve"' not in browser.get(one).content.decode()
    for name, sent in (
        ("review-answer", {"deed": "approve", "region": face}),
        ("review-reassign", {"deed": "else", "region": face}),
        ("again-answer", {"shown": face, "yes": face}),
    ):
        refused = post(browser, project, name, **sent)
        assert (refused.status_code, refused.json()["error"]) == (422, "objected"), name
        assert "this is paused until" in refused.json()["sentence"]
    assert not Label.objects.filter(subject=project.subject).exists()
    photo = asked[0].public_id
    queued = post(browser, project, "answer", region=face, photo=photo, verdict="yes")
    assert queued.status_code == 200, "it was in the browser's queue before"
    objections.lift_pause(made, mona, "look at it with me")
    assert post(browser, project, "review-answer", deed="reject", region=face).status_code == 200


def test_a_face_of_a_paused_photo_is_not_reviewed(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    paused, other = said_yes(project, 2)
    object_to(about_file(paused))
    browser = client_of(alice)
    address = reverse("review", args=[project.public_id])
    shown = browser.get(f"{address}?which=confirmed").content.decode()
    assert f'id="face-{other.region.public_id}"' in shown
    assert f'id="face-{paused.region.public_id}"' not in shown
    for label, status in ((paused, 422), (other, 200)):
        region = label.region.public_id
        sent = post(browser, project, "review-answer", deed="approve", region=region)
        assert sent.status_code == status


def test_nobody_is_reassigned_to_who_is_paused(
    project: Project,
    alice: User,
    said_yes: Make,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    [label] = said_yes(project, 1)
    pierre = make_project(alice, "Q37463", [])
    assert pierre in offered(project, alice, [label.region.pk])
    object_to("Q37463", "person")
    assert pierre not in offered(project, alice, [label.region.pk])
    sent = {"deed": "else", "other": pierre.public_id, "region": label.region.public_id}
    assert post(client_of(alice), project, "review-reassign", **sent).status_code == 422


def test_the_preview_of_a_paused_person_says_until_when(
    project: Project, alice: User, said_yes: Make, client_of: ClientOf
) -> None:
    said_yes(project, 1)
    until = object_to("Q7186", "person").pauses_until
    assert until
    shown = client_of(alice).get(reverse("preview", args=[project.public_id])).content.decode()
    assert f"nothing is sent until {until.day} {until:%B %Y}" in shown
    assert "Nothing to send" not in shown
    assert "is on the wiki already" not in shown


def test_a_public_project_may_be_named_by_its_address(
    project: Project, alice: User, make_project: MakeProject
) -> None:
    address = f"https://wikivisage.example.org{project.get_absolute_url()}"
    assert object_to(address, "other").value == "Q7186"
    hidden = make_project(alice, "Q937", [], visibility=Project.Visibility.PRIVATE)
    assert object_to(hidden.get_absolute_url(), "other").value == ""


# Categories -------------------------------------------------------------------------------


def test_of_a_category_exactly_the_files_in_it_are_paused(
    project: Project, alice: User, wiki: WikiItself
) -> None:
    world = wiki.running.world
    page = world.page("commons", f"File:{FAMILY}")
    assert page
    inside = label_yes(project, wiki, page.id, alice).photo
    rows = world.store.rows(
        "SELECT category_title FROM category_member WHERE wiki = 'commons' AND page_id = ?",
        (page.id,),
    )
    category = str(rows[0]["category_title"]).removeprefix("Category:")
    others = world.store.rows(
        "SELECT id FROM page WHERE wiki = 'commons' AND ns = 6 AND id NOT IN (SELECT page_id FROM"
        " category_member WHERE wiki = 'commons' AND category_title = ?) ORDER BY id LIMIT 1",
        (f"Category:{category}",),
    )
    outside = label_yes(project, wiki, others[0]["id"], alice).photo
    source = Source.objects.create(project=project, kind="category", value=category, depth=2)
    project.project_photos.update(source=source)

    def paused() -> set[str]:
        return set(Photo.objects.exclude(paused_until=None).values_list("title", flat=True))

    made = object_to(category, "category")
    assert paused() == {inside.title, outside.title}, "at once, whatever the source brought"
    photo_pauses.look_through()
    assert paused() == {inside.title}, "the wiki knows which are in it"
    Objection.objects.filter(pk=made.pk).update(state=Objection.State.DECLINED)
    pauses.pause_ended.send(Objection, objection=made)
    assert paused() == set()


def test_what_is_crawled_later_is_paused_too(
    alice: User, make_project: MakeProject, wiki: WikiItself
) -> None:
    object_to(f"File:{FAMILY}")
    make_project(alice, "Q7186", [("Marie Curie", 2)])
    listing_crawl.crawl(20)
    assert Photo.objects.get(title=f"File:{FAMILY}").paused_until
    assert Photo.objects.filter(paused_until=None).exists()


def test_a_renamed_file_is_paused_by_each_of_its_names(
    project: Project, mona: User, said_yes: Make, wiki: WikiItself
) -> None:
    """We know it by the name of our last look; whoever objects reads the one of today."""
    label = said_yes(project, 1)[0]
    page, new = wiki.page(label.photo.page_id), "File:Renamed since we looked.jpg"
    wiki.running.world.move(page, new, user="Charlie")
    made = object_to(new)
    assert (made.page_id, made.photos) == (page.id, 1)
    assert Photo.objects.get(pk=label.photo_id).paused_until == made.pauses_until
    assert pauses.of_claim("Q1", page.id, page.title) == made.pauses_until
    assert not object_to(page.title).pauses_until, "the same file, by the redirect"
    objections.lift_pause(made, mona, "")
    assert Photo.objects.get(pk=label.photo_id).paused_until is None
    Photo.objects.filter(pk=label.photo_id).update(title=new)
    older = Objection.objects.create(wiki="sandbox", kind="file", value=page.title, page_id=page.id)
    older.pauses_until = older.created_at + pauses.LASTS
    older.save()
    photo_pauses.begin(objection=older)
    assert Photo.objects.get(pk=label.photo_id).paused_until, (
        "by its old name, once we know the new"
    )


def test_a_renamed_file_that_is_crawled_later_is_paused_too(
    alice: User, make_project: MakeProject, wiki: WikiItself
) -> None:
    page = wiki.running.world.page("commons", f"File:{FAMILY}")
    assert page
    object_to(page.title)
    wiki.running.world.move(page, "File:Family.jpg", user="Charlie")
    make_project(alice, "Q7186", [("Marie Curie", 2)])
    listing_crawl.crawl(20)
    assert Photo.objects.get(page_id=page.id).paused_until


def test_a_renamed_file_is_left_alone_by_each_of_its_names(
    project: Project, mona: User, said_yes: Make, wiki: WikiItself, client_of: ClientOf
) -> None:
    page = wiki.page(said_yes(project, 1)[0].photo.page_id)
    older = object_to(page.title)
    wiki.running.world.move(page, "File:Newer.jpg", user="Charlie")
    newer = object_to("File:Newer.jpg")
    objections.uphold(older, mona, "yes")
    shown = client_of(None).get(reverse("objection", args=[newer.code])).content.decode()
    assert "leaves it alone already" in shown


@pytest.mark.parametrize("way", ["M{}", "{}/entity/M{}", "{}/w/index.php?curid={}"])
def test_a_file_is_named_by_its_page_id(way: str, wiki: WikiItself, settings: Any) -> None:
    page = wiki.running.world.page("commons", f"File:{FAMILY}")
    assert page
    site = settings.WIKI.commons_api.removesuffix("/w/api.php")
    made = object_to(way.format(page.id) if way == "M{}" else way.format(site, page.id))
    assert (made.kind, made.value, made.page_id) == ("file", page.title, page.id)
    assert made.pauses_until


def test_a_name_like_a_page_id_names_no_category(wiki: WikiItself) -> None:
    page = wiki.running.world.page("commons", "Category:Albert Einstein")
    assert page
    for kind in ("file", "uploader", "category"):
        assert object_to(f"M{page.id}", kind).kind == kind


@pytest.mark.parametrize(
    ("about", "kind", "qid"),
    [
        ("https://en.wikipedia.org/wiki/Marie_Curie", "other", "Q7186"),
        ("marie  curie", "person", "Q7186"),
        ("https://en.wikipedia.org/wiki/Pierre_Curie", "person", ""),
        ("https://example.org/wiki/Marie_Curie", "person", ""),
    ],
)
def test_the_person_of_a_public_project_is_known_by_name(
    about: str, kind: str, qid: str, project: Project
) -> None:
    made = object_to(about, kind)
    assert made.value == qid
    assert bool(made.pauses_until) == bool(qid)
    project.visibility = Project.Visibility.PRIVATE
    project.save()
    assert object_to(about, kind).value == "", "nobody learns whom private projects look for"


def test_whoever_objects_reads_how_many_photos_it_names(
    project: Project, said_yes: Make, client_of: ClientOf, mona: User
) -> None:
    said_yes(project, 1)

    def answer(made: Objection) -> str:
        address = reverse("objection", args=[made.code])
        return client_of(None).get(address).content.decode()

    title = Photo.objects.get().title
    assert "this tool had 1 photo of it" in answer(object_to(title))
    nobody = object_to("Somebody Unheard", "author")
    assert nobody.photos == 0
    assert "had no photo of that name" in answer(nobody)
    again = object_to(title)
    assert again.pauses_until is None
    assert "nothing of it is asked or sent" in answer(again), "paused by the one before"
    assert "Nothing is paused" not in answer(again)
    objections.uphold(Objection.objects.earliest("pk"), mona, "yes")
    assert "leaves it alone already" in answer(again)


# Not as a weapon --------------------------------------------------------------------------


def sent_in(browser: Client, about: str, kind: str = "file") -> Objection:
    said = {"kind": kind, "about": about, "message": WORDS}
    assert browser.post(reverse("object"), said).status_code == 302
    return Objection.objects.latest("pk")


def test_one_person_pauses_only_a_few_things_a_week(client_of: ClientOf, alice: User) -> None:
    browser = client_of(alice)
    made = [sent_in(browser, f"File:{number}.jpg") for number in range(5)]
    assert [bool(each.pauses_until) for each in made] == [True] * 3 + [False] * 2
    status = reverse("objection", args=[made[0].code])
    assert "nothing of it is asked or sent" in browser.get(status).content.decode()
    status = reverse("objection", args=[made[4].code])
    assert "Nothing is paused for it now" in browser.get(status).content.decode()


def test_without_a_login_a_new_browser_gains_little(client_of: ClientOf) -> None:
    made = [sent_in(client_of(None), f"File:{number}.jpg") for number in range(22)]
    assert [bool(each.pauses_until) for each in made] == [True] * 20 + [False] * 2


@pytest.mark.parametrize(
    "after",
    [
        lambda made, mona: objections.decline(made, mona, "no"),
        lambda made, mona: objections.lift_pause(made, mona, "no"),
        lambda made, mona: a_week_passes(),
        lambda made, mona: None,
    ],
    ids=["declined", "lifted", "not decided", "while it lasts"],
)
def test_the_same_thing_is_paused_once(after: Callable[[Objection, User], Any], mona: User) -> None:
    made = object_to("File:Once.jpg")
    assert made.pauses_until
    after(made, mona)
    assert object_to("File:once.jpg").pauses_until is None


def test_words_pause_nothing(mona: User) -> None:
    assert object_to("my grandmother", "person").pauses_until is None
    assert object_to("everything", "other").pauses_until is None


def test_a_moderator_lifts_it_in_one_action_with_a_reason(
    project: Project, mona: User, bob: User, client_of: ClientOf
) -> None:
    made = object_to("Q7186", "person")
    assert Notification.objects.get(user=mona).kind == Notification.Kind.OBJECTED
    address = reverse("admin:projects_objection_changelist")
    ticked = {"action": "lift_pause", "_selected_action": [made.pk]}
    desk = client_of(mona)
    desk.post(address, ticked)
    assert is_silent(project), "not without a reason"
    desk.post(address, ticked | {"reason": "a prank"})
    assert not is_silent(project)
    [event] = AuditEvent.objects.filter(action="objection.pause-lifted")
    assert (event.actor, event.data["reason"]) == (mona, "a prank")
    made.refresh_from_db()
    assert made.state == Objection.State.OPEN
    assert client_of(bob).post(address, ticked).status_code == 302  # to the login of the admin
    assert Membership.objects.filter(project=project).count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("title", ["a|b|c", "{{||}}", "x#y", "<b>", "z" * 300])
def test_what_no_title_can_be_pauses_nothing_and_reaches_no_request(title: str) -> None:
    """It would end up in the requests that read everybody's files."""
    made = objections.lodge(title, "category", "Please.")
    assert made.pauses_until is None
    assert made.value == ""
    assert pauses.categories() == []
