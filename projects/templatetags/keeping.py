"""Whether a project sleeps, or is paused since somebody objected, for its pages."""

from datetime import datetime

from django import template

from projects import keeping, pauses
from projects.models import Project

register = template.Library()


@register.simple_tag
def sleeps(project: Project) -> bool:
    return keeping.sleeps(project)


@register.simple_tag
def paused_until(project: Project) -> datetime | None:
    return pauses.of_project(project)
