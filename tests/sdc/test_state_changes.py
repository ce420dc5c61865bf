"""Every change of state that may happen, made to happen; and those that may not, tried in vain.

The two tables say who or what makes each change. The stories of test_stateful.py are held
against them as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from classify.models import Label
from core.user_errors import Refused
from projects.accounts import tokens
from projects.models import AuditEvent, Project, User
from sdc import reconcile
from sdc.batches import moderation
from sdc.batches import services as batches
from sdc.batches import undo as batches_undo
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch, Writer
from sdc.sending_rights import probation
from sdc.watch import recheck
from sdc.writing import outcomes
from sdc.writing.reasons import Reason
from tests.sdc.allowed import BATCH_CHANGES, CLAIM_CHANGES, OUTCOME_CHANGES
from tests.sdc.conftest import (
    CURIE,
    Make,
    WikiItself,
    hours_pass,
    send,
    send_to_the_end,
    time_passes,
)

B, C, Out = EditBatch.State, Claim.State, ClaimAttempt.Outcome
WRITE = {"action": "wbsetclaim"}


@dataclass
class Scene:
    """One file with a Yes; Alice sends, Mona moderates."""

    project: Project
    alice: User
    mona: User
    label: Label
    wiki: WikiItself

    @property
    def page_id(self) -> int:
        return self.label.photo.page_id

    @property
    def claim(self) -> Claim:
        return Claim.objects.get(page_id=self.page_id, qid=CURIE)

    @property
    def batch(self) -> EditBatch:
        """The newest."""
        return EditBatch.objects.select_related("project__subject__person", "user").latest("pk")

    def draft(self, *, asks: bool = False) -> EditBatch:
        draft = batches.prepare_batch(self.project, self.alice)
        for row in draft.attempts.all():
            if asks:
                assert batches.ask_for(row, self.alice)
        return draft

    def confirmed(self, *, asks: bool = False) -> EditBatch:
        return batches.confirm(self.draft(asks=asks), self.alice)

    def written(self) -> EditBatch:
        batch = send_to_the_end(self.confirmed())
        assert self.claim.state == C.WRITTEN
        return batch

    def present(self) -> None:
        batch = self.confirmed()
        self.wiki.somebody_adds(self.page_id)
        send_to_the_end(batch)

    def removed(self) -> EditBatch:
        batch = self.written()
        self.wiki.somebody_removes(self.page_id)
        self.watch()
        return batch

    def undoing(self) -> EditBatch:
        return batches_undo.undo(self.written(), self.alice)

    def undone(self) -> EditBatch:
        return send_to_the_end(self.undoing())

    def rejected(self) -> None:
        self.draft()
        assert moderation.reject(self.claim, self.mona, "not her")

    def rejected_too_late(self) -> EditBatch:
        """In the middle of its call."""
        batch = self.writes_without_hearing_of_it()
        assert moderation.reject(self.claim, self.mona, "not her")
        send_to_the_end(batch)
        assert len(self.wiki.depicts(self.page_id)) == 1
        return batch

    def watch(self, hours: float = 25) -> None:
        hours_pass(hours)
        recheck.work(2)

    def writes_without_hearing_of_it(self) -> EditBatch:
        batch = self.confirmed()
        self.wiki.running.faults.add("cut-after-effect", WRITE, times=1)
        send(0.2)
        return batch


@pytest.fixture
def scene(project: Project, alice: User, mona: User, said_yes: Make, wiki: WikiItself) -> Scene:
    return Scene(project, alice, mona, said_yes(project)[0], wiki)


Steps = Callable[[Scene], Iterator[None]]
Change = tuple[str, str]


# What happens to claims ---------------------------------------------------------------------
# Each function leads up to a state, yields, and makes the change.


def is_confirmed(scene: Scene) -> Iterator[None]:
    draft = scene.draft()
    yield
    batches.confirm(draft, scene.alice)


def is_asked_for(state: str) -> Steps:
    def steps(scene: Scene) -> Iterator[None]:
        bring_to(scene, state)
        draft = scene.draft(asks=True)
        yield
        batches.confirm(draft, scene.alice)

    return steps


def is_asked_for_and_not_sent(state: str) -> Steps:
    """The answer is taken back in between: what was said against it still stands."""

    def steps(scene: Scene) -> Iterator[None]:
        bring_to(scene, state)
        batch = scene.confirmed(asks=True)
        yield
        scene.label.delete()
        send_to_the_end(batch)
        row = batch.attempts.get()
        assert (row.outcome, row.reason) == (Out.SKIPPED, Reason.ANSWER_CHANGED)

    return steps


def is_written(scene: Scene) -> Iterator[None]:
    batch = scene.confirmed()
    yield
    send_to_the_end(batch)


def is_there_already(scene: Scene) -> Iterator[None]:
    batch = scene.confirmed()
    scene.wiki.somebody_adds(scene.page_id)
    yield
    send_to_the_end(batch)


def is_skipped(scene: Scene) -> Iterator[None]:
    batch = scene.confirmed()
    scene.label.delete()
    yield
    send_to_the_end(batch)


def is_removed_before_we_know(scene: Scene) -> Iterator[None]:
    batch = scene.writes_without_hearing_of_it()
    scene.wiki.somebody_removes(scene.page_id)
    yield
    send_to_the_end(batch)


def is_rejected_while_sent(scene: Scene) -> Iterator[None]:
    scene.confirmed()
    yield
    assert moderation.reject(scene.claim, scene.mona, "not her")


def is_being_undone(scene: Scene) -> Iterator[None]:
    batch = scene.written()
    yield
    batches_undo.undo(batch, scene.alice)


def is_undone(scene: Scene) -> Iterator[None]:
    undo = scene.undoing()
    yield
    send_to_the_end(undo)


def stays_since_the_undo_is_stopped(scene: Scene) -> Iterator[None]:
    undo = scene.undoing()
    yield
    assert batches.stop(undo, scene.alice)


def was_gone_before_the_undo(scene: Scene) -> Iterator[None]:
    undo = scene.undoing()
    scene.wiki.somebody_removes(scene.page_id)
    yield
    send_to_the_end(undo)


def is_seen_to_be_removed(scene: Scene) -> Iterator[None]:
    scene.written()
    scene.wiki.somebody_removes(scene.page_id)
    yield
    scene.watch()


def is_seen_to_be_restored(scene: Scene) -> Iterator[None]:
    scene.removed()
    [edit] = scene.wiki.edits(scene.page_id)
    scene.wiki.somebody_restores(scene.page_id, edit.id)
    yield
    scene.watch(24 * 7)


def is_seen_to_be_gone_by_a_preview(scene: Scene) -> Iterator[None]:
    scene.present()
    scene.wiki.somebody_removes(scene.page_id)
    yield
    scene.draft()


def is_rejected(state: str) -> Steps:
    def steps(scene: Scene) -> Iterator[None]:
        bring_to(scene, state)
        yield
        assert moderation.reject(scene.claim, scene.mona, "not her")

    return steps


def is_released(state: str) -> Steps:
    def steps(scene: Scene) -> Iterator[None]:
        bring_to(scene, state)
        moderation.reject(scene.claim, scene.mona, "not her")
        yield
        assert moderation.release(scene.claim, scene.mona, "it is")

    return steps


def is_undone_though_rejected(scene: Scene) -> Iterator[None]:
    batch = scene.rejected_too_late()
    yield
    batches_undo.undo(batch, scene.mona)


def stays_rejected_since_the_undo_is_stopped(scene: Scene) -> Iterator[None]:
    undo = batches_undo.undo(scene.rejected_too_late(), scene.mona)
    yield
    assert batches.stop(undo, scene.mona)


def stays_rejected_since_it_was_gone(scene: Scene) -> Iterator[None]:
    undo = batches_undo.undo(scene.rejected_too_late(), scene.mona)
    scene.wiki.somebody_removes(scene.page_id)
    yield
    send_to_the_end(undo)


def is_found_by_reconcile(scene: Scene) -> Iterator[None]:
    """Written, unheard of, and the file deleted before we looked: then it came back."""
    batch = scene.writes_without_hearing_of_it()
    page = scene.wiki.page(scene.page_id)
    scene.wiki.running.world.delete(page, user="Admin")
    send_to_the_end(batch)
    scene.wiki.running.world.undelete(page, user="Admin")
    yield
    assert not reconcile.reconcile().agrees
    assert reconcile.reconcile(repair=True).agrees


CLAIMS: list[tuple[str, str, Steps]] = [
    (C.FREE, C.SENDING, is_confirmed),
    (C.FREE, C.REJECTED, is_rejected(C.FREE)),
    (C.FREE, C.WRITTEN, is_found_by_reconcile),
    (C.SENDING, C.WRITTEN, is_written),
    (C.SENDING, C.PRESENT, is_there_already),
    (C.SENDING, C.FREE, is_skipped),
    (C.SENDING, C.REMOVED, is_removed_before_we_know),
    (C.SENDING, C.REMOVED, is_asked_for_and_not_sent(C.REMOVED)),
    (C.SENDING, C.UNDONE, is_asked_for_and_not_sent(C.UNDONE)),
    (C.SENDING, C.REJECTED, is_asked_for_and_not_sent(C.REJECTED)),
    (C.SENDING, C.REJECTED, is_rejected_while_sent),
    (C.WRITTEN, C.UNDOING, is_being_undone),
    (C.WRITTEN, C.REMOVED, is_seen_to_be_removed),
    (C.PRESENT, C.REMOVED, is_seen_to_be_gone_by_a_preview),
    (C.UNDOING, C.UNDONE, is_undone),
    (C.UNDOING, C.WRITTEN, stays_since_the_undo_is_stopped),
    (C.UNDOING, C.REMOVED, was_gone_before_the_undo),
    (C.UNDOING, C.REJECTED, stays_rejected_since_the_undo_is_stopped),
    (C.UNDOING, C.REJECTED, stays_rejected_since_it_was_gone),
    (C.REMOVED, C.SENDING, is_asked_for(C.REMOVED)),
    (C.REMOVED, C.WRITTEN, is_seen_to_be_restored),
    (C.REMOVED, C.REJECTED, is_rejected(C.REMOVED)),
    (C.UNDONE, C.SENDING, is_asked_for(C.UNDONE)),
    (C.UNDONE, C.REJECTED, is_rejected(C.UNDONE)),
    (C.REJECTED, C.SENDING, is_asked_for(C.REJECTED)),
    (C.REJECTED, C.UNDOING, is_undone_though_rejected),
    (C.REJECTED, C.FREE, is_released(C.FREE)),
    (C.REJECTED, C.REMOVED, is_released(C.REMOVED)),
    (C.REJECTED, C.UNDONE, is_released(C.UNDONE)),
]


def bring_to(scene: Scene, state: str) -> None:
    """By the way that leads there in life."""
    ways: dict[str, Callable[[], object]] = {
        C.FREE: scene.draft,
        C.SENDING: scene.confirmed,
        C.WRITTEN: scene.written,
        C.PRESENT: scene.present,
        C.REMOVED: scene.removed,
        C.UNDOING: scene.undoing,
        C.UNDONE: scene.undone,
        C.REJECTED: scene.rejected,
    }
    ways[state]()
    assert scene.claim.state == state


@pytest.mark.parametrize(("was", "becomes", "steps"), CLAIMS)
def test_each_change_of_a_claim(was: str, becomes: str, steps: Steps, scene: Scene) -> None:
    going = steps(scene)
    next(going)
    assert scene.claim.state == was
    next(going, None)
    assert scene.claim.state == becomes


def test_every_change_of_a_claim_is_made_here() -> None:
    assert {(was, becomes) for was, becomes, _ in CLAIMS} == CLAIM_CHANGES


# What each deed makes of a claim in each state; all else leaves it as it is.
MOVES: dict[Change, str] = {
    (C.FREE, "confirm"): C.SENDING,
    (C.FREE, "reject"): C.REJECTED,
    (C.SENDING, "work"): C.WRITTEN,
    (C.SENDING, "reject"): C.REJECTED,
    (C.WRITTEN, "undo"): C.UNDOING,
    (C.UNDOING, "work"): C.UNDONE,
    (C.REMOVED, "reject"): C.REJECTED,
    (C.UNDONE, "reject"): C.REJECTED,
    (C.REJECTED, "release"): C.FREE,
}


def claim_deeds(scene: Scene, older: EditBatch) -> dict[str, Callable[[], object]]:
    """Return the actions in the order that leaves the later ones something to do.

    `older` is what Bob previewed before all that; it says no longer what it did.
    """
    written = ClaimAttempt.objects.filter(outcome=Out.WRITTEN, undoes=None).last()
    bob = older.user
    return {
        "undo": lambda: batches_undo.undo(written, scene.alice) if written else None,
        "reject": lambda: moderation.reject(scene.claim, scene.mona, "not her"),
        "release": lambda: moderation.release(scene.claim, scene.mona),
        "work": lambda: send(0.3),
        "watch": scene.watch,
        "confirm": lambda: batches.confirm(older, bob),
    }


@pytest.mark.parametrize(("state", "deed"), MOVES)
def test_a_deed_moves_a_claim_from_these_states(
    state: str, deed: str, scene: Scene, bob: User
) -> None:
    older = batches.prepare_batch(scene.project, bob)
    bring_to(scene, state)
    claim_deeds(scene, older)[deed]()
    assert scene.claim.state == MOVES[state, deed]


@pytest.mark.parametrize("state", C.values)
def test_no_other_deed_moves_a_claim(
    state: str, scene: Scene, bob: User, subtests: pytest.Subtests
) -> None:
    older = batches.prepare_batch(scene.project, bob)
    bring_to(scene, state)
    for deed, do in claim_deeds(scene, older).items():
        if (state, deed) in MOVES:
            continue
        with subtests.test(deed=deed):
            before = counts(scene)
            with suppress(Refused, PermissionDenied):
                do()
            assert scene.claim.state == state
            # A batch of which every row is lost is still confirmed, and done.
            assert deed == "confirm" or counts(scene) == before


def counts(scene: Scene) -> tuple[int, int, int]:
    return AuditEvent.objects.count(), Edit.objects.count(), len(scene.wiki.edits())


def test_a_claim_that_is_held_is_not_sent_and_released_once(scene: Scene) -> None:
    draft = scene.draft()
    assert moderation.hold(scene.claim, scene.mona, "wait")
    assert not moderation.hold(scene.claim, scene.mona, "wait")
    batches.confirm(draft, scene.alice)
    row = draft.attempts.get()
    assert (row.outcome, row.reason) == (Out.SKIPPED, Reason.HELD)
    assert scene.claim.state == C.FREE
    assert moderation.release(scene.claim, scene.mona)
    assert not moderation.release(scene.claim, scene.mona)
    assert scene.written()


# What happens to batches --------------------------------------------------------------------


def batch_is_confirmed(scene: Scene) -> Iterator[None]:
    draft = scene.draft()
    yield
    batches.confirm(draft, scene.alice)


def batch_has_nothing_left_when_confirmed(scene: Scene) -> Iterator[None]:
    draft = scene.draft()
    moderation.hold(scene.claim, scene.mona, "wait")
    yield
    batches.confirm(draft, scene.alice)


def batch_is_handed_over(scene: Scene) -> Iterator[None]:
    draft = scene.draft()
    yield
    scene.wiki.running.world.users.change("Alice", editcount=3)
    forget_who_they_are()
    assert probation.hand_over(draft, scene.alice)


def batch_comes_back(scene: Scene) -> Iterator[None]:
    bring_batch_to(scene, B.HANDED)
    handed = scene.batch
    yield
    assert probation.take_back(handed, scene.alice)


def batch_is_taken_up(scene: Scene) -> Iterator[None]:
    bring_batch_to(scene, B.HANDED)
    bob = User.objects.get(wiki_username="Bob")
    draft = batches.prepare_batch(scene.project, bob)
    yield
    batches.confirm(draft, bob)


def batch_is_paused_by_a_person(scene: Scene) -> Iterator[None]:
    batch = scene.confirmed()
    yield
    assert batches.pause(batch, scene.alice)


def batch_is_paused_by_the_wiki(scene: Scene) -> Iterator[None]:
    scene.confirmed()
    scene.wiki.running.faults.add("readonly", WRITE)
    yield
    send(0.3)


def batch_is_paused_by_a_stop(scene: Scene) -> Iterator[None]:
    scene.confirmed()
    moderation.stop_user(scene.alice, scene.mona, "look first")
    yield
    send(0.3)


def batch_is_paused_for_a_login(scene: Scene) -> Iterator[None]:
    scene.confirmed()
    tokens.reject(scene.alice, tokens.access_token(scene.alice))
    yield
    send(0.3)


def batch_is_paused_with_its_project(scene: Scene) -> Iterator[None]:
    scene.confirmed()
    Project.objects.update(state=Project.State.PAUSED)
    yield
    send(0.3)


def batch_is_resumed_by_its_sender(scene: Scene) -> Iterator[None]:
    batch = scene.confirmed()
    batches.pause(batch, scene.alice)
    yield
    assert batches.resume(batch, scene.alice)


def batch_is_done(scene: Scene) -> Iterator[None]:
    batch = scene.confirmed()
    yield
    send_to_the_end(batch)


def batch_is_stopped_by(who: str) -> Steps:
    def steps(scene: Scene) -> Iterator[None]:
        batch = scene.confirmed()
        yield
        if who == "sender":
            assert batches.stop(batch, scene.alice)
        elif who == "moderator":
            assert moderation.stop_batch(batch, scene.mona, "look first")
        elif who == "wiki":
            scene.wiki.running.faults.add("blocked", WRITE)
            send(0.3)
        else:
            Project.objects.update(state=Project.State.ARCHIVED)
            send(0.3)

    return steps


def batch_is_stopped_while_paused(scene: Scene) -> Iterator[None]:
    batch = scene.confirmed()
    batches.pause(batch, scene.alice)
    yield
    assert batches.stop(batch, scene.alice)


BATCHES: list[tuple[str, str, Steps]] = [
    (B.DRAFT, B.RUNNING, batch_is_confirmed),
    (B.DRAFT, B.DONE, batch_has_nothing_left_when_confirmed),
    (B.DRAFT, B.HANDED, batch_is_handed_over),
    (B.HANDED, B.DRAFT, batch_comes_back),
    (B.HANDED, B.DONE, batch_is_taken_up),
    (B.RUNNING, B.PAUSED, batch_is_paused_by_a_person),
    (B.RUNNING, B.PAUSED, batch_is_paused_by_the_wiki),
    (B.RUNNING, B.PAUSED, batch_is_paused_by_a_stop),
    (B.RUNNING, B.PAUSED, batch_is_paused_for_a_login),
    (B.RUNNING, B.PAUSED, batch_is_paused_with_its_project),
    (B.RUNNING, B.DONE, batch_is_done),
    (B.RUNNING, B.STOPPED, batch_is_stopped_by("sender")),
    (B.RUNNING, B.STOPPED, batch_is_stopped_by("moderator")),
    (B.RUNNING, B.STOPPED, batch_is_stopped_by("wiki")),
    (B.RUNNING, B.STOPPED, batch_is_stopped_by("archive")),
    (B.PAUSED, B.RUNNING, batch_is_resumed_by_its_sender),
    (B.PAUSED, B.STOPPED, batch_is_stopped_while_paused),
]


def forget_who_they_are() -> None:
    """The wiki is asked again how it knows everybody."""
    Writer.objects.update(asked_at=None)


def bring_batch_to(scene: Scene, state: str) -> None:
    """By the way that leads there in life."""
    batch = scene.draft()
    match state:
        case B.HANDED:
            users = scene.wiki.running.world.users
            account = users.by_name("Alice")
            assert account
            users.change("Alice", editcount=3)
            forget_who_they_are()
            assert probation.hand_over(batch, scene.alice)
            users.change("Alice", editcount=account.editcount)
            forget_who_they_are()
        case B.RUNNING | B.PAUSED | B.STOPPED | B.DONE:
            batches.confirm(batch, scene.alice)
    match state:
        case B.PAUSED:
            batches.pause(batch, scene.alice)
        case B.STOPPED:
            batches.stop(batch, scene.alice)
        case B.DONE:
            send_to_the_end(batch)
    assert scene.batch.state == state


@pytest.mark.parametrize(("was", "becomes", "steps"), BATCHES)
def test_each_change_of_a_batch(
    was: str, becomes: str, steps: Steps, scene: Scene, bob: User
) -> None:
    going = steps(scene)
    next(going)
    batch = scene.batch if was != B.HANDED else EditBatch.objects.get(user=scene.alice)
    assert batch.state == was
    next(going, None)
    batch.refresh_from_db()
    assert batch.state == becomes
    assert (batch.finished_at is not None) == (becomes in (B.DONE, B.STOPPED))
    if batch.confirmed_at and becomes in (B.DONE, B.STOPPED):  # nothing is left under way
        assert not batch.attempts.filter(state__in=outcomes.UNSETTLED, outcome=Out.PLANNED).exists()


def test_every_change_of_a_batch_is_made_here() -> None:
    assert {(was, becomes) for was, becomes, _ in BATCHES} == BATCH_CHANGES


@pytest.mark.parametrize(
    "reason", [Reason.READONLY, Reason.USER_STOPPED, Reason.PROJECT_STOPPED, Reason.ALL_STOPPED]
)
def test_what_others_paused_goes_on_by_itself_once_it_may(reason: Reason, scene: Scene) -> None:
    batch = scene.confirmed()
    faults, mona = scene.wiki.running.faults, scene.mona
    match reason:
        case Reason.READONLY:
            faults.add("readonly", WRITE)
        case Reason.USER_STOPPED:
            moderation.stop_user(scene.alice, mona, "look first")
        case Reason.PROJECT_STOPPED:
            moderation.stop_project(scene.project, mona, "look first")
        case Reason.ALL_STOPPED:
            moderation.stop_everything(mona, "look first")
    send(0.3)
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (B.PAUSED, reason)
    faults.clear()
    moderation.release_user(scene.alice, mona)
    moderation.release_project(scene.project, mona)
    moderation.release_everything(mona)
    time_passes()
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (B.DONE, "")
    assert scene.claim.state == C.WRITTEN


@pytest.mark.parametrize("pause", [batch_is_paused_by_a_person, batch_is_paused_for_a_login])
def test_what_a_person_has_to_resume_waits_for_that(pause: Steps, scene: Scene) -> None:
    list(pause(scene))
    for _round in range(2):
        time_passes()
        send(0.2)
        assert scene.batch.state == B.PAUSED
    assert not scene.wiki.edits()


BATCH_MOVES: dict[Change, str] = {
    (B.DRAFT, "confirm"): B.RUNNING,
    (B.HANDED, "take back"): B.DRAFT,
    (B.RUNNING, "pause"): B.PAUSED,
    (B.RUNNING, "stop"): B.STOPPED,
    (B.RUNNING, "stop as a moderator"): B.STOPPED,
    (B.RUNNING, "work"): B.DONE,
    (B.PAUSED, "resume"): B.RUNNING,
    (B.PAUSED, "stop"): B.STOPPED,
    (B.PAUSED, "stop as a moderator"): B.STOPPED,
}


def batch_deeds(scene: Scene) -> dict[str, Callable[[], object]]:
    batch, alice = scene.batch, scene.alice
    return {
        "confirm": lambda: batches.confirm(batch, alice),
        # Alice may send, so there is nothing to hand over
        "hand over": lambda: probation.hand_over(batch, alice),
        "take back": lambda: probation.take_back(batch, alice),
        "pause": lambda: batches.pause(batch, alice),
        "resume": lambda: batches.resume(batch, alice),
        "stop": lambda: batches.stop(batch, alice),
        "stop as a moderator": lambda: moderation.stop_batch(batch, scene.mona, "look first"),
        "work": lambda: send(0.3),
    }


@pytest.mark.parametrize(("state", "deed"), BATCH_MOVES)
def test_a_deed_moves_a_batch_from_these_states(state: str, deed: str, scene: Scene) -> None:
    bring_batch_to(scene, state)
    do = batch_deeds(scene)[deed]
    do()
    assert scene.batch.state == BATCH_MOVES[state, deed]
    before = everything()
    with suppress(Refused, PermissionDenied):  # a second click does nothing more
        do()
    assert everything() == before


@pytest.mark.parametrize("state", B.values)
def test_no_other_deed_moves_a_batch(state: str, scene: Scene, subtests: pytest.Subtests) -> None:
    bring_batch_to(scene, state)
    for deed in batch_deeds(scene):
        if (state, deed) in BATCH_MOVES:
            continue
        with subtests.test(deed=deed):
            before = everything()
            with suppress(Refused, PermissionDenied):
                batch_deeds(scene)[deed]()
            assert scene.batch.state == state
            assert everything() == before


def everything() -> list[Any]:
    """All that such a deed could change."""
    rows = (EditBatch, ClaimAttempt, Claim, Edit, AuditEvent)
    return [list(model.objects.order_by("pk").values()) for model in rows]


# What becomes of attempts -------------------------------------------------------------------


def row_is_left_out(scene: Scene) -> Iterator[None]:
    row = scene.draft().attempts.get()
    yield
    assert batches.exclude(row, scene.alice)


def row_is_taken_in_again(scene: Scene) -> Iterator[None]:
    row = scene.draft().attempts.get()
    assert batches.exclude(row, scene.alice)
    yield
    assert batches.exclude(row, scene.alice, leave_out=False)


def row_is_asked_for(scene: Scene) -> Iterator[None]:
    scene.removed()
    row = scene.draft().attempts.get()
    yield
    assert batches.ask_for(row, scene.alice)


def row_is_lost_when_confirmed(scene: Scene) -> Iterator[None]:
    draft = scene.draft()
    moderation.hold(scene.claim, scene.mona, "wait")
    yield
    batches.confirm(draft, scene.alice)


def row_is_refused(scene: Scene) -> Iterator[None]:
    batch = scene.confirmed()
    scene.wiki.running.faults.add("hook", WRITE)
    yield
    send_to_the_end(batch)


def row_is_recorded_late(scene: Scene) -> Iterator[None]:
    yield from is_found_by_reconcile(scene)


OUTCOMES: list[tuple[str, str, Steps]] = [
    (Out.PLANNED, Out.EXCLUDED, row_is_left_out),
    (Out.EXCLUDED, Out.PLANNED, row_is_taken_in_again),
    (Out.SKIPPED, Out.PLANNED, row_is_asked_for),
    (Out.SKIPPED, Out.WRITTEN, row_is_recorded_late),
    (Out.PLANNED, Out.SKIPPED, row_is_lost_when_confirmed),
    (Out.PLANNED, Out.SKIPPED, is_skipped),
    (Out.PLANNED, Out.WRITTEN, is_written),
    (Out.PLANNED, Out.WRITTEN, is_undone),
    (Out.PLANNED, Out.PRESENT, is_there_already),
    (Out.PLANNED, Out.REFUSED, row_is_refused),
]


@pytest.mark.parametrize(("was", "becomes", "steps"), OUTCOMES)
def test_each_change_of_an_attempt(was: str, becomes: str, steps: Steps, scene: Scene) -> None:
    going = steps(scene)
    next(going)
    row = ClaimAttempt.objects.latest("pk")
    assert row.outcome == was
    next(going, None)
    row.refresh_from_db()
    assert row.outcome == becomes
    assert (row.edits.count() == 1) == (becomes == Out.WRITTEN)
    if becomes == Out.WRITTEN and row.undoes_id is None:
        assert Watch.objects.filter(claim_attempt=row).count() == 1


def test_every_change_of_an_attempt_is_made_here() -> None:
    assert {(was, becomes) for was, becomes, _ in OUTCOMES} == OUTCOME_CHANGES


def test_a_row_is_chosen_in_a_draft_only(scene: Scene) -> None:
    batch = scene.confirmed()
    row = batch.attempts.get()
    before = everything()
    assert not batches.exclude(row, scene.alice)
    assert not batches.ask_for(row, scene.alice)
    assert everything() == before


def test_an_edit_is_taken_back_once_however_often_it_is_asked(scene: Scene) -> None:
    batch = scene.written()
    undo = batches_undo.undo(batch, scene.alice)
    assert batches_undo.undo(batch, scene.alice) == undo
    assert batches_undo.undo(batch, scene.mona) == undo
    send_to_the_end(undo)
    assert batches_undo.undo(batch, scene.alice) == undo
    assert len(scene.wiki.edits()) == 2
    with pytest.raises(PermissionDenied):
        batches_undo.undo(undo, scene.alice)


def test_what_was_rejected_in_the_middle_of_its_call_can_still_be_taken_back(scene: Scene) -> None:
    batch = scene.rejected_too_late()
    assert scene.claim.state == C.REJECTED
    send_to_the_end(batches_undo.undo(batch, scene.mona))
    assert not scene.wiki.depicts(scene.page_id)
    assert scene.claim.state == C.UNDONE
    assert Edit.objects.count() == 2
