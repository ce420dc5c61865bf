"""Asking for a person whom moderators have to allow first, and what they decide."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.transactions import atomic
from core.user_errors import Refused
from projects.ledger import audit
from projects.models import Admission, DenyEntry, Notification, Person, User
from projects.notifications.services import notify
from projects.permissions import moderators
from projects.privacy import denylist_changes
from projects.privacy.admissions import Cause, State, cause_of
from wiki.wikidata import PersonData

FOUND_OUT = "may be under 18: a moderator may allow it"  # reason of an entry that nobody made


@atomic
def ask(data: PersonData, by: User, note: str) -> Admission:
    """Ask the moderators about a person. Asked again while it waits, nothing changes."""
    fields = data.fields()
    person, _new = Person.objects.get_or_create(
        wiki=settings.WIKI.code, qid=data.qid, defaults=fields
    )
    cause = cause_of(Person.from_wikidata(data))
    if cause is None:
        raise Refused("free", _("Nobody has to be asked: you can start the project."))
    said = {"cause": cause, "asked_by": by, "note": " ".join(note.split())[:500]}
    asked, is_new = Admission.objects.get_or_create(person=person, defaults=said)
    if not is_new and asked.asked_by_id is None and asked.state == State.WAITING:
        Admission.objects.filter(pk=asked.pk).update(**said)
        asked.refresh_from_db()
        is_new = True
    if is_new:
        notify(moderators(), None, Notification.Kind.WANTED, n=1)
        audit(by, "admission.asked", target=name_of(asked), cause=cause.value)
    return asked


@atomic
def allow(asked: Admission, by: User, reason: str) -> bool:
    """There may be projects for the person. What the deny-list says beside it stays; False where
    it was allowed before."""
    if not _decide(asked, by, State.ALLOWED, reason):
        return False
    ours = _entries(asked.person).filter(created_by=None, reason=FOUND_OUT)
    for entry in ours:
        if not denylist_changes.objections_to(entry).exists():
            denylist_changes.undeny(entry, by, reason)
    return True


@atomic
def refuse(asked: Admission, by: User, reason: str) -> bool:
    """The person is left alone from now on, as everybody on the deny-list is."""
    if not _decide(asked, by, State.REFUSED, reason):
        return False
    _leave_alone(asked.person, by, reason)
    return True


def look_again(person: Person) -> None:
    """After what Wikidata says of a person was read anew. Call in the transaction of that."""
    cause = cause_of(person)
    if cause is None:
        return
    asked, _new = Admission.objects.get_or_create(person=person, defaults={"cause": cause})
    if asked.state == State.ALLOWED and cause in (asked.cause, Cause.LITTLE_KNOWN):
        return
    if asked.cause != cause:
        words = {"cause": cause, "state": State.WAITING, "decided_by": None, "decided_at": None}
        Admission.objects.filter(pk=asked.pk).update(**words)
    if cause == Cause.MINOR:
        _leave_alone(person, None, FOUND_OUT)


def _decide(asked: Admission, by: User, state: str, reason: str) -> bool:
    fields = {"state": state, "decided_by": by, "decided_at": timezone.now(), "reason": reason}
    rows = Admission.objects.filter(pk=asked.pk).exclude(state=state)
    if not rows.update(**fields):
        return False
    asked.refresh_from_db()
    audit(by, f"admission.{state}", target=name_of(asked), reason=reason, cause=asked.cause)
    if asked.asked_by:
        person = asked.person
        told = {"code": "admission", "qid": person.qid, "name": person.label(), "state": state}
        notify([asked.asked_by], None, Notification.Kind.PEOPLE, **told)
    return True


def _leave_alone(person: Person, by: User | None, reason: str) -> None:
    if not _entries(person).exists():
        kind = DenyEntry.Kind.PERSON
        denylist_changes.deny(DenyEntry(kind=kind, value=person.qid, reason=reason[:255]), by)


def _entries(person: Person) -> QuerySet[DenyEntry]:
    same = Q(kind=DenyEntry.Kind.PERSON, value=person.qid)
    return DenyEntry.objects.filter(same, wiki=person.wiki)


def name_of(asked: Admission) -> str:
    """How the audit log names it."""
    return f"person:{asked.person.qid}"
