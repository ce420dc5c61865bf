"""The ledger tells all of an edit, and neither people nor the product can change what it tells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from core.models import AppendOnly
from projects.ledger import audit
from projects.models import AuditEvent, Contribution, Project, User
from sdc.batches import undo as batches_undo
from sdc.files import statements
from sdc.models import ClaimAttempt, Edit, EditBatch
from sdc.reconcile import reconcile
from tests.conftest import ClientOf
from tests.sdc.conftest import Make, WikiItself, confirmed, send_to_the_end, the_attempt

MODELS: list[type[AppendOnly]] = [Edit, AuditEvent, Contribution]
TABLES = [connection.ops.quote_name(model._meta.db_table) for model in MODELS]


@pytest.fixture
def sent(project: Project, alice: User, said_yes: Make) -> EditBatch:
    """One statement that Alice sent, by the book; it leaves a row in each of the three tables."""
    said_yes(project)
    batch = send_to_the_end(confirmed(project, alice))
    assert all(model.objects.exists() for model in MODELS)
    return batch


def test_a_row_tells_who_when_which_batch_what_where_and_what_the_wiki_said(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    attempt = the_attempt(sent)
    [revision] = wiki.edits(attempt.claim.page_id)
    edit = Edit.objects.get()
    assert (edit.user, edit.batch, edit.kind) == (alice, sent, Edit.Kind.ADD)
    assert timezone.now() - edit.at < timedelta(minutes=1)
    assert (edit.wiki, edit.page_id, edit.qid) == (
        settings.WIKI.code,
        attempt.claim.page_id,
        "Q7186",
    )
    assert (edit.guid, edit.revision) == (attempt.guid, revision.id)
    assert edit.summary == sent.summary
    assert edit.summary in revision.comment
    assert edit.answer["pageinfo"]["lastrevid"] == revision.id
    assert "claim" not in edit.answer


def test_taking_back_is_a_row_of_its_own_and_the_first_one_stays(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    before = list(Edit.objects.values())
    undo = send_to_the_end(batches_undo.undo(sent, alice))
    rows = list(Edit.objects.order_by("pk").values())
    assert rows[:1] == before
    [added, removed] = Edit.objects.order_by("pk")
    assert (removed.kind, removed.batch, removed.guid) == (Edit.Kind.REMOVE, undo, added.guid)
    assert removed.revision == wiki.edits(added.page_id)[0].id


Change = Callable[[Any], object]
CHANGES: dict[str, Change] = {
    "saving a row": lambda row: row.save(),
    "saving some fields": lambda row: row.save(update_fields=[]),
    "deleting a row": lambda row: row.delete(),
    "updating all": lambda row: type(row).objects.update(pk=row.pk),
    "updating some": lambda row: type(row).objects.filter(pk=row.pk).update(pk=row.pk),
    "updating in bulk": lambda row: type(row).objects.bulk_update([row], [_some_field(row)]),
    "deleting all": lambda row: type(row).objects.all().delete(),
    "deleting some": lambda row: type(row).objects.filter(pk=row.pk).delete(),
    "updating or creating": lambda row: type(row).objects.update_or_create(
        pk=row.pk, defaults={_some_field(row): getattr(row, _some_field(row))}
    ),
    "inserting over it": lambda row: type(row).objects.bulk_create(
        [type(row)(pk=row.pk)],
        update_conflicts=True,
        update_fields=[_some_field(row)],
        unique_fields=["id"],
    ),
}


def _some_field(row: AppendOnly) -> str:
    return "action" if isinstance(row, AuditEvent) else "kind"


def _written_to(queries: CaptureQueriesContext) -> list[str]:
    changes = ("UPDATE", "DELETE", "REPLACE")
    return [
        query["sql"]
        for query in queries.captured_queries
        if query["sql"].startswith(changes) and any(table in query["sql"] for table in TABLES)
    ]


def _all_rows() -> list[list[dict[str, Any]]]:
    return [list(model.objects.order_by("pk").values()) for model in MODELS]


def test_no_way_of_the_orm_changes_a_row(sent: EditBatch, subtests: pytest.Subtests) -> None:
    before = _all_rows()
    for model, way in product(MODELS, CHANGES):
        with subtests.test(model=model.__name__, way=way):
            with CaptureQueriesContext(connection) as queries:
                for row in model.objects.all():
                    with pytest.raises(TypeError, match="never"):
                        CHANGES[way](row)
            assert not _written_to(queries)
            assert _all_rows() == before


@pytest.mark.parametrize("model", MODELS)
def test_a_new_object_with_the_key_of_a_row_does_not_take_its_place(
    model: Any, sent: EditBatch
) -> None:
    rows = list(model.objects.order_by("pk").values())
    copy = model(**model.objects.values().first())
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()
    assert list(model.objects.order_by("pk").values()) == rows


RELATED: dict[str, Callable[[EditBatch, User], object]] = {
    "a user takes over edits": lambda batch, user: user.edits.add(*Edit.objects.all()),
    "a user takes over contributions": lambda batch, user: user.contributions.set(
        Contribution.objects.all()
    ),
    "a batch changes its edits": lambda batch, user: batch.edits.update(user=user),
    "a batch deletes its edits": lambda batch, user: batch.edits.all().delete(),
    "an attempt deletes its edits": lambda batch, user: the_attempt(batch).edits.all().delete(),
    "a project deletes contributions": lambda batch, user: (
        batch.project.contributions.all().delete()
    ),
    "a project changes contributions": lambda batch, user: batch.project.contributions.update(
        amount=100
    ),
    "rows are got or made through a user": lambda batch, user: batch.user.edits.update_or_create(
        kind="add", defaults={"summary": "another"}
    ),
}


def test_no_way_through_related_rows_changes_one(
    sent: EditBatch, bob: User, subtests: pytest.Subtests
) -> None:
    before = _all_rows()
    for way, change in RELATED.items():
        with subtests.test(way):
            with pytest.raises(TypeError, match="never"):
                change(sent, bob)
            assert _all_rows() == before


def test_a_statement_enters_the_ledger_once_for_each_kind(sent: EditBatch) -> None:
    row = {name: value for name, value in Edit.objects.values().get().items() if name != "id"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Edit.objects.create(**row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Edit.objects.bulk_create([Edit(**row)])


def test_nothing_that_a_row_points_to_can_be_deleted(sent: EditBatch, alice: User) -> None:
    for row in (alice, sent, the_attempt(sent), the_attempt(sent).claim):
        with pytest.raises(ProtectedError):
            row.delete()
    with pytest.raises(ProtectedError):
        EditBatch.objects.filter(pk=sent.pk).delete()
    assert Edit.objects.count() == 1


def test_a_person_without_edits_can_be_forgotten_and_the_audit_log_stays(
    bob: User, project: Project
) -> None:
    audit(bob, "project.looked", project)
    project.memberships.filter(user=bob).delete()
    bob.delete()
    assert AuditEvent.objects.filter(action="project.looked").exists()


@pytest.mark.parametrize("model", MODELS)
def test_not_even_a_superuser_changes_one_in_the_admin(
    model: Any, sent: EditBatch, mona: User, client_of: ClientOf
) -> None:
    User.objects.filter(pk=mona.pk).update(is_superuser=True)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    browser, row = client_of(mona), model.objects.first()
    rows = list(model.objects.order_by("pk").values())
    try:
        listing = reverse(f"{name}_changelist")
    except NoReverseMatch:
        assert model is Contribution  # the others are there to be looked at
        return
    assert browser.get(listing).status_code == 200
    change = reverse(f"{name}_change", args=[row.pk])
    delete = reverse(f"{name}_delete", args=[row.pk])
    assert browser.post(change, {"kind": "remove", "action": "x"}).status_code == 403
    assert browser.post(delete, {"post": "yes"}).status_code == 403
    assert browser.post(reverse(f"{name}_add"), {}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
    browser.post(listing, bulk)
    assert list(model.objects.order_by("pk").values()) == rows


def test_sending_undoing_watching_and_reconciling_only_ever_add_rows(
    project: Project, alice: User, bob: User, said_yes: Make, wiki: WikiItself
) -> None:
    with CaptureQueriesContext(connection) as queries:
        said_yes(project, 2)
        batch = confirmed(project, alice)
        wiki.running.faults.add("cut-after-effect", {"action": "wbsetclaim"}, times=1)
        send_to_the_end(batch)
        first = batch.attempts.order_by("pk")[0]
        wiki.somebody_removes(first.claim.page_id)
        reconcile(repair=True)
        send_to_the_end(batches_undo.undo(batch, alice))
        reconcile(repair=True)
    assert Edit.objects.count() == 3
    assert not _written_to(queries)


def test_the_ledger_alone_tells_what_is_on_the_wiki(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 3)
    batch = send_to_the_end(confirmed(project, alice))
    undoing_one = batches_undo.undo(batch.attempts.order_by("pk")[0], alice)
    send_to_the_end(undoing_one)
    removed = Edit.objects.filter(kind=Edit.Kind.REMOVE).values("guid")
    standing = Edit.objects.filter(kind=Edit.Kind.ADD).exclude(guid__in=removed)
    by_ledger = set(standing.values_list("page_id", "guid"))
    pages = ClaimAttempt.objects.values_list("claim__page_id", flat=True)
    on_wiki = {(page, each["id"]) for page in set(pages) for each in wiki.depicts(page)}
    assert by_ledger == on_wiki
    assert len(by_ledger) == 2
    assert all(statements.batch_mark(batch.code) in edit.summary for edit in standing)
