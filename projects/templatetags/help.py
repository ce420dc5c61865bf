"""Help beside a thing: `{% help "threshold" %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest

from projects.help.topics import TOPICS
from projects.help.tours import TOURS, steps_of
from projects.models import User

register = template.Library()


@register.inclusion_tag("_help.html")
def help(name: str) -> dict[str, Any]:
    """A small "?" that opens a sentence, with a link to the rest; works without script."""
    return {"name": name, "topic": TOPICS[name]}


@register.inclusion_tag("_tour.html", takes_context=True)
def tour(context: dict[str, Any]) -> dict[str, Any]:
    """The offer of a tour of this very page, to somebody who has not seen it yet."""
    request: HttpRequest | None = context.get("request")
    user, match = getattr(request, "user", None), getattr(request, "resolver_match", None)
    name = match.url_name if match else ""
    wanted = name in TOURS and isinstance(user, User) and name not in user.tours
    return {
        "name": name if wanted else "",
        "steps": steps_of(name) if wanted else [],
        "request": request,
        "csrf_token": context.get("csrf_token"),
    }
