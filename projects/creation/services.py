"""Making a project: it writes several rows of several models in one transaction.

Coming and going of members stands in `projects.members.services`.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused
from projects import ledger
from projects.creation import person_lookup, source_lookup
from projects.creation.source_lookup import Place
from projects.models import Membership, Person, Project, Source, Subject, User
from projects.privacy import denylist
from wiki import wikidata

__all__ = ["Refused", "already", "check_places", "create_project", "live_projects", "too_many"]

MAX_SOURCES = 20  # beside the portrait


def live_projects(qid: str) -> QuerySet[Project]:
    """Projects for a person that are not archived, oldest first."""
    found = Project.objects.filter(
        subjects__person__wiki=settings.WIKI.code, subjects__person__qid=qid
    )
    return found.exclude(active_key=None).with_subject().select_related("owner").order_by("id")


def create_project(
    owner: User,
    qid: str,
    chosen: Sequence[Place],
    *,
    name: str = "",
    visibility: str = Project.Visibility.PUBLIC,
    joining: str = Project.Joining.INVITE,
) -> Project:
    """A project that looks for one person in some places.

    Reads the person from Wikidata first, so call outside transactions. Raises Refused and
    WikiError; then no project was made.
    """
    _check_new(owner, qid)
    chosen = check_places(chosen)
    data = person_lookup.read_person(qid)
    _check_new(owner, data.qid)  # the Q-ID may have been a redirect
    if not data.portrait and all(place.kind == source_lookup.Kind.DEPICTS for place in chosen):
        raise Refused("no-source", _("Choose at least one place to look through."))
    person = _person(data)
    try:
        return _create(
            owner, person, data, chosen, name=name, visibility=visibility, joining=joining
        )
    except IntegrityError:  # the same owner was quicker in another tab
        _check_new(owner, data.qid)
        raise


def check_places(chosen: Sequence[Place]) -> list[Place]:
    """Each place once, categories as deep as the deepest wish. Raises Refused for what can be no
    place, for what is left alone, and for too many."""
    kept: dict[str, Place] = {}
    for place in chosen:
        value = source_lookup.clean(place.kind, place.value)
        if place.kind == source_lookup.Kind.CATEGORY:
            denylist.refuse_category(value)
        clean = Place(place.kind, value, place.depth)
        if clean.key not in kept or kept[clean.key].depth < clean.depth:
            kept[clean.key] = clean
    if len(kept) > MAX_SOURCES:
        raise too_many()
    return list(kept.values())


def _check_new(owner: User, qid: str) -> None:
    if mine := live_projects(qid).filter(owner=owner).first():
        raise already(mine)


def too_many() -> Refused:
    sentence = _("A project has %(n)s sources at most.") % {"n": MAX_SOURCES}
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


@atomic
def _create(
    owner: User,
    person: Person,
    data: wikidata.PersonData,
    chosen: Sequence[Place],
    **fields: str,
) -> Project:
    key = f"{owner.pk}:{person.pk}"
    project = Project.objects.create(owner=owner, active_key=key, **fields)
    project.subject = Subject.objects.create(project=project, person=person, added_by=owner)
    Membership.objects.create(project=project, user=owner, role=Membership.Role.OWNER)
    called = {"name": project.name} if project.name else {}
    ledger.audit(owner, "project.created", project, f"person:{person.qid}", **called)
    _add_sources(project, data, chosen)
    announce("project-created")
    return project


def _add_sources(project: Project, data: wikidata.PersonData, chosen: Sequence[Place]) -> None:
    """The portrait first, so that there is a face to compare with at once."""
    Kind = Source.Kind
    rows = [Source(project=project, kind=Kind.FILE, value=data.portrait)] if data.portrait else []
    for kind, value, depth in chosen:
        value = data.qid if kind == Kind.DEPICTS else value
        rows.append(Source(project=project, kind=kind, value=value, depth=depth))
    Source.objects.bulk_create(rows)
