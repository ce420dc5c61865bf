"""`{% load reviewing %}`: parts of the review."""

from __future__ import annotations

from django import template

from crawler.models import Photo, Region

register = template.Library()


@register.filter
def box_in(photo: Photo, region: Region) -> str:
    """Left, top, width and height of a face in pixels of the original, as text for scripts."""
    width, height = photo.picture.width, photo.picture.height
    sides = (region.x * width, region.y * height, region.w * width, region.h * height)
    return " ".join(f"{side:.1f}" for side in sides)
