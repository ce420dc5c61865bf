"""`manage.py reconcile`: each kind of disagreement is made behind the product's back."""

from __future__ import annotations

import copy
import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from core.work import WorkState
from projects.models import Contribution, Project, Tally, User
from sdc.batches import services as batches
from sdc.batches import undo as batches_undo
from sdc.files import statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch
from sdc.reconcile import Code, Report, reconcile
from sdc.writing.attempt import LEASE
from sdc.writing.reasons import Reason
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    item_of,
    send_to_the_end,
    the_attempt,
)

Outcome = ClaimAttempt.Outcome
State = Claim.State


@pytest.fixture
def sent(project: Project, alice: User, said_yes: Make) -> EditBatch:
    """One statement that Alice sent, by the book."""
    said_yes(project)
    return send_to_the_end(confirmed(project, alice))


def codes(report: Report) -> list[str]:
    return [finding.code.value for finding in report.findings]


def repaired(code: Code, also: tuple[Code, ...] = ()) -> Report:
    """It is found, reporting changes nothing, and after the repair there is nothing to find;
    `also` is what the repair brings to light and puts right."""
    found = reconcile()
    assert codes(found) == [code]
    assert not found.agrees
    assert codes(reconcile()) == [code]
    report = reconcile(repair=True)
    assert codes(report) == [code, *also]
    assert report.agrees
    again = reconcile(repair=True)
    assert (again.findings, again.agrees) == ([], True)
    return report


def lose_the_ledger() -> None:
    """As a database restored from a backup; the models would not let us."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM sdc_edit")


def take_back(batch: EditBatch, user: User) -> EditBatch:
    return send_to_the_end(batches_undo.undo(batch, user))


def rewrite(wiki: WikiItself, page_id: int, comment: str = "", **fields: Any) -> None:
    """Somebody changes the statement about her, or puts statements there."""
    page = wiki.page(page_id)
    entity = copy.deepcopy(wiki.running.world.current(page).entity) or {}
    [statement] = [
        each for each in entity["statements"][settings.WIKI.depicts] if item_of(each) == "Q7186"
    ]
    statement.update(fields)
    wiki.running.world.save_entity(page, entity, user="Charlie", comment=comment or "better so")


def put_there(wiki: WikiItself, page_id: int, statement: Any, user: str, comment: str) -> int:
    page = wiki.page(page_id)
    entity = copy.deepcopy(wiki.running.world.current(page).entity) or {
        "type": "mediainfo",
        "id": f"M{page_id}",
        "labels": {},
        "statements": {},
    }
    groups = entity["statements"] = entity.get("statements") or {}
    groups.setdefault(settings.WIKI.depicts, []).append(statement)
    wiki.running.world.save_entity(page, entity, user=user, comment=comment)
    return wiki.running.world.current(wiki.page(page_id)).id


def test_what_was_sent_by_the_book_agrees(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 3)
    send_to_the_end(confirmed(project, alice))
    report = reconcile()
    assert (report.findings, report.edits, report.files) == ([], 3, 3)
    assert report.agrees


def test_files_are_read_fifty_a_call_and_as_nobody(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 6)
    send_to_the_end(confirmed(project, alice))
    wiki.running.world.reset_request_counts()
    reconcile()
    counts = wiki.running.world.request_counts
    assert sum(counts.values()) == 3  # the pages, their statements, Alice's contributions


def test_a_statement_that_somebody_removed_is_written_down_with_who_did_it(
    sent: EditBatch, wiki: WikiItself
) -> None:
    attempt = the_attempt(sent)
    wiki.somebody_removes(attempt.claim.page_id)
    repaired(Code.GONE)
    watch = Watch.objects.get(claim_attempt=attempt)
    assert (watch.finding, watch.by) == (Watch.Finding.REMOVED, "Charlie")
    assert Claim.objects.get().state == State.REMOVED
    assert Edit.objects.count() == 1


def test_a_statement_that_somebody_changed_is_written_down(
    sent: EditBatch, wiki: WikiItself
) -> None:
    attempt = the_attempt(sent)
    rewrite(wiki, attempt.claim.page_id, rank="preferred")
    repaired(Code.CHANGED)
    assert Watch.objects.get().finding == Watch.Finding.CHANGED
    assert Claim.objects.get().state == State.WRITTEN


def test_a_deleted_file_is_a_note_and_no_disagreement(sent: EditBatch, wiki: WikiItself) -> None:
    page = wiki.page(the_attempt(sent).claim.page_id)
    wiki.running.world.delete(page, user="Mona", comment="copyright")
    report = reconcile(repair=True)
    assert codes(report) == [Code.FILE_GONE]
    assert report.agrees
    assert "deleted" in report.findings[0].detail
    assert Watch.objects.get().finding == Watch.Finding.GONE
    assert reconcile().findings == []


def test_what_was_taken_back_and_restored_by_somebody_is_a_note(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    attempt = the_attempt(sent)
    take_back(sent, alice)
    assert reconcile().findings == []
    put_there(wiki, attempt.claim.page_id, attempt.statement, "Charlie", "restored")
    report = reconcile(repair=True)
    assert codes(report) == [Code.RESTORED]
    assert report.agrees
    assert Claim.objects.get().state == State.UNDONE


def test_what_never_left_the_wiki_though_the_ledger_says_so_does_not_agree(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    attempt = the_attempt(sent)
    last = wiki.running.world.current(wiki.page(attempt.claim.page_id)).id
    undo = EditBatch.objects.create(
        project=sent.project,
        user=alice,
        wiki=sent.wiki,
        kind=EditBatch.Kind.UNDO,
        undoes=sent,
        state=EditBatch.State.DONE,
        confirmed_at=timezone.now(),
    )
    Edit.objects.create(
        attempt=ClaimAttempt.objects.create(
            batch=undo,
            claim=attempt.claim,
            undoes=attempt,
            statement=attempt.statement,
            sha1=attempt.sha1,
            outcome=Outcome.WRITTEN,
            state=WorkState.DONE,
            claim_was=State.WRITTEN,
        ),
        kind=Edit.Kind.REMOVE,
        wiki=settings.WIKI.code,
        page_id=attempt.claim.page_id,
        qid=attempt.claim.qid,
        guid=attempt.guid or "",
        revision=last,
        user=alice,
        batch=undo,
        summary=undo.summary,
    )
    report = reconcile(repair=True)
    assert Code.NOT_REMOVED in codes(report)
    assert not report.agrees


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.SKIPPED, Outcome.PRESENT])
def test_an_edit_that_we_took_for_refused_enters_the_ledger(
    outcome: str, project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """As when a proxy answered with an error after the wiki had saved."""
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    attempt = the_attempt(batch)
    ClaimAttempt.objects.update(outcome=outcome, state=WorkState.DONE, ended_at=timezone.now())
    Claim.objects.update(state=State.PRESENT if outcome == Outcome.PRESENT else State.FREE)
    revision = put_there(
        wiki, label.photo.page_id, attempt.statement, alice.wiki_username, batch.summary
    )
    report = repaired(Code.UNRECORDED, also=(Code.CLAIM,))
    assert (report.edits, report.files) == (1, 1)
    assert str(revision) in report.findings[0].detail
    edit = Edit.objects.get()
    assert (edit.guid, edit.revision, edit.user, edit.batch) == (
        attempt.guid,
        revision,
        alice,
        batch,
    )
    assert edit.answer["found"] == "by reconcile"
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.revision) == (Outcome.WRITTEN, revision)
    assert claim_of(label).state == State.WRITTEN
    assert Watch.objects.filter(claim_attempt=attempt).exists()
    assert Contribution.objects.filter(kind=Contribution.Kind.EDIT).count() == 1


def test_an_edit_in_doubt_that_no_worker_holds_enters_the_ledger_and_ends_its_batch(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    attempt = the_attempt(batch)
    ClaimAttempt.objects.update(in_doubt=True, due_at=timezone.now() + timedelta(hours=1))
    put_there(wiki, label.photo.page_id, attempt.statement, alice.wiki_username, batch.summary)
    repaired(Code.UNRECORDED)
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.DONE
    assert claim_of(label).state == State.WRITTEN


def test_what_a_worker_has_in_flight_is_left_to_it(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    attempt = the_attempt(batch)
    assert attempt.take(LEASE, in_doubt=True)
    put_there(wiki, label.photo.page_id, attempt.statement, alice.wiki_username, batch.summary)
    report = reconcile(repair=True)
    assert codes(report) == [Code.BUSY]
    assert not Edit.objects.exists()
    fence = attempt.attempt
    attempt.refresh_from_db()
    assert (attempt.attempt, attempt.state) == (fence, WorkState.RUNNING)


def test_an_edit_without_its_row_of_the_ledger_gets_one(sent: EditBatch) -> None:
    before = Edit.objects.values("guid", "revision", "kind", "user", "summary").get()
    lose_the_ledger()
    repaired(Code.UNRECORDED)
    assert Edit.objects.values("guid", "revision", "kind", "user", "summary").get() == before
    assert Contribution.objects.filter(kind=Contribution.Kind.EDIT).count() == 1


def test_a_removal_without_its_row_of_the_ledger_gets_one(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    take_back(sent, alice)
    lose_the_ledger()
    report = reconcile(repair=True)
    assert set(codes(report)) == {Code.UNRECORDED}
    assert report.agrees
    assert sorted(Edit.objects.values_list("kind", flat=True)) == ["add", "remove"]
    assert reconcile().findings == []
    assert Claim.objects.get().state == State.UNDONE


def test_an_edit_of_ours_that_somebody_removed_before_we_knew_of_it_is_both(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    attempt = the_attempt(batch)
    ClaimAttempt.objects.update(
        outcome=Outcome.REFUSED, state=WorkState.DONE, ended_at=timezone.now()
    )
    Claim.objects.update(state=State.FREE)
    page_id = label.photo.page_id
    put_there(wiki, page_id, attempt.statement, alice.wiki_username, batch.summary)
    wiki.somebody_removes(page_id)
    assert codes(reconcile()) == [Code.UNRECORDED]
    assert reconcile(repair=True).agrees
    assert reconcile().findings == []
    assert Edit.objects.get().guid == attempt.guid
    assert claim_of(label).state == State.REMOVED


def test_a_row_without_its_revision_stays_and_the_revision_is_told(
    sent: EditBatch, wiki: WikiItself
) -> None:
    revision = Edit.objects.values_list("revision", flat=True).get()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sdc_edit SET revision = NULL")
    report = reconcile(repair=True)
    assert codes(report) == [Code.NO_REVISION]
    assert report.agrees
    assert str(revision) in report.findings[0].detail
    assert Edit.objects.get().revision is None


def test_a_row_whose_edit_the_wiki_does_not_have_does_not_agree(
    sent: EditBatch, wiki: WikiItself
) -> None:
    page = wiki.page(the_attempt(sent).claim.page_id)
    first = wiki.running.world.history(page)[-1].id
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sdc_edit SET revision = %s", [first])
    report = reconcile(repair=True)
    assert Code.NO_SUCH_EDIT in codes(report)
    assert not report.agrees


def test_edits_of_a_renamed_user_are_still_found(sent: EditBatch, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(wiki_username="Alice Who Was Renamed")
    assert reconcile().findings == []


def test_an_attempt_said_to_be_written_without_any_edit_is_told(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    ClaimAttempt.objects.update(outcome=Outcome.WRITTEN, state=WorkState.DONE)
    Claim.objects.update(state=State.FREE)
    report = reconcile(project=batch.project, repair=True)
    assert codes(report) == [Code.UNPROVEN]
    assert not report.agrees


def test_a_second_edit_under_the_mark_of_a_batch_is_told(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    page_id = the_attempt(sent).claim.page_id
    statement = statements.depicts(ClaimAttempt.new_guid(page_id), "Q937", None)
    put_there(wiki, page_id, statement, alice.wiki_username, sent.summary)
    report = reconcile(repair=True)
    assert codes(report) == [Code.EXTRA_EDIT]
    assert not report.agrees


def test_an_edit_of_a_batch_on_a_file_it_has_no_row_for_is_told(
    sent: EditBatch, alice: User, wiki: WikiItself, said_yes: Make, project: Project
) -> None:
    [other] = said_yes(project, 1, skip=1)
    page_id = other.photo.page_id
    statement = statements.depicts(ClaimAttempt.new_guid(page_id), "Q7186", None)
    put_there(wiki, page_id, statement, alice.wiki_username, sent.summary)
    report = reconcile(repair=True)
    assert codes(report) == [Code.UNKNOWN_FILE]
    assert not report.agrees


def test_an_edit_of_a_batch_that_we_do_not_know_is_told_when_all_is_compared(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    page_id = the_attempt(sent).claim.page_id
    statement = statements.depicts(ClaimAttempt.new_guid(page_id), "Q937", None)
    words = f"depicts {statements.batch_mark('0123456789ab')}"
    put_there(wiki, page_id, statement, alice.wiki_username, words)
    assert codes(reconcile()) == [Code.UNKNOWN_BATCH]
    assert reconcile(batch=sent).findings == []


def test_what_an_unknown_batch_sent_and_somebody_removed_is_not_offered_again(
    sent: EditBatch, alice: User, wiki: WikiItself, said_yes: Make, project: Project
) -> None:
    """The batch was previewed after the backup that was restored."""
    [label] = said_yes(project, 1, skip=1)
    page_id, both = label.photo.page_id, [Code.UNKNOWN_BATCH, Code.CLAIM]
    link = "[[d:Special:EntityPage/{}]]".format
    about = f"/* wbsetclaim-create:2||1 */ {link('P180')}: {link('Q7186')}, "
    statement = statements.depicts(ClaimAttempt.new_guid(page_id), "Q7186", None)
    words = about + statements.batch_mark("0123456789ab")
    put_there(wiki, page_id, statement, alice.wiki_username, words)
    assert codes(reconcile(repair=True)) == [Code.UNKNOWN_BATCH], "it stands"
    wiki.somebody_removes(page_id)
    assert codes(reconcile()) == codes(reconcile(repair=True)) == both
    assert codes(reconcile(repair=True)) == [Code.UNKNOWN_BATCH]
    row = batches.prepare_batch(project, alice).attempts.get(claim=claim_of(label))
    assert (row.outcome, row.reason) == (Outcome.SKIPPED, Reason.REMOVED)


@pytest.mark.parametrize(
    ("edits", "lock", "becomes"),
    [
        (True, State.SENDING, State.WRITTEN),
        (True, State.UNDOING, State.WRITTEN),
        (False, State.SENDING, State.FREE),
    ],
)
def test_a_claim_that_is_locked_with_nothing_under_way_is_let_go(
    edits: bool,
    lock: str,
    becomes: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    if edits:
        send_to_the_end(batch)
    else:
        batches.stop(batch, alice)
    Claim.objects.update(state=lock)
    repaired(Code.STUCK)
    assert Claim.objects.get().state == becomes


def test_a_claim_that_a_person_asked_for_again_goes_back_to_what_was_said_against_it(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    batches.stop(batch, alice)
    ClaimAttempt.objects.update(claim_was=State.REJECTED)
    Claim.objects.update(state=State.SENDING)
    repaired(Code.STUCK)
    assert Claim.objects.get().state == State.REJECTED


def test_a_claim_rejected_after_it_was_written_stays_rejected_when_its_lock_is_let_go(
    sent: EditBatch, alice: User
) -> None:
    undo = batches_undo.undo(sent, alice)
    batches.stop(undo, alice)
    undo.attempts.update(claim_was=State.REJECTED)
    Claim.objects.update(state=State.UNDOING)
    repaired(Code.STUCK)
    assert Claim.objects.get().state == State.REJECTED


def test_a_claim_on_a_deleted_file_is_let_go_as_well(sent: EditBatch, wiki: WikiItself) -> None:
    page = wiki.page(the_attempt(sent).claim.page_id)
    wiki.running.world.delete(page, user="Mona", comment="copyright")
    reconcile(repair=True)
    Claim.objects.update(state=State.UNDOING)
    repaired(Code.STUCK)
    assert Claim.objects.get().state == State.WRITTEN


def test_what_is_really_being_sent_keeps_its_lock(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    assert reconcile(repair=True).findings == []
    batches.pause(batch, alice)
    assert reconcile(repair=True).findings == []
    assert Claim.objects.get().state == State.SENDING


@pytest.mark.parametrize("wrong", [State.FREE, State.PRESENT, State.UNDONE])
def test_a_claim_that_contradicts_the_ledger_follows_it(wrong: str, sent: EditBatch) -> None:
    Claim.objects.update(state=wrong)
    repaired(Code.CLAIM)
    assert Claim.objects.get().state == State.WRITTEN


def test_a_claim_said_to_be_written_without_an_edit_becomes_what_the_file_says(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batches.stop(confirmed(project, alice), alice)
    Claim.objects.update(state=State.WRITTEN)
    repaired(Code.CLAIM)
    assert Claim.objects.get().state == State.FREE
    Claim.objects.update(state=State.WRITTEN)
    wiki.somebody_adds(label.photo.page_id)
    reconcile(repair=True)
    assert Claim.objects.get().state == State.PRESENT


def test_tallies_are_made_anew_from_the_contributions(sent: EditBatch, alice: User) -> None:
    Tally.objects.filter(kind=Contribution.Kind.EDIT).update(amount=7)
    repaired(Code.COUNTER)
    assert Tally.objects.get(kind=Contribution.Kind.EDIT).amount == 1
    Tally.objects.all().delete()
    assert reconcile(repair=True).agrees
    assert Tally.objects.get(kind=Contribution.Kind.EDIT).amount == 1


def test_somebody_elses_equal_statement_beside_ours_is_a_note(
    sent: EditBatch, wiki: WikiItself
) -> None:
    wiki.somebody_adds(the_attempt(sent).claim.page_id)
    report = reconcile(repair=True)
    assert codes(report) == [Code.DUPLICATE]
    assert report.agrees


def test_two_statements_of_ours_on_one_file_do_not_agree(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    attempt = the_attempt(sent)
    page_id = attempt.claim.page_id
    second = EditBatch.objects.create(
        project=sent.project,
        user=alice,
        wiki=sent.wiki,
        state=EditBatch.State.DONE,
        confirmed_at=timezone.now(),
        summary=f"again {statements.batch_mark('ffffffffffff')}",
        code="ffffffffffff",
    )
    guid = ClaimAttempt.new_guid(page_id)
    statement = statements.depicts(guid, "Q7186", None)
    ClaimAttempt.objects.create(
        batch=second,
        claim=attempt.claim,
        guid=guid,
        statement=statement,
        sha1=attempt.sha1,
        title=attempt.title,
        state=WorkState.DONE,
        outcome=Outcome.REFUSED,
    )
    put_there(wiki, page_id, statement, alice.wiki_username, second.summary)
    report = reconcile(repair=True)
    assert set(codes(report)) == {Code.UNRECORDED, Code.TWICE}
    assert not report.agrees


def test_a_batch_and_a_project_are_compared_alone(
    project: Project, alice: User, bob: User, make_project: Any, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 1)
    first = send_to_the_end(confirmed(project, alice))
    other: Project = make_project(bob, "Q7186")
    said_yes(other, 2, by=bob)
    second = send_to_the_end(confirmed(other, bob))
    wiki.somebody_removes(the_attempt(first).claim.page_id)
    assert reconcile(batch=second).agrees
    assert reconcile(project=other).agrees
    assert not reconcile(batch=first).agrees
    assert not reconcile(project=project).agrees


# the command


def run(*args: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("reconcile", *args, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_that_all_agrees(sent: EditBatch) -> None:
    assert run() == (0, "ledger and wiki agree: 1 edits on 1 files\n")


def test_the_command_ends_with_1_until_it_is_repaired(sent: EditBatch, wiki: WikiItself) -> None:
    wiki.somebody_removes(the_attempt(sent).claim.page_id)
    status, text = run("--batch", sent.code)
    assert status == 1
    assert "do not agree: 1 findings among 1 edits on 1 files" in text
    assert f"M{the_attempt(sent).claim.page_id} Q7186" in text
    status, text = run(f"--project={sent.project.public_id}", "--repair")
    assert (status, text.splitlines()[-1]) == (0, "ledger and wiki agree: 1 edits on 1 files")
    assert run() == (0, "ledger and wiki agree: 1 edits on 1 files\n")


def test_the_command_speaks_json(sent: EditBatch, wiki: WikiItself) -> None:
    wiki.somebody_removes(the_attempt(sent).claim.page_id)
    status, text = run("--json")
    report = json.loads(text)
    assert status == 1
    assert (report["agrees"], report["edits"], report["files"]) == (False, 1, 1)
    [finding] = report["findings"]
    assert (finding["code"], finding["qid"], finding["repaired"]) == ("gone", "Q7186", False)


def test_the_command_tells_what_it_does_not_know(db: None) -> None:
    with pytest.raises(Exception, match="There is no edit batch nonsense"):
        run("--batch", "nonsense")


def test_a_wiki_that_does_not_answer_is_said_so(sent: EditBatch, wiki: WikiItself) -> None:
    wiki.running.faults.add("http", {"action": "query"}, status=503)
    with pytest.raises(Exception, match="could not be read"):
        run()
