"""A project's settings: who may, what is allowed, what follows."""

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from projects.models import AuditEvent, Project, User
from tests.conftest import ClientOf, MakeProject

GOOD = {
    "visibility": "public",
    "joining": "invite",
    "rule": "exemplars",
    "threshold": "0.55",
    "min_confirmed": "7",
    "write_region": "on",
}


def test_what_the_owner_saves_is_saved_written_down_and_learned_from(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    answer = client_of(alice).post(f"/p/{project.public_id}/settings", GOOD)
    assert answer.status_code == 302
    fresh = Project.objects.get(pk=project.pk)
    assert (fresh.threshold, fresh.min_confirmed) == (0.55, 7)
    assert fresh.revision == project.revision + 1, "the learner must see it"
    event = AuditEvent.objects.get(action="project.settings")
    assert event.actor == alice
    assert event.data == {"threshold": 0.55, "min_confirmed": 7}


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("rule", "centroid", "centroid"),
        ("threshold", "0.5", 0.5),
        ("min_confirmed", "8", 8),
        ("bootstrap_counts", "on", True),
    ],
)
def test_each_setting_of_the_learner_is_seen_by_it(
    name: str,
    sent: str,
    kept: float | str,
    alice: User,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    project = make_project(alice, threshold=0.55, min_confirmed=7)
    client_of(alice).post(f"/p/{project.public_id}/settings", GOOD | {name: sent})
    fresh = Project.objects.get(pk=project.pk)
    assert getattr(fresh, name) == kept
    assert fresh.revision == project.revision + 1


def test_what_does_not_concern_learning_leaves_the_revision(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, threshold=0.55, min_confirmed=7)
    client_of(alice).post(f"/p/{project.public_id}/settings", GOOD | {"joining": "open"})
    fresh = Project.objects.get(pk=project.pk)
    assert (fresh.joining, fresh.revision) == ("open", project.revision)


def test_saving_nothing_new_writes_nothing_down(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, threshold=0.55, min_confirmed=7)
    client_of(alice).post(f"/p/{project.public_id}/settings", GOOD)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("threshold", "0.29"),
        ("threshold", "0.9"),
        ("threshold", "nan"),
        ("threshold", "inf"),
        ("threshold", ""),
        ("threshold", "0,6,"),
        ("min_confirmed", "0"),
        ("min_confirmed", "101"),
        ("min_confirmed", "5.5"),
        ("min_confirmed", "-1"),
        ("visibility", "secret"),
        ("joining", ""),
        ("rule", "dice"),
        ("rule", ""),
    ],
)
def test_a_wrong_value_gets_a_sentence_and_keeps_the_rest(
    field: str, value: str, alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    form = GOOD | {field: value}
    answer = client_of(alice).post(f"/p/{project.public_id}/settings", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'class="errors"' in page
    if field != "min_confirmed":
        assert 'value="7"' in page, "what was right is kept"
    fresh = Project.objects.get(pk=project.pk)
    assert (fresh.threshold, fresh.min_confirmed) == (0.6, 5)


def test_a_private_project_cannot_be_open_to_all(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    form = GOOD | {"visibility": "private", "joining": "open"}
    answer = client_of(alice).post(f"/p/{project.public_id}/settings", form)
    assert "joins it by invitation" in answer.content.decode()


def test_only_the_owner_sees_and_saves_settings(
    alice: User,
    bob: User,
    charlie: User,
    mona: User,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    project = make_project(alice, members=[bob])
    for path in ("settings", "state"):
        address = f"/p/{project.public_id}/{path}"
        for other in (bob, charlie, mona):
            assert client_of(other).post(address, GOOD | {"deed": "pause"}).status_code == 403
        assert client_of(None).post(address, GOOD).status_code == 401
    assert client_of(bob).get(f"/p/{project.public_id}/settings").status_code == 403
    assert client_of(None).get(f"/p/{project.public_id}/settings").status_code == 302
    assert Project.objects.get(pk=project.pk).state == Project.State.ACTIVE


def test_pause_and_resume(alice: User, make_project: MakeProject, client_of: ClientOf) -> None:
    project = make_project(alice)
    address = f"/p/{project.public_id}/state"
    page = client_of(alice).get(f"/p/{project.public_id}/settings").content.decode()
    assert page.count(f'action="{address}"') == 3  # to pause, to complete, to archive
    client_of(alice).post(address, {"deed": "pause"})
    assert Project.objects.get(pk=project.pk).state == Project.State.PAUSED
    page = client_of(alice).get(f"/p/{project.public_id}/settings").content.decode()
    assert "Resume" in page
    client_of(alice).post(address, {"deed": "resume"})
    assert Project.objects.get(pk=project.pk).state == Project.State.ACTIVE
    actions = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["project.paused", "project.active"]


@pytest.mark.parametrize(("state", "deed"), [("paused", "resume"), ("archived", "reopen")])
def test_a_project_that_goes_on_wakes_who_left_work_undone(
    state: str,
    deed: str,
    alice: User,
    make_project: MakeProject,
    client_of: ClientOf,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    project = make_project(alice, state=state)
    with django_capture_on_commit_callbacks() as wakes:
        client_of(alice).post(f"/p/{project.public_id}/state", {"deed": deed})
    woken = {wake.args[0] for wake in wakes}  # type: ignore[attr-defined]
    assert {"crawler.tidy", "crawler.crawl", "sdc.write"} <= woken


def test_archiving_wants_a_ticked_box_and_frees_the_place(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    address = f"/p/{project.public_id}/state"
    answer = client_of(alice).post(address, {"deed": "archive"}, follow=True)
    assert "Tick the box" in answer.content.decode()
    client_of(alice).post(address, {"deed": "archive", "sure": "on"})
    fresh = Project.objects.get(pk=project.pk)
    assert (fresh.state, fresh.active_key) == (Project.State.ARCHIVED, None)

    client_of(alice).post(address, {"deed": "pause"})  # from a page that was open before
    fresh.refresh_from_db()
    assert (fresh.state, fresh.active_key) == (Project.State.ARCHIVED, None)

    second = make_project(alice)  # the same person again
    answer = client_of(alice).post(address, {"deed": "reopen"}, follow=True)
    assert "another live project" in answer.content.decode()
    Project.objects.filter(pk=second.pk).update(state="archived", active_key=None)
    client_of(alice).post(address, {"deed": "reopen"})
    fresh.refresh_from_db()
    assert fresh.state == Project.State.ACTIVE
    assert fresh.active_key == f"{alice.pk}:{fresh.person.pk}"


def test_an_unknown_deed_changes_nothing(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    client_of(alice).post(f"/p/{project.public_id}/state", {"deed": "explode"})
    assert Project.objects.get(pk=project.pk).state == Project.State.ACTIVE
