"""Putting entries on the deny-list and taking them off it again.

What that means for what is here already is up to each app: it hears `list_changed`.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from core.transactions import atomic
from projects.ledger import audit
from projects.lifecycle.services import COMES_FROM, set_state
from projects.models import DenyEntry, Notification, Objection, Project, User
from projects.notifications.services import notify
from projects.privacy import denylist

Kind = DenyEntry.Kind
list_changed = Signal()  # `entry`, and whether it is `listed`; within the transaction


@atomic
def deny(entry: DenyEntry, by: User | None) -> None:
    """Save a new entry, and let go of what it means. Raises IntegrityError for one that is there.

    A file's entry has the page id already, asked for outside of the transaction. `by` nobody: the
    tool itself found out that somebody may be under 18.
    """
    entry.wiki, entry.created_by = settings.WIKI.code, by
    entry.value = denylist.normal(entry.kind, entry.value)
    entry.save()
    audit(by, "deny.added", target=name_of(entry), reason=entry.reason)
    if entry.kind == Kind.PERSON:
        _pause_projects(entry, by)
        _tell_owners(entry, "left-alone")
    list_changed.send(DenyEntry, entry=entry, listed=True)


@atomic
def undeny(entry: DenyEntry, by: User, reason: str) -> bool:
    """Take an entry off the list. Projects that it paused stay so until somebody resumes them;
    who objected reads that it is no longer on it. False where somebody was quicker."""
    deleted, _rows = DenyEntry.objects.filter(pk=entry.pk).delete()
    if not deleted:
        return False
    audit(by, "deny.removed", target=name_of(entry), reason=reason, was=entry.reason)
    for each in objections_to(entry):
        audit(by, "objection.lifted", target=each.name, reason=reason)
    now = {"state": Objection.State.LIFTED, "closed_at": timezone.now(), "handled_by": by}
    objections_to(entry).update(**now)
    if entry.kind == Kind.PERSON:
        _tell_owners(entry, "not-left-alone")
    list_changed.send(DenyEntry, entry=entry, listed=False)
    return True


def note_page_ids(files: Iterable[tuple[int, str]]) -> None:
    """Add page ids to entries that know only a file's title, so that no new name escapes them."""
    by_title = {denylist.normal(Kind.FILE, title): page_id for page_id, title in files}
    unknown = denylist.entries().filter(kind=Kind.FILE, page_id=None, value__in=by_title)
    for entry in unknown:
        unknown.filter(pk=entry.pk).update(page_id=by_title[entry.value])


def objections_to(entry: DenyEntry) -> QuerySet[Objection]:
    """Those that were followed by what the entry says."""
    same = {"wiki": entry.wiki, "kind": entry.kind, "value": entry.value}
    return Objection.objects.filter(state=Objection.State.UPHELD, **same).order_by("pk")


@atomic
def reword(entry: DenyEntry, by: User) -> None:
    """Only the reason of an entry changes."""
    DenyEntry.objects.filter(pk=entry.pk).update(reason=entry.reason)
    audit(by, "deny.reworded", target=name_of(entry), reason=entry.reason)


def _projects(entry: DenyEntry) -> QuerySet[Project]:
    return Project.objects.filter(
        subjects__person__wiki=entry.wiki, subjects__person__qid=entry.value
    )


def _tell_owners(entry: DenyEntry, code: str) -> None:
    theirs = _projects(entry).exclude(state=Project.State.ARCHIVED).filter(deleted_at=None)
    for project in theirs.select_related("owner"):
        notify([project.owner], project, Notification.Kind.PEOPLE, code=code)


def _pause_projects(entry: DenyEntry, by: User | None) -> None:
    for project in _projects(entry).filter(state__in=COMES_FROM[Project.State.PAUSED]):
        set_state(project, by, Project.State.PAUSED)


def name_of(entry: DenyEntry) -> str:
    """How the audit log names it."""
    return f"{entry.kind}:{entry.value}"[:80]
