"""Taking somebody's answers out of training, and letting them count again.

The answers stay as they were given. While they don't count, others' answers alone make the words
on faces, what the tool learns, and what second looks say; a face that is left without a word is
asked about again. What was sent to the wiki is not touched.
"""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from classify.audit import rounds
from classify.labels import Voice, lock, reweigh
from core.transactions import atomic
from core.user_errors import Refused
from projects.ledger import audit
from projects.models import Membership, Notification, Project, User
from projects.notifications.services import notify, settle


@atomic
def set_counts(project: Project, by: User, user: User, counts: bool) -> bool:
    """Let the answers of `user` count, those to come as well, or take them out; False when it was
    so before. Whatever the guard found in them (see `guarding`) is looked at by that. Raises
    Refused for the owner's, unless the guard did it, and for who never was a member."""
    lock(project)
    theirs = project.memberships.filter(user=user).first()
    if theirs is None:
        raise Refused("no-member", _("This is nobody of this project."))
    if theirs.role == Membership.Role.OWNER and not counts and not theirs.doubt:
        raise Refused("owner", _("The owner’s answers always count."))
    faces = weigh(project, user, counts=counts)
    if faces is None and not theirs.doubt:
        return False
    looked = {"doubt": "", "looked_at": timezone.now()} if theirs.doubt else {}
    project.memberships.filter(user=user).update(**looked, counts=counts)
    code = "counts" if counts else "counts-not"
    audit(by, f"member.{code}", project, f"user:{user.pk}", faces=faces or 0, doubt=theirs.doubt)
    if user != by:
        before = "counts-not" if counts else "counts"
        settle(project, Notification.Kind.PEOPLE, user, code=before)
        notify([user], project, Notification.Kind.PEOPLE, code=code)
    return True


def let_doubted_count(user: User, by: User) -> int:
    """In all projects in which the guard set the answers of `user` aside; returns how many. Of
    moderators, for owners whose project has nobody else who might look; never of their own."""
    if user == by:
        return 0
    projects = Project.objects.filter(memberships__in=user.memberships.exclude(doubt=""))
    return sum(set_counts(project, by, user, True) for project in projects)


def weigh(project: Project, user: User, *, counts: bool) -> int | None:
    """Make the words on faces anew with or without the answers of `user`; returns on how many
    they spoke, None when it was so before. Call in a transaction."""
    lock(project)
    theirs = project.memberships.get(user=user)
    if theirs.counts == counts:
        return None
    was = Voice.of(theirs.role, theirs.state, theirs.counts)
    theirs.counts = counts
    theirs.save(update_fields=["counts"])
    region_ids = reweigh(project, user, was)
    rounds.settle(project, region_ids)
    return len(region_ids)
