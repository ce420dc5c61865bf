"""Whether a project sleeps, or is paused since somebody objected, for its pages."""

from datetime import datetime

from django import template

from projects.lifecycle import activity as lifecycle_activity
from projects.models import Project
from projects.privacy import pauses

register = template.Library()


@register.simple_tag
def sleeps(project: Project) -> bool:
    return lifecycle_activity.sleeps(project)


@register.simple_tag
def paused_until(project: Project) -> datetime | None:
    return pauses.of_project(project)
