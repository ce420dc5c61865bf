"""A photo that a person adds to a project by hand."""

from __future__ import annotations

import pytest

from core.user_errors import Refused
from core.work import WorkState
from crawler import omissions, services
from crawler.listing import sources
from crawler.models import Photo, Picture, ProjectPhoto
from projects.models import AuditEvent, Notification, User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import crawl, make_pictures


def test_a_photo_of_another_project_joins_without_a_source(
    alice: User, bob: User, make_project: MakeProject
) -> None:
    theirs, mine = make_project(bob, "Q937", []), make_project(alice, "Q7186", [])
    picture = make_pictures(theirs, 1)[0]
    Picture.objects.filter(pk=picture.pk).update(state=WorkState.STOPPED)  # its vectors are gone
    photo = Photo.objects.get(picture=picture)
    joined = services.add_photo(mine, photo, alice)
    again = services.add_photo(mine, photo, alice)
    assert joined == again
    assert (joined.source, joined.left_out) == (None, False)
    mine.refresh_from_db()
    assert mine.revision == 1
    picture.refresh_from_db()
    assert picture.state == WorkState.QUEUED  # looked at again
    assert AuditEvent.objects.filter(project=mine, action="photo.added", actor=alice).count() == 1


def test_one_that_was_let_go_comes_back(alice: User, make_project: MakeProject) -> None:
    mine = make_project(alice, "Q7186", [])
    make_pictures(mine, 1)
    photo = Photo.objects.get()
    omissions.leave_out(mine, photo, alice)
    assert services.add_photo(mine, photo, alice).left_out is False


def test_what_others_left_out_comes_back_as_where_it_is_put_back(
    alice: User, bob: User, charlie: User, make_project: MakeProject
) -> None:
    mine = make_project(alice, "Q7186", [], members=[bob, charlie])
    make_pictures(mine, 1)
    Picture.objects.update(state=WorkState.ASIDE)
    photo = Photo.objects.get()
    omissions.leave_out(mine, photo, bob)
    mine.memberships.filter(user=charlie).update(counts=False)
    with pytest.raises(Refused) as refused:
        services.add_photo(mine, photo, charlie)
    assert refused.value.code == "not-counted"
    assert ProjectPhoto.objects.get().left_out
    mine.memberships.filter(user=charlie).update(counts=True)
    assert services.add_photo(mine, photo, charlie).left_out is False
    told = Notification.objects.filter(user=alice).order_by("pk").last()
    assert told
    assert (told.data["code"], told.data["who"]) == ("back", "Charlie")


def test_what_is_denied_stays_out(alice: User, bob: User, make_project: MakeProject) -> None:
    make_pictures(make_project(bob, "Q937", []), 1)
    Photo.objects.update(state=Photo.State.DENIED)
    mine = make_project(alice, "Q7186", [])
    with pytest.raises(Refused):
        services.add_photo(mine, Photo.objects.get(), alice)
    assert not ProjectPhoto.objects.filter(project=mine).exists()


def test_a_crawl_keeps_it(
    sandbox: RunningSandbox, alice: User, bob: User, make_project: MakeProject
) -> None:
    make_project(bob, "Q937", [("Albert Einstein", 0)])
    crawl()
    photo = Photo.objects.filter(project_photos__project__owner=bob)[0]
    mine = make_project(alice, "Q7186", [("Marie Curie", 0)])
    services.add_photo(mine, photo, alice)
    crawl()
    sources.recrawl(mine)
    crawl()
    kept = ProjectPhoto.objects.get(project=mine, photo=photo)
    assert (kept.source, kept.round) == (None, 2)
