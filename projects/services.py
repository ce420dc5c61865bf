"""Making a project: it writes several rows of several models in one transaction.

Coming and going of members stands in `projects.people`.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from projects import ledger, wikidata
from projects.categories import refuse_denied
from projects.models import Membership, Person, Project, Source, User
from projects.pipeline import announce
from projects.refusal import Refused

__all__ = ["Refused", "already", "create_project", "live_projects", "too_many"]

MAX_SOURCES = 20


def live_projects(qid: str) -> QuerySet[Project]:
    """Projects for a person that are not archived, oldest first."""
    found = Project.objects.filter(person__wiki=settings.WIKI.code, person__qid=qid)
    return found.exclude(active_key=None).select_related("person", "owner").order_by("id")


def create_project(
    owner: User,
    qid: str,
    categories: Sequence[tuple[str, int]],
    *,
    visibility: str = Project.Visibility.PUBLIC,
    joining: str = Project.Joining.INVITE,
) -> Project:
    """A project that looks for one person in some categories (title, levels of subcategories).

    Reads the person from Wikidata first, so call outside transactions. Raises Refused and
    WikiError; then no project was made.
    """
    _check_new(owner, qid, len(categories))
    for title, _depth in categories:
        refuse_denied(title)
    data = wikidata.read_person(qid)
    _check_new(owner, data.qid, len(categories))  # the Q-ID may have been a redirect
    if not categories and not data.portrait:
        raise Refused("no-source", _("Name at least one category to look through."))
    person = _person(data)
    try:
        with transaction.atomic():
            project = _create(owner, person, visibility, joining)
            _add_sources(project, data, categories)
            announce("project-created")
    except IntegrityError:  # the same owner was quicker in another tab
        _check_new(owner, data.qid, len(categories))
        raise
    return project


def _check_new(owner: User, qid: str, sources: int) -> None:
    if sources > MAX_SOURCES:
        raise too_many()
    if mine := live_projects(qid).filter(owner=owner).first():
        raise already(mine)


def too_many() -> Refused:
    sentence = _("A project has %(n)s categories at most.") % {"n": MAX_SOURCES}
    return Refused("too-many-sources", sentence)


def already(mine: Project) -> Refused:
    """For somebody who has a live project for this person, with the way to it."""
    sentence = _("You have a project for %(name)s already.") % {"name": mine.person}
    return Refused("already", sentence, mine.get_absolute_url())


def _person(data: wikidata.PersonData) -> Person:
    """The row of a person as just read. A statement at a time, outside transactions: with locks
    held in between, MariaDB ends one of two tabs with a deadlock."""
    fields = data.fields()
    key = {"wiki": settings.WIKI.code, "qid": data.qid}
    person, new = Person.objects.get_or_create(**key, defaults=fields)
    if not new:
        Person.objects.filter(pk=person.pk).update(**fields)
        person.refresh_from_db()
    return person


def _create(owner: User, person: Person, visibility: str, joining: str) -> Project:
    project = Project.objects.create(
        person=person,
        owner=owner,
        active_key=f"{owner.pk}:{person.pk}",
        visibility=visibility,
        joining=joining,
    )
    Membership.objects.create(project=project, user=owner, role=Membership.Role.OWNER)
    ledger.audit(owner, "project.created", project, f"person:{person.qid}")
    return project


def _add_sources(
    project: Project, data: wikidata.PersonData, categories: Sequence[tuple[str, int]]
) -> None:
    """The portrait first, so that there is a face to compare with at once."""
    Kind = Source.Kind
    rows = [Source(project=project, kind=Kind.FILE, value=data.portrait)] if data.portrait else []
    deepest = {title: 0 for title, _depth in categories}
    for title, depth in categories:
        deepest[title] = max(depth, deepest[title])
    rows += [
        Source(project=project, kind=Kind.CATEGORY, value=title, depth=depth)
        for title, depth in deepest.items()
    ]
    rows.append(Source(project=project, kind=Kind.DEPICTS, value=data.qid))
    Source.objects.bulk_create(rows)
