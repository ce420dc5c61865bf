"""Objections: somebody asks that a person, a file or several be left alone.

Anybody may send one, without a login. What they write is sealed, read by moderators only, and
removed a set time after the objection was closed (`forget_closed`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.encryption import CONTACT, OBJECTION, Unsealable, context, seal, unseal
from core.models import WikiPace
from core.transactions import atomic
from core.user_errors import Refused
from projects.ledger import audit
from projects.models import DenyEntry, Notification, Objection, User
from projects.notifications.services import notify
from projects.permissions import check_moderates, moderators
from projects.privacy import denylist, denylist_changes, pauses
from projects.privacy.objection_targets import Target, can_be, find_target, read_target_alone
from wiki import http

log = logging.getLogger(__name__)
Kind = Objection.Kind
State = Objection.State
OPEN = pauses.OPEN
_NOT_LISTED = ~Q(state=State.UPHELD) | Q(kind=Kind.OTHER)
LANE = "objections"  # of WikiPace: a row to lock
LATE = pauses.LASTS  # after which an open one is overdue


@dataclass(frozen=True)
class Words:
    """What somebody wrote, opened for a moderator."""

    message: str
    contact: str


def lodge(
    about: str,
    kind: str,
    message: str,
    contact: str = "",
    *,
    may_pause: Callable[[], bool] = lambda: True,
) -> Objection:
    """Keep an objection. `about` is whatever they pasted; `kind` what they say that it is. It
    is sealed with the message where it differs from what was understood, so that a moderator sees
    it; words that name no page of the wiki, such as somebody's name, are kept there alone.

    What it names is paused at once, unless it was before or whoever objects has paused enough:
    `may_pause` is asked that only where it matters.
    """
    target = _target(about, kind)
    value = target.value if can_be(target.kind, target.value) else ""
    if about.strip() != value:
        message = "\n\n".join(filter(None, (about.strip(), message)))
    made = Objection(wiki=settings.WIKI.code, kind=target.kind, value=value, page_id=target.page_id)
    made.photos = pauses.count_photos(made)
    made.message = seal(message.encode(), context(OBJECTION, made.code))
    made.contact = seal(contact.encode(), context(CONTACT, made.code)) if contact else None
    _keep(made, cache(may_pause))  # asked once, though the transaction may be run again
    return made


def _target(about: str, kind: str) -> Target:
    """What is meant, as far as can be told while the wiki can't be asked."""
    try:
        return find_target(about, kind)
    except http.WikiError as error:
        log.warning("what an objection names could not be looked up: %s", error)
        return read_target_alone(about, kind)


@atomic
def _keep(made: Objection, may_pause: Callable[[], bool]) -> None:
    _lock_objections()
    if pauses.may_begin(made) and may_pause():
        made.pauses_until = made.created_at + pauses.LASTS
    made.save()
    paused = bool(made.pauses_until)
    audit(None, "objection.lodged", target=made.name, kind=made.kind, paused=paused)
    if paused:
        pauses.pause_begun.send(Objection, objection=made)
    notify(moderators(), None, Notification.Kind.OBJECTED, n=1)


def _lock_objections() -> None:
    """Wait for other objections that are being kept, so that one of several to the same pauses."""
    row, _new = WikiPace.objects.get_or_create(wiki=settings.WIKI.code, lane=LANE)
    WikiPace.objects.select_for_update().get(pk=row.pk)


def words(objection: Objection) -> Words | None:
    """What was written; None once it was removed."""
    if not objection.message:
        return None
    try:
        message = unseal(bytes(objection.message), context(OBJECTION, objection.code))
        contact = b""
        if objection.contact:
            contact = unseal(bytes(objection.contact), context(CONTACT, objection.code))
    except Unsealable:
        return None
    return Words(message.decode(), contact.decode())


def take_in_work(objection: Objection, by: User) -> bool:
    check_moderates(by)
    return _move(objection, by, (State.OPEN,), State.IN_WORK, closed_at=None)


def decline(objection: Objection, by: User, answer: str) -> bool:
    """Not followed; the answer says why."""
    check_moderates(by)
    return _move(objection, by, OPEN, State.DECLINED, answer=answer, closed_at=timezone.now())


def uphold(objection: Objection, by: User, answer: str, value: str = "") -> bool:
    """Follow it: what it is about goes on the deny-list. `value` names it where the objector's
    words are no Q-ID or title. Raises Refused for what can't be on the list, and WikiError."""
    check_moderates(by)
    if objection.state not in OPEN:
        return False
    return _follow(objection, by, answer, _entry(objection, value))


@atomic
def _follow(objection: Objection, by: User, answer: str, entry: DenyEntry | None) -> bool:
    fields = {"answer": answer, "closed_at": timezone.now()}
    if entry:
        fields |= {"kind": entry.kind, "value": entry.value}
    if not _move(objection, by, OPEN, State.UPHELD, **fields):
        return False
    if entry and not denylist.entries().filter(kind=entry.kind, value=entry.value).exists():
        denylist_changes.deny(entry, by)
    return True


def _entry(objection: Objection, value: str) -> DenyEntry | None:
    """What following it puts on the list; nothing where it is about something else."""
    if objection.kind == Kind.OTHER and not value:
        return None
    target = find_target(value or objection.value, objection.kind)
    if target.kind == Kind.OTHER:
        raise Refused("not-a-title", _("Name a Q-ID, a file, a category or a user to leave alone."))
    value = denylist.normal(target.kind, target.value)
    denylist.check(target.kind, value)
    page_id = target.page_id
    if page_id is None and value == objection.value:  # the wiki has it under another name by now
        page_id = objection.page_id
    return DenyEntry(kind=target.kind, value=value, page_id=page_id, reason=_reason(objection))


def _reason(objection: Objection) -> str:
    return f"objection {objection.pk}"


@atomic
def _move(objection: Objection, by: User, old: tuple[str, ...], new: str, **fields: object) -> bool:
    rows = Objection.objects.filter(pk=objection.pk, state__in=old)
    if not rows.update(state=new, handled_by=by, **fields):
        return False
    audit(by, f"objection.{new}", target=objection.name)
    if new not in OPEN and objection.pauses_until:
        pauses.pause_ended.send(Objection, objection=objection)
    objection.refresh_from_db()
    return True


@atomic
def lift_pause(objection: Objection, by: User, reason: str) -> bool:
    """Let what it names be asked and sent again; the objection stays open."""
    check_moderates(by)
    held = Objection.objects.select_for_update().get(pk=objection.pk)
    if not is_pausing(held):  # asked now that nobody else lifts it
        return False
    Objection.objects.filter(pk=objection.pk).update(pauses_until=timezone.now())
    audit(by, "objection.pause-lifted", target=objection.name, reason=reason)
    pauses.pause_ended.send(Objection, objection=objection)
    objection.refresh_from_db()
    return True


def is_pausing(objection: Objection) -> bool:
    until = objection.pauses_until
    return objection.state in OPEN and until is not None and until > timezone.now()


def is_listed(objection: Objection) -> bool:
    """Whether what it was about is on the deny-list now."""
    return denylist.entries().filter(pauses.same(objection)).exists()


def open_ones() -> QuerySet[Objection]:
    return Objection.objects.filter(wiki=settings.WIKI.code, state__in=OPEN)


def overdue() -> QuerySet[Objection]:
    return open_ones().filter(created_at__lt=timezone.now() - LATE)


def is_overdue(objection: Objection) -> bool:
    return objection.state in OPEN and objection.created_at < timezone.now() - LATE


def with_old_texts() -> QuerySet[Objection]:
    """Closed so long ago that what was written has to go. What was followed is on the deny-list
    by its Q-ID or title, and stays named; what it was about otherwise goes, too."""
    before = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    texts = ~(Q(message=b"") & Q(contact=None))
    return Objection.objects.filter(texts | (_NOT_LISTED & ~Q(value="")), closed_at__lt=before)


def forget_closed() -> int:
    """Remove what was written in objections that were closed long ago; returns of how many."""
    old = Objection.objects.filter(pk__in=list(with_old_texts().values_list("pk", flat=True)))
    old.filter(_NOT_LISTED).update(value="", page_id=None)
    return old.update(message=b"", contact=None)
