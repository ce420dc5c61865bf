"""For whom there may be projects: adults whom the world knows; moderators decide the rest."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from core.user_errors import Refused
from projects.creation import person_lookup
from projects.creation.services import create_project
from projects.creation.source_lookup import Place
from projects.lifecycle.services import set_state
from projects.models import Admission, AuditEvent, DenyEntry, Person, Project, User
from projects.privacy import admission_requests, admissions
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject

pytestmark = pytest.mark.django_db
CHILD, UNKNOWN = "Q990000040", "Q990000041"  # made-up persons of the sandbox
PLACE = [Place("category", "Marie Curie", 0)]


def person(**fields: object) -> Person:
    known = {"portrait": "File:A.jpg", "born_to": date(1950, 1, 1), "sitelinks": 9}
    return Person(qid="Q5", **(known | fields))


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({}, None),
        ({"portrait": ""}, None),
        ({"sitelinks": 2}, None),
        ({"sitelinks": 2, "portrait": ""}, "little-known"),
        ({"sitelinks": 2, "born_to": None}, "little-known"),
        ({"sitelinks": 2, "born_to": None, "died_from": date(1900, 1, 1)}, None),
        ({"born_to": None}, None),
        ({"born_to": timezone.now().date() - timedelta(days=17 * 365)}, "minor"),
        ({"born_to": timezone.now().date() - timedelta(days=19 * 365)}, None),
        ({"born_to": date(2099, 12, 31)}, "minor"),  # “21st century”
        ({"born_to": date(2020, 1, 1), "died_from": date(2022, 1, 1)}, None),
    ],
)
def test_whom_moderators_decide_about(fields: dict[str, object], cause: str | None) -> None:
    assert admissions.cause_of(person(**fields)) == cause


@pytest.mark.parametrize(("qid", "name"), [(CHILD, "Lina"), (UNKNOWN, "Tor Knapt")])
def test_a_moderator_allows_or_refuses_and_whoever_asked_hears_of_it(
    sandbox: RunningSandbox, alice: User, mona: User, client_of: ClientOf, qid: str, name: str
) -> None:
    shown = [hit.qid for hit in person_lookup.search_people(name, "en")]
    with pytest.raises(Refused) as refused:
        create_project(alice, qid, PLACE)
    asking = reverse("admission", args=[qid])
    assert refused.value.url == asking
    assert shown == ([UNKNOWN] if qid == UNKNOWN else []), "children are not suggested"
    page = client_of(alice)
    page.post(asking, {"note": "A film of 2025"})
    asked = Admission.objects.get()
    assert (asked.state, asked.asked_by, asked.note) == ("waiting", alice, "A film of 2025")
    assert "have not decided yet" in page.get(asking).content.decode()

    desk = client_of(mona)
    assert "1 person more waits" in desk.get(reverse("notifications")).content.decode()
    heard = desk.get(reverse("notification", args=[mona.notifications.get().pk]), follow=True)
    assert heard.context["cl"].result_count == 1
    assert "Persons about whom" in desk.get(reverse("admin:index")).content.decode()
    changelist = reverse("admin:projects_admission_changelist")
    ticked = {"_selected_action": [asked.pk]}
    desk.post(changelist, ticked | {"action": "allow", "reason": ""})
    asked.refresh_from_db()
    assert asked.state == "waiting", "a reason is asked for"
    desk.post(changelist, ticked | {"action": "allow", "reason": "An actor in public"})
    told = page.get(reverse("notifications")).content.decode()
    assert "you may start a project for" in told
    project = create_project(alice, qid, PLACE)

    desk.post(changelist, ticked | {"action": "refuse", "reason": "The parents asked"})
    project.refresh_from_db()
    assert project.state == Project.State.PAUSED
    assert DenyEntry.objects.get().value == qid
    with pytest.raises(Refused):
        person_lookup.read_person(qid)
    with pytest.raises(Refused):
        set_state(project, alice, Project.State.ACTIVE)
    assert [event.action for event in AuditEvent.objects.filter(target=f"person:{qid}")] == [
        "admission.asked", "admission.allowed", "project.created", "admission.refused",
        "deny.added",
    ]  # fmt: skip


def test_a_project_pauses_when_its_person_turns_out_to_be_a_child(
    alice: User, mona: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q76", [])
    child = project.person
    Person.objects.filter(pk=child.pk).update(born_to=timezone.now().date())
    child.refresh_from_db()
    admission_requests.look_again(child)
    project.refresh_from_db()
    assert project.state == Project.State.PAUSED
    asked = Admission.objects.get()
    assert (asked.state, asked.cause) == ("waiting", "minor")
    assert admission_requests.allow(asked, mona, "the date was wrong")
    assert not DenyEntry.objects.exists()
    set_state(project, alice, Project.State.ACTIVE)
    admission_requests.look_again(child)
    project.refresh_from_db()
    assert project.state == Project.State.ACTIVE, "what was allowed stays so"


def test_who_was_allowed_as_little_known_is_looked_at_anew_when_they_turn_out_to_be_a_child(
    alice: User, mona: User, make_project: MakeProject
) -> None:
    child = make_project(alice, "Q76", []).person
    said = {"cause": "little-known", "state": "allowed", "decided_by": mona}
    Admission.objects.create(person=child, **said)
    admission_requests.look_again(child)
    assert Admission.objects.get().state == "allowed"
    Person.objects.filter(pk=child.pk).update(born_to=timezone.now().date())
    child.refresh_from_db()
    admission_requests.look_again(child)
    asked = Admission.objects.get()
    assert (asked.state, asked.cause, asked.decided_by) == ("waiting", "minor", None)
    assert DenyEntry.objects.get().value == "Q76"
