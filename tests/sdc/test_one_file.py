"""One batch writes several statements to one file: each row names the revision of its own."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from classify.models import Label
from core.work import WorkState
from projects.models import Project, User
from sdc.batches import services as batches
from sdc.batches import undo as batches_undo
from sdc.files import revisions, statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch
from sdc.reconcile import Code, reconcile
from tests.sdc.conftest import (
    CURIE,
    Make,
    WikiItself,
    send,
    send_to_the_end,
    time_passes,
)
from tests.sdc.test_crashes import run_a_worker
from tests.sdc.test_reconcile import codes, lose_the_ledger, put_there
from wiki import http
from wiki.json_tree import Node

Kind = Edit.Kind
Outcome = ClaimAttempt.Outcome
OTHERS = ["Q937", "Q47480", "Q76", "Q6279", "Q9960"]  # people of the sandbox
WRITE, REMOVE = {"action": "wbsetclaim"}, {"action": "wbremoveclaims"}


def add_people(draft: EditBatch, qids: list[str]) -> None:
    """Put statements about more people on the draft's file. A project has one person today, so the
    rows are made here; all that follows is the product's own."""
    [first] = draft.attempts.select_related("claim")
    page_id = first.claim.page_id
    for qid in qids:
        claim = Claim.objects.create(
            wiki=draft.wiki, page_id=page_id, qid=qid, photo=first.claim.photo
        )
        guid = ClaimAttempt.new_guid(page_id)
        ClaimAttempt.objects.create(
            batch=draft,
            claim=claim,
            label=first.label,
            region=first.region,
            guid=guid,
            statement=statements.depicts(guid, qid, first.place),
            sha1=first.sha1,
            title=first.title,
            base_revision=first.base_revision,
        )


@pytest.fixture
def label(project: Project, said_yes: Make) -> Label:
    [made] = said_yes(project)
    return made


@pytest.fixture
def batch(project: Project, alice: User, label: Label) -> EditBatch:
    """A confirmed batch of six people on one file."""
    draft = batches.prepare_batch(project, alice)
    add_people(draft, OTHERS)
    return batches.confirm(draft, alice)


def guids_by_revision(wiki: WikiItself, page_id: int) -> dict[int, tuple[set[str], set[str]]]:
    """Which GUIDs each revision added and removed, as the wiki's own store has them."""
    found, before = {}, set[str]()
    for revision in reversed(wiki.running.world.history(wiki.page(page_id))):
        groups = (revision.entity or {}).get("statements") or {}
        after = {each["id"] for rows in groups.values() for each in rows}
        found[revision.id] = (after - before, before - after)
        before = after
    return found


def assert_each_has_its_own(wiki: WikiItself, batch: EditBatch, page_id: int) -> None:
    """Nothing is lost or doubled, and each row of the ledger names the revision that made it."""
    is_undo = batch.kind == EditBatch.Kind.UNDO
    attempts = list(batch.attempts.select_related("claim"))
    made = guids_by_revision(wiki, page_id)
    assert {each.outcome for each in attempts} == {Outcome.WRITTEN}
    for attempt in attempts:
        edit = Edit.objects.get(attempt=attempt)
        assert edit.revision == attempt.revision
        assert edit.revision is not None
        assert attempt.statement_guid in made[edit.revision][is_undo]
        assert len(wiki.depicts(page_id, attempt.claim.qid)) == (0 if is_undo else 1)
    mark = statements.batch_mark(batch.code)
    edits = [each for each in wiki.edits(page_id) if mark in each.comment]
    assert len(edits) == len(attempts)


def page_of(batch: EditBatch) -> int:
    page_ids = set(batch.attempts.values_list("claim__page_id", flat=True))
    [page_id] = page_ids
    return page_id


def test_six_people_on_one_file_are_six_edits(batch: EditBatch, wiki: WikiItself) -> None:
    send_to_the_end(batch)
    assert batch.state == EditBatch.State.DONE
    assert_each_has_its_own(wiki, batch, page_of(batch))
    assert reconcile().findings == []


def test_all_of_them_are_undone_one_by_one(batch: EditBatch, alice: User, wiki: WikiItself) -> None:
    send_to_the_end(batch)
    undo = send_to_the_end(batches_undo.undo(batch, alice))
    assert_each_has_its_own(wiki, undo, page_of(batch))
    assert reconcile().findings == []


@pytest.mark.process
@pytest.mark.parametrize("kind", ["write", "undo"])
@pytest.mark.parametrize("points", [("before-call", "after-call"), ("after-commit",)])
def test_a_worker_killed_at_each_statement_loses_and_doubles_nothing(
    points: tuple[str, ...],
    kind: str,
    shared_database: str,
    batch: EditBatch,
    alice: User,
    wiki: WikiItself,
    tmp_path: Path,
) -> None:
    page_id, number = page_of(batch), batch.attempts.count()
    if kind == "undo":
        batch = batches_undo.undo(send_to_the_end(batch), alice)
    for death, point in enumerate(points * number):
        assert run_a_worker(f"{kind}:{point}={tmp_path / str(death)}") == -9
        time_passes()
    send_to_the_end(batch)
    assert batch.state == EditBatch.State.DONE
    assert_each_has_its_own(wiki, batch, page_id)
    assert reconcile().findings == []


@pytest.mark.parametrize("faults", [("cut-before", "cut-after-effect"), ("patched",)])
@pytest.mark.parametrize("kind", ["write", "undo"])
def test_an_answer_lost_at_each_statement_is_found_in_its_own_revision(
    faults: tuple[str, ...], kind: str, batch: EditBatch, alice: User, wiki: WikiItself
) -> None:
    page_id = page_of(batch)
    call = WRITE
    if kind == "undo":
        batch, call = batches_undo.undo(send_to_the_end(batch), alice), REMOVE
    for fault in faults * batch.attempts.count():
        wiki.running.faults.add(fault, call, times=1)
        send()
        time_passes()
    send_to_the_end(batch)
    assert_each_has_its_own(wiki, batch, page_id)
    assert reconcile().findings == []


def test_one_that_was_not_written_is_not_taken_for_the_one_before(
    batch: EditBatch, wiki: WikiItself
) -> None:
    """The batch wrote one statement and then died right before the call for another, and somebody
    stopped it: by the mark alone the second would be said to be written, and removed since."""
    first, second = batch.attempts.order_by("pk")[:2]
    revision = put_there(wiki, page_of(batch), first.statement, "Alice", batch.summary)
    ClaimAttempt.objects.filter(pk__in=(first.pk, second.pk)).update(
        in_doubt=True, began_at=timezone.now()
    )
    batches.stop(batch, batch.user)
    time_passes()
    send()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.outcome, first.revision) == (Outcome.WRITTEN, revision)
    assert (second.outcome, second.revision) == (Outcome.SKIPPED, None)
    assert [edit.attempt_id for edit in Edit.objects.all()] == [first.pk]


def test_one_that_somebody_removed_before_we_knew_is_found_among_the_others(
    batch: EditBatch, wiki: WikiItself
) -> None:
    page_id = page_of(batch)
    wiki.running.faults.add("cut-after-effect", WRITE, times=1)
    send()
    [doubted] = batch.attempts.filter(in_doubt=True)
    [ours] = wiki.edits(page_id)
    wiki.somebody_removes(page_id, doubted.claim.qid)
    for attempt in batch.attempts.exclude(pk=doubted.pk)[:2]:  # their revisions come after it
        put_there(wiki, page_id, attempt.statement, "Alice", batch.summary)
        ClaimAttempt.objects.filter(pk=attempt.pk).update(in_doubt=True)
    time_passes()
    send_to_the_end(batch)
    doubted.refresh_from_db()
    assert (doubted.outcome, doubted.reason, doubted.revision) == (
        Outcome.WRITTEN,
        "removed",
        ours.id,
    )
    assert not wiki.depicts(page_id, doubted.claim.qid)
    assert Edit.objects.count() == batch.attempts.count()
    assert len(set(Edit.objects.values_list("revision", flat=True))) == batch.attempts.count()


def test_a_doubt_among_many_revisions_takes_two_requests_more(
    batch: EditBatch, wiki: WikiItself
) -> None:
    page_id = page_of(batch)
    for attempt in batch.attempts.order_by("pk")[:5]:
        put_there(wiki, page_id, attempt.statement, "Alice", batch.summary)
    last = batch.attempts.order_by("pk").last()
    assert last
    calls: list[dict[str, Any]] = []

    def read(**params: Any) -> Node:
        calls.append(params)
        return http.api(settings.WIKI.commons_api, **params)

    assert revisions.find_revision(read, last, last.base_revision) is None
    assert [call["rvprop"] for call in calls] == ["ids|comment", "ids|comment|content"]


# Rows of the ledger --------------------------------------------------------------------------


def test_reconcile_finds_each_of_several_edits_that_the_ledger_lacks(
    batch: EditBatch, wiki: WikiItself
) -> None:
    send_to_the_end(batch)
    before = set(Edit.objects.values_list("attempt", "revision"))
    lose_the_ledger()
    assert codes(reconcile()) == [Code.UNRECORDED] * 6
    assert reconcile(repair=True).agrees
    assert set(Edit.objects.values_list("attempt", "revision")) == before
    assert reconcile().findings == []


def test_reconcile_tells_a_file_whose_revisions_make_no_sense(
    batch: EditBatch, wiki: WikiItself
) -> None:
    send_to_the_end(batch)
    lose_the_ledger()
    asked = {"action": "query", "having": "rvprop=ids|comment|content"}
    wiki.running.faults.add("body", asked, body="{}")
    report = reconcile(repair=True)
    assert not report.agrees
    assert Code.UNREADABLE in codes(report)


def test_reconcile_gives_a_revision_of_several_statements_to_each_of_them(
    batch: EditBatch, wiki: WikiItself
) -> None:
    """As when they were written by one call."""
    page_id = page_of(batch)
    revision = put_together(wiki, batch, page_id)
    ClaimAttempt.objects.update(in_doubt=True)
    ClaimAttempt.objects.update(outcome=Outcome.REFUSED, state=WorkState.DONE)
    assert codes(reconcile()).count(Code.UNRECORDED) == 6
    assert reconcile(repair=True).agrees
    assert set(Edit.objects.values_list("revision", flat=True)) == {revision}
    assert Edit.objects.count() == Watch.objects.count() == 6
    assert reconcile().findings == []


def test_a_doubt_about_several_statements_of_one_revision_ends_with_it_for_each(
    batch: EditBatch, wiki: WikiItself
) -> None:
    revision = put_together(wiki, batch, page_of(batch))
    ClaimAttempt.objects.update(in_doubt=True)
    send_to_the_end(batch)
    assert set(Edit.objects.values_list("revision", flat=True)) == {revision}
    assert Edit.objects.count() == 6


def put_together(wiki: WikiItself, batch: EditBatch, page_id: int) -> int:
    """All statements of a batch in one revision, as `wbeditentity` makes it."""
    page = wiki.page(page_id)
    entity = copy.deepcopy(wiki.running.world.current(page).entity) or {
        "type": "mediainfo",
        "id": f"M{page_id}",
        "labels": {},
    }
    groups = entity["statements"] = entity.get("statements") or {}
    groups.setdefault(settings.WIKI.depicts, []).extend(
        each.statement for each in batch.attempts.order_by("pk")
    )
    comment = f"/* wbeditentity-update:0| */ {batch.summary}"
    wiki.running.world.save_entity(page, entity, user="Alice", comment=comment)
    return wiki.running.world.current(wiki.page(page_id)).id


def test_reconcile_tells_a_row_that_names_the_revision_of_another_statement(
    batch: EditBatch, wiki: WikiItself
) -> None:
    """As the code before this one would have entered it."""
    send_to_the_end(batch)
    first, second = Edit.objects.order_by("pk")[:2]
    lose_the_ledger()
    second.revision = first.revision
    for edit in (first, second):
        edit.pk, edit._state.adding = None, True
        edit.save()
    report = reconcile()
    assert not report.agrees
    found = {(each.code, each.guid) for each in report.findings}
    assert (Code.EXTRA_EDIT, second.guid) in found


def test_an_attempt_has_one_row_of_a_kind_and_a_guid_may_have_several(
    batch: EditBatch, alice: User
) -> None:
    """A statement that somebody restored can be removed by us a second time."""
    send_to_the_end(batch)
    undo = send_to_the_end(batches_undo.undo(batch, alice))
    once, other = undo.attempts.order_by("pk")[:2]
    edit = Edit.objects.get(attempt=once)
    edit.pk, edit._state.adding, edit.attempt = None, True, other
    with pytest.raises(IntegrityError), transaction.atomic():
        edit.save()
    again = ClaimAttempt.objects.create(
        batch=EditBatch.objects.create(project=undo.project, user=alice, wiki=undo.wiki),
        claim=once.claim,
        undoes=once.undoes,
        statement=once.statement,
        sha1=once.sha1,
    )
    edit.attempt = again
    edit.save()
    assert Edit.objects.filter(guid=once.statement_guid, kind=Kind.REMOVE).count() == 2


# What the wiki hides -------------------------------------------------------------------------


GUID = "M1$a"


def row(number: int, guids: list[str] | None, qid: str = CURIE, **fields: Any) -> dict[str, Any]:
    """A revision as `prop=revisions` shows it; its content is hidden where `guids` is None."""
    rows = [statements.depicts(guid, CURIE, None) for guid in guids or ()]
    content = json.dumps({"statements": {"P180": rows} if rows else []})
    shown = {"content": content} if guids is not None else {"texthidden": True}
    comment = f"/* wbsetclaim-create:2||1 */ [[d:Special:EntityPage/{qid}]], mark"
    return {
        "revid": number,
        "parentid": number - 1,
        "comment": comment,
        "slots": {"mediainfo": shown},
    } | fields


def is_of(before: dict[str, Any], after: dict[str, Any]) -> bool:
    body = Node({"query": {"pages": [{"pageid": 1, "revisions": [before, after]}]}})
    entities = revisions.read_listed_entities(body)
    change = revisions.Change(2, entities[1], entities[2])
    attempt = ClaimAttempt(claim=Claim(qid=CURIE), statement={"id": GUID})
    return change.is_of(attempt)


@pytest.mark.parametrize(
    ("before", "after", "qid", "ours"),
    [
        ([], [GUID], CURIE, True),
        (["M1$b"], ["M1$b", GUID], CURIE, True),
        ([GUID], [GUID, "M1$b"], CURIE, False),
        ([], ["M1$b"], CURIE, False),
        ([], None, CURIE, True),  # hidden: the wiki's own words name the person
        ([], None, "Q937", False),
        ([GUID], None, CURIE, False),
        (None, [GUID], CURIE, True),
        (None, [GUID], "Q937", False),
        (None, [], CURIE, False),
        (None, None, CURIE, True),
    ],
)
def test_what_the_wiki_hides_is_judged_by_its_own_words(
    before: list[str] | None, after: list[str] | None, qid: str, ours: bool
) -> None:
    assert is_of(row(1, before), row(2, after, qid)) is ours


def test_a_page_without_structured_data_has_no_statement() -> None:
    assert is_of(row(1, [], slots={}), row(2, [GUID]))
    assert not is_of(row(1, [], slots={}), row(2, [], slots={}))
