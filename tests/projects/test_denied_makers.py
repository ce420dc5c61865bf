"""The deny-list takes uploaders and authors: all their files are left alone, and stay so."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from classify.models import Question
from core.user_errors import Refused
from core.work import WorkState
from crawler import denylist as let_go
from crawler.models import CrawlStep, Embedding, Photo, Region
from crawler.pictures import crops
from projects.models import AuditEvent, DenyEntry, Objection, Project, Source, User
from projects.privacy import denylist, denylist_changes
from projects.privacy.objection_targets import read_target
from sandbox import RunningSandbox
from sdc.batches import services as batches
from sdc.models import ClaimAttempt
from sdc.writing.reasons import Reason
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import CURIE, CURIE_1903, add_files, crawl, look, photo, titles
from tests.sdc.conftest import (  # noqa: F401  # fixtures
    Make,
    WikiItself,
    confirmed,
    quick_pace,
    said_yes,
    send,
    wiki,
)
from tests.sdc.test_last_word import before_the_call

pytestmark = pytest.mark.django_db
Kind = DenyEntry.Kind


@pytest.fixture
def project(alice: User, make_project: MakeProject) -> Project:
    return make_project(alice, "Q7186", [])


def deny(by: User, kind: str, value: str) -> DenyEntry:
    entry = DenyEntry(kind=kind, value=value, reason="asked for")
    denylist_changes.deny(entry, by)
    return entry


def maker(kind: str, title: str) -> str:
    """As the wiki says of a file that is here."""
    held = photo(title)
    found = held.uploader if kind == Kind.UPLOADER else held.author
    assert found
    return found


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("uploader", "User:archivist_Anna", "Archivist Anna"),
        ("uploader", " archivist  Anna ", "Archivist Anna"),
        ("author", "  Henri   Manuel ", "Henri Manuel"),
        ("author", "self_portrait", "self_portrait"),
        ("author", "a" * 300, "a" * 255),
    ],
)
def test_names_are_written_alike(kind: str, typed: str, kept: str) -> None:
    assert denylist.normal(kind, typed) == kept
    assert denylist.normal(kind, kept) == kept
    denylist.check(kind, kept)


@pytest.mark.parametrize(
    ("kind", "value"), [("uploader", ""), ("uploader", "A|b"), ("uploader", "A/b"), ("author", "")]
)
def test_what_can_be_nobody_is_not_taken(kind: str, value: str) -> None:
    with pytest.raises(Refused):
        denylist.check(kind, value)


@pytest.mark.parametrize("kind", [Kind.UPLOADER, Kind.AUTHOR])
def test_their_files_never_come(
    kind: str, project: Project, mona: User, alice: User, make_project: MakeProject
) -> None:
    add_files(project, CURIE, CURIE_1903)
    crawl()
    name = maker(kind, CURIE)
    theirs = {
        each.title
        for each in Photo.objects.all()
        if (each.uploader if kind == Kind.UPLOADER else each.author) == name
    }
    Project.objects.update(state="archived")
    deny(mona, kind, name)
    later = make_project(alice, "Q937", [])
    add_files(later, CURIE, CURIE_1903)
    crawl()
    assert CURIE in theirs
    left = {CURIE, CURIE_1903} - theirs
    assert titles(later) == {title.removeprefix("File:") for title in left}


@pytest.mark.engine
@pytest.mark.parametrize("kind", [Kind.UPLOADER, Kind.AUTHOR])
def test_what_is_here_goes_at_once_and_comes_back(
    kind: str, project: Project, mona: User, django_capture_on_commit_callbacks: Any
) -> None:
    add_files(project, CURIE)
    crawl()
    look()
    held = photo(CURIE)
    region = Region.objects.filter(picture=held.picture).first()
    assert region
    assert crops.path_of(region).exists()
    assert Embedding.objects.exists()
    Question.objects.create(subject=project.subject, photo=held, region=region, rank=1)
    with django_capture_on_commit_callbacks(execute=True):
        entry = deny(mona, kind, maker(kind, CURIE))
    held.refresh_from_db()
    assert held.state == Photo.State.DENIED
    assert not Embedding.objects.exists()
    assert not crops.path_of(region).exists()
    assert not Question.objects.exists()
    let_go.look_through()
    assert photo(CURIE).state == Photo.State.DENIED
    denylist_changes.undeny(entry, mona, "They agreed")
    assert photo(CURIE).state == Photo.State.LIVE
    event = AuditEvent.objects.get(action="deny.removed")
    assert event.data["reason"] == "They agreed"


def test_one_entry_gone_the_other_still_stands(project: Project, mona: User) -> None:
    add_files(project, CURIE)
    crawl()
    first = deny(mona, Kind.UPLOADER, maker(Kind.UPLOADER, CURIE))
    deny(mona, Kind.AUTHOR, maker(Kind.AUTHOR, CURIE))
    denylist_changes.undeny(first, mona, "only the author")
    assert photo(CURIE).state == Photo.State.DENIED


def test_a_file_that_gets_such_an_author_later_is_left_alone_then(
    project: Project, mona: User
) -> None:
    """The wiki says so when the file is read again."""
    add_files(project, CURIE)
    crawl()
    name = maker(Kind.AUTHOR, CURIE)
    Photo.objects.update(author="Somebody else")
    deny(mona, Kind.AUTHOR, name)
    assert photo(CURIE).state == Photo.State.LIVE
    CrawlStep.objects.update(state=WorkState.QUEUED, cursor={})
    crawl()
    assert photo(CURIE).state == Photo.State.DENIED


def test_their_uploads_are_no_source(
    project: Project, mona: User, fresh_sandbox: RunningSandbox
) -> None:
    source = Source.objects.create(project=project, kind="uploader", value="Archivist Anna")
    step = CrawlStep.objects.create(source=source, title="Archivist Anna")
    entry = deny(mona, Kind.UPLOADER, "Archivist Anna")
    step.refresh_from_db()
    assert (step.state, step.error) == (WorkState.ASIDE, "denied")
    crawl()
    assert not Photo.objects.filter(uploader="Archivist Anna").exists()
    denylist_changes.undeny(entry, mona, "They agreed")
    crawl()
    assert Photo.objects.filter(uploader="Archivist Anna").exists()


@pytest.mark.parametrize("when", ["at the preview", "right before the call"])
@pytest.mark.parametrize("kind", [Kind.UPLOADER, Kind.AUTHOR])
def test_nothing_of_theirs_is_sent(
    kind: str,
    when: str,
    project: Project,
    alice: User,
    mona: User,
    said_yes: Make,  # noqa: F811
    wiki: WikiItself,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [label] = said_yes(project)
    Photo.objects.filter(pk=label.photo_id).update(uploader="Kari N.", author="Kari N.")
    if when == "at the preview":
        deny(mona, kind, "Kari N.")
        batch = batches.prepare_batch(project, alice)
        assert not batch.attempts.filter(outcome=ClaimAttempt.Outcome.PLANNED).exists()
        return
    batch = confirmed(project, alice)
    before_the_call(monkeypatch, lambda: deny(mona, kind, "Kari N."))
    send()
    send()
    assert wiki.edits() == []
    assert batch.attempts.get().reason == Reason.DENIED


# Asking for it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "kind", "read"),
    [
        ("https://commons.wikimedia.org/wiki/User:Archivist_Anna", "person",
         ("uploader", "Archivist Anna")),
        ("archivist Anna", "uploader", ("uploader", "Archivist Anna")),
        ("Henri  Manuel", "author", ("author", "Henri Manuel")),
    ],
)  # fmt: skip
def test_the_form_understands_them(about: str, kind: str, read: tuple[str, str]) -> None:
    assert read_target(about, kind) == read


@pytest.mark.parametrize("kind", [Kind.UPLOADER, Kind.AUTHOR])
def test_an_objection_pauses_all_of_theirs_and_is_followed_in_one_click(
    kind: str, project: Project, mona: User, client_of: ClientOf
) -> None:
    add_files(project, CURIE, CURIE_1903)
    crawl()
    name = maker(kind, CURIE)
    form = client_of(None).get(reverse("object")).content.decode()
    assert "All photos that somebody uploaded, such as yours" in form
    said = {"kind": kind, "about": name, "message": "These are my photos"}
    client_of(None).post(reverse("object"), said)
    made = Objection.objects.get()
    assert photo(CURIE).paused_until == made.pauses_until
    address = reverse("admin:projects_objection_changelist")
    ticked = {"action": "follow", "_selected_action": [made.pk], "reason": "Of course."}
    client_of(mona).post(address, ticked)
    entry = DenyEntry.objects.get()
    assert (entry.kind, entry.value) == (kind, name)
    assert photo(CURIE).state == Photo.State.DENIED


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("uploader", "Benutzer:Kari N.", "Kari N."),
        ("uploader", "https://commons.wikimedia.org/wiki/User:Kari_N.", "Kari N."),
        ("file", "Datei:Foo.jpg", "File:Foo.jpg"),
        ("file", "Category:Foo", None),
        ("uploader", "Q937", None),
    ],
)
def test_the_form_of_moderators_reads_as_that_of_objections(
    kind: str, value: str, kept: str | None, mona: User, client_of: ClientOf
) -> None:
    """An entry that nothing can match would be a false promise."""
    add = reverse("admin:projects_denyentry_add")
    page = client_of(mona).post(add, {"kind": kind, "value": value, "reason": "asked"})
    assert DenyEntry.objects.filter(kind=kind, value=kept or "").exists() == bool(kept)
    assert (kept is None) == ("something of another kind" in page.content.decode())


def test_moderators_add_them_by_the_form(mona: User, client_of: ClientOf) -> None:
    add = reverse("admin:projects_denyentry_add")
    page = client_of(mona).get(add).content.decode()
    assert "whose version of now they uploaded" in page
    client_of(mona).post(add, {"kind": "uploader", "value": "User:kari_N.", "reason": "asked"})
    client_of(mona).post(add, {"kind": "author", "value": " Kari  N. ", "reason": "asked"})
    found = set(DenyEntry.objects.values_list("kind", "value"))
    assert found == {("uploader", "Kari N."), ("author", "Kari N.")}
    listed = client_of(mona).get(reverse("admin:projects_denyentry_changelist"))
    assert "Kari N." in listed.content.decode()
    bad = client_of(mona).post(add, {"kind": "uploader", "value": "a|b", "reason": "asked"})
    assert "Name the user" in bad.content.decode()
