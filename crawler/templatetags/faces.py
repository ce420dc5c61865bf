"""`{% load faces %}`: addresses of the small crops."""

from __future__ import annotations

from django import template
from django.urls import reverse

from crawler.models import Region
from projects.models import Project

register = template.Library()


@register.simple_tag
def crop_url(project: Project, region: Region) -> str:
    """The address of a region's crop, about 160 px, for whoever may see the project."""
    return reverse("crop", args=[project.public_id, region.public_id])
