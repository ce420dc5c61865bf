"""Counts, galleries and what may be sent."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db.models import F

from classify import answers as classify_answers
from classify import selectors
from classify.asking import evidence
from classify.review import galleries
from classify.review.galleries import Order, Which
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.models import Project, User
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_photo, embed, learn

pytestmark = pytest.mark.django_db


@pytest.fixture
def hers(project: Project, cast: Cast) -> list[Region]:
    return [add_photo(project, [cast.face("marie")])[1][0] for _ in range(12)]


@pytest.fixture
def others(project: Project, cast: Cast) -> list[Region]:
    return [add_photo(project, [cast.face(f"somebody {n}")])[1][0] for n in range(6)]


@pytest.fixture
def learned(
    project: Project, hers: list[Region], others: list[Region], alice: User, say: Say
) -> Project:
    """Five confirmed (one of them in review), one rejected, one can't tell, seven matches."""
    for region in hers[:4]:
        say(alice, "yes", region)
    say(alice, "yes", hers[4], "review")
    say(alice, "no", others[0])
    say(alice, "cant-tell", others[1])
    learn(project)
    return project


def shown(project: Project, which: str, order: str = Order.BEST) -> list[int]:
    return [tile.region.pk for tile in galleries.gallery(project, which, order).tiles]


def test_counts_add_up(learned: Project, alice: User) -> None:
    photo, _ = add_photo(learned, [])
    classify_answers.no_usable_face(learned, photo, alice, uuid4())
    counts = selectors.face_counts(learned)
    assert (counts.confirmed, counts.rejected, counts.cant_tell) == (5, 1, 1)
    assert (counts.matches, counts.uncertain + counts.others) == (7, 4)
    assert (counts.faces, counts.answered, counts.unanswered) == (18, 7, 11)
    assert counts.without_face == 1


def test_uncertain_faces_are_near_the_threshold(learned: Project) -> None:
    scores = learned.subject.scores.filter(is_match=False, region__labels=None).order_by("unlikely")
    learned.rule, learned.threshold = Project.Rule.CENTROID, scores[0].unlikely - 0.04
    assert selectors.face_counts(learned).uncertain >= 1


def test_before_it_has_learned_every_face_is_uncertain(
    project: Project, hers: list[Region]
) -> None:
    learn(project)
    counts = selectors.face_counts(project)
    assert (counts.faces, counts.uncertain, counts.matches, counts.others) == (12, 12, 0, 0)


def test_each_filter_shows_its_faces(
    learned: Project, hers: list[Region], others: list[Region]
) -> None:
    ids = [region.pk for region in hers]
    assert set(shown(learned, Which.MATCHES)) == set(ids[5:])
    assert set(shown(learned, Which.CONFIRMED)) == set(ids[:5])
    assert shown(learned, Which.APPROVED) == [ids[4]]
    assert set(shown(learned, Which.REJECTED)) == {others[0].pk, others[1].pk}
    assert set(shown(learned, Which.OTHERS)) == {region.pk for region in others[2:]}
    assert shown(learned, Which.DISPUTED) == []
    assert shown(learned, Which.ON_COMMONS) == []
    ProjectPhoto.objects.filter(photo__picture=hers[0].picture).update(already_depicts=True)
    assert shown(learned, Which.ON_COMMONS) == [ids[0]]
    counts = galleries.gallery_counts(learned)
    assert counts == {which.value: len(shown(learned, which)) for which in Which}
    with pytest.raises(ValueError, match="nonsense"):
        galleries.gallery(learned, "nonsense")


def test_answers_that_differ_have_their_filter(
    learned: Project, hers: list[Region], bob: User, say: Say
) -> None:
    say(bob, "no", hers[0])
    assert shown(learned, Which.DISPUTED) == [hers[0].pk]


def test_best_worst_and_newest_first(learned: Project) -> None:
    for which in (Which.MATCHES, Which.CONFIRMED):
        best = shown(learned, which)
        assert shown(learned, which, Order.WORST) == best[::-1]
        nearest_first = learned.subject.scores.filter(region__in=best).order_by("unlikely", "pk")
        assert best == list(nearest_first.values_list("region", flat=True))
        assert sorted(shown(learned, which, Order.NEWEST)) == sorted(best)
    labels = [tile.label for tile in galleries.gallery(learned, "confirmed", "newest").tiles]
    pks = [label.pk for label in labels if label]
    assert pks == sorted(pks, reverse=True)


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("which", [Which.MATCHES, Which.CONFIRMED])
def test_pages_follow_one_another_without_gap_or_overlap(
    learned: Project, which: Which, order: Order
) -> None:
    whole = shown(learned, which, order)
    paged: list[int] = []
    after = None
    while True:
        page = galleries.gallery(learned, which, order, after, limit=3)
        paged += [tile.region.pk for tile in page.tiles]
        if page.after is None:
            break
        after = page.after
    assert paged == whole


def test_equal_distances_are_paged_by_key(project: Project, cast: Cast) -> None:
    vector = cast.face("somebody")
    for _ in range(7):
        add_photo(project, [vector])
    learn(project)
    first = galleries.gallery(project, "others", limit=4)
    rest = galleries.gallery(project, "others", after=first.after, limit=4)
    assert len({tile.region.pk for tile in first.tiles + rest.tiles}) == 7
    assert rest.after is None


def test_a_page_of_the_gallery_takes_few_queries(
    learned: Project, django_assert_max_num_queries: object
) -> None:
    project = Project.objects.with_subject().get(pk=learned.pk)
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        for tile in galleries.gallery(project, "confirmed").tiles:
            assert tile.photo.picture
            assert tile.score
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        for tile in galleries.gallery(project, "matches").tiles:
            assert tile.photo.picture


def test_the_learner_says_what_it_needs(
    project: Project, hers: list[Region], alice: User, say: Say
) -> None:
    state = selectors.learner(project)
    assert (state.confirmed, state.needed, state.ready, state.behind) == (0, 1, False, True)
    for region in hers[:5]:
        say(alice, "yes", region)
    learn(project)
    state = selectors.learner(project)
    assert (state.confirmed, state.needed, state.ready, state.behind) == (5, 0, True, False)
    assert (state.faces, state.matches) == (12, 7)
    assert state.computed_at


def test_one_label_a_photo_may_be_sent_the_largest_face_of_it(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    sheet, faces = add_photo(project, [cast.face("marie"), cast.face("marie")], sizes=[0.1, 0.3])
    for face in faces:
        say(alice, "yes", face)
    classify_answers.no_usable_face(project, sheet, alice, uuid4())
    back, _ = add_photo(project, [])
    classify_answers.no_usable_face(project, back, alice, uuid4())
    first, second = selectors.eligible_labels(project)
    assert (first.photo, first.region) == (sheet, faces[1])
    assert (second.photo, second.region.origin) == (back, Region.Origin.PHOTO)


def test_what_nobody_said_yes_to_is_never_sent(
    learned: Project, hers: list[Region], cast: Cast
) -> None:
    add_photo(learned, [cast.face("marie")], already_depicts=True)
    learn(learned)
    eligible = {label.region_id for label in selectors.eligible_labels(learned)}
    assert eligible == {region.pk for region in hers[:5]}


def test_photos_that_went_or_changed_are_not_sent(
    project: Project, hers: list[Region], alice: User, say: Say
) -> None:
    for region in hers[:4]:
        say(alice, "yes", region)
    photos = [region.picture.photos.get() for region in hers[:4]]
    Photo.objects.filter(pk=photos[0].pk).update(state=Photo.State.WITHDRAWN)
    Photo.objects.filter(pk=photos[1].pk).update(picture=hers[5].picture)
    ProjectPhoto.objects.filter(photo=photos[2]).delete()
    assert [label.photo for label in selectors.eligible_labels(project)] == [photos[3]]


def test_history_is_what_undo_takes_back(
    project: Project, hers: list[Region], alice: User, bob: User, say: Say
) -> None:
    for region in hers[:3]:
        say(alice, "yes", region)
    say(bob, "yes", hers[3])
    classify_answers.undo(project, alice, uuid4())
    answers = selectors.history(project, alice)
    assert [answer.region for answer in answers] == [hers[1], hers[0]]


def test_beside_a_question_stand_the_nearest_confirmed_faces(
    learned: Project, hers: list[Region], alice: User, say: Say
) -> None:
    question = classify_answers.next_question(learned, alice)
    assert question
    tiles = evidence.beside(learned, question.nearest, []).confirmed
    assert [tile.region.pk for tile in tiles] == question.nearest
    assert {tile.region for tile in tiles} == set(hers[:5])
    assert {tile.region for tile in evidence.beside(learned, [], []).confirmed} == set(hers[:5])
    say(alice, "no", tiles[0].region)
    assert evidence.beside(learned, question.nearest, []).confirmed == tiles[1:]


def test_the_portraits_largest_face(project: Project, cast: Cast) -> None:
    assert selectors.portrait(project) is None
    photo, faces = add_photo(
        project, [cast.face("pierre"), cast.face("marie")], is_portrait=True, sizes=[0.1, 0.3]
    )
    tile = selectors.portrait(project)
    assert tile
    assert (tile.region, tile.photo) == (faces[1], photo)


def test_a_photo_replaced_on_the_wiki_keeps_its_answers(
    project: Project, hers: list[Region], cast: Cast, alice: User, say: Say
) -> None:
    """A new version of a file is a new picture: asked again, while what was said stays."""
    say(alice, "yes", hers[0])
    photo = hers[0].picture.photos.get()
    picture = Picture.objects.create(
        sha1="f" * 40, width=10, height=10, mime="image/jpeg", state="d", faces=1
    )
    region = Region.objects.create(picture=picture, origin="detector", x=0, y=0, w=1, h=1)
    embed(region, cast.face("marie"))
    Photo.objects.filter(pk=photo.pk).update(picture=picture)
    Project.objects.update(revision=F("revision") + 1)
    learn(project)
    assert project.subject.labels.get().region == hers[0]
    assert project.subject.questions.filter(region=region).exists()
    assert selectors.eligible_labels(project) == []
