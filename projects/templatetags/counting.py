"""Saying that a project is being counted."""

from __future__ import annotations

from django import template

from projects.models import Project
from projects.parts import is_being_counted

register = template.Library()


@register.inclusion_tag("projects/_being_counted.html")
def being_counted(project: Project) -> dict[str, bool]:
    """A banner, where that is so."""
    return {"is_being_counted": is_being_counted(project)}
