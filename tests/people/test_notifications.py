"""The bell, the list, what is told once, what is muted, and calling people back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from classify.models import Answer, Look, Round
from classify.trust import apply as trust_apply
from crawler.models import Region
from projects.members import services as members
from projects.models import Membership, Notification, Project, User
from projects.notifications.services import KEPT, OF_MODERATORS, WAITS, notify, sweep
from tests.classify.conftest import Say, say
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import ClientOf, MakeProject

__all__ = ["say"]
pytestmark = pytest.mark.django_db
Kind = Notification.Kind
NOBODY_UNREAD, LIST = "bell-count", "/notifications"


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User, charlie: User) -> Project:
    return make_project(alice, members=[bob, charlie])


def test_the_bell_counts_the_list_leads_there_and_all_can_be_read(
    project: Project, make_project: MakeProject, alice: User, bob: User, client_of: ClientOf
) -> None:
    other = make_project(alice, "Q937", members=[bob])
    browser = client_of(bob)
    assert NOBODY_UNREAD not in browser.get("/how").content.decode()
    assert "Nothing new" in browser.get(LIST).content.decode()
    notify([bob], project, Kind.REVERTED, n=1)
    notify([bob], project, Kind.REVERTED, n=2)
    notify([bob], other, Kind.READY)
    cache.clear()  # the transaction of this test never ends
    page = browser.get("/how").content.decode()
    assert "Notifications: 2 unread" in page
    assert "bell-count" not in client_of(None).get("/how").content.decode()

    page = browser.get(LIST).content.decode()
    assert "3 statements that you sent for <bdi>Marie Curie</bdi>" in page
    assert page.index("Albert Einstein") < page.index("Marie Curie"), "the latest first"
    told = Notification.objects.get(kind=Kind.REVERTED)
    answer = browser.get(f"{LIST}/{told.pk}")
    assert answer["Location"] == f"/p/{project.public_id}/second-looks"
    told.refresh_from_db()
    assert told.read_at
    notify([bob], project, Kind.REVERTED, n=1)
    assert Notification.objects.filter(kind=Kind.REVERTED).count() == 2, "a new one by now"
    assert client_of(alice).get(f"{LIST}/{told.pk}").status_code == 404

    browser.post(f"{LIST}/read", {"told": "nonsense"})
    assert Notification.objects.filter(read_at=None).count() == 2
    browser.post(f"{LIST}/read")
    assert not Notification.objects.filter(read_at=None).exists()


def test_who_does_not_want_a_kind_is_not_told(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    browser = client_of(bob)
    browser.post("/account/notifications", {"kind": ["ready", "batch", "nonsense"]})
    bob.refresh_from_db()
    assert bob.muted == ["reverted", "uploads", "people", "omitted"]
    notify([bob], project, Kind.REVERTED, n=1)
    notify([bob], project, Kind.BATCH, code="abc", state="done", batches=1, written=3)
    assert [told.kind for told in Notification.objects.all()] == [Kind.BATCH]
    page = browser.get("/account").content.decode()
    assert page.count('name="kind"') == len(Kind) - len(OF_MODERATORS)
    assert page.count(" checked") == 2


def test_only_the_same_happening_again_becomes_one(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    def batch(code: str, of: str) -> None:
        notify([alice], project, Kind.BATCH, code=code, state="done", of=of, batches=1, written=10)

    notify([alice], project, Kind.PEOPLE, code="left-alone")
    for theirs in Membership.objects.exclude(user=alice).order_by("pk"):
        trust_apply.set_aside(theirs, Membership.Doubt.CONTRADICTS)
    batch("first", "add")
    batch("back", "undo")
    page = " ".join(client_of(alice).get(LIST).content.decode().split())
    for words in (
        "is left alone from now on",
        "The answers of <bdi>Bob</bdi>",
        "The answers of <bdi>Charlie</bdi>",
        "Your batch for <bdi>Marie Curie</bdi> is done. 10 statements written.",
        "is done. 10 statements taken back.",
    ):
        assert words in page, words
    batch("second", "add")
    assert alice.notifications.count() == 5
    page = client_of(alice).get(LIST).content.decode()
    assert "2 batches of yours" in page
    assert "20 statements written." in page


def test_a_long_list_is_paged_and_what_was_read_long_ago_goes(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    now = timezone.now()
    rows = [
        Notification(user=bob, project=project, kind=Kind.PEOPLE, data={"code": "reviewer"}, at=at)
        for at in [now - timedelta(minutes=n // 2) for n in range(70)]
    ]
    Notification.objects.bulk_create(rows)
    browser, seen, address = client_of(bob), 0, LIST
    for _page in range(3):
        answer = browser.get(address)
        seen += answer.content.decode().count("told-icon")
        address = f"{LIST}?before={answer.context['before'].replace('+', '%2B')}"
    assert (seen, answer.context["before"]) == (70, "")
    for nonsense in ("nonsense", "0001-01-01T00:00:00%2B23:59~1", "9999-12-31T23:59:59-23:59~1"):
        assert browser.get(f"{LIST}?before={nonsense}").context["first_page"], nonsense
    old = now - KEPT - timedelta(hours=1)
    Notification.objects.filter(pk__lte=rows[9].pk).update(read_at=old)
    Notification.objects.filter(pk=rows[10].pk).update(read_at=now)
    assert sweep() == 10
    Notification.objects.filter(pk=rows[11].pk).update(at=now - WAITS + timedelta(hours=1))
    Notification.objects.filter(pk=rows[12].pk).update(at=now - WAITS - timedelta(hours=1))
    assert sweep() == 1
    assert not Notification.objects.filter(pk=rows[12].pk).exists(), "unread for a year"
    assert Notification.objects.count() == 59


def test_everything_that_happens_to_a_member_has_a_sentence(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    browser = client_of(bob)

    def told() -> str:
        page = browser.get(LIST).content.decode()
        Notification.objects.all().delete()
        return page

    members.set_role(project, alice, bob, Membership.Role.REVIEWER)
    assert "You are a reviewer of" in told()
    members.set_role(project, alice, bob, Membership.Role.MEMBER)
    assert "You are a plain member of" in told()
    members.remove(project, alice, bob)
    assert "You are no member of" in told()
    members.ask(project, bob)
    assert "<bdi>Bob</bdi> asks to join" in client_of(alice).get(LIST).content.decode()
    members.decline(project, alice, bob)
    assert "did not let you in" in told()
    members.ask(project, bob)
    members.accept(project, alice, bob)
    assert "You were let into" in told()
    members.ban(project, alice, bob)
    assert "You are no member of" in told()
    members.unban(project, alice, bob)
    assert "You may join" in told()
    members.leave(Project.objects.get(), Membership.objects.get(user__wiki_username="Charlie").user)
    assert not Notification.objects.exists(), "what one does oneself one knows"


def test_a_private_project_that_is_closed_says_so_without_a_way_in(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    members.remove(Project.objects.get(), alice, bob)
    told = Notification.objects.get(user=bob)
    page = client_of(bob).get(f"{LIST}/{told.pk}", follow=True)
    assert "see that project any more" in page.content.decode()


def an_hour_passes() -> None:
    Answer.objects.update(created_at=timezone.now() - timedelta(hours=1))


def test_who_answered_before_is_called_back_once_a_day_when_work_waits_again(
    project: Project, alice: User, bob: User, charlie: User, say: Say
) -> None:
    cast = Cast()

    def add() -> None:
        _photo, [face] = add_photo(project, [cast.face("marie")])
        waiting.append(face)

    waiting: list[Region] = []
    for _ in range(3):
        add()
    learn(project)
    while waiting:
        say(bob, "yes", waiting.pop())
        learn(project)
    say(alice, "yes", add_photo(project, [cast.face("marie")])[1][0])
    learn(project)
    called = Notification.objects.filter(kind=Kind.READY)
    assert not called.exists(), "there was always something, and they were there"

    an_hour_passes()
    Look.objects.all().delete()
    Round.objects.all().delete()
    learner = learn(project)
    assert (learner.matches, round(learner.worth)) == (0, 0)
    add()
    learn(project)
    assert set(called.values_list("user", flat=True)) == {alice.pk, bob.pk}, "not who never did"

    say(bob, "yes", waiting.pop())
    learn(project)
    an_hour_passes()
    called.update(read_at=timezone.now(), unread_key=None)
    add()
    learn(project)
    assert called.count() == 2, "once a day"
