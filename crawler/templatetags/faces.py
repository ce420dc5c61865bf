"""`{% load faces %}`: addresses of the small crops."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.urls import get_script_prefix, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from crawler.detection import reembed
from crawler.engines import KINDS
from crawler.models import Region
from crawler.pictures import error_details
from crawler.registry import selection
from projects.models import Project

register = template.Library()
REGION = "region"  # in place of a public id


@register.simple_tag
def crop_url(project: Project, region: Region) -> str:
    """The address of a region's crop, about 160 px, for whoever may see the project."""
    before, after = _around_region(project.public_id, get_script_prefix())
    return f"{before}{region.public_id}{after}"


@lru_cache(maxsize=1000)
def _around_region(project_id: str, _prefix: str) -> tuple[str, str]:
    """What stands before and after a region in the addresses of its crop: a page has hundreds."""
    before, _region, after = reverse("crop", args=[project_id, REGION]).rpartition(REGION)
    return before, after


@register.simple_tag
def engine_of(project: Project) -> reembed.Progress:
    """Whose vectors serve a project, and how far it is on its way to another engine's.

    Pictures are counted only while it changes.
    """
    row = selection.rows().filter(project=project).first()
    serving = row.serving.name if row else selection.default_name()
    wanted = row.chosen.name if row and row.chosen else selection.default_name()
    if row and wanted != serving:
        return reembed.progress(project)
    return reembed.Progress(serving, serving, pictures=0, lacking=0, set_aside=0)


@register.filter
def in_words(detail: str) -> str | SafeString:
    """What exactly went wrong: our own words in the reader's language, others' as they came."""
    return error_details.in_words(detail) or format_html('<span lang="en">{}</span>', detail)


@register.filter
def engine_label(name: str) -> str:
    """What people call the engine of a name: “YuNet + SFace”; the name where none is known."""
    return next((kind.label for kind in KINDS.values() if kind.name == name), name)
