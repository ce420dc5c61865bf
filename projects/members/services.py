"""Who belongs to a project: inviting, asking, joining, leaving, removing, banning, handing over."""

from __future__ import annotations

import copy
import re
from datetime import timedelta

from django.db import IntegrityError
from django.db.models import F, QuerySet
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from core.transactions import atomic
from core.user_errors import Refused, archived
from projects.ledger import audit
from projects.models import Invite, Membership, Notification, Project, User
from projects.notifications.services import notify, settle
from projects.permissions import membership
from projects.privacy.denylist import refuse_project

Role = Membership.Role
State = Membership.State

# Sent with `project`, `user` and `was` (their membership before) in the transaction that gives
# somebody another role, or none: what they answered weighs more or less from then on.
role_changed = Signal()

INVITE_DAYS = (1, 7, 30)
INVITE_USES = (1, 10, 50)


@atomic
def invite(project: Project, by: User, days: int = 7, max_uses: int = 50) -> Invite:
    """A new code that lets `max_uses` people join within `days` days."""
    expires_at = timezone.now() + timedelta(days=days)
    made = Invite.objects.create(
        project=project, created_by=by, expires_at=expires_at, max_uses=max_uses
    )
    audit(by, "invite.created", project, f"invite:{made.pk}", days=days, max_uses=max_uses)
    return made


@atomic
def revoke(code: Invite, by: User) -> None:
    if Invite.objects.filter(pk=code.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit(by, "invite.revoked", code.project, f"invite:{code.pk}")


def find_invite(code: str, user: User) -> Invite:
    """The invite of a code as people type it (spaces, dashes, small letters).

    Raises Refused when there is none, or when it is over or not for them; not for members, to
    whom it says nothing new.
    """
    typed = re.sub(r"[\s-]", "", code).upper()
    found = Invite.objects.select_related("project__subject__person").filter(code=typed).first()
    if found is None:
        raise Refused("no-invite", _("There is no such code. Check it letter by letter."))
    refuse_project(found.project)
    mine = membership(found.project, user)
    if mine and mine.state == State.BANNED:
        raise banned()
    if found.project.state == Project.State.ARCHIVED:
        raise archived()
    if mine and mine.state == State.ACTIVE:
        return found
    ask = _("Ask for a new one.")
    if found.revoked_at:
        raise Refused("revoked", _("This code was taken back.") + " " + ask)
    if found.expires_at <= timezone.now():
        raise Refused("expired", _("This code is no longer valid.") + " " + ask)
    if found.uses >= found.max_uses:
        raise Refused("used-up", _("This code was used as often as it may be.") + " " + ask)
    return found


@atomic
def join_by_code(code: str, user: User) -> Project:
    """Join the project of an invite. Joining twice uses the code once."""
    found = find_invite(code, user)
    if _become_member(found.project, user, found):
        usable = Invite.objects.filter(
            pk=found.pk, uses__lt=F("max_uses"), revoked_at=None, expires_at__gt=timezone.now()
        )
        if not usable.update(uses=F("uses") + 1):  # the last place went meanwhile
            raise Refused("used-up", _("Somebody was quicker: this code is used up."))
    return found.project


@atomic
def join_open(project: Project, user: User) -> None:
    """Join a project that anybody may join."""
    if project.joining != Project.Joining.OPEN or project.visibility != Project.Visibility.PUBLIC:
        raise Refused("invite-only", _("One joins this project with an invite code only."))
    refuse_project(project)
    _become_member(project, user, None)


@atomic
def ask(project: Project, user: User, note: str = "") -> None:
    """Ask the owner to be let in, with a few words; asked twice, the words are the latest.

    Raises Refused where one joins without asking, or not at all.
    """
    if project.state == Project.State.ARCHIVED:
        raise archived()
    if project.joining == Project.Joining.OPEN:
        raise Refused("open", _("Anybody may join this project: no need to ask."))
    refuse_project(project)
    note = " ".join(note.split())[:200]
    _hold(project)
    mine, is_new = project.memberships.get_or_create(user=user, defaults={"state": State.ASKED})
    if mine.state == State.BANNED:
        raise banned()
    if mine.state == State.ACTIVE:
        raise Refused("member", _("You are a member of this project already."))
    asked_before = mine.state == State.ASKED and not is_new
    mine.state, mine.note, mine.joined_at = State.ASKED, note, timezone.now()
    mine.save(update_fields=["state", "note", "joined_at"])
    if not asked_before:
        audit(user, "member.asked", project, f"user:{user.pk}")
        _tell(project.owner, project, "asked", who=str(user))


@atomic
def take_back_asking(project: Project, user: User) -> None:
    asked = project.memberships.filter(user=user, state=State.ASKED)
    _hold(project)
    if asked.update(state=State.LEFT, note=""):
        audit(user, "member.asked-no-more", project, f"user:{user.pk}")
        _settle_asking(project)


def accept(project: Project, by: User, user: User) -> None:
    """Let in somebody who asked."""
    if project.state == Project.State.ARCHIVED:
        raise archived()
    _change(project, by, user, State.ASKED, State.ACTIVE, "member.accepted")


def decline(project: Project, by: User, user: User) -> None:
    """Don't let in somebody who asked; they may ask again."""
    _change(project, by, user, State.ASKED, State.LEFT, "member.declined")


def leave(project: Project, user: User) -> None:
    mine = membership(project, user)
    if mine and mine.role == Role.OWNER:
        raise Refused(
            "owner",
            _("You own this project. Hand it over first, or archive it in its settings."),
        )
    _change(project, user, user, State.ACTIVE, State.LEFT, "member.left")


def remove(project: Project, by: User, user: User) -> None:
    """Take somebody out; an invite lets them in again."""
    _change(project, by, user, State.ACTIVE, State.LEFT, "member.removed")


def ban(project: Project, by: User, user: User) -> None:
    """Take somebody out for good, or keep somebody out who left."""
    _change(project, by, user, None, State.BANNED, "member.banned")


def unban(project: Project, by: User, user: User) -> None:
    _change(project, by, user, State.BANNED, State.LEFT, "member.unbanned")


@atomic
def set_role(project: Project, by: User, user: User, role: str) -> None:
    """Make a member a reviewer, or a reviewer a member."""
    if role not in (Role.MEMBER, Role.REVIEWER):
        raise Refused("role", _("One can be a member or a reviewer."))
    others = project.memberships.filter(user=user, state=State.ACTIVE).exclude(role=Role.OWNER)
    _hold(project)
    theirs = others.first()
    if theirs is None:
        raise Refused("no-member", _("This is not a member whose role you can change."))
    if theirs.role == role:
        return
    audit(by, "member.role", project, f"user:{user.pk}", role=role)
    _save(theirs, role=role)
    _tell(user, project, role)


@atomic
def hand_over(project: Project, by: User, user: User) -> None:
    """Make another active member the owner; `by`, who was, stays as a reviewer.

    Raises Refused where it was handed over meanwhile, or can't be.
    """
    held = _hold(project)
    mine = project.memberships.filter(user=by, role=Role.OWNER).first()
    if held.owner_id != by.pk or mine is None:
        raise Refused("not-owner", _("This project is no longer yours to hand over."))
    theirs = project.memberships.filter(user=user, state=State.ACTIVE).first()
    if theirs is None or user == by:
        raise Refused("no-member", _("A project is handed over to one of its other members."))
    if not theirs.counts:
        words = _("Their answers don’t count at present. Let them count again first.")
        raise Refused("counts-not", words)
    _make_owner(held, user)
    audit(by, "project.handed-over", project, f"user:{user.pk}")
    _save(mine, role=Role.REVIEWER)
    _save(theirs, role=Role.OWNER)
    settle(project, Notification.Kind.PEOPLE, by, code="asked")
    _tell(user, project, "owner", who=str(by))
    project.refresh_from_db(fields=["owner", "active_key"])


def banned() -> Refused:
    return Refused("banned", _("The owner of this project has closed it for you."))


def _make_owner(project: Project, user: User) -> None:
    live = project.active_key is not None
    key = f"{user.pk}:{project.subject.person_id}" if live else None
    try:
        _set_owner(project, user, key)
    except IntegrityError:
        words = _("They have a live project for this person already. One of the two must end.")
        raise Refused("has-another", words) from None


@atomic
def _set_owner(project: Project, user: User, key: str | None) -> None:
    Project.objects.filter(pk=project.pk).update(owner=user, active_key=key)


def _become_member(project: Project, user: User, code: Invite | None) -> bool:
    """True when `user` became a member now, False when they were one before."""
    if project.state == Project.State.ARCHIVED:
        raise archived()
    _hold(project)
    mine, is_new = project.memberships.get_or_create(user=user)
    if mine.state == State.BANNED:
        raise banned()
    if not is_new:
        if mine.state == State.ACTIVE:
            return False
        _save(mine, state=State.ACTIVE, role=Role.MEMBER, note="", joined_at=timezone.now())
    audit(user, "member.joined", project, f"user:{user.pk}", invite=code.pk if code else None)
    return True


def _hold(project: Project) -> Project:
    """The project, locked until the transaction ends: before its memberships, as answers do."""
    return Project.objects.select_for_update().get(pk=project.pk)


@atomic
def _change(
    project: Project, by: User, user: User, before: str | None, after: str, action: str
) -> None:
    rows: QuerySet[Membership] = project.memberships.filter(user=user).exclude(role=Role.OWNER)
    if before:
        rows = rows.filter(state=before)
    _hold(project)
    theirs = rows.exclude(state=after).first()
    if theirs is None:
        raise Refused("no-member", _("This has been done already, or can't be done."))
    audit(by, action, project, f"user:{user.pk}")
    joined = {"joined_at": timezone.now()} if after == State.ACTIVE else {}
    _save(theirs, state=after, role=Role.MEMBER, note="", **joined)
    if user != by:
        _tell(user, project, action.removeprefix("member."))


def _save(theirs: Membership, **fields: object) -> None:
    was = copy.copy(theirs)
    for name, value in fields.items():
        setattr(theirs, name, value)
    theirs.save(update_fields=list(fields))
    if was.state == State.ASKED:
        _settle_asking(theirs.project)
    role_changed.send(Membership, project=theirs.project, user=theirs.user, was=was)


def _settle_asking(project: Project) -> None:
    """Once nobody waits any more, the owner need not look."""
    if not project.memberships.filter(state=State.ASKED).exists():
        settle(project, Notification.Kind.PEOPLE, code="asked")


def _tell(user: User, project: Project, code: str, **data: object) -> None:
    notify([user], project, Notification.Kind.PEOPLE, code=code, **data)
