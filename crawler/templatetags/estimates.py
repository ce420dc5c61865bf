"""What looking through photos takes, for templates of any app."""

from __future__ import annotations

from django import template

from crawler.detection import eta

register = template.Library()


@register.simple_tag
def looking_through(photos: int) -> eta.Estimate:
    """`{% looking_through 300 as about %}`: `about.faces`, `about.minutes`."""
    return eta.estimate(photos)
