"""What pages say to somebody about their own part in a project."""

from __future__ import annotations

from typing import Any

from django import template

from projects.permissions import membership

register = template.Library()


@register.inclusion_tag("projects/_not_counted.html", takes_context=True)
def not_counted(context: dict[str, Any]) -> dict[str, Any]:
    """A banner for whose answers in `project` were taken out of training."""
    return {"mine": membership(context["project"], context["user"])}
