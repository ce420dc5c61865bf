"""What people leave out of a project: by whom, how often, and put back by the owner."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from core.ratelimit import LIMITS, Limit
from core.user_errors import Refused
from core.work import WorkState
from crawler import omissions, services
from crawler.models import EmbedJob, Photo, Picture, ProjectPhoto, Region
from projects.models import AuditEvent, Membership, Notification, Project, User
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import make_pictures


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0 + 1)


@pytest.fixture
def project(alice: User, bob: User, make_project: MakeProject) -> Project:
    return make_project(alice, "Q1615", [], members=[bob])


def photos(project: Project, count: int, state: str = WorkState.ASIDE) -> list[Photo]:
    """With one picture each."""
    pictures = make_pictures(project, count)
    keys = [each.pk for each in pictures]
    Picture.objects.filter(pk__in=keys).update(state=state, error=Picture.Error.BROKEN)
    return list(Photo.objects.filter(picture__in=keys).select_related("picture").order_by("pk"))


def drawn(project: Project, photo: Photo, by: User) -> EmbedJob:
    region = services.draw_region(project, photo, (0.1, 0.1, 0.3, 0.3), by)
    EmbedJob.objects.filter(region=region).update(state=WorkState.ASIDE, error="broken")
    return EmbedJob.objects.get(region=region)


def address(name: str, project: Project, *more: str) -> str:
    return reverse(name, args=[project.public_id, *more])


def audits(project: Project) -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(project=project).order_by("pk")
    return [(str(each.actor), each.action, each.target) for each in rows]


def test_a_member_who_empties_a_project_is_stopped_named_and_undone(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    member, owner = client_of(bob), client_of(alice)
    aside = photos(project, 24)
    statuses = [
        member.post(address("photo-leave-out", project, each.public_id)).status_code
        for each in aside
    ]
    assert statuses == [302] * 20 + [429] * 4
    gone = ProjectPhoto.objects.filter(project=project, left_out=True)
    assert gone.count() == 20
    assert all(each.left_out_by == bob and each.left_out_at for each in gone.all())
    assert audits(project) == [("Bob", "photo.left-out", f"photo:{each.pk}") for each in aside[:20]]

    [told] = Notification.objects.filter(user=alice, kind=Notification.Kind.OMITTED)
    line = owner.get("/notifications").text
    assert "left 20 photos out of" in line
    page = owner.get(f"/notifications/{told.pk}", follow=True)
    assert page.request["PATH_INFO"] == address("set-aside", project)
    assert "20 photos left out" in page.text
    assert "Put all back" in page.text
    assert "Put all back" not in member.get(address("set-aside", project)).text

    put_back = address("put-back-all", project)
    assert member.post(put_back, {"user": bob.public_id}).status_code == 403
    assert gone.count() == 20
    assert owner.post(put_back, {"user": bob.public_id}).status_code == 302
    assert not gone.exists()
    assert not ProjectPhoto.objects.exclude(left_out_by=None, left_out_at=None).exists()
    assert audits(project)[20:] == [("Alice", "omissions.put-back", f"user:{bob.pk}")]
    assert AuditEvent.objects.latest("pk").data == {"photos": 20, "boxes": 0}


@pytest.mark.parametrize("role", ["reviewer", "owner"])
def test_reviewers_and_the_owner_may_leave_out_more(
    project: Project, alice: User, bob: User, client_of: ClientOf, role: str
) -> None:
    project.memberships.filter(user=bob).update(role=Membership.Role.REVIEWER)
    browser = client_of(alice if role == "owner" else bob)
    for each in photos(project, LIMITS["leave-out"].amount + 2):
        assert browser.post(address("photo-leave-out", project, each.public_id)).status_code == 302


def test_only_reviewers_and_owners_count_in_each_project_apart(
    project: Project, bob: User, make_project: MakeProject, alice: User, client_of: ClientOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    other = make_project(alice, "Q937", [], members=[bob])
    monkeypatch.setitem(LIMITS, "retry", Limit(3, 3600, trusted=2))

    def statuses(user: User, project: Project) -> list[int]:
        browser, url = client_of(user), address("photo-retry", project)
        return [browser.post(url).status_code for _ in range(3)]

    assert [statuses(bob, each) for each in (project, other)] == [[302] * 3, [429] * 3]
    assert [statuses(alice, each) for each in (project, other)] == [[302, 302, 429]] * 2


def test_plain_members_leave_out_only_what_was_set_aside(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    [seen] = photos(project, 1, WorkState.DONE)
    page = client_of(bob).post(address("photo-leave-out", project, seen.public_id), follow=True)
    assert "Only photos that were set aside can be left out." in page.text
    assert not ProjectPhoto.objects.filter(left_out=True).exists()
    assert audits(project) == []
    assert omissions.leave_out(project, seen, alice)
    assert not omissions.leave_out(project, seen, alice)
    assert len(audits(project)) == 1, "once"
    assert not Notification.objects.exists(), "the owner knows what they did"


@pytest.mark.parametrize("what", ["photo", "box", "back"])
def test_whose_answers_do_not_count_takes_nothing_away(
    project: Project, alice: User, bob: User, what: str
) -> None:
    [aside] = photos(project, 1)
    job = drawn(project, aside, alice)
    if what == "back":
        omissions.leave_out(project, aside, bob)
    Membership.objects.filter(user=bob).update(counts=False)

    def act() -> bool:
        if what == "photo":
            return omissions.leave_out(project, aside, bob)
        if what == "back":
            return omissions.put_back(project, aside, bob)
        return omissions.release_box(project, job, bob)

    with pytest.raises(Refused, match="not-counted"):
        act()
    Membership.objects.filter(user=bob).update(role=Membership.Role.REVIEWER)
    assert act(), "a reviewer's are looked at by others"


def test_plain_members_put_back_only_what_plain_members_left_out(
    project: Project, alice: User, bob: User, charlie: User, client_of: ClientOf
) -> None:
    Membership.objects.create(project=project, user=charlie)
    of_owner, of_bob, of_nobody = photos(project, 3)
    omissions.leave_out(project, of_owner, alice)
    omissions.leave_out(project, of_bob, bob)
    omissions.leave_out(project, of_nobody, bob)
    omissions.left_out(project).filter(photo=of_nobody).update(left_out_by=None)
    browser = client_of(charlie)
    shown = browser.get(address("set-aside", project)).text
    for photo in (of_owner, of_bob, of_nobody):
        url = address("photo-leave-out", project, photo.public_id)
        assert (f'action="{url}"' in shown.split('id="left-out"')[1]) == (photo == of_bob)
        page = browser.post(url, {"back": "1"}, follow=True).text
        assert ("Only reviewers and the owner can put this photo back." in page) == (
            photo != of_bob
        )
    assert {each.photo for each in omissions.left_out(project)} == {of_owner, of_nobody}
    assert omissions.left_out(project).get(photo=of_owner).left_out_by == alice
    assert "put photos back that were left out of" in client_of(alice).get("/notifications").text

    project.memberships.filter(user=charlie).update(role=Membership.Role.REVIEWER)
    assert omissions.put_back(project, of_owner, charlie)
    assert omissions.put_back(project, of_nobody, alice)
    assert not omissions.put_back(project, of_nobody, alice), "once"


def test_the_owner_hears_of_different_photos(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    one, other, last = photos(project, 3)
    job = drawn(project, last, bob)
    for _ in range(5):
        omissions.leave_out(project, one, bob)
        omissions.put_back(project, one, bob)
        omissions.release_box(project, job, bob)
        EmbedJob.objects.update(state=WorkState.ASIDE)
    omissions.leave_out(project, one, bob)
    browser = client_of(alice)
    page = browser.get("/notifications").text
    assert "left 1 photo out of" in page
    assert "released 1 drawn face in" in page
    omissions.leave_out(project, other, bob)
    assert "left 2 photos out of" in browser.get("/notifications").text
    browser.post("/notifications/read")
    omissions.leave_out(project, last, bob)
    told = Notification.objects.get(read_at=None)
    assert told.data == {"code": "photos", "photos": 1, "who": "Bob", "of": bob.public_id}


def test_released_faces_come_back_too(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    [aside] = photos(project, 1)
    job = drawn(project, aside, bob)
    member = client_of(bob)
    member.post(address("box-release", project, job.region.public_id))
    job.refresh_from_db()
    assert (job.state, job.released_by) == (WorkState.STOPPED, bob)
    assert ("Bob", "box.released", f"region:{job.region_id}") in audits(project)
    assert "released 1 drawn face" in client_of(alice).get("/notifications").text
    member.post(address("box-release", project, job.region.public_id))
    assert [each[1] for each in audits(project)] == ["box.released"], "once"

    page = client_of(alice).get(address("set-aside", project)).text
    assert "1 drawn face released" in page
    assert omissions.put_back_all(project, bob, alice) == 1
    job.refresh_from_db()
    assert (job.state, job.released_by, job.released_at) == (WorkState.ASIDE, None, None)


def test_what_was_left_out_before_anybody_was_named_comes_back_together(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    first, *others = photos(project, 3)
    omissions.leave_out(project, first, bob)
    ProjectPhoto.objects.filter(photo__in=others).update(left_out=True)
    browser = client_of(alice)
    assert "Not known who" in browser.get(address("set-aside", project)).text
    browser.post(address("put-back-all", project), {"user": ""})
    assert [each.photo for each in omissions.left_out(project)] == [first]
    assert browser.post(address("put-back-all", project), {"user": "x"}).status_code == 404


def test_all_of_the_lists_is_reachable(
    project: Project, alice: User, bob: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.views.A_PAGE", 2)
    left, aside = (some := photos(project, 8))[:5], some[5:]
    for each in left:
        omissions.leave_out(project, each, alice)
    jobs = [drawn(project, aside[0], bob) for _ in range(3)]
    browser, url = client_of(bob), address("set-aside", project)
    found = "".join(browser.get(url, {"left": n, "boxes": n, "page": n}).text for n in (1, 2, 3))
    assert all(found.count(f">{each.name}</bdi>") >= 1 for each in [*left, *aside])
    assert all(f'id="box-{job.region.public_id}"' in found for job in jobs)
    assert "3 drawn faces set aside" in found
    assert "1 to 2 of 5" in found


def test_strangers_read_only_the_names_that_people_show(
    project: Project, bob: User, charlie: User, client_of: ClientOf
) -> None:
    [aside] = photos(project, 1)
    omissions.leave_out(project, aside, bob)
    url = address("set-aside", project)
    assert "<bdi>Bob</bdi>" not in client_of(charlie).get(url).text
    assert "A member" in client_of(charlie).get(url).text
    User.objects.filter(pk=bob.pk).update(show_on_leaderboard=True)
    assert "<bdi>Bob</bdi>" in client_of(None).get(url).text


@pytest.mark.parametrize("sent", [{}, {"reason": "broken"}, {"photo": "photo"}, {"box": "box"}])
def test_who_has_it_tried_again_is_written_down(
    project: Project, bob: User, client_of: ClientOf, sent: dict[str, Any]
) -> None:
    [aside] = photos(project, 1)
    job = drawn(project, aside, bob)
    named = {"photo": aside.public_id, "box": job.region.public_id}
    form = {name: named.get(value, value) for name, value in sent.items()}
    client_of(bob).post(address("photo-retry", project), form)
    client_of(bob).post(address("photo-retry", project), form)
    assert [(who, what) for who, what, _ in audits(project)] == [("Bob", "photos.retried")]


def test_a_released_face_is_not_made_again_with_its_picture(project: Project, bob: User) -> None:
    from crawler import retention as crawler_retention

    [aside] = photos(project, 1)
    job = drawn(project, aside, bob)
    omissions.release_box(project, job, bob)
    Picture.objects.update(state=WorkState.STOPPED)
    crawler_retention.remember(Picture.objects.all())
    job.refresh_from_db()
    assert job.state == WorkState.STOPPED
    assert Region.objects.filter(pk=job.region_id).exists()
