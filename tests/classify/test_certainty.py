"""What is stated for certain: that it holds, on data whose truth is known, and how it is said."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest
from django.utils import translation

from classify import answers, labels
from classify.answers import Given
from classify.asking import screens
from classify.audit import estimates
from classify.audit import rounds as audit_rounds
from classify.audit.estimates import Approved, Certainty, Left, _Counted, _errors
from classify.audit.rounds import Wanted
from classify.learning import Interval, intervals
from classify.models import Label, Learner, Look, Origin, Round, Verdict
from crawler.models import Photo, Region
from projects.models import Project, User
from tests.classify.crowd import add_crowd, look_at_all
from tests.classify.faces import Cast, add_photo, learn

pytestmark = pytest.mark.django_db

Why = Look.Why


def learned(project: Project, faces: int) -> None:
    """The worker has been there: this many faces, and so many of them nobody looked at."""
    project.refresh_from_db()
    said = Label.objects.filter(subject=project.subject).count()
    Learner.objects.update_or_create(
        project=project,
        defaults={"revision": project.revision, "faces": faces, "left": faces - said},
    )


def test_nothing_is_stated_before_anything_was_looked_at_again(
    project: Project, alice: User
) -> None:
    crowd = add_crowd(project, 60)
    crowd.say(alice, Verdict.YES, range(50))
    crowd.draw()
    found = estimates.of(project)
    assert found.approved == Approved(faces=50, covered=0, twice=0, precision=None)
    assert found.approved.sentence == ""
    assert found.approved.waiting_sentence == "50 faces not looked at twice yet"
    assert found.left.number is None
    assert not found.may_stop


def test_twenty_approved_are_all_seen_twice(project: Project, alice: User) -> None:
    crowd = add_crowd(project, 20)
    crowd.say(alice, Verdict.YES, range(20))
    crowd.draw()
    look_at_all(project, alice, lambda region: True)
    learned(project, 20)
    found = estimates.of(project)
    assert found.approved.all_twice
    assert found.approved.sentence == "All 20 approved faces were seen twice."
    assert found.left.sentence == "All 20 were seen: nothing is left."
    assert found.may_stop


@pytest.mark.parametrize(
    ("faces", "covered", "sentence"),
    [
        (1, 1, "The one approved face was seen twice."),
        (3, 3, "All 3 approved faces were seen twice."),
        (3, 1, "1 approved face was seen twice."),
        (3, 2, "2 approved faces were seen twice."),
    ],
)
def test_one_face_is_said_as_one(faces: int, covered: int, sentence: str) -> None:
    seen = Interval(estimate=1, low=1, high=1, all_seen=True)
    assert Approved(faces, covered, twice=covered, precision=seen).sentence == sentence


def test_an_untouched_round_states_what_the_formula_says(project: Project, alice: User) -> None:
    crowd = add_crowd(project, 100)
    crowd.say(alice, Verdict.YES, range(100))
    crowd.draw()
    sampled = Look.objects.filter(why=Why.SAMPLED).values_list("region", flat=True)
    wrong = set(sampled[:2])
    look_at_all(project, alice, lambda region: region.pk not in wrong)
    census = Look.objects.filter(why=Why.UNLIKELY).count()
    stated = estimates.of(project).approved
    assert stated.faces == stated.covered == 98
    assert stated.twice == 38
    assert stated.precision == pytest.approx(
        intervals.precision(approved=98, certain=census, wrong=2, looked=len(sampled) + 2 - 2)
    )


def test_faces_approved_later_wait_and_do_not_change_what_was_stated(
    project: Project, alice: User
) -> None:
    crowd = add_crowd(project, 130)
    crowd.say(alice, Verdict.YES, range(100))
    crowd.draw()
    look_at_all(project, alice, lambda region: True)
    before = estimates.of(project).approved
    crowd.say(alice, Verdict.YES, range(100, 130))
    after = estimates.of(project).approved
    assert (after.faces, after.covered, after.waiting) == (130, 100, 30)
    assert after.precision == before.precision


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_the_stated_precision_and_what_is_left_hold_whatever_happens_later(
    project: Project, alice: User, bob: User, seed: int
) -> None:
    """Every seed draws its own truth and sample. 8 × 2 intervals at 95 %: all hold here, since
    they are wider than need be; a miss would be possible, but these seeds have none."""
    rng = np.random.default_rng(seed)
    crowd = add_crowd(project, 420, seed)
    truth = rng.random(420) < np.where(np.arange(420) < 220, 0.95, 0.04)
    right = set(crowd.region_ids[truth].tolist())
    crowd.say(alice, Verdict.YES, range(150))
    crowd.draw(seed)
    look_at_all(project, bob, lambda region: region.pk in right)
    crowd.say(alice, Verdict.YES, range(150, 220))  # and a second round
    crowd.draw(seed)
    look_at_all(project, bob, lambda region: region.pk in right)
    # People find errors and faces by themselves, and photos go.
    later = rng.permutation(420)[:60]
    answered = [row for row in later.tolist() if rng.random() < 0.5]
    crowd.say(alice, Verdict.YES, [row for row in answered if truth[row]])
    crowd.say(alice, Verdict.NO, [row for row in answered if not truth[row]])
    gone = crowd.photo_ids[rng.permutation(420)[:10]].tolist()
    Photo.objects.filter(pk__in=gone).update(state=Photo.State.WITHDRAWN)

    live = {int(pk) for pk in crowd.region_ids} - set(
        Region.objects.filter(picture__photos__in=gone).values_list("pk", flat=True)
    )
    learned(project, 420)
    Learner.objects.update(
        faces=len(live),
        left=len(live - set(Label.objects.values_list("region", flat=True))),
    )
    stated = estimates.of(project)
    rounds = Round.objects.filter(subject=project.subject, about="approved")
    covered = set(
        Look.objects.filter(round__in=rounds).exclude(why=Why.TRAP).values_list("region", flat=True)
    )
    yes = set(Label.objects.filter(verdict=Verdict.YES).values_list("region", flat=True))
    approved = yes & covered & live
    assert stated.approved.covered == len(approved)
    assert stated.approved.precision
    assert stated.approved.precision.holds(len(approved & right) / len(approved))
    left = live - set(Label.objects.values_list("region", flat=True))
    assert stated.left.number
    assert stated.left.number.holds(len(left & right))


@pytest.mark.parametrize("errors", [0.0, 0.01, 0.05, 0.2])
@pytest.mark.parametrize("rounds", [1, 3])
def test_the_interval_of_errors_holds_as_often_as_it_says(errors: float, rounds: int) -> None:
    """With errors taken out of the rest by people, and faces withdrawn, after the sample and
    before it was looked at."""
    rng = np.random.default_rng(rounds)
    held = []
    for _ in range(600):
        counted, truth = [], 0
        for _ in range(rounds):
            wrong = rng.random(int(rng.integers(40, 160))) < errors
            wrong = wrong[rng.random(len(wrong)) > 0.03]  # some go before they are looked at
            order = rng.permutation(len(wrong))
            looked, rest = order[:20], order[20:]
            removed = rng.random(len(rest)) < np.where(wrong[rest], 0.4, 0.02)
            kept = rest[~removed]
            truth += int(wrong[kept].sum())
            counted.append(
                _Counted(
                    looked=len(looked),
                    wrong=int(wrong[looked].sum()),
                    rest=len(rest),
                    kept=len(kept),
                    rejected=int((wrong[rest] & removed).sum()),
                )
            )
        held.append(_errors(counted, 0).holds(truth))
    assert np.mean(held) >= 0.95


def test_a_rejected_face_that_a_reviewer_keeps_is_counted_as_wrong(
    project: Project, alice: User, bob: User
) -> None:
    crowd = add_crowd(project, 20)
    crowd.say(alice, Verdict.YES, range(20))
    crowd.draw()
    wrong = int(crowd.region_ids[3])
    look_at_all(project, bob, lambda region: region.pk != wrong)
    assert Label.objects.get(region=wrong).verdict == Verdict.YES  # alice's word weighs more
    stated = estimates.of(project).approved.precision
    assert stated
    assert stated.low == pytest.approx(0.95)


@pytest.mark.parametrize("why", [Why.SAMPLED, Why.FRAME])
def test_a_face_that_is_drawn_better_is_no_error(project: Project, alice: User, why: str) -> None:
    crowd = add_crowd(project, 60)
    crowd.say(alice, Verdict.YES, range(60))
    crowd.draw()
    look_at_all(project, alice, lambda region: True)
    before = estimates.of(project).approved.precision
    drawn = Look.objects.filter(why=why).select_related("region", "photo")[0]
    box = (0.1, 0.1, 0.2, 0.2)
    answers.draw(project, drawn.photo, box, alice, uuid4(), replaces=drawn.region)
    after = estimates.of(project).approved
    assert (after.faces, after.waiting) == (60, 1)
    assert before
    assert after.precision
    assert before.estimate == after.precision.estimate == 1
    assert after.precision.high == 1


def test_what_is_left_is_said_of_what_nobody_looked_at(project: Project, alice: User) -> None:
    crowd = add_crowd(project, 472)
    crowd.draw()
    sample = Look.objects.filter(subject=project.subject).values_list("region", flat=True)
    found = {sample[0]}
    look_at_all(project, alice, lambda region: region.pk in found)
    learned(project, 472)
    left = estimates.of(project).left
    expected = intervals.left_over(1, 60, 472)
    assert left.number == Interval(expected.estimate, expected.low, expected.high)
    assert left.sentence == f"About 7 more in the 412 left, {expected.high:.0f} at most."
    rest = [row for row, pk in enumerate(crowd.region_ids.tolist()) if pk not in set(sample)]
    crowd.say(alice, Verdict.YES, rest[:5])
    learned(project, 472)
    later = estimates.of(project).left.number
    assert later
    assert later.high == expected.high  # never less for what was found since
    assert later.estimate == pytest.approx(expected.estimate - 5)


def test_a_slip_in_the_sample_of_what_is_left_may_be_corrected(
    project: Project, alice: User
) -> None:
    crowd = add_crowd(project, 200)
    crowd.draw()
    first = Look.objects.values_list("region", flat=True)[0]
    look_at_all(project, alice, lambda region: region.pk == first)
    learned(project, 200)
    assert estimates.of(project).left.sentence.startswith("About 2 more in the 140 left")
    crowd.say(alice, Verdict.NO, [crowd.region_ids.tolist().index(first)])
    assert estimates.of(project).left.sentence.startswith("None found among 60")


def test_faces_that_came_are_not_in_it(project: Project, alice: User) -> None:
    crowd = add_crowd(project, 200)
    crowd.draw()
    look_at_all(project, alice, lambda region: False)
    learned(project, 203)
    found = estimates.of(project)
    assert found.left.came_sentence == "3 faces came since and are not in it."
    assert not found.may_stop
    learned(project, 200)
    found = estimates.of(project)
    assert found.may_stop
    high = intervals.left_over(0, 60, 200).high
    assert found.left.sentence == f"None found among 60; in the 140 left {high:.0f} at most."


def test_undoing_a_look_takes_the_statement_back_until_it_is_given_again(
    project: Project, alice: User
) -> None:
    crowd = add_crowd(project, 50)
    crowd.say(alice, Verdict.YES, range(50))
    crowd.draw()
    look_at_all(project, alice, lambda region: True)
    stated = estimates.of(project).approved
    assert stated.precision
    answers.undo(project, alice, uuid4())
    assert estimates.of(project).approved.precision is None
    look_at_all(project, alice, lambda region: True)
    assert estimates.of(project).approved == stated


def test_numbers_are_written_as_the_reader_writes_them() -> None:
    approved = Approved(12345, 12345, 400, Interval(0.9921, 0.95114, 1.0))
    assert approved.sentence == (
        "About 99.2 % of 12,345 approved faces are right: between 95.1 % and 100 %, "
        "4.9 points wide."
    )
    with translation.override("de"):
        assert "99,2 % of 12.345" in approved.sentence


def test_of_a_small_project_counts_are_said_instead_of_a_share() -> None:
    approved = Approved(60, 60, 20, Interval(1.0, 1 - 5 / 60, 1.0))
    assert approved.sentence == (
        "All 60 approved faces were seen, 20 of them twice: 5 of the others are wrong at most."
    )
    more = Approved(62, 60, 20, Interval(1.0, 1 - 1 / 60, 1.0))
    assert more.sentence == (
        "60 approved faces were seen, 20 of them twice: 1 of the others is wrong at most."
    )


def test_of_three_rounds_each_is_said_with_more_care() -> None:
    one = _Counted(looked=20, wrong=0, rest=80, kept=80)
    single, three = _errors([one], 0), _errors([one, one, one], 0)
    assert three.high > 3 * single.high
    seen = _Counted(looked=10, wrong=1, rest=0, kept=0)
    assert _errors([one, seen], 0) == single  # of which all was seen takes no level


def test_one_may_not_stop_while_a_look_waits_or_much_is_expected() -> None:
    approved, few = Approved(0, 0, 0, None), Interval(3, 0, 33)
    assert Certainty(approved, Left(412, looked=60, number=few), Wanted(0, 0)).may_stop
    assert not Certainty(approved, Left(412, looked=60, number=few), Wanted(1, 0)).may_stop
    much = Interval(30, 9, 70)
    assert not Certainty(approved, Left(412, looked=60, number=much), Wanted(0, 0)).may_stop


def test_all_of_it_takes_few_queries_whatever_the_size(
    project: Project, alice: User, django_assert_max_num_queries: object
) -> None:
    crowd = add_crowd(project, 300)
    crowd.say(alice, Verdict.YES, range(200))
    crowd.draw()
    look_at_all(project, alice, lambda region: True)
    learned(project, 300)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        before = estimates.of(project)
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        assert estimates.of(project) == before  # a page that asks again and again
    crowd.say(alice, Verdict.NO, [0])
    assert estimates.of(project).approved.faces == before.approved.faces - 1


def test_a_round_that_ends_without_a_word_is_told_at_once(project: Project, alice: User) -> None:
    crowd = add_crowd(project, 20)
    crowd.say(alice, Verdict.YES, range(20))
    crowd.draw()
    screen = audit_rounds.next_screen(project, alice)
    assert screen
    *others, gone = screen.faces
    given = [(Given(face.region, face.photo, uuid4()), Verdict.YES) for face in others]
    answers.answer_screen(project, alice, given, Origin.AGAIN)
    Photo.objects.filter(pk=gone.photo.pk).update(state=Photo.State.WITHDRAWN)
    Project.objects.filter(pk=project.pk).tell_learner()
    assert estimates.of(project).approved.precision is None
    audit_rounds.close(project)  # as the worker does
    assert estimates.of(project).approved.twice == 19


def test_a_word_by_a_statement_alone_is_not_approved(project: Project, alice: User) -> None:
    crowd = add_crowd(project, 3)
    crowd.say(alice, Verdict.YES, range(3))
    labels.standing(project).update(origin=Origin.BOOTSTRAP, user=None)
    answers.rebuild_labels(project)
    assert estimates.of(project).approved.faces == 0


def test_who_wants_certainty_looks_at_the_rest_and_what_was_stated_stays_until_then(
    project: Project, alice: User
) -> None:
    crowd = add_crowd(project, 60)
    crowd.say(alice, Verdict.YES, range(60))
    crowd.draw()
    wrong = int(Look.objects.filter(why=Why.FRAME).values_list("region", flat=True)[0])
    look_at_all(project, alice, lambda region: region.pk != wrong)
    before = estimates.of(project).approved
    assert before.once == 40
    assert audit_rounds.draw_rest(project, np.random.default_rng(1)) == 40
    assert audit_rounds.draw_rest(project, np.random.default_rng(1)) == 0  # it is open
    assert estimates.of(project).approved == before
    look_at_all(project, alice, lambda region: region.pk != wrong)
    after = estimates.of(project).approved
    assert after.all_twice
    assert after.sentence == "All 59 approved faces were seen twice."


def test_from_the_first_answer_to_where_one_can_stop(
    project: Project, alice: User, cast: Cast
) -> None:
    """The worker draws by itself when nothing more is worth asking."""
    marie = {add_photo(project, [cast.face("marie")])[1][0].pk for _ in range(12)}
    for _ in range(30):
        add_photo(project, [cast.face("pierre"), cast.face("irene"), cast.face("eve")])

    def is_marie(region: Region) -> bool:
        return region.pk in marie

    learn(project)
    while screen := screens.next_screen(project, alice):
        given = [
            (
                Given(face.region, face.photo, uuid4()),
                Verdict.YES if is_marie(face.region) else Verdict.NO,
            )
            for face in screen.faces
        ]
        answers.answer_screen(project, alice, given)
        learn(project)
    asked = Label.objects.count()
    assert asked < 80  # of 102
    assert estimates.of(project).wanted.approved == 12
    assert not estimates.of(project).may_stop
    while look_at_all(project, alice, is_marie):
        learn(project)
    found = estimates.of(project)
    assert found.approved.sentence == "All 12 approved faces were seen twice."
    assert found.left.number
    assert found.left.number.holds(0)
    assert found.left.looked == 60
    assert found.may_stop
