"""The deny-list: what is on it is left alone from the crawl on, and what is here already, too."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from classify import answers
from classify.asking import queue as asking_queue
from classify.audit import rounds
from classify.models import Look, Question, Round
from classify.review import galleries, reassign
from core.user_errors import Refused
from core.work import WorkState
from crawler import denylist as let_go
from crawler.detection.drawn_boxes import embed
from crawler.engines import load
from crawler.listing import sources
from crawler.listing import store as listing_store
from crawler.listing.file_info import File
from crawler.models import CrawlStep, Embedding, Photo, Picture, Region
from crawler.pictures import crops
from crawler.services import add_photo, draw_region
from projects.creation.services import create_project
from projects.creation.source_lookup import Place
from projects.lifecycle.services import set_state
from projects.models import AuditEvent, DenyEntry, Project, User
from projects.privacy import denylist, denylist_changes
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import CURIE, CURIE_1903, add_files, crawl, look, titles

pytestmark = pytest.mark.django_db
Kind = DenyEntry.Kind
QID = "Q7186"


@pytest.fixture
def project(alice: User, make_project: MakeProject) -> Project:
    return make_project(alice, QID, [])


def deny(by: User, kind: str, value: str, page_id: int | None = None) -> DenyEntry:
    entry = DenyEntry(kind=kind, value=value, reason="asked for", page_id=page_id)
    denylist_changes.deny(entry, by)
    return entry


# The list ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("person", " q7186 ", "Q7186"),
        ("file", "marie_Curie  1903.jpg", "File:Marie Curie 1903.jpg"),
        ("file", "file:Marie Curie 1903.jpg", "File:Marie Curie 1903.jpg"),
        ("file", "Image:marie Curie 1903.jpg", "File:Marie Curie 1903.jpg"),
        ("category", "Category:marie_Curie", "Marie Curie"),
        ("category", "Marie Curie", "Marie Curie"),
        ("file", "File:Barre\u0300re.jpg", "File:Barr\u00e8re.jpg"),  # as macOS pastes it
    ],
)
def test_entries_are_written_alike(kind: str, typed: str, kept: str) -> None:
    assert denylist.normal(kind, typed) == kept
    assert denylist.normal(kind, kept) == kept
    denylist.check(kind, kept)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("person", "MARIE"), ("person", "Q0"), ("person", "P31"), ("file", "File:"),
     ("file", "File:a|b.jpg"), ("category", ""), ("category", "a[b]"), ("category", "x" * 251)],
)  # fmt: skip
def test_what_can_match_nothing_is_not_taken(kind: str, value: str) -> None:
    with pytest.raises(Refused):
        denylist.check(kind, value)


def test_the_form_keeps_it_normal_with_reason_and_author(
    sandbox: RunningSandbox, mona: User, client_of: ClientOf
) -> None:
    form = {"kind": "file", "value": "marie_Curie_1903.jpg", "reason": "The family asked"}
    client_of(mona).post(reverse("admin:projects_denyentry_add"), form)
    entry = DenyEntry.objects.get()
    page = sandbox.world.page("commons", CURIE_1903)
    assert page
    assert (entry.value, entry.page_id) == (CURIE_1903, page.id)
    assert (entry.reason, entry.created_by) == ("The family asked", mona)
    event = AuditEvent.objects.get(action="deny.added")
    assert (event.actor, event.data["reason"]) == (mona, "The family asked")


def test_each_form_says_that_subcategories_are_entries_of_their_own(
    mona: User, client_of: ClientOf
) -> None:
    for address in (reverse("admin:projects_denyentry_add"), reverse("object"), reverse("privacy")):
        page = client_of(mona).get(address).content.decode()
        assert "each of its subcategories has to be named" in page, address


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "person", "value": "Marie Curie", "reason": "why"},
        {"kind": "file", "value": "a|b", "reason": "why"},
        {"kind": "category", "value": "Marie Curie", "reason": ""},
        {"kind": "person", "value": "q7186", "reason": "twice"},
    ],
)
def test_the_form_refuses_what_is_wrong_lacks_a_reason_or_is_there(
    form: dict[str, str], mona: User, client_of: ClientOf, sandbox: RunningSandbox
) -> None:
    DenyEntry.objects.create(wiki="sandbox", kind="person", value=QID)
    page = client_of(mona).post(reverse("admin:projects_denyentry_add"), form)
    assert page.status_code == 200
    assert page.context["errors"]
    assert DenyEntry.objects.count() == 1


def test_only_the_reason_of_an_entry_changes(mona: User, client_of: ClientOf) -> None:
    entry = deny(mona, Kind.CATEGORY, "Marie Curie")
    address = reverse("admin:projects_denyentry_change", args=[entry.pk])
    wanted = {"kind": "person", "value": "Q1", "reason": "Another one"}
    client_of(mona).post(address, wanted)
    entry.refresh_from_db()
    assert (entry.kind, entry.value, entry.reason) == ("category", "Marie Curie", "Another one")
    assert AuditEvent.objects.filter(action="deny.reworded", actor=mona).count() == 1


def test_one_entry_a_thing(mona: User) -> None:
    deny(mona, Kind.PERSON, QID)
    with pytest.raises(IntegrityError), transaction.atomic():
        deny(mona, Kind.PERSON, QID.lower())


# A person ---------------------------------------------------------------------------------


def test_nobody_begins_a_project_for_a_denied_person_or_category(
    sandbox: RunningSandbox, alice: User, mona: User
) -> None:
    deny(mona, Kind.CATEGORY, "marie_Curie")
    with pytest.raises(Refused, match="denied"):
        create_project(alice, QID, [Place("category", "Marie Curie")])
    deny(mona, Kind.PERSON, QID)
    with pytest.raises(Refused, match="denied"):
        create_project(alice, QID, [Place("category", "Marie Curie in her youth")])
    assert not Project.objects.exists()


def test_projects_for_a_denied_person_pause_and_stay_so(
    project: Project, alice: User, mona: User
) -> None:
    entry = deny(mona, Kind.PERSON, QID)
    project.refresh_from_db()
    assert project.state == Project.State.PAUSED
    event = AuditEvent.objects.get(action="project.paused")
    assert (event.actor, event.project) == (mona, project)
    with pytest.raises(Refused, match="denied"):
        set_state(project, alice, Project.State.ACTIVE)
    denylist_changes.undeny(entry, mona, "No reason left")
    set_state(project, alice, Project.State.ACTIVE)
    project.refresh_from_db()
    assert project.state == Project.State.ACTIVE


@pytest.mark.engine
def test_nothing_of_a_denied_person_is_crawled_looked_at_asked_or_shown(
    sandbox: RunningSandbox, project: Project, alice: User, client_of: ClientOf,
    make_project: MakeProject,
) -> None:  # fmt: skip
    other = make_project(alice, "Q37463")
    add_files(project, CURIE)
    crawl()
    look()
    region = Region.objects.get()
    photo = Photo.objects.get()
    Question.objects.create(subject=project.subject, region=region, photo=photo, rank=1)
    assert asking_queue.next_question(project, alice)
    answers.answer(project, region, photo, alice, "yes", "review", uuid4())
    assert galleries.gallery(project, "confirmed").tiles
    box = (0.1, 0.1, 0.2, 0.2)
    drawn = draw_region(project, photo, box, alice)
    Question.objects.create(subject=project.subject, region=drawn, photo=photo, rank=1)
    assert asking_queue.next_question(project, alice)
    round_ = Round.objects.create(subject=project.subject, about="approved", frame=1, revision=1)
    where = {"subject": project.subject, "photo": photo, "region": drawn}
    Look.objects.create(**where, round=round_, why=Look.Why.SAMPLED, rank=1)
    assert rounds.next_screen(project, alice)
    assert reassign.offered(other, alice, []) == [project]
    face = [project.public_id, region.public_id]
    shown = [reverse("crop", args=face), reverse("review-face", args=face)]
    assert [client_of(alice).get(one).status_code for one in shown] == [200, 200]
    # even where the project was not paused, as by an entry that was there before it
    DenyEntry.objects.create(wiki="sandbox", kind=Kind.PERSON, value=QID)
    embed(load, 30)
    assert not Embedding.objects.filter(region=drawn).exists()
    assert asking_queue.next_question(project, alice) is None
    assert galleries.gallery(project, "confirmed").tiles == []
    assert rounds.next_screen(project, alice) is None
    assert reassign.offered(other, alice, []) == []
    assert [client_of(alice).get(one).status_code for one in shown] == [403, 403]
    with pytest.raises(Refused, match="denied"):
        answers.answer(project, region, photo, alice, "no", "review", uuid4())
    Picture.objects.update(state=WorkState.QUEUED, looked_at=None)
    add_files(project, CURIE_1903)
    crawl()
    look()
    assert Picture.objects.get().looked_at is None
    assert titles(project) == {CURIE.removeprefix("File:")}


# A file -----------------------------------------------------------------------------------


@pytest.mark.engine
def test_a_denied_file_goes_with_its_crops_vectors_and_questions_and_comes_back(
    sandbox: RunningSandbox, project: Project, alice: User, mona: User, client_of: ClientOf,
    django_capture_on_commit_callbacks: object,
) -> None:  # fmt: skip
    add_files(project, CURIE)
    crawl()
    look()
    region, photo = Region.objects.get(), Photo.objects.get()
    Question.objects.create(subject=project.subject, region=region, photo=photo, rank=1)
    assert Embedding.objects.exists()
    assert crops.path_of(region).exists()
    revision = Project.objects.get().revision
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        entry = deny(mona, Kind.FILE, "marie Curie c. 1920s.jpg")
    assert not Embedding.objects.exists()
    assert not crops.path_of(region).exists()
    assert not Question.objects.exists()
    assert Project.objects.get().revision > revision
    crop = reverse("crop", args=[project.public_id, region.public_id])
    assert client_of(alice).get(crop).status_code == 404
    with pytest.raises(Refused):
        answers.answer(project, region, photo, alice, "yes", "ask", uuid4())
    crawl()
    look()
    assert not Embedding.objects.exists()
    denylist_changes.undeny(entry, mona, "No reason left")
    photo.refresh_from_db()
    assert photo.state == Photo.State.LIVE
    look()
    assert Embedding.objects.filter(region=region).exists()


@pytest.mark.engine
def test_the_vectors_of_a_picture_stay_while_another_page_shows_it(
    sandbox: RunningSandbox, project: Project, mona: User,
    django_capture_on_commit_callbacks: object,
) -> None:  # fmt: skip
    add_files(project, CURIE)
    crawl()
    look()
    first = Photo.objects.get()
    twin = Photo.objects.create(
        wiki="sandbox", page_id=999_999, title="File:Twin.jpg", picture=first.picture
    )
    project.project_photos.create(photo=twin)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        deny(mona, Kind.FILE, CURIE)
    assert Embedding.objects.exists()


def test_a_new_name_does_not_escape_the_list(
    fresh_sandbox: RunningSandbox, project: Project, mona: User
) -> None:
    entry = DenyEntry.objects.create(wiki="sandbox", kind=Kind.FILE, value=CURIE)
    add_files(project, CURIE)
    crawl()
    entry.refresh_from_db()
    page = fresh_sandbox.world.page("commons", CURIE)
    assert page
    assert entry.page_id == page.id  # learned when the crawl passed it over
    fresh_sandbox.world.move(page, "File:Another name.jpg", user="Charlie")
    add_files(project, "File:Another name.jpg")
    crawl()
    assert titles(project) == set()


def test_looking_a_file_up_writes_nothing(mona: User) -> None:
    entry = deny(mona, Kind.FILE, "A.jpg")
    assert denylist.denied_files([(7, "A.jpg"), (8, "B.jpg")]) == {7}
    assert DenyEntry.objects.get(pk=entry.pk).page_id is None
    denylist_changes.note_page_ids([(7, "A.jpg"), (8, "B.jpg")])
    assert DenyEntry.objects.get(pk=entry.pk).page_id == 7
    assert denylist.denied_files([(7, "Another name.jpg")]) == {7}


def test_a_page_read_outside_of_a_crawl_gives_its_entry_the_page_id(mona: User) -> None:
    entry = deny(mona, Kind.FILE, "A.jpg")
    file = File(
        page_id=7,
        title="A.jpg",
        sha1="0" * 40,
        width=9,
        height=9,
        mime="image/jpeg",
        thumb_path="",
        uploader="Bob",
        uploaded_at=None,
        author="Bob",
        licence="CC0",
        taken_from=None,
        taken_to=None,
    )
    listing_store.follow([file])
    assert DenyEntry.objects.get(pk=entry.pk).page_id == 7
    assert not Photo.objects.exists()


def test_two_entries_for_one_file_both_have_to_go(
    sandbox: RunningSandbox, project: Project, mona: User
) -> None:
    add_files(project, CURIE)
    crawl()
    photo = Photo.objects.get()
    first = deny(mona, Kind.FILE, CURIE)
    second = deny(mona, Kind.FILE, "File:An older name.jpg", photo.page_id)
    denylist_changes.undeny(first, mona, "No reason left")
    photo.refresh_from_db()
    assert photo.state == Photo.State.DENIED
    denylist_changes.undeny(second, mona, "No reason left")
    photo.refresh_from_db()
    assert photo.state == Photo.State.LIVE


# A category -------------------------------------------------------------------------------


def test_a_denied_category_is_not_read_and_is_read_again_later(
    sandbox: RunningSandbox, alice: User, mona: User, make_project: MakeProject
) -> None:
    project = make_project(alice, QID, [("Marie Curie", 1)])
    entry = DenyEntry(kind=Kind.CATEGORY, value="Category:marie Curie", reason="asked")
    CrawlStep.objects.create(source=project.sources.get(), title="Marie Curie", depth=1)
    denylist_changes.deny(entry, mona)
    crawl()
    step = CrawlStep.objects.get()
    assert (step.state, step.error) == (WorkState.ASIDE, "denied")
    assert step.reason == "Left alone on request"
    assert titles(project) == set()
    step.retry()  # people may ask to try it again: it is still left alone
    crawl()
    assert titles(project) == set()
    denylist_changes.undeny(entry, mona, "No reason left")
    crawl()
    assert titles(project)


def test_a_category_denied_while_it_is_read_brings_nothing(
    sandbox: RunningSandbox, alice: User, mona: User, make_project: MakeProject
) -> None:
    from core.work import Overtaken
    from crawler.listing import crawl as listing_crawl
    from crawler.listing import read_page as listing_read_page
    from crawler.listing import store as listing_store
    from wiki import pywikibot_client

    project = make_project(alice, QID, [("Marie Curie", 0)])
    listing_crawl.begin_sources()
    step = listing_crawl.take_next()
    assert step
    with pywikibot_client.wiki_site() as site:
        page = listing_read_page.read_page(site, step)
    deny(mona, Kind.CATEGORY, "Marie Curie")
    with pytest.raises(Overtaken):
        listing_store.save_page(step, page)
    assert titles(project) == set()


@pytest.mark.waits
def test_files_in_a_denied_category_are_left_alone_whatever_brought_them(
    sandbox: RunningSandbox, project: Project, alice: User, mona: User,
    make_project: MakeProject, django_capture_on_commit_callbacks: object,
) -> None:  # fmt: skip
    add_files(project, CURIE)
    crawl()
    look()
    assert Embedding.objects.exists()
    entry = deny(mona, Kind.CATEGORY, "Portrait photographs of Marie Curie")
    other = deny(mona, Kind.CATEGORY, "Barack Obama")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        let_go.look_through()
    photo = Photo.objects.get()
    assert photo.state == Photo.State.DENIED
    assert not Embedding.objects.exists()
    assert not crops.path_of(Region.objects.get()).exists()
    with pytest.raises(Refused, match="denied"):
        add_photo(make_project(alice, "Q37463"), photo, alice)

    add_files(project, CURIE_1903)
    crawl()
    sources.recrawl(project, alice)
    crawl()
    assert titles(project) == {CURIE.removeprefix("File:")}, "no new one comes in either"
    photo.refresh_from_db()
    assert photo.state == Photo.State.DENIED

    denylist_changes.undeny(entry, mona, "No reason left")
    sandbox.faults.add("cut-before", {"action": "query"}, times=1)
    let_go.look_through()
    assert Photo.objects.get().state == Photo.State.DENIED, "who knows: ask again later"
    let_go.look_through()
    assert Photo.objects.get().state == Photo.State.LIVE
    denylist_changes.undeny(other, mona, "No reason left")
    sources.recrawl(project, alice)
    crawl()
    look()
    assert len(titles(project)) == 2
    assert Embedding.objects.exists()


def test_taking_an_entry_off_is_written_down(mona: User, client_of: ClientOf) -> None:
    entry = deny(mona, Kind.CATEGORY, "Marie Curie")
    address = reverse("admin:projects_denyentry_delete", args=[entry.pk])
    assert "category Marie Curie" in client_of(mona).get(address).content.decode()
    page = client_of(mona).post(address, {"post": "yes", "reason": " "}, follow=True)
    assert "Say why" in page.content.decode()
    assert DenyEntry.objects.exists()
    client_of(mona).post(address, {"post": "yes", "reason": "It was a statue"})
    assert not DenyEntry.objects.exists()
    event = AuditEvent.objects.get(action="deny.removed")
    assert (event.actor, event.target) == (mona, "category:Marie Curie")
    assert event.data == {"reason": "It was a statue", "was": "asked for"}
    page = client_of(mona).get(reverse("admin:projects_denyentry_changelist"))
    assert 'value="delete_selected"' not in page.content.decode(), "no way around the reason"
