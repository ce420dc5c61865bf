"""What looking through photos takes, for templates of any app."""

from __future__ import annotations

from django import template

from crawler import estimates

register = template.Library()


@register.simple_tag
def looking_through(photos: int) -> estimates.Estimate:
    """`{% looking_through 300 as about %}`: `about.faces`, `about.minutes`."""
    return estimates.estimate(photos)
