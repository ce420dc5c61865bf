"""What tests make their data with. Rows are made directly; no HTTP.

Fixtures that use these (`alice`, `make_project`, `client_of` …) stand in `tests/conftest.py`.
"""

from __future__ import annotations

import secrets
import time
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from projects.models import Membership, Person, Project, Source, User, WikiCredential
from projects.sealing import seal
from sandbox import RunningSandbox

# Facts of the sandbox's persons that tests name: label, born, died, portrait.
PEOPLE: dict[str, tuple[str, date, date | None, str]] = {
    "Q937": (
        "Albert Einstein",
        date(1879, 3, 14),
        date(1955, 4, 18),
        "File:Albert Einstein 1921 (re-cropped).jpg",
    ),
    "Q7186": (
        "Marie Curie",
        date(1867, 11, 7),
        date(1934, 7, 4),
        "File:Marie Curie c. 1920s.jpg",
    ),
    "Q76": ("Barack Obama", date(1961, 8, 4), None, "File:President Barack Obama.jpg"),
}


def make_user(name: str = "", **fields: Any) -> User:
    """A user as after a login through the sandbox wiki; any name, no tokens."""
    sub = fields.pop("sub", "") or secrets.token_hex(6)
    return User.objects.create(
        username=f"mw-{sub}",
        issuer=settings.WIKI.issuer,
        sub=sub,
        wiki_username=name or f"User {sub}",
        **fields,
    )


def wiki_user(sandbox: RunningSandbox, name: str, **fields: Any) -> User:
    """The user of a sandbox account, who has just logged in and approved the tool."""
    account = sandbox.world.users.by_name(name)
    assert account, f"the sandbox has no account {name}"
    user = make_user(name, sub=account.sub, **fields)
    access, refresh = issue_tokens(sandbox, name)
    store_tokens(user, access, refresh)
    return user


def issue_tokens(sandbox: RunningSandbox, name: str, lifetime: float = 4 * 3600) -> tuple[str, str]:
    """An access token (valid for `lifetime` seconds) and a refresh token, as OAuth gives them."""
    account = sandbox.world.users.by_name(name)
    assert account, f"the sandbox has no account {name}"
    access = sandbox.world.users.issue_token(
        account, client_id=settings.OAUTH_CLIENT_ID, lifetime=lifetime
    )
    refresh = secrets.token_urlsafe(32)
    with sandbox.world.store.transaction() as db:
        db.execute(
            "UPDATE oauth_token SET refresh = ?, refresh_expires = ? WHERE access = ?",
            (refresh, time.time() + 365 * 86400, access),
        )
    return access, refresh


def store_tokens(user: User, access: str, refresh: str, seconds: float = 4 * 3600) -> None:
    """What `projects.tokens.store` leaves behind: both tokens sealed, good for `seconds`."""
    WikiCredential.objects.update_or_create(
        user=user,
        wiki=settings.WIKI.code,
        defaults={
            "access_token": seal(access.encode(), b"access-token"),
            "refresh_token": seal(refresh.encode(), b"refresh-token"),
            "expires_at": timezone.now() + timedelta(seconds=seconds),
            "needs_login": False,
        },
    )


def make_person(qid: str = "Q7186", **fields: Any) -> Person:
    """The person of a Q-ID; known facts for those in PEOPLE."""
    name, born, died, portrait = PEOPLE.get(qid, (f"Person {qid}", date(1900, 1, 1), None, ""))
    facts: dict[str, Any] = {
        "labels": {"en": name},
        "portrait": portrait,
        "commons_category": name,
        "born_from": born,
        "born_to": born,
        "born_precision": 11,
        "died_from": died,
        "died_to": died,
        "died_precision": 11 if died else None,
    }
    person, _ = Person.objects.get_or_create(
        wiki=settings.WIKI.code, qid=qid, defaults=facts | fields
    )
    return person


def make_project(
    owner: User,
    qid: str = "Q7186",
    categories: list[tuple[str, int]] | None = None,
    members: list[User] | None = None,
    **fields: Any,
) -> Project:
    """A live public project with its owner's membership and category sources (title, depth).

    Other fields of Project (visibility, joining, threshold …) by name. Unlike
    `projects.services.create_project` it asks no wiki, adds no portrait and wakes nobody.
    """
    person = make_person(qid)
    project = Project.objects.create(
        person=person, owner=owner, active_key=f"{owner.pk}:{person.pk}", **fields
    )
    Membership.objects.create(project=project, user=owner, role=Membership.Role.OWNER)
    for member in members or []:
        Membership.objects.create(project=project, user=member)
    for title, depth in [(person.commons_category, 2)] if categories is None else categories:
        Source.objects.create(project=project, kind=Source.Kind.CATEGORY, value=title, depth=depth)
    return project
