"""Objections: sent by anybody, read by moderators, tracked to their end, and then forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from projects.accounts.moderator_rights import set_moderator
from projects.models import Admission, AuditEvent, DenyEntry, Notification, Objection, Project, User
from projects.privacy import admission_requests, denylist_changes, objections
from projects.privacy.objection_targets import read_target
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import CURIE_1903
from tests.factories import make_moderator, make_person, make_user

pytestmark = pytest.mark.django_db
SECRET = "My name is Irène and I live in Paris"


@pytest.mark.parametrize(
    ("about", "kind", "read"),
    [
        ("Q7186", "file", ("person", "Q7186")),
        ("https://www.wikidata.org/wiki/Q7186", "person", ("person", "Q7186")),
        ("Marie Curie", "person", ("person", "Marie Curie")),
        ("marie_Curie 1903.jpg", "file", ("file", "File:Marie Curie 1903.jpg")),
        ("https://commons.wikimedia.org/wiki/File:Marie_Curie_1903.jpg?x=1", "person",
         ("file", "File:Marie Curie 1903.jpg")),
        ("https://commons.wikimedia.org/wiki/Category:Caf%C3%A9s", "person",
         ("category", "Cafés")),
        ("", "other", ("other", "")),
        ("https://commons.wikimedia.org/w/index.php?title=File:Albert_Einstein_Head.jpg", "file",
         ("file", "File:Albert Einstein Head.jpg")),
        ("https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/Foo_1.jpg/800px-Foo_1.jpg",
         "file", ("file", "File:Foo 1.jpg")),
        ("https://upload.wikimedia.org/wikipedia/commons/a/ab/Foo.jpg", "person",
         ("file", "File:Foo.jpg")),
        ("upload.wikimedia.org/wikipedia/commons/a/ab/Foo.jpg", "file", ("file", "File:Foo.jpg")),
        ("https://commons.wikimedia.org/wiki/Category:X#/media/File:Foo_1.jpg", "file",
         ("file", "File:Foo 1.jpg")),
        ("https://commons.wikimedia.org/wiki/Category:X#/media/File:Foo.jpg", "category",
         ("category", "X")),
        ("https://de.wikipedia.org/wiki/Marie_Curie#/media/Datei:Foo.jpg", "file",
         ("file", "File:Foo.jpg")),
        ("commons.wikimedia.org/wiki/File:Foo.jpg", "file", ("file", "File:Foo.jpg")),
        ("//commons.m.wikimedia.org/wiki/File:Foo.jpg", "file", ("file", "File:Foo.jpg")),
        ("https://de.wikipedia.org/wiki/Datei:Foo.jpg", "file", ("file", "File:Foo.jpg")),
        ("https://ru.wikipedia.org/wiki/%D0%A4%D0%B0%D0%B9%D0%BB:Foo.jpg", "person",
         ("file", "File:Foo.jpg")),
        ("Fichier : foo.jpg", "file", ("file", "File:Foo.jpg")),
        ("Catégorie:Cafés", "person", ("category", "Cafés")),
        ("Kategorie:Cafés", "category", ("category", "Cafés")),
        ("https://commons.wikimedia.org/wiki/Special:FilePath/Foo.jpg", "file",
         ("file", "File:Foo.jpg")),
        ("https://commons.wikimedia.org/wiki/Special:Contributions/Kari", "uploader",
         ("uploader", "Kari")),
        ("https://commons.wikimedia.org/wiki/User_talk:Kari", "person", ("uploader", "Kari")),
        ("File talk:Foo.jpg", "person", ("file", "File:Foo.jpg")),
        ("https://www.wikidata.org/w/index.php?title=Q7186", "person", ("person", "Q7186")),
        ("www.wikidata.org/entity/Q7186", "person", ("person", "Q7186")),
        ("https://commons.wikimedia.org/wiki/File:Q42_(1903).jpg", "file",
         ("file", "File:Q42 (1903).jpg")),
        ("Bild: Max", "author", ("author", "Bild: Max")),
        ("https://flickr.com/photos/max", "author", ("author", "https://flickr.com/photos/max")),
        # as people write them
        ("[[File:Foo.jpg]]", "person", ("file", "File:Foo.jpg")),
        ("[[:File:foo.jpg|a photo of me]]", "person", ("file", "File:Foo.jpg")),
        ("[[User:Foo]]", "person", ("uploader", "Foo")),
        ("<https://commons.wikimedia.org/wiki/File:Foo.jpg>", "file", ("file", "File:Foo.jpg")),
        ("https://commons.wikimedia.org/wiki/File:Foo.jpg.", "file", ("file", "File:Foo.jpg")),
        ("see https://commons.wikimedia.org/wiki/File:Foo.jpg, please", "file",
         ("file", "File:Foo.jpg")),
        ('"Foo.jpg"', "file", ("file", "File:Foo.jpg")),
        ("Foo.jpg", "person", ("file", "File:Foo.jpg")),
        ("@Foo", "uploader", ("uploader", "Foo")),
        ("User:Foo/gallery", "person", ("uploader", "Foo")),
        ("https://commons.wikimedia.org/wiki/Special:ListFiles?user=Foo_Bar", "uploader",
         ("uploader", "Foo Bar")),
        ("Albert Einstein (Q937)", "person", ("person", "Q937")),
        ("wikidata:Q937", "person", ("person", "Q937")),
        ("by Max, https://example.org/a", "author", ("author", "by Max, https://example.org/a")),
        # addresses that lead to nothing which could be paused
        ("https://commons.wikimedia.org/w/index.php?curid=12", "file", ("file", "")),
        ("https://en.wikipedia.org/wiki/Marie_Curie", "file", ("file", "")),
        ("https://flickr.com/photos/max.jpg", "file", ("file", "")),
        ("https://[x/wiki/File:Foo.jpg", "file", ("file", "")),
    ],
)  # fmt: skip
def test_what_people_paste_is_understood(about: str, kind: str, read: tuple[str, str]) -> None:
    assert read_target(about, kind) == read


def test_a_long_title_in_another_script_is_not_cut(client_of: ClientOf) -> None:
    """Each of its letters is six characters in a copied address."""
    title = f"File:{'Памятник ' * 12}.jpg".replace(" .", ".")
    address = f"https://commons.wikimedia.org/wiki/{quote(title.replace(' ', '_'))}"
    assert len(address) > 600
    assert send(client_of, kind="file", about=address).value == title
    form = client_of(None).get(reverse("object"), {"about": address})
    assert address in form.content.decode()


@pytest.mark.waits
@pytest.mark.parametrize(
    ("about", "kind", "page_id"),
    [
        ("M7", "file", 7),
        ("M7", "person", 7),
        ("M7", "uploader", None),
        ("M7", "category", None),
        ("https://commons.wikimedia.org/wiki/Special:EntityPage/M7?uselang=de", "person", 7),
    ],
)
def test_a_page_id_is_kept_while_the_wiki_does_not_answer(
    about: str, kind: str, page_id: int | None, sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    sandbox.faults.add("http", status=503, times=20)
    made = send(client_of, kind=kind, about=about)
    assert (made.value, made.page_id) == ("M7", page_id)
    assert made.pauses_until


def test_what_was_accepted_in_words_alone_is_not_said_to_be_left_alone(
    mona: User, client_of: ClientOf
) -> None:
    made = send(client_of, kind="other", about="the photos of my school")
    objections.uphold(made, mona, "We asked the uploader.")
    page = client_of(None).get(reverse("objection", args=[made.code])).content.decode()
    assert "The answer says what was done." in page
    assert "no longer uses it" not in page


@pytest.mark.parametrize("about", ["", "Marie Curie", "https://en.wikipedia.org/wiki/Marie_Curie"])
def test_looking_at_the_form_reads_nobodys_names(
    about: str, alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    """Looking is not limited, and names are searched through all public projects."""
    make_project(alice, "Q7186", [])
    with CaptureQueriesContext(connection) as asked:
        client_of(None).get(reverse("object"), {"about": about})
    assert not [each["sql"] for each in asked if "labels" in each["sql"]]


def test_an_address_that_can_not_be_read_pauses_nothing_and_is_kept_for_moderators(
    client_of: ClientOf,
) -> None:
    address = "https://commons.wikimedia.org/w/index.php?curid=12"
    made = send(client_of, kind="file", about=address)
    assert (made.value, made.pauses_until) == ("", None)
    words = objections.words(made)
    assert words
    assert words.message == f"{address}\n\n{SECRET}"
    shown = client_of(None).get(reverse("objection", args=[made.code])).content.decode()
    assert "We could not tell which page you mean" in shown
    assert "nothing is paused for it now" in shown
    assert "curid" not in shown


def test_what_was_pasted_is_sealed_where_it_was_read_as_something_else(
    client_of: ClientOf,
) -> None:
    address = "commons.wikimedia.org/wiki/Category:X#/media/File:Foo.jpg"
    made = send(client_of, kind="file", about=address)
    assert (made.value, bool(made.pauses_until)) == ("File:Foo.jpg", True)
    words = objections.words(made)
    assert words
    assert words.message.startswith(address)
    same = objections.words(send(client_of, kind="file", about="File:Foo.jpg"))
    assert same
    assert same.message == SECRET, "nothing to add"


def send(client_of: ClientOf, **fields: str) -> Objection:
    said = {"kind": "person", "message": SECRET, "contact": "irene@example.org"} | fields
    response = client_of(None).post(reverse("object"), said)
    assert response.status_code == 302
    return Objection.objects.latest("pk")


@pytest.mark.django_db(transaction=True)
def test_of_several_at_once_one_pauses_and_counts_as_a_pause(shared_database: str) -> None:
    """Each has a connection of its own; all begin together."""
    times, asked = 8, []
    start = threading.Barrier(times)

    def may_pause() -> bool:
        asked.append(True)
        return True

    def lodge(_number: int) -> None:
        start.wait(30)
        objections.lodge("Q7186", "person", SECRET, may_pause=may_pause)
        connection.close()

    with ThreadPoolExecutor(times) as pool:
        list(pool.map(lodge, range(times)))
    lodged = Objection.objects.filter(value="Q7186")
    assert lodged.count() == times
    assert lodged.exclude(pauses_until=None).count() == 1
    assert len(asked) == 1
    paused = [each.data["paused"] for each in AuditEvent.objects.filter(action="objection.lodged")]
    assert sorted(paused) == [False] * (times - 1) + [True]


def test_it_is_followed_in_one_click_and_nobody_else_reads_it(
    alice: User, mona: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, "Q7186", [])
    assert "?about=Q7186" in client_of(None).get(project.get_absolute_url()).content.decode()
    made = send(client_of, about="Q7186")
    assert SECRET.encode() not in bytes(made.message)
    status = reverse("objection", args=[made.code])
    shown = client_of(None).get(status).content.decode()
    assert "waits for a moderator" in shown
    assert SECRET not in shown
    assert client_of(alice).get(reverse("objection", args=["nonsense"])).status_code == 404

    desk, changelist = client_of(mona), reverse("admin:projects_objection_changelist")
    page = reverse("admin:projects_objection_change", args=[made.pk])
    assert SECRET not in desk.get(changelist).content.decode()
    opened = desk.get(page).content.decode()
    assert SECRET in opened
    assert "irene@example.org" in opened
    assert project.get_absolute_url() in opened, "what following it stops"
    assert SECRET not in client_of(alice).get(page, follow=True).content.decode()
    ticked = {"_selected_action": [made.pk]}
    assert desk.post(changelist, {"_selected_action": "abc", "action": "take"}).status_code == 302
    desk.post(changelist, ticked | {"action": "take"})
    assert "is looking at it" in client_of(None).get(status).content.decode()
    desk.post(changelist, ticked | {"action": "follow", "reason": "Done, and sorry."})
    shown = client_of(None).get(status).content.decode()
    assert "Accepted. This tool no longer uses it." in shown
    assert "Done, and sorry." in shown
    assert DenyEntry.objects.get().value == "Q7186"
    project.refresh_from_db()
    assert project.state == Project.State.PAUSED
    deeds = AuditEvent.objects.filter(target=f"objection:{made.pk}")
    assert [deed.action.partition(".")[2] for deed in deeds] == ["lodged", "in-work", "upheld"]
    assert SECRET not in str([deed.data for deed in AuditEvent.objects.all()])


def test_a_name_is_followed_under_its_q_id_and_a_file_under_its_page(
    sandbox: RunningSandbox, mona: User, client_of: ClientOf
) -> None:
    by_name = send(client_of, about="Marie Curie")
    desk, changelist = client_of(mona), reverse("admin:projects_objection_changelist")
    deed = {"_selected_action": [by_name.pk], "action": "follow", "reason": "Yes"}
    desk.post(changelist, deed)
    by_name.refresh_from_db()
    assert by_name.state == "open", "a name is nothing that the list can hold"
    here = deed | {"page": by_name.pk, "reason": "We are sorry."}
    typed = desk.post(changelist, here, follow=True).content.decode()
    assert 'value="We are sorry."' in typed, "what was typed is not lost"
    change = reverse("admin:projects_objection_change", args=[by_name.pk])
    assert "We are sorry." not in desk.get(change).content.decode()
    desk.post(changelist, deed | {"value": "Q7186"})
    desk.post(changelist, deed | {"_selected_action": [send(client_of, about=CURIE_1903).pk]})
    page = sandbox.world.page("commons", CURIE_1903)
    assert page
    assert [*DenyEntry.objects.order_by("pk").values_list("value", "page_id")] == [
        ("Q7186", None), (CURIE_1903, page.id),
    ]  # fmt: skip


def test_moderators_hear_of_it_once_until_they_look_unless_they_turned_it_off(
    alice: User, mona: User, client_of: ClientOf
) -> None:
    deaf = make_moderator(make_user("Deaf", muted=["objected"]))
    account = reverse("account")
    assert 'value="objected"' in client_of(mona).get(account).content.decode()
    assert 'value="objected"' not in client_of(alice).get(account).content.decode()
    client_of(alice).post(reverse("notifications-wanted"), {"kind": ["ready"]})
    assert "objected" not in User.objects.get(pk=alice.pk).muted, "nobody turns off the unseen"
    for about in ("Q7186", "Q937"):
        send(client_of, about=about)
    told = Notification.objects.get()
    assert (told.user, told.project, told.data) == (mona, None, {"n": 2})
    assert not deaf.notifications.exists()
    page = client_of(mona).get(reverse("notifications")).content.decode()
    assert "2 new objections wait" in page
    assert "2 objections</span></a>" in page, "and in the header"
    assert "2 objections" not in client_of(alice).get(account).content.decode()
    desk = client_of(mona).get(reverse("notification", args=[told.pk]), follow=True)
    assert desk.context["cl"].result_count == 2
    metrics = client_of(None).get(reverse("metrics")).content.decode()
    assert 'wikivisage_objections{standing="open"} 2.0' in metrics
    assert 'wikivisage_objections{standing="overdue"} 0.0' in metrics


def test_a_new_moderator_hears_of_what_waits(
    alice: User, bob: User, mona: User, client_of: ClientOf
) -> None:
    for about in ("Q7186", "Q937"):
        send(client_of, about=about)
    objections.decline(send(client_of, about="Q42"), mona, "no")
    person = make_person("Q1")
    Admission.objects.create(person=person, cause=Admission.Cause.MINOR, asked_by=alice)
    make_moderator(bob)
    set_moderator(bob, True)  # at each login
    told = {each.kind: each.data for each in bob.notifications.all()}
    assert told == {"objected": {"n": 2}, "wanted": {"n": 1}}


@pytest.mark.django_db(transaction=True)
def test_moderators_hear_of_it_where_tests_empty_the_tables(client_of: ClientOf) -> None:
    mona = make_moderator(make_user("Mona"))
    send(client_of, about="Q7186")
    assert Notification.objects.get().user == mona


def test_what_is_late_is_shown_and_what_is_closed_is_forgotten_in_time(
    mona: User, client_of: ClientOf
) -> None:
    made = send(client_of, about="Q7186")
    ago = timezone.now() - timedelta(days=8)
    Objection.objects.filter(pk=made.pk).update(created_at=ago)
    desk = client_of(mona).get(reverse("admin:index")).content.decode()
    assert "<strong>1</strong> <span>Objections that are overdue" in desk
    made.refresh_from_db()
    assert objections.decline(made, mona, "It is a statue.")
    assert objections.forget_closed() == 0
    Objection.objects.update(closed_at=timezone.now() - timedelta(days=91))
    assert objections.forget_closed() == 1
    made.refresh_from_db()
    assert (bytes(made.message), made.contact, made.value) == (b"", None, "")
    assert objections.forget_closed() == 0
    assert objections.words(made) is None
    assert "It is a statue." in client_of(None).get(
        reverse("objection", args=[made.code])
    ).content.decode()  # fmt: skip


def test_who_objected_reads_that_it_is_no_longer_left_alone(
    mona: User, client_of: ClientOf
) -> None:
    made = send(client_of, kind="other", about="a picture of mine")
    assert objections.uphold(made, mona, "Yes", "Category:Marie Curie")
    status, desk = reverse("objection", args=[made.code]), client_of(mona)
    entry = DenyEntry.objects.get()
    assert "This tool no longer uses it" in client_of(None).get(status).content.decode()
    page = reverse("admin:projects_denyentry_delete", args=[entry.pk])
    asked = desk.get(page).content.decode()
    assert "category Marie Curie" in asked
    assert reverse("admin:projects_objection_change", args=[made.pk]) in asked
    desk.post(page, {"post": "yes", "reason": "A street of that name"})
    shown = client_of(None).get(status).content.decode()
    assert "This tool no longer uses it" not in shown
    assert "moderators took it off the list" in shown
    assert "?about=Category:Marie%20Curie" in shown
    assert "A street" not in shown
    lifted = AuditEvent.objects.get(action="objection.lifted")
    assert (lifted.actor, lifted.target) == (mona, f"objection:{made.pk}")
    assert lifted.data == {"reason": "A street of that name"}
    denylist_changes.deny(DenyEntry(kind="category", value="Marie Curie"), mona)
    shown = client_of(None).get(status).content.decode()
    assert "put there again" in shown
    assert "Object again" not in shown


def test_what_somebody_asked_for_is_not_undone_by_allowing_projects(mona: User) -> None:
    asked = Admission.objects.create(person=make_person("Q7186"), cause="minor")
    denylist_changes.deny(
        DenyEntry(kind="person", value="Q7186", reason=admission_requests.FOUND_OUT), None
    )
    objections.uphold(objections.lodge("Q7186", "person", "Please"), mona, "Yes")
    assert admission_requests.allow(asked, mona, "Grown up")
    assert DenyEntry.objects.exists()
    assert Objection.objects.get().state == "upheld"


def test_an_objection_is_handled_on_its_own_page_with_one_true_message(
    mona: User, client_of: ClientOf
) -> None:
    made, other = send(client_of, about="Marie Curie"), send(client_of, about="Q7186")
    make_person("Q7186")
    desk, changelist = client_of(mona), reverse("admin:projects_objection_changelist")
    rows = desk.get(changelist).content.decode()
    assert f"#{made.pk}</a>" in rows
    assert "(named in its words)" in rows
    assert "Marie Curie<br>" in rows, "the label of who is known"
    page = reverse("admin:projects_objection_change", args=[made.pk])
    shown = desk.get(page).content.decode()
    assert "An article of Wikipedia is none of them" in shown

    def do(action: str, **fields: str) -> list[str]:
        what = {"_selected_action": made.pk, "page": made.pk, "action": action} | fields
        answer = desk.post(changelist, what, follow=True)
        assert answer.redirect_chain[-1][0] == page
        return [str(each) for each in answer.context["messages"]]

    article = "https://en.wikipedia.org/wiki/Marie_Curie"
    assert do("follow", reason="Yes", value=article) == [
        "A person is named by the Q-ID, such as Q7186."
    ]
    assert do("follow", value="Q7186") == ["Give a reason beside the menu."]
    assert do("take") == ["1 taken in work."]
    long = "So it is. " * 40
    assert do("decline", reason=long) == ["1 declined."]
    made.refresh_from_db()
    assert (made.state, made.answer) == ("declined", long.strip())
    assert 'name="action"' not in desk.get(page).content.decode(), "nothing more to do"
    other.refresh_from_db()
    assert other.state == "open"


@pytest.mark.parametrize("kind", ["person", "other"])
def test_words_that_name_no_page_are_sealed_and_shown_to_moderators_alone(
    mona: User, client_of: ClientOf, kind: str
) -> None:
    made = send(client_of, kind=kind, about="Irène, my daughter")
    stored = Objection.objects.filter(pk=made.pk).values_list().get()
    assert "daughter" not in str(stored)
    assert "daughter" not in client_of(None).get(
        reverse("objection", args=[made.code])
    ).content.decode()  # fmt: skip
    page = reverse("admin:projects_objection_change", args=[made.pk])
    opened = client_of(mona).get(page).content.decode()
    assert "Irène, my daughter" in opened
    assert SECRET in opened


@pytest.mark.parametrize(
    "wrong", [{"message": ""}, {"about": ""}, {"website": "http://spam"}, {"kind": "x"}]
)
def test_what_is_not_right_is_not_kept(client_of: ClientOf, wrong: dict[str, str]) -> None:
    said = {"kind": "person", "about": "Q1", "message": "Please"} | wrong
    assert client_of(None).post(reverse("object"), said).status_code == 422
    assert not Objection.objects.exists()
