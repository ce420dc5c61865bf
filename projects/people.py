"""Who belongs to a project: inviting, joining, leaving, removing, banning."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from projects.ledger import audit
from projects.models import Invite, Membership, Project, User
from projects.permissions import membership
from projects.refusal import Refused, archived

Role = Membership.Role
State = Membership.State

# Sent with `project` and `user` in the transaction that gives somebody another role, or none:
# what they answered weighs more or less from then on.
role_changed = Signal()

INVITE_DAYS = (1, 7, 30)
INVITE_USES = (1, 10, 50)


def invite(project: Project, by: User, days: int = 7, max_uses: int = 50) -> Invite:
    """A new code that lets `max_uses` people join within `days` days."""
    expires_at = timezone.now() + timedelta(days=days)
    with transaction.atomic():
        made = Invite.objects.create(
            project=project, created_by=by, expires_at=expires_at, max_uses=max_uses
        )
        audit(by, "invite.created", project, f"invite:{made.pk}", days=days, max_uses=max_uses)
    return made


def revoke(code: Invite, by: User) -> None:
    with transaction.atomic():
        if Invite.objects.filter(pk=code.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit(by, "invite.revoked", code.project, f"invite:{code.pk}")


def find_invite(code: str) -> Invite:
    """The invite of a code as people type it (spaces, dashes, small letters).

    Raises Refused when there is none, or when it is over.
    """
    typed = re.sub(r"[\s-]", "", code).upper()
    found = Invite.objects.select_related("project__person").filter(code=typed).first()
    if found is None:
        raise Refused("no-invite", _("There is no such code. Check it letter by letter."))
    ask = _("Ask for a new one.")
    if found.revoked_at:
        raise Refused("revoked", _("This code was taken back.") + " " + ask)
    if found.expires_at <= timezone.now():
        raise Refused("expired", _("This code is no longer valid.") + " " + ask)
    if found.uses >= found.max_uses:
        raise Refused("used-up", _("This code was used as often as it may be.") + " " + ask)
    return found


def join_by_code(code: str, user: User) -> Project:
    """Join the project of an invite. Joining twice uses the code once."""
    found = find_invite(code)
    with transaction.atomic():
        if _become_member(found.project, user, found):
            usable = Invite.objects.filter(
                pk=found.pk, uses__lt=F("max_uses"), revoked_at=None, expires_at__gt=timezone.now()
            )
            if not usable.update(uses=F("uses") + 1):  # the last place went meanwhile
                raise Refused("used-up", _("Somebody was quicker: this code is used up."))
    return found.project


def join_open(project: Project, user: User) -> None:
    """Join a project that anybody may join."""
    if project.joining != Project.Joining.OPEN or project.visibility != Project.Visibility.PUBLIC:
        raise Refused("invite-only", _("One joins this project with an invite code only."))
    with transaction.atomic():
        _become_member(project, user, None)


def leave(project: Project, user: User) -> None:
    mine = membership(project, user)
    if mine and mine.role == Role.OWNER:
        raise Refused(
            "owner", _("You own this project. You can archive it in its settings instead.")
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


def set_role(project: Project, by: User, user: User, role: str) -> None:
    """Make a member a reviewer, or a reviewer a member."""
    if role not in (Role.MEMBER, Role.REVIEWER):
        raise Refused("role", _("One can be a member or a reviewer."))
    with transaction.atomic():
        others = project.memberships.filter(user=user, state=State.ACTIVE).exclude(role=Role.OWNER)
        if not others.update(role=role):
            raise Refused("no-member", _("This is not a member whose role you can change."))
        audit(by, "member.role", project, f"user:{user.pk}", role=role)
        role_changed.send(Membership, project=project, user=user)


def _become_member(project: Project, user: User, code: Invite | None) -> bool:
    """True when `user` became a member now, False when they were one before."""
    if project.state == Project.State.ARCHIVED:
        raise archived()
    mine, is_new = Membership.objects.get_or_create(project=project, user=user)
    if mine.state == State.BANNED:
        raise Refused("banned", _("The owner of this project has closed it for you."))
    if not is_new and mine.state == State.ACTIVE:
        return False
    if not is_new:
        left = Membership.objects.filter(pk=mine.pk, state=State.LEFT)  # not banned meanwhile
        if not left.update(state=State.ACTIVE, role=Role.MEMBER, joined_at=timezone.now()):
            return False
        role_changed.send(Membership, project=project, user=user)
    audit(user, "member.joined", project, f"user:{user.pk}", invite=code.pk if code else None)
    return True


def _change(
    project: Project, by: User, user: User, before: str | None, after: str, action: str
) -> None:
    rows = project.memberships.filter(user=user).exclude(role=Role.OWNER).exclude(state=after)
    if before:
        rows = rows.filter(state=before)
    with transaction.atomic():
        if not rows.update(state=after, role=Role.MEMBER):
            raise Refused("no-member", _("This has been done already, or can't be done."))
        audit(by, action, project, f"user:{user.pk}")
        role_changed.send(Membership, project=project, user=user)
