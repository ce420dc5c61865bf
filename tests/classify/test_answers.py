"""Answering, undoing, skipping, drawing: what becomes of labels, questions and credit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from classify import answers as classify_answers
from classify.answers import Given
from classify.labels import LABEL_FIELDS
from classify.models import Answer, Label, Origin, Question, Score
from classify.review.galleries import Which, rows_of
from core.user_errors import Refused
from crawler.models import EmbedJob, Photo, ProjectPhoto, Region
from projects.models import Membership, Project, Tally, User
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import MakeProject
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def region(project: Project, cast: Cast) -> Region:
    return add_photo(project, [cast.face("marie")])[1][0]


def photo_of(region: Region) -> Photo:
    return region.picture.photos.get()


def word(project: Project, region: Region) -> str | None:
    label = Label.objects.filter(subject=project.subject, region=region).first()
    return label.verdict if label else None


def credit(user: User) -> dict[str, int]:
    return {tally.kind: tally.amount for tally in Tally.objects.filter(user=user)}


def labels_of(project: Project) -> list[tuple[Any, ...]]:
    return list(
        Label.objects.filter(subject=project.subject)
        .order_by("region")
        .values_list("region", *LABEL_FIELDS)
    )


def test_an_answer_is_written_down_with_its_label_and_credit(
    project: Project, region: Region, alice: User, say: Say
) -> None:
    learn(project)
    assert Question.objects.get().region == region
    given = say(alice, "yes", region)
    label = Label.objects.get()
    assert (label.region, label.photo, label.verdict) == (region, photo_of(region), "yes")
    assert (label.answer, label.user, label.origin) == (given, alice, Origin.ASK)
    assert not label.disputed
    assert credit(alice) == {"answer": 1}
    assert not Question.objects.exists()
    before = project.revision
    project.refresh_from_db()
    assert project.revision == before + 1


def test_an_answer_sent_twice_is_one_answer(project: Project, region: Region, alice: User) -> None:
    uuid, photo = uuid4(), photo_of(region)
    first = classify_answers.answer(project, region, photo, alice, "yes", "ask", uuid)
    again = classify_answers.answer(project, region, photo, alice, "yes", "ask", uuid)
    assert first == again
    assert Answer.objects.count() == 1
    assert credit(alice) == {"answer": 1}


def test_a_uuid_of_somebody_else_is_refused(
    project: Project, region: Region, alice: User, bob: User
) -> None:
    uuid, photo = uuid4(), photo_of(region)
    classify_answers.answer(project, region, photo, alice, "yes", "ask", uuid)
    with pytest.raises(Refused, match="used-twice"):
        classify_answers.answer(project, region, photo, bob, "yes", "ask", uuid)


def test_impossible_answers_are_refused(
    make_project: MakeProject,
    project: Project,
    region: Region,
    cast: Cast,
    alice: User,
    charlie: User,
    say: Say,
) -> None:
    elsewhere, [far] = add_photo(make_project(charlie, "Q937"), [cast.face("albert")])
    photo = photo_of(region)

    def code(region: Region, photo: Photo, verdict: str = "yes") -> str:
        with pytest.raises(Refused) as refusal:
            classify_answers.answer(project, region, photo, alice, verdict, "ask", uuid4())
        assert refusal.value.sentence
        return refusal.value.code

    assert code(far, elsewhere) == "not-in-project"
    assert code(far, photo) == "changed"
    assert code(region, photo, "perhaps") == "unknown-verdict"
    better = classify_answers.draw(
        project, photo, (0.1, 0.1, 0.2, 0.2), alice, uuid4(), replaces=region
    )
    assert code(region, photo) == "replaced"
    Photo.objects.filter(pk=photo.pk).update(state=Photo.State.WITHDRAWN)
    photo.refresh_from_db()
    assert code(better.region, photo) == "withdrawn"
    assert Answer.objects.count() == 1


def test_the_latest_word_counts_and_differences_are_marked(
    project: Project, region: Region, alice: User, bob: User, say: Say
) -> None:
    carol = make_user("Carol")
    Membership.objects.create(project=project, user=carol)
    say(bob, "yes", region)
    say(carol, "no", region)
    assert word(project, region) == "no"
    assert Label.objects.get().disputed
    say(carol, "yes", region)
    assert word(project, region) == "yes"
    assert not Label.objects.get().disputed


def test_a_reviewer_outranks_members_whoever_speaks_last(
    project: Project, region: Region, alice: User, bob: User, say: Say
) -> None:
    say(alice, "yes", region)
    say(bob, "no", region)
    label = Label.objects.get()
    assert (label.verdict, label.user, label.disputed) == ("yes", alice, True)
    project.memberships.filter(user=bob).update(role=Membership.Role.REVIEWER)
    classify_answers.rebuild_labels(project)
    assert word(project, region) == "no"


def test_people_outrank_a_statement_that_existed(
    project: Project, cast: Cast, bob: User, say: Say
) -> None:
    _, [region] = add_photo(project, [cast.face("marie")], already_depicts=True)
    learn(project)
    assert Label.objects.get().origin == Origin.BOOTSTRAP
    say(bob, "no", region)
    label = Label.objects.get()
    assert (label.verdict, label.user, label.disputed) == ("no", bob, True)
    classify_answers.undo(project, bob, uuid4())
    label = Label.objects.get()
    assert (label.verdict, label.origin, label.disputed) == ("yes", Origin.BOOTSTRAP, False)


def test_undo_goes_back_as_far_as_one_likes(
    project: Project, cast: Cast, alice: User, bob: User, say: Say
) -> None:
    regions = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(4)]
    learn(project)
    say(bob, "yes", regions[0])
    for region in regions:
        say(alice, "no", region)
    for region in reversed(regions):
        taken = classify_answers.undo(project, alice, uuid4())
        assert taken
        assert taken.region == region
        question = classify_answers.next_question(project, alice)
        if region != regions[0]:
            assert question
            assert question.region == region, "the face is asked again, of the same user"
    assert classify_answers.undo(project, alice, uuid4()) is None
    assert word(project, regions[0]) == "yes"
    assert Label.objects.count() == 1
    assert credit(alice) == {"answer": 0}
    assert credit(bob) == {"answer": 1}


def test_questions_that_were_put_back_stay_first_when_it_learns(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    regions = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(60)]
    for region in regions[:30]:
        say(alice, "no", region)
    learn(project)
    classify_answers.undo(project, alice, uuid4())
    classify_answers.undo(project, alice, uuid4())
    Question.objects.update(leased_to=None, leased_until=None)
    learn(project)
    first, second = Question.objects.order_by("rank")[:2]
    assert [first.region, second.region] == [regions[28], regions[29]]


def test_an_undo_sent_twice_is_one_undo(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    regions = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(2)]
    for region in regions:
        say(alice, "yes", region)
    uuid = uuid4()
    assert classify_answers.undo(project, alice, uuid) == classify_answers.undo(
        project, alice, uuid
    )
    assert word(project, regions[0]) == "yes"
    assert word(project, regions[1]) is None


def test_a_screen_of_a_review_is_approved_and_undone_at_once(
    project: Project, cast: Cast, alice: User, bob: User, say: Say
) -> None:
    regions = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(10)]
    for region in regions[:5]:
        say(bob, "yes", region)
    learn(project)
    assert rows_of(project, Which.MATCHES).count() == 5
    screen = [Given(region, photo_of(region), uuid4()) for region in regions[5:]]
    answers = classify_answers.answer_many(project, screen, alice, "yes")
    assert classify_answers.answer_many(project, screen, alice, "yes") == answers
    assert {word(project, region) for region in regions} == {"yes"}
    assert not rows_of(project, Which.MATCHES).exists()
    assert credit(alice) == {"review": 5}

    uuids = [given.client_uuid for given in screen]
    assert len(classify_answers.undo_many(project, alice, uuids)) == 5
    assert classify_answers.undo_many(project, alice, uuids) == []
    assert {word(project, region) for region in regions[5:]} == {None}
    assert credit(alice) == {"review": 0}
    learn(project)
    assert rows_of(project, Which.MATCHES).count() == 5


def test_a_screen_is_all_or_nothing(
    make_project: MakeProject, project: Project, region: Region, cast: Cast, alice: User
) -> None:
    elsewhere, [far] = add_photo(make_project(alice, "Q937"), [cast.face("albert")])
    with pytest.raises(Refused, match="not-in-project"):
        classify_answers.answer_many(
            project,
            [Given(region, photo_of(region), uuid4()), Given(far, elsewhere, uuid4())],
            alice,
            "yes",
        )
    assert not Answer.objects.exists()


def test_a_box_is_drawn_for_a_face_that_was_missed(
    project: Project, cast: Cast, alice: User
) -> None:
    photo, _ = add_photo(project, [cast.face("pierre")])
    uuid = uuid4()
    made = classify_answers.draw(project, photo, (0.5, 0.25, 0.2, 0.3), alice, uuid)
    assert classify_answers.draw(project, photo, (0.5, 0.25, 0.2, 0.3), alice, uuid) == made
    assert made.region.box == pytest.approx((0.5, 0.25, 0.2, 0.3))
    assert made.region.origin == Region.Origin.PERSON
    assert word(project, made.region) == "yes"
    assert EmbedJob.objects.get().region == made.region
    assert Region.objects.count() == 2
    with pytest.raises(Refused, match="bad-box"):
        classify_answers.draw(project, photo, (0.5, 0.25, 0, 0), alice, uuid4())


def test_a_better_box_takes_the_place_of_the_old_one(
    project: Project, region: Region, alice: User, bob: User, say: Say
) -> None:
    learn(project)
    say(bob, "no", region)
    photo = photo_of(region)
    made = classify_answers.draw(
        project, photo, (0.1, 0.1, 0.3, 0.3), alice, uuid4(), replaces=region
    )
    region.refresh_from_db()
    assert region.replaced_by == made.region
    assert word(project, region) is None
    assert word(project, made.region) == "yes"
    assert not Score.objects.filter(region=region).exists()
    classify_answers.undo(project, alice, uuid4())
    region.refresh_from_db()
    assert region.replaced_by is None
    assert word(project, region) == "no"
    assert word(project, made.region) is None
    learn(project)
    assert Score.objects.get().region == region


def test_a_box_that_was_taken_back_is_no_face(project: Project, cast: Cast, alice: User) -> None:
    from crawler.selectors import photos_without_faces

    photo, _ = add_photo(project, [])
    assert photo in photos_without_faces(project)
    classify_answers.draw(project, photo, (0.1, 0.1, 0.3, 0.3), alice, uuid4())
    assert photo not in photos_without_faces(project)
    classify_answers.undo(project, alice, uuid4())
    assert photo in photos_without_faces(project)


@pytest.mark.parametrize("order", [("alice", "bob"), ("bob", "alice")])
def test_two_boxes_after_one_another_are_taken_back_in_any_order(
    project: Project, region: Region, alice: User, bob: User, order: tuple[str, str], say: Say
) -> None:
    say(alice, "no", region)
    photo, users = photo_of(region), {"alice": alice, "bob": bob}
    first = classify_answers.draw(
        project, photo, (0.1, 0.1, 0.3, 0.3), alice, uuid4(), replaces=region
    )
    second = classify_answers.draw(
        project, photo, (0.1, 0.1, 0.4, 0.4), bob, uuid4(), replaces=first.region
    )
    assert [label.region for label in Label.objects.all()] == [second.region]
    for name in order:
        classify_answers.undo(project, users[name], uuid4())
        classify_answers.rebuild_labels(project)
    assert [label.region for label in Label.objects.all()] == [region]
    standing = Region.objects.filter(replaced_by=None)
    assert list(standing) == [region]


def test_a_box_that_somebody_approved_survives_its_drawer(
    project: Project, region: Region, alice: User, bob: User, say: Say
) -> None:
    photo = photo_of(region)
    made = classify_answers.draw(
        project, photo, (0.1, 0.1, 0.3, 0.3), alice, uuid4(), replaces=region
    )
    say(bob, "yes", made.region, Origin.REVIEW)
    classify_answers.undo(project, alice, uuid4())
    assert [label.user for label in Label.objects.all()] == [bob]
    region.refresh_from_db()
    assert region.replaced_by == made.region
    classify_answers.undo(project, bob, uuid4())
    region.refresh_from_db()
    assert region.replaced_by is None
    assert not Label.objects.exists()


def test_is_here_with_no_usable_face(project: Project, cast: Cast, alice: User, bob: User) -> None:
    photo, _ = add_photo(project, [])
    made = classify_answers.no_usable_face(project, photo, alice, uuid4())
    assert (made.region.origin, made.region.box) == (Region.Origin.PHOTO, (0, 0, 1, 1))
    again = classify_answers.no_usable_face(project, photo, bob, uuid4())
    assert again.region == made.region
    assert word(project, made.region) == "yes"
    assert not EmbedJob.objects.exists()
    for user in (alice, bob):
        classify_answers.undo(project, user, uuid4())
    assert not Label.objects.exists()


@pytest.mark.long
def test_undoing_everything_restores_the_state_before(
    project: Project, cast: Cast, alice: User, bob: User, say: Say
) -> None:
    """Any mixture of deeds by two people; what stood before stands again."""
    import random

    for seed in range(5):
        dice = random.Random(seed)
        for _ in range(3):
            add_photo(project, [cast.face("marie"), cast.face("pierre")])
        add_photo(project, [cast.face("marie")], already_depicts=True)
        learn(project)
        regions_before = list(Region.objects.order_by("pk").values_list("pk", "replaced_by"))
        labels_before = labels_of(project)
        photos = [held.photo for held in ProjectPhoto.objects.filter(project=project)]
        for _ in range(40):
            _do_something(dice, project, photos, dice.choice([alice, bob]))
        assert labels_of(project) != labels_before
        live = labels_of(project)
        classify_answers.rebuild_labels(project)
        assert labels_of(project) == live, "labels hold nothing of their own"
        users = [alice, bob]
        while users:
            user = dice.choice(users)
            if classify_answers.undo(project, user, uuid4()) is None:
                users.remove(user)
        assert labels_of(project) == labels_before
        known = [pk for pk, _ in regions_before]
        regions = Region.objects.order_by("pk").values_list("pk", "replaced_by")
        assert list(regions.filter(pk__in=known)) == regions_before
        drawn = Region.objects.filter(origin=Region.Origin.PERSON)
        assert not drawn.filter(replaced_by=None).exists()
        assert set(credit(alice).values()) | set(credit(bob).values()) <= {0}


def _do_something(dice: Any, project: Project, photos: list[Photo], user: User) -> None:
    photo = dice.choice(photos)
    faces = Region.objects.filter(picture=photo.picture, replaced_by=None)
    region = dice.choice(list(faces.exclude(origin=Region.Origin.PHOTO)))
    match dice.randrange(6):
        case 0:
            classify_answers.no_usable_face(project, photo, user, uuid4())
        case 1:
            classify_answers.draw(
                project, photo, (0.2, 0.2, 0.3, 0.3), user, uuid4(), replaces=region
            )
        case 2:
            classify_answers.undo(project, user, uuid4())
        case number:
            verdict = dice.choice(["yes", "no", "cant-tell"])
            origin = "ask" if number == 3 else "review"
            classify_answers.answer(project, region, photo, user, verdict, origin, uuid4())


def test_an_archived_project_takes_no_word_and_asks_nothing(
    project: Project, region: Region, alice: User, say: Say
) -> None:
    learn(project)
    photo = photo_of(region)
    kept = say(alice, "yes", region)
    project.state = Project.State.ARCHIVED
    project.save(update_fields=["state"])
    deeds: list[Callable[[], object]] = [
        lambda: classify_answers.answer(project, region, photo, alice, "no", "ask", uuid4()),
        lambda: classify_answers.answer_many(project, [Given(region, photo, uuid4())], alice, "no"),
        lambda: classify_answers.undo(project, alice, uuid4()),
        lambda: classify_answers.undo_many(project, alice, [kept.client_uuid]),
        lambda: classify_answers.skip(project, region, alice),
        lambda: classify_answers.draw(project, photo, (0.1, 0.1, 0.2, 0.2), alice, uuid4(), region),
        lambda: classify_answers.no_usable_face(project, photo, alice, uuid4()),
    ]
    for deed in deeds:
        with pytest.raises(Refused, match="archived"):
            deed()
    assert Answer.objects.get() == kept
    assert word(project, region) == "yes"
    assert Region.objects.get() == region


def test_a_question_prepared_before_the_archive_is_not_asked(
    project: Project, region: Region, alice: User
) -> None:
    learn(project)
    assert classify_answers.next_question(project, alice)
    project.state = Project.State.ARCHIVED
    assert classify_answers.next_question(project, alice) is None


def test_a_paused_project_still_takes_answers(
    project: Project, region: Region, alice: User, say: Say
) -> None:
    Project.objects.update(state=Project.State.PAUSED)  # nothing is looked at or sent meanwhile
    say(alice, "yes", region)
    assert word(project, region) == "yes"
