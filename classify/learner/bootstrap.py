"""What the wikis already know: the person from SPARQL, examples from files that depict them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from classify.labels import lock, relabel
from classify.models import Answer, Bootstrap, Label, Origin, Verdict
from core.crash_points import crash_point
from core.events import announce
from core.transactions import atomic
from core.work import Overtaken, WorkState
from crawler.models import Photo, ProjectPhoto, Region
from projects.models import Person, Project
from projects.privacy import admission_requests
from wiki import http
from wiki.dates import Time, span_of
from wiki.http import WikiError
from wiki.json_tree import Node, unreadable

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
        fields = read_fields(ask(person.qid))
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
    admission_requests.look_again(person)
    row.settle_or_raise(
        WorkState.DONE, tries=0, error="", error_detail="", tagged=_tagged(row.project)
    )
    crash_point("bootstrap:before-commit")


def ask(qid: str) -> Node:
    """What the endpoint says of a person. Raises WikiError."""
    response = http.fetch(
        "GET",
        settings.WIKI.sparql,
        params={"query": QUERY % {"qid": qid}, "format": "json"},
        headers={"Accept": "application/sparql-results+json"},
    )
    if response.status_code != 200:
        raise WikiError(f"http-{response.status_code}", retry_after=http.retry_after_of(response))
    return http.read_object(response)


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
            subject=project.subject,
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
        subject__project=OuterRef("project"), region__picture=OuterRef("photo__picture")
    )
    used = Answer.objects.filter(
        subject__project=OuterRef("project"), photo=OuterRef("photo"), origin=Origin.BOOTSTRAP
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


@dataclass(frozen=True)
class Fact:
    """One row of the answer: what it is about, and what it says."""

    about: str
    value: str
    language: str = ""
    precision: int | None = None  # of a date, as Wikibase has it


def read_facts(body: Node) -> list[Fact]:
    """Of an answer in SPARQL's JSON. Raises WikiError("unreadable") where it has no rows, since
    not to be a human is final."""
    bindings = body["results"]["bindings"]
    if not isinstance(bindings.value, list):
        raise bindings.wrong("a list")
    facts = bindings.read_items(_read_fact)
    if bindings.items() and not facts:
        raise unreadable("no row of the answer can be read")
    return facts


def _read_fact(row: Node) -> Fact:
    value, precision = row["value"], row["precision"]["value"]
    return Fact(
        row["fact"]["value"].text(),
        value["value"].text(longest=2000),
        value["xml:lang"].text("", longest=40),
        None if precision.is_missing else _number(precision),
    )


def _number(node: Node) -> int:
    """SPARQL writes numbers as text."""
    text = node.text(longest=9)
    if not (text.isascii() and text.isdecimal()):
        raise node.wrong("a number")
    return int(text)


def read_fields(body: Node) -> dict[str, Any]:
    """The columns of Person that an answer knows something about; nothing unless it's a human."""
    facts: dict[str, list[Fact]] = defaultdict(list)
    for fact in read_facts(body):
        facts[fact.about].append(fact)
    if "human" not in facts:
        return {}
    fields: dict[str, Any] = {
        "labels": _texts(facts["label"]),
        "descriptions": _texts(facts["description"]),
        **_dates("born", facts["born"]),
        **_dates("died", facts["died"]),
    }
    if portraits := facts["portrait"]:
        # an address: http://commons.wikimedia.org/wiki/Special:FilePath/Name%20of%20it.jpg
        name = unquote(portraits[0].value.rpartition("/")[2])
        fields["portrait"] = f"File:{name}".replace("_", " ")[:255]
    if (sitelinks := facts["sitelinks"]) and sitelinks[0].value[:9].isdecimal():
        fields["sitelinks"] = int(sitelinks[0].value[:9])
    if categories := facts["category"]:
        fields["commons_category"] = categories[0].value.replace("_", " ")[:255]
    return {name: value for name, value in fields.items() if value}


def _texts(facts: list[Fact]) -> dict[str, str]:
    return {fact.language: fact.value for fact in facts if fact.language}


def _dates(name: str, facts: list[Fact]) -> dict[str, Any]:
    span = span_of(
        [Time(f"+{fact.value}", fact.precision) for fact in facts if fact.precision is not None]
    )
    if span is None:
        return {}
    return {f"{name}_from": span.start, f"{name}_to": span.end, f"{name}_precision": span.precision}
