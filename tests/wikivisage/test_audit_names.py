"""The audit log forgets who did it after 90 days, unless it is about edits on the wiki."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from projects.models import AuditEvent, DenyEntry, User
from projects.privacy import denylist_changes
from sdc.erasure import audit_names
from sdc.erasure.accounts import plain
from sdc.erasure.audit_names import AUDIT_NAME_DAYS, NAMING_DATA, OF_EDITS
from sdc.models import WritingStop
from sdc.sending_rights import stops
from tests.conftest import ClientOf
from wikivisage.ops import retention as ops_retention

APPS = ("core", "wiki", "projects", "crawler", "classify", "sdc", "wikivisage")
STEP = "names in the audit log"
# What else rows hold beside the deed: numbers, codes, states and names of things, never of people.
NAMES_NOBODY = {
    "after", "before", "boxes", "by", "cause", "chosen", "count", "counts", "days", "doubt",
    "edits", "faces", "invite", "kind", "max_uses", "name", "paused", "photos", "role", "round",
    "serving", "source", "why",
}  # fmt: skip


def write(by: User | None, action: str, target: str, days: float, **data: Any) -> AuditEvent:
    at = timezone.now() - timedelta(days=days)
    return AuditEvent.objects.create(actor=by, action=action, target=target, data=data, at=at)


def as_it_is(row: AuditEvent) -> tuple[User | None, str, dict[str, Any]]:
    found = AuditEvent.objects.get(pk=row.pk)
    assert (found.action, found.at, found.project) == (row.action, row.at, row.project)
    return found.actor, found.target, found.data


def test_names_go_after_their_time(alice: User, bob: User) -> None:
    old, fresh, theirs = AUDIT_NAME_DAYS + 1, AUDIT_NAME_DAYS - 1, f"user:{bob.pk}"
    role = write(alice, "member.role", theirs, old, role="reviewer")
    ended = write(alice, "sessions.ended", theirs, old, reason="Bob lost his phone")
    doubted = write(None, "member.doubted", theirs, old, why="fast")
    source = write(alice, "source.removed", "source:7", old, place="uploader:Bob")
    denied = write(alice, "deny.added", "file:A.jpg", old, reason="was asked to")
    new = write(alice, "member.role", theirs, fresh, role="member")

    assert ops_retention.due()[STEP] == 5
    assert ops_retention.sweep(60)[STEP] == 5
    assert as_it_is(role) == (None, "user", {"role": "reviewer"})
    assert as_it_is(ended) == (None, "user", {})
    assert as_it_is(doubted) == (None, "user", {"why": "fast"})
    assert as_it_is(source) == (None, "source:7", {})
    assert as_it_is(denied) == (None, "file:A.jpg", {})
    assert as_it_is(new) == (alice, theirs, {"role": "member"})
    assert ops_retention.due()[STEP] == 0
    assert ops_retention.sweep(60)[STEP] == 0


@pytest.mark.parametrize("action", ["batch.confirmed", "claim.rejected"])
def test_what_is_about_edits_keeps_the_name(alice: User, action: str) -> None:
    row = write(alice, action, f"user:{alice.pk}", 5000, reason="not her")
    assert ops_retention.sweep(60)[STEP] == 0
    assert as_it_is(row) == (alice, f"user:{alice.pk}", {"reason": "not her"})


def age_all() -> None:
    plain(AuditEvent).update(at=timezone.now() - timedelta(days=400))


def all_that_is_kept() -> str:
    """The audit log as text, without the actions."""
    rows = AuditEvent.objects.values_list("actor__username", "target", "data")
    return "\n".join(map(str, rows))


@pytest.mark.parametrize("kind", ["uploader", "author"])
def test_names_on_the_deny_list_go(mona: User, kind: str) -> None:
    entry = DenyEntry(kind=kind, value="Bob Private", reason="asked by Robert Private")
    denylist_changes.deny(entry, mona)
    entry.reason = "asked by Robert Private in a mail"
    denylist_changes.reword(entry, mona)
    age_all()
    ops_retention.sweep(60)
    assert "Private" not in all_that_is_kept()
    assert DenyEntry.objects.get().reason, "as long as the entry"
    denylist_changes.undeny(DenyEntry.objects.get(), mona, "Robert Private wrote again")
    age_all()
    assert ops_retention.sweep(60)[STEP] == 1
    assert "Private" not in all_that_is_kept()
    assert "Mona" not in all_that_is_kept()
    deeds = AuditEvent.objects.filter(action__startswith="deny.").order_by("pk")
    assert list(deeds.values_list("action", "target")) == [
        (f"deny.{deed}", kind) for deed in ("added", "reworded", "removed")
    ]


def test_names_of_a_stop_go(mona: User, bob: User) -> None:
    stop = stops.place(WritingStop.Source.MODERATOR, "Bob was careless", by=mona, user=bob)
    stops.lift(stop, mona, "Bob wrote to us")
    age_all()
    ops_retention.sweep(60)
    rows = AuditEvent.objects.filter(action__startswith="writing.").order_by("pk")
    assert [as_it_is(row) for row in rows] == [
        (None, "user", {"source": "moderator"}),
        (None, "user", {}),
    ]


def test_words_go_where_nobody_did_it(mona: User) -> None:
    """Written by the program itself, or left by a sweep of an earlier version."""
    row = write(None, "deny.removed", "file:A.jpg", 91, was="asked by Robert Private")
    assert ops_retention.sweep(60)[STEP] == 1
    assert as_it_is(row) == (None, "file:A.jpg", {})
    assert ops_retention.due()[STEP] == 0


def test_more_than_one_transaction_of_them(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_names, "AT_ONCE", 2)
    for _ in range(5):
        write(alice, "project.woken", "", 91)
    assert audit_names.forget(0) == 2, "its time is over"
    assert ops_retention.sweep(60)[STEP] == 3


def test_nobody_else_changes_these_rows(alice: User) -> None:
    row = write(alice, "project.woken", "", 91)
    for change in (row.save, row.delete, AuditEvent.objects.all().delete):
        with pytest.raises(TypeError):
            change()
    with pytest.raises(TypeError):
        AuditEvent.objects.update(actor=None)


def test_what_rows_hold_is_known_to_name_nobody_or_goes() -> None:
    """A new keyword of `audit(…)` is thought of here, or in `without_names`."""
    found = set()
    for app in APPS:
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                called = getattr(node, "func", None)
                name = getattr(called, "id", "") or getattr(called, "attr", "")
                if isinstance(node, ast.Call) and name == "audit":
                    found |= {each.arg for each in node.keywords if each.arg}
    assert "role" in found
    assert found - set(NAMING_DATA) - {"target"} <= NAMES_NOBODY


def test_the_pages_say_the_same(client_of: ClientOf) -> None:
    page = client_of(None).get("/privacy").text
    assert f"loses your name after {AUDIT_NAME_DAYS} days" in page
    text = Path(settings.BASE_DIR, "docs", "privacy.md").read_text()
    kept = next(line for line in text.splitlines() if "of the audit log what is about them" in line)
    assert all(f"`{prefix}…`" in kept for prefix in OF_EDITS)
    gone = next(line for line in text.splitlines() if line.startswith("| All else in the audit"))
    assert f"{AUDIT_NAME_DAYS} days" in gone


def test_the_pages_name_what_an_open_project_and_an_upload_show(client_of: ClientOf) -> None:
    page = client_of(None).get("/privacy").text
    assert "In an open project anybody can become a member." in page
    assert "If you uploaded or made a photo, your name stays with it" in page
