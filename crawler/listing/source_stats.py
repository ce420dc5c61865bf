"""What each source of a project brought, and how far its reading is."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.work import WorkState
from crawler.listing.sources import WATCHABLE
from crawler.models import CrawlStep, ProjectPhoto
from crawler.selectors import UNFINISHED
from projects.live.census import is_being_counted, part
from projects.models import Project, Source


@dataclass(frozen=True)
class Brought:
    source: Source
    photos: int  # of which it was the first to bring
    pictures: int  # that it holds, whatever else holds them
    others: int  # files in it that are no pictures
    reading: bool
    problem: CrawlStep | None  # the first listing that could not be read
    is_counted: bool = True  # else `photos` is not known yet

    @property
    def can_watch(self) -> bool:
        return self.source.kind in WATCHABLE

    @property
    def why_none(self) -> str:
        """Why it brought no photo, where it was read and brought none."""
        if self.photos or self.reading or self.problem:
            return ""
        if not self.is_counted:
            return _("being counted")
        if n := self.pictures:
            came = ngettext(
                "its %(n)s photo came with another source",
                "its %(n)s photos came with other sources",
                n,
            )
            return came % {"n": intcomma(n)}
        if self.others:
            return _("no pictures, only other files")
        if self.source.kind == Source.Kind.DEPICTS:
            return _("no file depicts the person yet")
        return _("no photos found yet")


@part("by-source", list)
def photos_by_source(project: Project) -> list[tuple[int | None, int]]:
    mine = ProjectPhoto.objects.filter(project=project)
    return list(mine.values_list("source").annotate(count=Count("id")).order_by())


@part("leaving", int)
def leaving_count(project: Project) -> int:
    """Photos that no source brings any more, and of which is to be seen what else keeps them."""
    return ProjectPhoto.objects.filter(project=project, round=ProjectPhoto.LEAVING).count()


def brought(project: Project) -> list[Brought]:
    """The sources of a project as they were added, the portrait first."""
    photos, is_counted = dict(photos_by_source(project)), not is_being_counted(project)
    unfinished = Q(steps__title__gt="", steps__state__in=UNFINISHED)
    sources = list(
        project.sources.order_by("id").annotate(
            begun=Count("steps"),
            unfinished=Count("steps", filter=unfinished),
            aside=Count("steps", filter=Q(steps__state=WorkState.ASIDE)),
            pictures=Sum("steps__files", default=0),
            others=Sum("steps__others", default=0),
        )
    )
    problems = _problems(project) if any(source.aside for source in sources) else {}
    return [
        Brought(
            source,
            photos=photos.get(source.pk, 0),
            pictures=source.pictures,
            others=source.others,
            reading=bool(source.unfinished) or not source.begun,
            problem=problems.get(source.pk),
            is_counted=is_counted,
        )
        for source in sources
    ]


def _problems(project: Project) -> dict[int, CrawlStep]:
    """Of each source the first listing that could not be read."""
    first: dict[int, CrawlStep] = {}
    aside = CrawlStep.objects.filter(source__project=project, state=WorkState.ASIDE)
    for step in aside.order_by("id")[:200]:
        first.setdefault(step.source_id, step)
    return first
