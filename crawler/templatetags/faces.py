"""`{% load faces %}`: addresses of the small crops."""

from __future__ import annotations

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crawler import choice, details, reembedding
from crawler.engines import KINDS
from crawler.models import ProjectEngine, Region
from projects.models import Project

register = template.Library()


@register.simple_tag
def crop_url(project: Project, region: Region) -> str:
    """The address of a region's crop, about 160 px, for whoever may see the project."""
    return reverse("crop", args=[project.public_id, region.public_id])


@register.simple_tag
def engine_of(project: Project) -> reembedding.Progress:
    """Whose vectors serve a project, and how far it is on its way to another engine's.

    Pictures are counted only while it changes.
    """
    row = ProjectEngine.objects.filter(project=project).first()
    if row and choice.wanted(row) != row.serving:
        return reembedding.progress(project)
    serving = row.serving if row else choice.default().name
    return reembedding.Progress(serving, serving, pictures=0, lacking=0, set_aside=0)


@register.filter
def in_words(detail: str) -> str | SafeString:
    """What exactly went wrong: our own words in the reader's language, others' as they came."""
    return details.in_words(detail) or format_html('<span lang="en">{}</span>', detail)


@register.filter
def engine_label(name: str) -> str:
    """What people call the engine of a name: “YuNet + SFace”; the name where none is known."""
    return next((kind.label for kind in KINDS.values() if kind.name == name), name)
