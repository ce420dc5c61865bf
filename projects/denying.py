"""Putting persons, files and categories on the deny-list and taking them off it again.

What that means for what is here already is up to each app: it hears `list_changed`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.dispatch import Signal

from projects import denials, http
from projects.ledger import audit
from projects.models import DenyEntry, Project, User
from projects.settings_form import set_state

Kind = DenyEntry.Kind
list_changed = Signal()  # `entry`, and whether it is `listed`; within the transaction


def page_id_of(title: str) -> int | None:
    """The page that a file's title leads to now; None where there is none. Raises WikiError."""
    body = http.api(settings.WIKI.commons_api, action="query", titles=title, redirects=1)
    pages = body.get("query", {}).get("pages", [])
    return next((page["pageid"] for page in pages if page.get("pageid")), None)


def deny(entry: DenyEntry, by: User) -> None:
    """Save a new entry, and let go of what it means. Raises IntegrityError for one that is there.

    Call `page_id_of` before, outside of the transaction, for a file.
    """
    entry.wiki, entry.created_by = settings.WIKI.code, by
    entry.value = denials.normal(entry.kind, entry.value)
    with transaction.atomic():
        entry.save()
        audit(by, "deny.added", target=name_of(entry), reason=entry.reason)
        if entry.kind == Kind.PERSON:
            _pause_projects(entry, by)
        list_changed.send(DenyEntry, entry=entry, listed=True)


def undeny(entry: DenyEntry, by: User) -> None:
    """Take an entry off the list. Projects that it paused stay so until somebody resumes them."""
    with transaction.atomic():
        deleted, _rows = DenyEntry.objects.filter(pk=entry.pk).delete()
        if deleted:
            audit(by, "deny.removed", target=name_of(entry), reason=entry.reason)
            list_changed.send(DenyEntry, entry=entry, listed=False)


def reword(entry: DenyEntry, by: User) -> None:
    """Only the reason of an entry changes."""
    with transaction.atomic():
        DenyEntry.objects.filter(pk=entry.pk).update(reason=entry.reason)
        audit(by, "deny.reworded", target=name_of(entry), reason=entry.reason)


def _pause_projects(entry: DenyEntry, by: User) -> None:
    theirs = Project.objects.filter(person__wiki=entry.wiki, person__qid=entry.value)
    for project in theirs.filter(state=Project.State.ACTIVE):
        set_state(project, by, Project.State.PAUSED)


def name_of(entry: DenyEntry) -> str:
    """How the audit log names it."""
    return f"{entry.kind}:{entry.value}"[:80]
