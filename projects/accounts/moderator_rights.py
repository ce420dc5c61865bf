"""Who moderates: whom the settings name, and the members of groups of the wiki."""

from __future__ import annotations

import logging
from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.models import Group

from core.transactions import atomic
from projects.ledger import audit
from projects.models import Admission, Notification, Objection, User
from projects.notifications.services import notify
from projects.permissions import MODERATORS
from projects.privacy import pauses
from wiki import http
from wiki.json_tree import Node, unreadable
from wiki.users import WikiUser, read_user

MANY = 50  # names in one call
Kind = Notification.Kind

log = logging.getLogger(__name__)


def is_one(user: User) -> bool:
    """As the settings and the wiki say now; while it can't be asked, nobody is by its groups."""
    if user.wiki_username in settings.MODERATORS:
        return True
    try:
        return user.wiki_username in _in_groups([user.wiki_username])
    except http.WikiError as error:
        log.warning("groups of the wiki could not be asked for: %s", error)
        return False


@atomic
def set_moderator(user: User, is_one: bool) -> None:
    """Give or take the admin's door and the rights behind it; a superuser keeps the door. A new
    one hears of what waits."""
    group, _new = Group.objects.get_or_create(name=MODERATORS)
    was_one = user.groups.filter(pk=group.pk).exists()
    if is_one:
        user.groups.add(group)
    else:
        user.groups.remove(group)
    user.is_staff = is_one or user.is_superuser
    user.save(update_fields=["is_staff"])
    if is_one != was_one:
        audit(None, f"moderator.{'added' if is_one else 'removed'}", target=f"user:{user.pk}")
    if is_one and not was_one:
        _tell_what_waits(user)


def _tell_what_waits(user: User) -> None:
    """Tell a new moderator of what others were told of when it came."""
    objections = Objection.objects.filter(wiki=settings.WIKI.code, state__in=pauses.OPEN).count()
    asked_for = Admission.objects.filter(
        state=Admission.State.WAITING, person__wiki=settings.WIKI.code
    )
    wanted = asked_for.exclude(asked_by=None).count()
    for kind, waiting in ((Kind.OBJECTED, objections), (Kind.WANTED, wanted)):
        if waiting:
            notify([user], None, kind, n=waiting)


def no_longer() -> list[User]:
    """Moderators whom neither the settings name any more nor a group of the wiki holds; none
    while the wiki can't be asked."""
    some = User.objects.filter(groups__name=MODERATORS).exclude(
        wiki_username__in=settings.MODERATORS
    )
    found = list(some.order_by("pk"))
    try:
        kept = _in_groups([user.wiki_username for user in found])
    except http.WikiError as error:
        log.warning("groups of the wiki could not be asked for: %s", error)
        return []
    return [user for user in found if user.wiki_username not in kept]


def dismiss() -> int:
    """Take the rights of these, whose sessions may go on for long; returns how many there were."""
    gone = no_longer()
    for user in gone:
        set_moderator(user, False)
    return len(gone)


def _in_groups(names: Collection[str]) -> set[str]:
    """Which of these users are in a group that moderates. Asked of the wiki that is written to: one
    logs in at Meta, whose administrators are others. Raises WikiError."""
    wanted, asked, found = {*settings.MODERATOR_GROUPS}, list(names), set()
    while wanted and asked:
        some, asked = asked[:MANY], asked[MANY:]
        body = http.api(
            settings.WIKI.commons_api,
            action="query",
            list="users",
            ususers="|".join(some),
            usprop="groups",
        )
        found |= {user.name for user in _read(body, len(some)) if wanted & user.groups}
    return found


def _read(body: Node, asked: int) -> list[WikiUser]:
    """All users that were `asked` for: one that is lacking would lose their rights."""
    found = [read_user(user) for user in body["query"]["users"].items()]
    if len(found) < asked:
        raise unreadable(f"{len(found)} of {asked} users")
    return found
