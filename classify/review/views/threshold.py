"""What the threshold does to this project's faces, for its owner: a page, and a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from classify.learner import threshold as learner_threshold
from classify.models import Score
from classify.selectors import learner
from projects.lifecycle.forms import FARTHEST, LEAST, MOST, NEAREST
from projects.models import Project
from projects.permissions import Can, project_view


@require_safe
@project_view(Can.MANAGE)
def threshold(request: HttpRequest, project: Project) -> HttpResponse:
    """`threshold` and `min_confirmed` as they would be set, else as they are. With htmx only the
    picture."""
    by_distance = project.rule == Project.Rule.CENTROID
    cut = learner_threshold.cut(project, _wanted(request))
    context = {
        "project": project,
        "cut": cut,
        "by_distance": by_distance,
        "lowest": NEAREST,
        "highest": FARTHEST,
        "picture": _picture(cut) if cut else None,
        "sides": _sides(cut, by_distance) if cut else [],
        "start": _start(project, request) if by_distance else None,
    }
    part = request.headers.get("HX-Request")
    page = "classify/_threshold.html" if part else "classify/threshold.html"
    return render(request, page, context)


def _wanted(request: HttpRequest) -> float | None:
    try:
        wanted = float(request.GET.get("threshold", ""))
    except ValueError:
        return None
    if isnan(wanted):
        return None
    return min(max(wanted, NEAREST), FARTHEST)


@dataclass(frozen=True)
class Start:
    """From when on the centroid rule decides: so many confirmed faces there are, and are wanted."""

    confirmed: int
    wanted: int

    @property
    def lacking(self) -> int:
        return max(0, self.wanted - self.confirmed)

    @property
    def width(self) -> int:
        """Of the picture, in faces; what is beyond twice the minimum says no more."""
        return max(min(self.confirmed, 2 * self.wanted), self.wanted)


def _start(project: Project, request: HttpRequest) -> Start:
    told = request.GET.get("min_confirmed", "")
    wanted = int(told) if told.isdecimal() and len(told) < 4 else project.min_confirmed
    return Start(learner(project).confirmed, min(max(wanted, LEAST), MOST))


def _sides(
    cut: learner_threshold.Cut, by_distance: bool
) -> list[tuple[str, str, list[tuple[Score, str]]]]:
    """The faces nearest to the line: a name for their side, its class, and each with its measure
    as people read it."""

    def measure(score: Score) -> str:
        if by_distance:
            return number_format(score.unlikely, 2)
        return _("%(n)s %%") % {"n": number_format(100 * (1 - score.unlikely), 0)}

    sides = ((_("Just inside"), "", cut.within), (_("Just outside"), "beyond", cut.beyond))
    return [
        (name, css, [(score, measure(score)) for score in side.nearest])
        for name, css, side in sides
    ]


HEIGHT, BAR = 100, 10  # of the picture, and the width of a bar in it


def _picture(cut: learner_threshold.Cut) -> dict[str, object]:
    """The bars as rectangles, each with the colours of what people said on one another. Heights
    go by the square root, so that few faces beside many are still seen."""
    highest = max(bar.yes + bar.no + bar.rest for bar in cut.bars)
    first = min(cut.bars[0].at, round(cut.at * learner_threshold.STEPS))
    last = max(cut.bars[-1].at + learner_threshold.WIDTH, round(cut.at * learner_threshold.STEPS))
    parts = []
    for bar in cut.bars:
        whole, top = bar.yes + bar.no + bar.rest, float(HEIGHT)
        scale = HEIGHT * (whole / highest) ** 0.5 / whole
        for name, n in (("is-yes", bar.yes), ("is-not", bar.no), ("is-other", bar.rest)):
            top -= n * scale
            x = (bar.at - first) / learner_threshold.WIDTH * BAR
            parts.append(
                {"name": name, "x": f"{x:.1f}", "y": f"{top:.1f}", "h": f"{n * scale:.1f}"}
            )
    return {
        "parts": [part for part in parts if part["h"] != "0.0"],
        "width": f"{(last - first) / learner_threshold.WIDTH * BAR:.1f}",
        "cut": f"{(cut.at * learner_threshold.STEPS - first) / learner_threshold.WIDTH * BAR:.1f}",
    }
