"""`manage.py engine`: which engine serves which project, changing it, and comparing two first."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db.models import Count

from classify.learner import simulation
from classify.learning import Prior
from classify.models import Label, Origin, Verdict
from crawler import comparison
from crawler.detection import reembed
from crawler.engines import KINDS, Kind, load, named
from crawler.models import Embedding, Picture, Region
from crawler.registry import selection
from crawler.registry.versions import version
from projects.models import Project


class Command(BaseCommand):
    help = "Says which engine serves each project, changes it without loss, or compares two."

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="what", required=True)
        status = parts.add_parser(
            "status", help="whose vectors serve whom, and how far changes are"
        )
        switch = parts.add_parser("switch", help="embed anew in the background, then use these")
        switch.add_argument("name", choices=[*KINDS, "default"])
        compare = parts.add_parser("compare", help="two engines on what people answered")
        compare.add_argument("names", nargs=2, choices=list(KINDS), metavar="NAME")
        compare.add_argument("--photos", type=int, default=200, help="at most so many a project")
        forget = parts.add_parser("forget", help="delete the vectors of an engine nobody uses")
        forget.add_argument("name", choices=list(KINDS))
        for part in (status, switch, compare):
            part.add_argument("--project", metavar="ID", help="only this one, as in its address")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "forget":
            return self._forget(KINDS[options["name"]])
        projects = self._projects(options["project"])
        if options["what"] == "switch":
            key = options["name"]
            for project in projects:
                chosen = None if key == "default" else version(KINDS[key].name)
                reembed.choose(project, chosen)
            reembed.plan()
            self.stdout.write(f"{len(projects)} projects change to {key} in the background.")
        if options["what"] == "compare":
            one, other = (KINDS[name] for name in options["names"])
            for project in projects:
                self._compare(project, one, other, options["photos"])
        else:
            self._status(projects)

    def _projects(self, public_id: str | None) -> list[Project]:
        live = Project.objects.exclude(state=Project.State.ARCHIVED).order_by("-pk")
        if public_id is None:
            return list(live)
        found = list(live.filter(public_id=public_id))
        if not found:
            raise CommandError(f"There is no live project {public_id}.")
        return found

    def _status(self, projects: list[Project]) -> None:
        counts = Embedding.objects.values_list("engine__name").annotate(Count("id"))
        for name, number in counts.order_by("engine__name"):
            self.stdout.write(f"{number} vectors by {name}")
        self.stdout.write(f"New projects get {settings.ENGINE} ({selection.default_name()}).")
        for project in projects:
            is_at = reembed.progress(project)
            line = f"{project.public_id} {project}: {is_at.serving}"
            if is_at.changing:
                line += f", changing to {is_at.wanted}: {is_at.seen} of {is_at.pictures} pictures"
            elif is_at.lacking:
                line += f", {is_at.lacking} of {is_at.pictures} pictures to be embedded yet"
            if is_at.set_aside:
                line += f", {is_at.set_aside} set aside"
            self.stdout.write(line)

    def _compare(self, project: Project, one: Kind, other: Kind, most: int) -> None:
        words = labelled(project, most)
        self.stdout.write(f"{project}: {sum(map(len, words.values()))} answered faces")
        if not words:
            return
        first, second = comparison.compare(words, [load(one.name), load(other.name)])
        for seen in (first, second):
            self.stdout.write(
                f"  {seen.engine}: {seen.faces} faces in {seen.photos} photos, "
                f"{seen.doubtful} of them doubtful"
            )
        self._table((first.engine, second.engine), table(first, second))

    def _table(self, names: tuple[str, str], lines: list[comparison.Line]) -> None:
        rows = [("", *names, "better")]
        rows += [(line.what, *line.figures, line.better) for line in lines]
        wide = [max(len(row[column]) for row in rows) for column in range(4)]
        for what, one, other, better in rows:
            self.stdout.write(f"  {what:{wide[0]}}  {one:>{wide[1]}}  {other:>{wide[2]}}  {better}")

    def _forget(self, kind: Kind) -> None:
        number = reembed.forget(version(kind.name))
        if number is None:
            raise CommandError(f"{kind.key} serves projects, or they change to it.")
        self.stdout.write(f"{number} vectors by {kind.name} are deleted.")


def table(one: comparison.Seen, other: comparison.Seen) -> list[comparison.Line]:
    """Who finds more, who tells people better apart, and with whom fewer answers are needed."""
    both = (one, other)
    costs = [_cost(seen) for seen in both]
    actions = [cost.per_tag if cost and cost.tags else None for cost in costs]
    reached = [cost.reached if cost else None for cost in costs]
    asked = [
        comparison.line("actions a tag", both, actions, "{:.3f}", less=True),
        comparison.line("tags reached, of faces found", both, reached, "{:.1%}"),
    ]
    found, *apart, time = comparison.lines(one, other)
    return [found, *apart, *asked, time]


def _cost(seen: comparison.Seen) -> simulation.Cost | None:
    if not seen.answered:
        return None
    kind = named(seen.engine)
    return simulation.rehearse(
        np.array([face.vector for face in seen.answered], dtype=np.float32),
        np.array([face.photo for face in seen.answered], dtype=np.int64),
        np.array([face.is_person for face in seen.answered], dtype=bool),
        Prior.of(kind.metric, kind.prior),
    )


def labelled(project: Project, most: int) -> dict[Picture, list[comparison.Word]]:
    """What people said of faces in a project, by picture, the newest first."""
    words: dict[Picture, list[comparison.Word]] = {}
    labels = Label.objects.filter(subject=project.subject, verdict__in=(Verdict.YES, Verdict.NO))
    labels = labels.exclude(origin=Origin.BOOTSTRAP).exclude(region__origin=Region.Origin.PHOTO)
    for label in labels.select_related("region__picture").order_by("-pk"):
        picture = label.region.picture
        if picture not in words and len(words) >= most:
            continue
        word = comparison.Word(label.region, label.verdict == Verdict.YES)
        words.setdefault(picture, []).append(word)
    return words
