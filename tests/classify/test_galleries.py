"""What the review shows: narrowed, counted, in any order, page by page, however many there are."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from classify.models import Score
from classify.review import galleries
from classify.review.galleries import Narrow, Order, Which
from crawler.models import Photo, Region
from projects.models import Project, User
from tests.pages.review_crowd import add_faces, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def faces(project: Project, alice: User, bob: User) -> list[Region]:
    """36 matches; 24 Yes of bob's by grid, grid, ask, review in turn; 12 No of alice's."""
    found = add_faces(project, 72)
    say(project, bob, found[36:60], "yes")
    say(project, alice, found[60:], "no")
    return found


def values(
    project: Project, which: str, group: str, narrow: Narrow | None = None
) -> dict[str, int]:
    facets = galleries.facets(project, which, narrow or Narrow())
    return {each.value: each.n for each in facets.groups[group]}


def test_filters_combine_and_each_counts_what_the_others_leave(
    project: Project, faces: list[Region], alice: User, bob: User
) -> None:
    assert values(project, "confirmed", "way") == {"ask": 6, "grid": 12, "review": 6}
    assert values(project, "confirmed", "by") == {bob.public_id: 24}
    large = Narrow(size="large")
    assert values(project, "confirmed", "size", large) == {"large": 8, "medium": 8, "small": 8}
    both = Narrow(size="large", way="grid", by=bob.public_id)
    for narrow in (Narrow(), large, both, Narrow(by=alice.public_id)):
        shown = galleries.gallery(project, "confirmed", narrow=narrow).tiles
        assert len(shown) == galleries.facets(project, "confirmed", narrow).total
    assert sum(values(project, "confirmed", "way", large).values()) == 8
    assert galleries.gallery(project, "matches", narrow=Narrow(way="grid")).tiles == []
    assert set(galleries.facets(project, "matches", Narrow()).groups) == {"size", "year"}


def test_years_are_as_close_as_they_are_known(project: Project, faces: list[Region]) -> None:
    some = [region.pk for region in faces[:6]]
    photos = Photo.objects.filter(picture__regions__in=some).order_by("pk")
    for photo, (first, last) in zip(
        photos,
        [
            (date(1911, 3, 1), date(1911, 3, 1)),
            (date(1911, 1, 1), None),
            (date(1910, 1, 1), date(1919, 12, 31)),
            (date(1908, 1, 1), date(1912, 1, 1)),
            (None, None),
            (date(1925, 1, 1), date(1925, 12, 31)),
        ],
        strict=True,
    ):
        Photo.objects.filter(pk=photo.pk).update(taken_from=first, taken_to=last)
    Score.objects.exclude(region__in=some).delete()
    assert values(project, "matches", "year") == {"1910s": 3, "1920s": 1, "none": 2}
    within = values(project, "matches", "year", Narrow(year="1911"))
    assert within == {"1910s": 3, "1911": 2, "1920s": 1, "none": 2}
    for year, n in {"1911": 2, "1910s": 3, "none": 2, "1925": 1, "1890s": 0}.items():
        tiles = galleries.gallery(project, "matches", narrow=Narrow(year=year)).tiles
        assert len(tiles) == n, year


@pytest.mark.parametrize("narrow", [Narrow(), Narrow(size="small")])
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("which", [Which.MATCHES, Which.CONFIRMED, Which.REJECTED])
def test_one_can_walk_there_and_back(
    project: Project, faces: list[Region], which: Which, order: Order, narrow: Narrow
) -> None:
    whole = galleries.gallery(project, which, order, narrow=narrow).tiles
    assert len(whole) > 3
    there: list[int] = []
    after = None
    while True:
        page = galleries.gallery(project, which, order, after, 5, narrow)
        there += [tile.region.pk for tile in page.tiles]
        if (after := page.after) is None:
            break
    assert there == [tile.region.pk for tile in whole]
    back: list[int] = []
    before = whole[-1].key
    while before:
        page = galleries.gallery(project, which, order, limit=5, narrow=narrow, before=before)
        back = [tile.region.pk for tile in page.tiles] + back
        before = page.after
    assert back == there[:-1]


def test_no_page_looks_through_all_faces_at_once(
    project: Project, faces: list[Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rare one is found chunk by chunk: a page may be empty and go on."""
    monkeypatch.setattr(galleries, "CHUNK", 4)
    monkeypatch.setattr(galleries, "CHUNKS", 2)
    monkeypatch.setattr(galleries, "SAMPLE", 10)
    monkeypatch.setattr(galleries, "SORTED", 10)
    last = Score.objects.filter(is_match=True).order_by("unlikely").last()
    assert last
    Photo.objects.filter(pk=last.photo_id).update(taken_from=date(1777, 1, 1), taken_to=None)
    rare, after, pages = Narrow(year="1777"), None, 0
    found: list[int] = []
    while True:
        page = galleries.gallery(project, "matches", after=after, limit=1, narrow=rare)
        found, pages = found + [tile.region.pk for tile in page.tiles], pages + 1
        if (after := page.after) is None:
            break
    assert (found, pages) == ([last.region_id], 5)
    facets = galleries.facets(project, "matches", Narrow())
    assert (facets.total, facets.more) == (10, True)
    assert all(each.more for each in facets.groups["size"])
    newest_first = galleries.gallery(project, "confirmed", Order.BEST)
    assert newest_first.order == Order.NEWEST, "more labels than can be sorted"
    keys = [tile.label.pk for tile in newest_first.tiles if tile.label]
    assert keys == sorted(keys, reverse=True)


def test_copies_lie_under_the_first_of_them(project: Project, faces: list[Region]) -> None:
    """Alike to a few bits, thought alike by the model, and answered alike."""
    one, copy, far, said = faces[0], faces[1], faces[35], faces[40]
    hashes = {one: "a" * 32, copy: "a" * 30 + "ab", far: "a" * 32, said: "a" * 32}
    for region, phash in hashes.items():
        Region.objects.filter(pk=region.pk).update(phash=phash)
    Score.objects.filter(region=far).update(unlikely=0.49)
    stacks = galleries.stacked(galleries.gallery(project, "matches").tiles)
    assert len(stacks) == 35
    assert [tile.region for tile in stacks[0].copies] == [copy]
    assert not any(stack.copies for stack in stacks[1:])
    tiles = galleries.gallery(project, "confirmed").tiles + galleries.gallery(project).tiles
    assert sum(len(stack.copies) for stack in galleries.stacked(tiles)) == 1


def test_a_paused_face_is_stacked_with_no_other(project: Project, faces: list[Region]) -> None:
    """An approval of the whole stack would be refused for it."""
    copies = [faces[36], faces[37], faces[38]]
    for region in copies:
        Region.objects.filter(pk=region.pk).update(phash="a" * 32)

    def sizes() -> list[int]:
        stacks = galleries.stacked(galleries.gallery(project, "confirmed").tiles)
        return sorted(len(stack.copies) + 1 for stack in stacks)[-2:]

    assert sizes() == [1, 3]
    until = timezone.now() + timedelta(days=7)
    Photo.objects.filter(picture=copies[1].picture).update(paused_until=until)
    assert sizes() == [1, 2]
