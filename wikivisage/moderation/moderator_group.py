"""The group of the moderators: what they may see in the admin, and the one list they may edit."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from projects.permissions import MODERATORS

VIEWED_MODELS = {
    "projects": ("user", "person", "project", "source", "membership", "invite", "denyentry",
                 "auditevent"),
    "crawler": ("photo", "picture", "projectphoto", "region"),
    "classify": ("answer", "label", "score"),
    "sdc": ("claim", "editbatch", "claimattempt", "edit", "watch", "writingstop"),
}  # fmt: skip
OTHER_RIGHTS = {"projects": ("moderate", "add_denyentry", "change_denyentry", "delete_denyentry")}


def make_group(*, using: str, **_: Any) -> None:
    """Create the group with its rights, after each `migrate` when Django has made these.

    Rights that an operator gave the group besides are kept.
    """
    group, _new = Group.objects.using(using).get_or_create(name=MODERATORS)
    wanted = Q()
    for app, models in VIEWED_MODELS.items():
        codenames = [f"view_{model}" for model in models] + [*OTHER_RIGHTS.get(app, ())]
        wanted |= Q(content_type__app_label=app, codename__in=codenames)
    group.permissions.add(*Permission.objects.using(using).filter(wanted))
