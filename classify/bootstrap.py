"""What the wikis already know: the person from SPARQL, examples from files that depict them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from classify.labels import lock, relabel
from classify.models import Answer, Bootstrap, Label, Origin, Verdict
from crawler.models import Photo, ProjectPhoto, Region
from projects import admitting
from projects.dates import span_of
from projects.faults import crash_point
from projects.http import WikiError, fetch, retry_after_of
from projects.models import Person, Project
from projects.pipeline import announce
from projects.texts import read_json
from projects.transactions import atomic
from projects.work import Overtaken, WorkState

# One row a fact. `a wikibase:BestRank` leaves out deprecated dates and those that are outranked.
QUERY = """
SELECT ?fact ?value ?precision WHERE {
  { wd:%(qid)s wdt:P31 ?value . FILTER(?value = wd:Q5) BIND("human" AS ?fact) }
  UNION { wd:%(qid)s rdfs:label ?value . BIND("label" AS ?fact) }
  UNION { wd:%(qid)s schema:description ?value . BIND("description" AS ?fact) }
  UNION { wd:%(qid)s wdt:P18 ?value . BIND("portrait" AS ?fact) }
  UNION { wd:%(qid)s wdt:P373 ?value . BIND("category" AS ?fact) }
  UNION { wd:%(qid)s wikibase:sitelinks ?value . BIND("sitelinks" AS ?fact) }
  UNION {
    wd:%(qid)s p:P569 ?birth . ?birth a wikibase:BestRank ; psv:P569 ?born .
    ?born wikibase:timeValue ?value ; wikibase:timePrecision ?precision . BIND("born" AS ?fact)
  }
  UNION {
    wd:%(qid)s p:P570 ?death . ?death a wikibase:BestRank ; psv:P570 ?died .
    ?died wikibase:timeValue ?value ; wikibase:timePrecision ?precision . BIND("died" AS ?fact)
  }
}
"""


def read(row: Bootstrap) -> None:
    """Refresh the person of a project from SPARQL; `row` was taken by this worker.

    A failure is tried again later, and delays nothing but itself.
    """
    crash_point("bootstrap:before-work")
    person = row.project.person
    try:
        fields = _fields(ask(person.qid))
    except WikiError as error:
        if row.fail(error.code, error.text) and error.retry_after:
            later = timezone.now() + timedelta(seconds=error.retry_after)
            Bootstrap.objects.filter(pk=row.pk, due_at__lt=later).update(due_at=later)
        return
    if not fields:
        row.fail("not-human", person.qid, final=True)
        return
    try:
        _keep(row, person, fields)
    except Overtaken:
        return
    crash_point("bootstrap:after-commit")


@atomic
def _keep(row: Bootstrap, person: Person, fields: dict[str, Any]) -> None:
    Person.objects.filter(pk=person.pk).update(**fields, fetched_at=timezone.now())
    person.refresh_from_db()
    admitting.look_again(person)
    row.settle_or_raise(
        WorkState.DONE, tries=0, error="", error_detail="", tagged=_tagged(row.project)
    )
    crash_point("bootstrap:before-commit")


def ask(qid: str) -> list[dict[str, Any]]:
    """The rows of the endpoint about a person. Raises WikiError."""
    response = fetch(
        "GET",
        settings.WIKI.sparql,
        params={"query": QUERY % {"qid": qid}, "format": "json"},
        headers={"Accept": "application/sparql-results+json"},
    )
    if response.status_code != 200:
        raise WikiError(f"http-{response.status_code}", retry_after=retry_after_of(response))
    try:
        rows: list[dict[str, Any]] = read_json(response.content)["results"]["bindings"]
    except (ValueError, KeyError, TypeError):
        raise WikiError("not-json") from None
    return rows


@atomic
def label_tagged(project: Project) -> int:
    """A photo that depicts the person and shows one face gives an example; returns how many.

    A photo with several faces is asked, never guessed. Once people have said a word about a
    photo, statements add nothing; whatever people say later outranks the example.
    """
    if not any(_single_faces(_unlabelled(project))):
        return 0
    lock(project)
    examples = list(_single_faces(_unlabelled(project)))
    for photo, region in examples:
        Answer.objects.create(
            project=project,
            photo=photo,
            region=region,
            verdict=Verdict.YES,
            origin=Origin.BOOTSTRAP,
        )
    relabel(project, [region.pk for _, region in examples])
    Bootstrap.objects.filter(project=project).update(tagged=_tagged(project))
    announce("answers-given")
    return len(examples)


def label_all_tagged() -> None:
    """The same for every project: statements may be seen after the faces were found."""
    projects = Project.objects.filter(state=Project.State.ACTIVE)
    waiting = ProjectPhoto.objects.filter(project=OuterRef("pk"), already_depicts=True)
    for project in projects.filter(Exists(_example_photos(waiting))):
        label_tagged(project)


def _unlabelled(project: Project) -> QuerySet[ProjectPhoto]:
    tagged = ProjectPhoto.objects.filter(project=project, already_depicts=True)
    return _example_photos(tagged).select_related("photo")


def _example_photos(tagged: QuerySet[ProjectPhoto]) -> QuerySet[ProjectPhoto]:
    """Of these project photos, the ones with one face about which nobody said a word."""
    said = Label.objects.filter(
        project=OuterRef("project"), region__picture=OuterRef("photo__picture")
    )
    used = Answer.objects.filter(
        project=OuterRef("project"), photo=OuterRef("photo"), origin=Origin.BOOTSTRAP
    )
    return tagged.filter(
        ~Exists(said),
        ~Exists(used),
        photo__state=Photo.State.LIVE,
        photo__picture__state=WorkState.DONE,
        photo__picture__faces=1,
    ).order_by("photo")


def _single_faces(photos: Iterable[ProjectPhoto]) -> Iterator[tuple[Photo, Region]]:
    """Each photo with its face, once a picture; none where people drew a better box."""
    by_picture = {held.photo.picture_id: held.photo for held in reversed(list(photos))}
    faces = Region.objects.filter(
        picture__in=by_picture, origin=Region.Origin.DETECTOR, replaced_by=None
    )
    for region in faces:
        yield by_picture[region.picture_id], region


def _tagged(project: Project) -> int:
    return ProjectPhoto.objects.filter(project=project, already_depicts=True).count()


def _fields(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The columns of Person that the rows know something about; nothing unless it's a human."""
    facts: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        facts.setdefault(row["fact"]["value"], []).append(row)
    if "human" not in facts:
        return {}
    fields: dict[str, Any] = {
        "labels": _texts(facts.get("label", [])),
        "descriptions": _texts(facts.get("description", [])),
        **_dates("born", facts.get("born", [])),
        **_dates("died", facts.get("died", [])),
    }
    if portraits := facts.get("portrait"):
        # an address: http://commons.wikimedia.org/wiki/Special:FilePath/Name%20of%20it.jpg
        name = unquote(portraits[0]["value"]["value"].rpartition("/")[2])
        fields["portrait"] = f"File:{name}".replace("_", " ")
    if sitelinks := facts.get("sitelinks"):
        fields["sitelinks"] = int(sitelinks[0]["value"]["value"])
    if categories := facts.get("category"):
        fields["commons_category"] = categories[0]["value"]["value"].replace("_", " ")
    return {name: value for name, value in fields.items() if value}


def _texts(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["value"]["xml:lang"]: row["value"]["value"] for row in rows}


def _dates(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    span = span_of(
        [
            {"time": f"+{row['value']['value']}", "precision": int(row["precision"]["value"])}
            for row in rows
            if "precision" in row
        ]
    )
    if span is None:
        return {}
    return {f"{name}_from": span.start, f"{name}_to": span.end, f"{name}_precision": span.precision}
