"""Saying that a project is being counted."""

from __future__ import annotations

from django import template

from projects.live.census import is_being_counted
from projects.models import Project

register = template.Library()


@register.inclusion_tag("projects/_being_counted.html")
def being_counted(project: Project) -> dict[str, bool]:
    """A banner, where that is so."""
    return {"is_being_counted": is_being_counted(project)}
