"""What becomes of answers that the guard doubts: out, looked at, and back in or kept out."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone

from classify import answers
from classify.answers import Given
from classify.models import Answer, Label, Look, Origin, Question, Round, Verdict
from classify.trust import apply as trust_apply
from classify.trust import exclude as trust_exclude
from crawler.models import Photo, Region
from projects.models import AuditEvent, Membership, Notification, Project, User
from projects.permissions import moderates
from sdc.preview.eligibility import ready_count
from tests.classify.faces import Cast, add_photo
from tests.conftest import ClientOf, MakeProject
from tests.factories import make_moderator, make_user

pytestmark = pytest.mark.django_db

SCREEN = 5
Face = tuple[Photo, Region]


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    trust_apply._seen.clear()


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User, charlie: User) -> Project:
    return make_project(alice, members=[bob, charlie])


def _screens(project: Project, user: User, number: int, chance: float = 0.02) -> list[Region]:
    """The tool asks about faces of this chance; `user` says Yes to all of them, in good time."""
    cast, seen = Cast(), []
    for n in range(number):
        photo, faces = add_photo(project, [cast.face("a stranger") for _ in range(SCREEN)])
        Question.objects.bulk_create(
            Question(subject=project.subject, photo=photo, region=face, rank=0, chance=chance)
            for face in faces
        )
        waited = 60.0 * (number - n)
        given = [(Given(face, photo, uuid4(), waited), Verdict.YES) for face in faces]
        answers.answer_screen(project, user, given, Origin.GRID)
        seen += faces
    return seen


def _mine(project: Project, user: User) -> Membership:
    return Membership.objects.get(project=project, user=user)


def test_a_clicker_is_taken_out_and_somebody_who_confirms_likely_faces_is_not(
    project: Project, alice: User, bob: User, charlie: User
) -> None:
    _screens(project, charlie, 6, chance=0.97)
    assert trust_apply.watch() == 0
    before = ready_count(project)
    _screens(project, bob, 5)
    assert Answer.objects.filter(user=bob, chance=0.02).count() == 5 * SCREEN
    assert ready_count(project) > before
    assert trust_apply.watch() == 1
    assert trust_apply.watch() == 0, "once"

    assert (_mine(project, bob).doubt, _mine(project, bob).counts) == ("all-yes", False)
    assert not Label.objects.filter(user=bob).exists()
    assert Label.objects.filter(user=charlie).count() == 6 * SCREEN
    assert ready_count(project) == before, "nothing is sent that rests on doubted answers"
    told = dict(Notification.objects.values_list("user__wiki_username", "data__code"))
    assert told == {"Alice": "doubted", "Bob": "doubted-you"}
    assert AuditEvent.objects.filter(action="member.doubted", target=f"user:{bob.pk}").exists()


def test_the_owner_sees_why_looks_and_lets_them_count_and_only_new_evidence_raises_it_again(
    project: Project, alice: User, bob: User, charlie: User, client_of: ClientOf
) -> None:
    _screens(project, bob, 5)
    trust_apply.watch()
    members, theirs = f"/p/{project.public_id}/members", f"/members/{bob.public_id}"
    page = client_of(alice).get(members).text
    assert "Said Yes to nearly everything" in page
    assert f"/p/{project.public_id}{theirs}" in page
    assert "wait for a look" not in client_of(charlie).get(members).text
    own = client_of(bob).get(members).text
    assert "wait for a look before they count" in own
    assert "said Yes to nearly everything" in own

    address = f"/p/{project.public_id}{theirs}/counts"
    assert client_of(bob).post(address, {"counts": "yes"}).status_code == 403
    assert not _mine(project, bob).counts
    assert client_of(alice).post(address, {"counts": "yes"}).status_code == 302
    mine = _mine(project, bob)
    assert (mine.counts, mine.doubt, bool(mine.looked_at)) == (True, "", True)
    assert Label.objects.filter(user=bob).count() == 5 * SCREEN

    trust_apply._seen.clear()
    assert trust_apply.watch() == 0, "what was looked at is looked at"
    Membership.objects.filter(pk=mine.pk).update(looked_at="2000-01-01T00:00Z")
    trust_apply._seen.clear()
    assert trust_apply.watch() == 1, "the rows alone would raise it"


def test_kept_out_they_stay_out(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    _screens(project, bob, 5)
    trust_apply.watch()
    address = f"/p/{project.public_id}/members/{bob.public_id}/counts"
    client_of(alice).post(address, {"counts": "no"})
    mine = _mine(project, bob)
    assert (mine.counts, mine.doubt, bool(mine.looked_at)) == (False, "", True)
    client_of(alice).post(address, {"counts": "yes"})
    assert _mine(project, bob).counts


def test_the_owners_own_are_looked_at_by_a_reviewer_or_else_a_moderator(
    project: Project, alice: User, bob: User, mona: User, client_of: ClientOf
) -> None:
    _screens(project, alice, 5)
    trust_apply.watch()
    address = f"/p/{project.public_id}/members/{alice.public_id}/counts"
    assert Notification.objects.filter(user=mona, data__code="doubted").exists()
    assert client_of(alice).post(address, {"counts": "yes"}).status_code == 403
    assert client_of(bob).post(address, {"counts": "yes"}).status_code == 403
    deed = {"action": "let_count", "_selected_action": [alice.pk]}
    assert client_of(mona).post("/admin/projects/user/", deed).status_code == 302
    assert _mine(project, alice).counts

    Membership.objects.filter(project=project, user=bob).update(role="reviewer")
    Membership.objects.filter(project=project, user=alice).update(looked_at=None)
    trust_apply._seen.clear()
    trust_apply.watch()
    assert Notification.objects.filter(user=bob, data__code="doubted").exists()
    assert client_of(bob).post(address, {"counts": "yes"}).status_code == 302
    assert _mine(project, alice).counts


def test_nobody_judges_their_own_whatever_else_they_may(project: Project, alice: User) -> None:
    trust_apply.set_aside(_mine(project, alice), "fast")
    make_moderator(alice)
    owner = User.objects.get(pk=alice.pk)
    assert moderates(owner)
    assert not trust_apply.may_look(owner, _mine(project, alice))
    assert trust_exclude.let_doubted_count(owner, owner) == 0


def test_against_others_and_against_faces_that_are_surely_somebody_else(
    project: Project, alice: User, bob: User
) -> None:
    """Known are words of others that count; of others who don't, nothing is known."""
    seen = _screens(project, bob, 1, chance=0.9)
    photos = {region.pk: Photo.objects.get(picture=region.picture) for region in seen}
    outside = make_user("Nobody of weight")
    Membership.objects.create(project=project, user=outside, counts=False)
    for region in seen:
        said = (project, region, photos[region.pk])
        answers.answer(*said, outside, Verdict.NO, Origin.REVIEW, uuid4())
    assert trust_apply.watch() == 0
    for region in seen:
        said = (project, region, photos[region.pk])
        answers.answer(*said, alice, Verdict.NO, Origin.REVIEW, uuid4())
    deeds = trust_apply.deeds_of(_mine(project, bob))
    assert [each.right for each in deeds[0].said] == [False] * SCREEN


def test_what_waited_in_the_browser_bears_when_it_was_given(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    cast, browser = Cast(), client_of(bob)
    for n in range(3):
        photo, [face] = add_photo(project, [cast.face("marie")])
        sent = {
            "client_uuid": str(uuid4()),
            "photo": photo.public_id,
            "region": face.public_id,
            "verdict": "no",
            "waited": str(30 - 10 * n),
        }
        assert browser.post(f"/p/{project.public_id}/answer", sent).status_code == 302
    first, second, third = [deed.at for deed in trust_apply.deeds_of(_mine(project, bob))]
    assert 9 < second - first < 20
    assert 9 < third - second < 20


def _reviewed(project: Project, user: User, number: int) -> list[Region]:
    """`user` approves pages of faces in the review, one press each."""
    cast, seen = Cast(), []
    for _ in range(number):
        photo, faces = add_photo(project, [cast.face("a stranger") for _ in range(SCREEN)])
        given = [Given(face, photo, uuid4()) for face in faces]
        answers.answer_many(project, given, user, Verdict.YES, Origin.REVIEW)
        seen += faces
    return seen


def _draw(project: Project, faces: list[Region]) -> None:
    """A second look at these faces, drawn at random."""
    round_ = Round.objects.create(
        subject=project.subject, about="approved", frame=len(faces), revision=1
    )
    Look.objects.bulk_create(
        Look(
            subject=project.subject, round=round_, region=face, rank=rank, why=Look.Why.SAMPLED,
            photo=Photo.objects.get(picture=face.picture_id), before=Verdict.YES,
        )
        for rank, face in enumerate(faces)
    )  # fmt: skip


def _look_again(project: Project, user: User, faces: list[Region], verdict: str) -> None:
    for face in faces:
        photo = Photo.objects.get(picture=face.picture_id)
        answers.answer(project, face, photo, user, verdict, Origin.AGAIN, uuid4())


def _say_who_looks_is_right(project: Project) -> None:
    """The two who look again contradict the review, too: the owner has looked at them."""
    rows = Membership.objects.filter(project=project, user__wiki_username__in=("Bob", "Charlie"))
    rows.update(looked_at=timezone.now())


def test_an_owner_who_approves_everything_is_found_by_second_looks_of_two_others(
    project: Project, alice: User, bob: User, charlie: User, mona: User
) -> None:
    faces = _reviewed(project, alice, 8)
    assert trust_apply.watch() == 0, "many at one press is what the review is for"
    _look_again(project, bob, faces, Verdict.NO)
    _look_again(project, charlie, faces, Verdict.NO)
    _say_who_looks_is_right(project)
    assert trust_apply.watch() == 0, "faces that nobody drew say nothing"
    _draw(project, faces)
    trust_apply._seen.clear()
    assert trust_apply.watch() == 1
    assert (_mine(project, alice).doubt, _mine(project, alice).counts) == ("contradicts", False)
    assert Notification.objects.filter(user=mona, data__code="doubted").exists()


@pytest.mark.parametrize(("bob_says", "charlie_says"), [("yes", "yes"), ("no", ""), ("no", "yes")])
def test_a_review_that_one_person_contradicts_or_others_agree_with_is_not_doubted(
    project: Project, alice: User, bob: User, charlie: User, bob_says: str, charlie_says: str
) -> None:
    faces = _reviewed(project, alice, 8)
    _draw(project, faces)
    _look_again(project, bob, faces, bob_says)
    if charlie_says:
        _look_again(project, charlie, faces, charlie_says)
    _say_who_looks_is_right(project)
    assert trust_apply.watch() == 0


def test_who_overrules_a_clicker_in_the_review_is_not_doubted(
    project: Project, alice: User, bob: User, charlie: User
) -> None:
    for clicker in (bob, charlie):
        for face in (faces := _screens(project, clicker, 4)):
            photo = Photo.objects.get(picture=face.picture_id)
            answers.answer_many(
                project, [Given(face, photo, uuid4())], alice, Verdict.NO, Origin.REVIEW
            )
        assert len(faces) == 4 * SCREEN
    trust_apply.watch()
    assert _mine(project, alice).counts
