"""The pages of this app: who may see and do what."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.urls import reverse

from classify.models import Answer
from core.work import WorkState
from crawler import services
from crawler.models import CrawlStep, EmbedJob, Picture, ProjectPhoto, Region
from crawler.pictures import crops
from crawler.pictures import fetch as pictures_fetch
from projects.models import AuditEvent, Project, User
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import (
    ARMSTRONG,
    CURIE,
    add_files,
    crawl,
    make_pictures,
    open_lanes,
    photo,
)
from wiki import pace


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, bob: User, make_project: MakeProject) -> Project:
    return make_project(alice, "Q1615", [], members=[bob])


@pytest.fixture
def region(project: Project) -> Region:
    """A region without a stored crop."""
    add_files(project, ARMSTRONG)
    crawl()
    return services.draw_region(project, photo(ARMSTRONG), (0.5, 0.16, 0.18, 0.15), project.owner)


@pytest.fixture
def aside(project: Project) -> Picture:
    (picture,) = make_pictures(project, 1)
    Picture.objects.update(
        state=WorkState.ASIDE, error=Picture.Error.BROKEN, error_detail="truncated"
    )
    picture.refresh_from_db()
    return picture


def crop_url(project: Project, region: Region) -> str:
    return reverse("crop", args=[project.public_id, region.public_id])


def test_a_crop_is_made_again_and_may_be_cached_by_its_reader(
    project: Project, region: Region, client_of: ClientOf
) -> None:
    crops.remove(region)
    for _ in range(2):  # made again, then read
        response = client_of(None).get(crop_url(project, region))
        assert response.status_code == 200
        assert response["Content-Type"] == "image/jpeg"
        assert response["Cache-Control"] == "private, max-age=86400"
        assert response.content.startswith(b"\xff\xd8")
    assert crops.path_of(region).exists()


def test_no_page_waits_for_a_crop_while_the_wiki_wants_a_pause(
    project: Project, region: Region, client_of: ClientOf
) -> None:
    crops.remove(region)
    pace.pause(pictures_fetch.LANE, 5, "http-429")
    assert client_of(None).get(crop_url(project, region)).status_code == 503
    open_lanes()
    assert client_of(None).get(crop_url(project, region)).status_code == 200


def test_a_face_is_reached_only_through_a_project_that_shows_it(
    project: Project, region: Region, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    other = make_project(charlie, "Q937", [])
    assert client_of(charlie).get(crop_url(other, region)).status_code == 404


def test_crops_of_a_private_project_are_for_its_members(
    project: Project, region: Region, bob: User, charlie: User, client_of: ClientOf
) -> None:
    Project.objects.filter(pk=project.pk).update(visibility=Project.Visibility.PRIVATE)
    assert client_of(bob).get(crop_url(project, region)).status_code == 200
    assert client_of(charlie).get(crop_url(project, region)).status_code == 404
    assert client_of(None).get(crop_url(project, region)).status_code == 302


@pytest.mark.parametrize("who", ["nobody", "a stranger", "a member of the other project"])
def test_a_private_face_is_not_reached_through_a_public_project_either(
    project: Project,
    region: Region,
    bob: User,
    charlie: User,
    make_project: MakeProject,
    client_of: ClientOf,
    who: str,
) -> None:
    """Whoever guesses its id, or was told it."""
    Project.objects.filter(pk=project.pk).update(visibility=Project.Visibility.PRIVATE)
    public = make_project(charlie, "Q937", [])
    add_files(public, CURIE)
    crawl()
    there = services.draw_region(public, photo(CURIE), (0.3, 0.2, 0.3, 0.3), charlie)
    project.memberships.filter(user=bob).delete()
    browser = client_of({"nobody": None, "a stranger": bob}.get(who, charlie))
    assert browser.get(crop_url(public, there)).status_code == 200
    assert browser.get(crop_url(public, region)).status_code == 404
    assert browser.get(crop_url(project, there)).status_code in (302, 404)
    assert browser.get(crop_url(project, region)).status_code in (302, 404)


def test_a_crop_that_can_t_be_made_is_not_found(
    project: Project, region: Region, client_of: ClientOf
) -> None:
    crops.remove(region)
    photo(ARMSTRONG).project_photos.all().delete()
    assert client_of(None).get(crop_url(project, region)).status_code == 404
    (picture,) = make_pictures(project, 1)
    lost = Region.objects.create(picture=picture, origin="detector", x=0, y=0, w=1, h=1)
    assert client_of(None).get(crop_url(project, lost)).status_code == 404


def test_the_page_of_what_was_set_aside(
    project: Project, aside: Picture, bob: User, charlie: User, client_of: ClientOf
) -> None:
    url = reverse("set-aside", args=[project.public_id])
    page = client_of(bob).get(url).content.decode()
    assert "Damaged file" in page
    assert "truncated" in page
    assert aside.photos.get().name in page
    assert "Try all again" in page
    stranger = client_of(charlie).get(url).content.decode()
    assert "Damaged file" in stranger
    assert "Try" not in stranger
    assert client_of(bob).get(url, {"reason": "nonsense", "page": "x"}).status_code == 200


def test_an_empty_page_says_so(project: Project, client_of: ClientOf) -> None:
    page = client_of(None).get(reverse("set-aside", args=[project.public_id])).content.decode()
    assert "Nothing is set aside" in page


@pytest.mark.parametrize("by", ["photo", "reason", "all"])
def test_members_try_again(
    project: Project, aside: Picture, bob: User, client_of: ClientOf, by: str
) -> None:
    data = {"photo": {"photo": aside.photos.get().public_id}, "reason": {"reason": "broken"}}
    url = reverse("photo-retry", args=[project.public_id])
    response = client_of(bob).post(url, data.get(by, {}))
    assert response.status_code == 302
    aside.refresh_from_db()
    assert (aside.state, aside.tries, aside.error) == (WorkState.QUEUED, 0, "")


def test_another_reason_is_left_alone(
    project: Project, aside: Picture, bob: User, client_of: ClientOf
) -> None:
    client_of(bob).post(reverse("photo-retry", args=[project.public_id]), {"reason": "memory"})
    aside.refresh_from_db()
    assert aside.state == WorkState.ASIDE


def test_a_photo_is_left_out_and_put_back(
    project: Project, aside: Picture, bob: User, client_of: ClientOf
) -> None:
    shown = aside.photos.get()
    url = reverse("photo-leave-out", args=[project.public_id, shown.public_id])
    client_of(bob).post(url)
    assert ProjectPhoto.objects.get(photo=shown).left_out
    page = client_of(bob).get(reverse("set-aside", args=[project.public_id])).content.decode()
    assert "Put back" in page
    client_of(bob).post(url, {"back": "1"})
    assert not ProjectPhoto.objects.get(photo=shown).left_out


def test_the_owner_has_the_sources_read_again(
    project: Project, region: Region, alice: User, client_of: ClientOf
) -> None:
    url = reverse("recrawl", args=[project.public_id])
    assert client_of(alice).post(url).status_code == 302
    assert CrawlStep.objects.get(title=ARMSTRONG).round == 2
    assert AuditEvent.objects.get(action="project.recrawled").actor == alice
    assert client_of(alice).get(url).status_code == 405


@pytest.mark.parametrize("name", ["photo-retry", "recrawl", "photo-leave-out"])
def test_strangers_may_change_nothing(
    project: Project,
    aside: Picture,
    charlie: User,
    bob: User,
    client_of: ClientOf,
    name: str,
) -> None:
    extra = [aside.photos.get().public_id] if name == "photo-leave-out" else []
    url = reverse(name, args=[project.public_id, *extra])
    assert client_of(None).post(url).status_code == 401
    assert client_of(charlie).post(url).status_code == 403
    if name == "recrawl":
        assert client_of(bob).post(url).status_code == 403
    aside.refresh_from_db()
    assert aside.state == WorkState.ASIDE
    assert not AuditEvent.objects.exists()


def test_a_photo_of_another_project_is_not_found(
    project: Project, aside: Picture, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    other = make_project(bob, "Q937", [])
    data = {"photo": aside.photos.get().public_id}
    url = reverse("photo-retry", args=[other.public_id])
    assert client_of(bob).post(url, data).status_code == 404
    aside.refresh_from_db()
    assert aside.state == WorkState.ASIDE


def test_a_drawn_face_whose_file_was_overwritten_is_listed_with_its_reason_and_a_way_on(
    project: Project, region: Region, bob: User, charlie: User, client_of: ClientOf
) -> None:
    shown = photo(ARMSTRONG)
    answer = {"subject": project.subject, "photo": shown, "region": region, "user": bob}
    Answer.objects.create(**answer, verdict="yes", origin="drawn", client_uuid=uuid4())
    overwritten = {"state": WorkState.ASIDE, "error": Picture.Error.OVERWRITTEN}
    EmbedJob.objects.update(**overwritten)
    address = reverse("set-aside", args=[project.public_id])
    page = client_of(bob).get(address).content.decode()
    assert "1 drawn face set aside" in page
    assert "Another picture was uploaded under its name since" in page
    assert shown.name in page
    assert "new picture" in page
    assert 'name="box"' not in page, "what was drawn on is no more"
    assert services.retry_all(project) == 0
    let_go = reverse("box-release", args=[project.public_id, region.public_id])
    assert client_of(charlie).post(let_go).status_code == 403
    client_of(bob).post(let_go)
    assert "drawn face set aside" not in client_of(bob).get(address).content.decode()
    assert Answer.objects.filter(region=region).exists()

    EmbedJob.objects.update(state=WorkState.ASIDE, error=Picture.Error.MEMORY)
    retry = reverse("photo-retry", args=[project.public_id])
    client_of(bob).post(retry, {"box": region.public_id})
    assert EmbedJob.objects.get().state == WorkState.QUEUED
