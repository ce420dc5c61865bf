"""A completed project: it congratulates and asks no more, what people do by themselves goes on."""

from uuid import uuid4

import pytest
from django.urls import reverse

from classify.asking import queue as asking_queue
from classify.asking import screens
from classify.asking.notify_members import call_back
from classify.models import Label, Question
from core.user_errors import Refused
from core.work import WorkState
from crawler.models import Picture, Region
from projects.lifecycle.services import set_state
from projects.models import AuditEvent, DenyEntry, Notification, Project, User
from projects.notifications.services import notify
from projects.privacy import denylist_changes
from tests.classify.crowd import look_at_all
from tests.classify.faces import add_photo, learn
from tests.conftest import ClientOf, MakeProject
from tests.wikivisage.conftest import give
from wikivisage.pages.overview import Next, overview

State = Project.State


def fresh(project: Project) -> Project:
    return Project.objects.with_subject().get(pk=project.pk)


def press(client_of: ClientOf, user: User, project: Project, deed: str) -> str:
    """The page that one lands on."""
    address = reverse("project-state", args=[project.public_id])
    answer = client_of(user).post(address, {"deed": deed, "next": "project"}, follow=True)
    return answer.content.decode()


def test_it_is_suggested_when_nothing_is_left_and_said_by_the_owner_alone(
    project: Project, faces: list[Region], alice: User, bob: User, client_of: ClientOf
) -> None:
    page = project.get_absolute_url()
    assert 'value="complete"' not in client_of(alice).get(page).content.decode()
    give(project, alice, "no", *faces)
    look_at_all(project, alice, lambda region: False)
    assert overview(fresh(project)).next == Next.DONE
    assert 'value="complete"' in client_of(alice).get(page).content.decode()
    assert 'value="complete"' not in client_of(bob).get(page).content.decode()
    address = reverse("project-state", args=[project.public_id])
    assert client_of(bob).post(address, {"deed": "complete"}).status_code == 403
    assert "Completed. Thank you!" in press(client_of, alice, project, "complete")
    assert fresh(project).state == State.COMPLETED
    assert AuditEvent.objects.filter(action="project.completed").exists()


def test_it_says_what_was_reached_and_asks_nobody(
    project: Project, faces: list[Region], alice: User, bob: User, client_of: ClientOf
) -> None:
    give(project, alice, "yes", *faces[:5])
    assert Question.objects.filter(subject=project.subject).exists()
    page = press(client_of, alice, project, "complete")
    for dt, dd in (("photos looked at", 8), ("faces confirmed", 5), ("people took part", 2)):
        assert f"<dt>{dt}</dt><dd>{dd}</dd>" in page
    project = fresh(project)
    assert (overview(project).next, overview(project).worth) == (Next.COMPLETED, 0)
    assert not {"first", "ask"} & dict(overview(project).also).keys()
    assert ("send", 5) in overview(project).also
    assert asking_queue.next_question(project, bob) is None
    assert screens.next_screen(project, bob) is None
    grid = client_of(bob).get(reverse("grid", args=[project.public_id])).content.decode()
    assert "This project is completed" in grid
    call_back(project)
    assert not Notification.objects.exists()
    assert "Answer the first" not in press(client_of, alice, project, "reopen")
    assert overview(fresh(project)).next == Next.ASK, "its questions were kept"


def test_faces_are_still_reviewed_taken_back_and_learned_from(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    give(project, alice, "yes", *faces[:4])
    set_state(project, alice, State.COMPLETED)
    approve = reverse("review-answer", args=[project.public_id])
    own = uuid4()
    sent = {"deed": "approve", "region": faces[5].public_id, "uuid": own, "client_uuid": uuid4()}
    assert client_of(alice).post(approve, sent).status_code in (200, 302)
    label = Label.objects.get(subject=project.subject, region=faces[5])
    assert label.verdict == "yes"
    learn(project)
    assert fresh(project).revision == project.learner.revision
    undo = reverse("undo", args=[project.public_id])
    client_of(alice).post(undo, {"target": own, "client_uuid": uuid4()})
    assert not Label.objects.filter(subject=project.subject, region=faces[5]).exists()


def test_new_photos_wait_and_offer_to_open_it_again(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    press(client_of, alice, project, "complete")
    photo, _ = add_photo(project, [])
    Picture.objects.filter(pk=photo.picture_id).update(state=WorkState.QUEUED)
    notify([alice], fresh(project), Notification.Kind.UPLOADS, count=1)
    assert "Open the project again" in client_of(alice).get("/notifications").content.decode()
    page = client_of(alice).get(project.get_absolute_url()).content.decode()
    assert "that nobody has looked at yet waits" in page
    assert 'button primary big" id="open-again"' in page


def test_it_keeps_the_place_and_is_opened_again_as_it_was(
    project: Project, alice: User, make_project: MakeProject, mona: User
) -> None:
    key = project.active_key
    set_state(project, alice, State.PAUSED)
    set_state(project, alice, State.COMPLETED)
    assert (fresh(project).state, fresh(project).active_key) == (State.COMPLETED, key)
    set_state(project, alice, State.ARCHIVED)
    set_state(project, alice, State.COMPLETED)
    assert fresh(project).state == State.ARCHIVED, "what is archived is opened again first"
    set_state(project, alice, State.ACTIVE)
    set_state(project, alice, State.COMPLETED)
    person = project.person
    entry = DenyEntry(wiki=person.wiki, kind=DenyEntry.Kind.PERSON, value=person.qid)
    denylist_changes.deny(entry, mona)
    assert fresh(project).state == State.PAUSED
    for state in (State.ACTIVE, State.COMPLETED):
        with pytest.raises(Refused):
            set_state(fresh(project), alice, state)


def test_lists_are_filtered_by_state_with_counts(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    make_project(alice, "Q76")
    make_project(alice, "Q937", state=State.COMPLETED)
    make_project(alice, "Q7186", state=State.ARCHIVED)

    def page(**asked: str) -> str:
        return client_of(None).get("/projects", asked).content.decode()

    every = page()
    for words in ("All 2", "Active 1", "Completed 1", "Archived 1"):
        assert f">{words}</a>" in every
    assert "Paused" not in every
    assert "Marie Curie" not in every
    done = page(state="completed")
    assert "Albert Einstein" in done
    assert "Barack Obama" not in done
    assert "Marie Curie" in page(state="archived")
    assert "Barack Obama" in page(state="nonsense")
    assert ">Active 1</a>" in page(q="obama", state="active")
