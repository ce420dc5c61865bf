"""What tests make their data with. Rows are made directly; no HTTP.

Fixtures that use these (`alice`, `make_project`, `client_of` …) stand in `tests/conftest.py`.
"""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from django.conf import settings

from crawler.engines import KINDS
from crawler.models import ProjectEngine
from crawler.registry.versions import version
from projects.accounts import tokens
from projects.accounts.moderator_rights import set_moderator
from projects.help.tours import TOURS
from projects.models import Membership, Person, Project, Source, Subject, User
from sandbox import RunningSandbox
from sandbox.oauth import store as oauth

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
    """A user as after a login through the sandbox wiki; any name, no tokens, and no tours, whose
    offer would stand on the pages that other tests are about."""
    fields.setdefault("tours", list(TOURS))
    sub = fields.pop("sub", "") or secrets.token_hex(6)
    return User.objects.create(
        username=f"mw-{sub}",
        issuer=settings.WIKI.issuer,
        sub=sub,
        wiki_username=name or f"User {sub}",
        **fields,
    )


def make_moderator(user: User) -> User:
    """The user in the group of the moderators, as after a login of somebody named by settings."""
    set_moderator(user, True)
    return user


def wiki_user(sandbox: RunningSandbox, name: str, **fields: Any) -> User:
    """The user of a sandbox account, who has just logged in and approved the tool."""
    account = sandbox.world.users.by_name(name)
    assert account, f"the sandbox has no account {name}"
    user = make_user(name, sub=account.sub, **fields)
    access, refresh = issue_tokens(sandbox, name)
    tokens.store(user, access, refresh, expires_in=4 * 3600)
    return user


def issue_tokens(sandbox: RunningSandbox, name: str) -> tuple[str, str]:
    """An access token (valid for four hours) and a refresh token, as after an approval."""
    account = sandbox.world.users.by_name(name)
    client = oauth.client(sandbox.world, settings.OAUTH_CLIENT_ID)
    assert account, f"the sandbox has no account {name}"
    assert client
    token = oauth.issue(sandbox.world, client.id, account, client.grants)
    return token.access, token.refresh


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
    `projects.creation.services.create_project` it asks no wiki, adds no portrait and wakes nobody.
    """
    person = make_person(qid)
    project = Project.objects.create(owner=owner, active_key=f"{owner.pk}:{person.pk}", **fields)
    project.subject = Subject.objects.create(project=project, person=person, added_by=owner)
    Membership.objects.create(project=project, user=owner, role=Membership.Role.OWNER)
    for member in members or []:
        Membership.objects.create(project=project, user=member)
    for title, depth in [(person.commons_category, 2)] if categories is None else categories:
        Source.objects.create(project=project, kind=Source.Kind.CATEGORY, value=title, depth=depth)
    return project


def set_engine(project: Project, key: str) -> ProjectEngine:
    """Let an engine serve a project from the start, by its key in the settings."""
    engine = version(KINDS[key].name)
    return ProjectEngine.objects.create(project=project, serving=engine, chosen=engine)
