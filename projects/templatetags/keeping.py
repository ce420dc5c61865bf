"""Whether a project sleeps, for its pages."""

from django import template

from projects import keeping
from projects.models import Project

register = template.Library()


@register.simple_tag
def sleeps(project: Project) -> bool:
    return keeping.sleeps(project)
