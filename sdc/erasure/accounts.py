"""Deleting an account. What somebody answered stays without their name; edits stay under it.

The user's row is all that is left where they made edits: the name that stands under these on the
wiki. What else points to it moves to a new, nameless row ("a former member"), by which answers
still weigh as those of one person, and nobody can say whose they were.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import models
from django.db.models import Case, Q, QuerySet, When
from django.utils.translation import gettext as _

from classify.models import Answer, Skip
from core.transactions import atomic
from core.user_errors import Refused
from core.work import WorkState
from crawler.models import EmbedJob, Photo, ProjectPhoto
from projects.ledger import audit
from projects.models import (
    Admission,
    AuditEvent,
    Contribution,
    Invite,
    Membership,
    Notification,
    Project,
    ProjectQuerySet,
    User,
    WikiCredential,
)
from projects.notifications import services as notifications
from sdc.erasure import projects
from sdc.erasure.projects import UNDER_WAY, Counts
from sdc.models import ClaimAttempt, Edit, EditBatch, Writer, WritingStop
from sdc.sending_rights import stops

# Stay with the name. All other relations to a user are deleted (GOES) or move to a nameless one.
LEDGER: tuple[type[models.Model], ...] = (Edit, EditBatch)
GOES: tuple[type[models.Model], ...] = (
    WikiCredential, Notification, Skip, Writer, SocialAccount, EmailAddress, UserSession, LogEntry,
)  # fmt: skip


def goes(user: User) -> Counts:
    """What deleting removes, with numbers, for the page that asks."""
    return [
        (_("Permission to edit as you, encrypted"), user.credentials.count()),
        (_("Notifications"), user.notifications.count()),
        (_("Your settings, and the number by which the wiki knows you"), 1),
        (_("Projects of yours in which nobody else is"), own_alone(user).count()),
        (
            _("Drafts and batches of which nothing was written"),
            projects.unsent(EditBatch.objects.filter(user=user)).count(),
        ),
    ]


def becomes_nameless(user: User) -> Counts:
    memberships = user.memberships.exclude(project__in=own_alone(user).values("pk"))
    return [
        (_("Answers"), Answer.objects.filter(user=user).count()),
        (_("Memberships"), memberships.count()),
        (_("What you are counted with"), Contribution.objects.filter(user=user).count()),
    ]


def stays(user: User) -> Counts:
    uploaded = Photo.objects.filter(wiki=settings.WIKI.code, uploader=user.wiki_username)
    return [
        (_("Edits, under your name as on the wiki"), user.edits.count()),
        (_("Photos that name you as their uploader, as on the wiki"), uploaded.count()),
    ]


def check(user: User) -> None:
    """Raises Refused where something has to be done first."""
    batches = EditBatch.objects.filter(user=user, state__in=UNDER_WAY)
    tries = ClaimAttempt.objects.filter(batch__user=user, state=WorkState.RUNNING)
    if batches.exists() or tries.exists():
        words = _("A batch of yours is under way. Let it end, or stop it first.")
        raise Refused("under-way", words)
    if stops.active().filter(user=user, source=WritingStop.Source.MODERATOR).exists():
        words = _("Moderators have stopped your edits. Talk to them first.")
        raise Refused("stopped", words)
    if own_with_others(user).exists():
        words = _("Others work in projects that you own. Hand these over, or delete them, first.")
        raise Refused("owner", words)


def own_with_others(user: User) -> ProjectQuerySet:
    """Projects that go on, that the user owns and in which others are."""
    going = Project.objects.filter(owner=user).exclude(state=Project.State.ARCHIVED)
    return going.filter(pk__in=_others(user))


def own_alone(user: User) -> ProjectQuerySet:
    """Projects of which the user is the only member, ended ones among them."""
    mine = Project.objects.filter(owner=user, deleted_at=None)
    return mine.exclude(pk__in=_others(user))


def _others(user: User) -> QuerySet[Membership, int]:
    others = Membership.objects.filter(state=Membership.State.ACTIVE).exclude(user=user)
    return others.values_list("project", flat=True)


def delete(user: User) -> None:
    """Raises Refused. The session that asks ends with it."""
    check(user)
    for project in own_alone(user):
        projects.delete(project, user)
    projects.forget_unsent(EditBatch.objects.filter(user=user))
    for session in UserSession.objects.filter(user=user):
        session.end()
    _delete(user)


@atomic
def _delete(user: User) -> None:
    if not User.objects.select_for_update().filter(pk=user.pk, is_active=True).exists():
        return  # it was deleted by a second click
    check(user)
    for model, field in projects.relations_to(User):
        if model in GOES:
            plain(model).filter(**{field: user}).delete()
    user.groups.clear()
    former = _nameless()
    Membership.objects.filter(user=user).update(
        state=Membership.State.LEFT, role=Membership.Role.MEMBER, note=""
    )
    batches = user.batches.values_list("code", flat=True)
    ours = plain(AuditEvent).filter(actor=user, target__in=[f"batch:{code}" for code in batches])
    ledger = list(ours.values_list("pk", flat=True))
    for model, field in _moving():
        plain(model).filter(**{field: user}).update(**{field: former})
    # It stands with the edits under the name, and would tell whose all the rest was.
    plain(AuditEvent).filter(pk__in=ledger).update(actor=user)
    _rename(user, former)
    if EditBatch.objects.filter(user=user).exists() or user.edits.exists():
        _strip(user)
    else:
        User.objects.filter(pk=user.pk).delete()
    audit(None, "account.deleted", target=f"user:{former.pk}")


def _rename(user: User, former: User) -> None:
    """What names somebody without pointing to their row: the audit log, others' notifications."""
    plain(AuditEvent).filter(target=f"user:{user.pk}").update(target=f"user:{former.pk}")
    notifications.rename(str(user), str(former))


def plain(model: type[models.Model]) -> QuerySet[Any]:
    """Rows of a model, append-only ones among them: the one place in which who did something is
    taken off them. What was done, and when, stays."""
    return models.QuerySet(model)


def _moving() -> Iterator[tuple[type[models.Model], str]]:
    """Whatever points to users and neither goes nor stays with the name."""
    own = (User.groups.through, User.user_permissions.through)
    for model, field in projects.relations_to(User):
        if model not in LEDGER + GOES + own:
            yield model, field


def _nameless() -> User:
    return User.objects.create(
        username=f"former-{secrets.token_hex(8)}", is_active=False, password=""
    )


def _strip(user: User) -> None:
    """Only the name is left that stands under edits on the wiki. Whoever logs in there again gets
    a new account."""
    User.objects.filter(pk=user.pk).update(
        username=f"left-{secrets.token_hex(8)}",
        issuer="",
        sub=None,
        email="",
        password="",
        is_active=False,
        is_staff=False,
        is_superuser=False,
        show_on_leaderboard=False,
        language="",
        keys={},
        muted=[],
        tours=[],
        last_login=None,
    )


def own_data(user: User) -> dict[str, Any]:
    """All that is kept about somebody, for them to download."""
    answers = Answer.objects.filter(user=user).order_by("pk")
    return {
        "account": {
            "wiki_username": user.wiki_username,
            "number_on_the_wiki": user.sub,
            "since": user.date_joined,
            "last_login": user.last_login,
            "shown_on_leaderboard": user.show_on_leaderboard,
            "language": user.language,
            "keys": user.keys,
            "notifications_muted": user.muted,
            "tours_seen": user.tours,
            "moderates": user.is_staff,
        },
        "permissions_to_edit": list(user.credentials.values("wiki", "expires_at", "needs_login")),
        "sessions": list(
            UserSession.objects.filter(user=user).values(
                "created_at", "last_seen_at", "user_agent"
            )
        ),
        "memberships": _without_subject(
            user.memberships.values(
                "project__public_id", "project__subject__person__qid", "role", "state", "joined_at",
                "counts", "note", "doubt",
            )
        ),
        "answers": _without_subject(
            answers.values(
                "subject__project__public_id", "photo__title", "region__public_id", "verdict",
                "origin", "created_at",
            )
        ),
        "contributions": _without_foreign_projects(
            user, user.contributions.values("project__public_id", "kind", "amount", "at")
        ),
        "batches": _without_foreign_projects(
            user, user.batches.values("code", "project__public_id", "state", "created_at")
        ),
        "edits": list(
            user.edits.order_by("pk").values(
                "wiki", "page_id", "qid", "kind", "revision", "summary", "at"
            )
        ),
        "notifications": list(user.notifications.values("kind", "data", "at", "read_at")),
        "asked_for_persons": list(_admissions(user)),
        "skipped": _without_subject(
            Skip.objects.filter(user=user).values(
                "subject__project__public_id", "region__public_id", "created_at"
            )
        ),
        "left_out": list(
            ProjectPhoto.objects.filter(left_out_by=user).values(
                "project__public_id", "photo__title", "left_out_at"
            )
        ),
        "released_boxes": list(
            EmbedJob.objects.filter(released_by=user).values(
                "project__public_id", "region__public_id", "released_at"
            )
        ),
        "invites": list(
            Invite.objects.filter(created_by=user).values(
                "project__public_id", "expires_at", "uses", "revoked_at"
            )
        ),
        "as_the_wiki_knows_you": list(
            user.writers.values("wiki", "autoconfirmed", "edit_count", "edit_limit", "asked_at")
        ),
        "stops_of_your_edits": list(
            WritingStop.objects.filter(user=user).values("source", "reason", "placed_at")
        ),
        "deeds": list(_deeds(user)),
        "deeds_about_you": list(_said_of(user)),
    }  # fmt: skip


def _without_subject(rows: QuerySet[Any, Any]) -> list[dict[str, Any]]:
    """Return rows whose names lead from the project to the person without the subject."""
    return [{name.replace("subject__", ""): value for name, value in row.items()} for row in rows]


def _without_foreign_projects(user: User, rows: QuerySet[Any, Any]) -> list[dict[str, Any]]:
    """Return rows in the order of their ids, without the project's id where it is private and the
    user was never a member: a patroller undoes batches of such projects."""
    public, mine = Q(project__visibility=Project.Visibility.PUBLIC), user.memberships
    seen = public | Q(project__in=mine.values("project"))
    found = rows.annotate(sees_project=Case(When(seen, then=True), default=False))
    told = list(found.order_by("pk"))
    for row in told:
        if not row.pop("sees_project"):
            row["project__public_id"] = None
    return told


def _admissions(user: User) -> QuerySet[Any]:
    rows = Admission.objects.filter(asked_by=user)
    return rows.values("person__qid", "note", "state", "asked_at", "reason")


def _deeds(user: User) -> QuerySet[Any]:
    return AuditEvent.objects.filter(actor=user).values("action", "target", "data", "at")


def _said_of(user: User) -> QuerySet[Any]:
    """What others and the guard did to somebody, without who did it."""
    rows = AuditEvent.objects.filter(target=f"user:{user.pk}").exclude(actor=user)
    return rows.values("action", "project__public_id", "at")
