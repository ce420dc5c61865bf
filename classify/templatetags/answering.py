"""Parts of the answering pages."""

from django import template

from crawler.models import Photo

register = template.Library()

STEPS = (1920, 1280, 960)  # pixels; the wiki makes thumbnails at these


@register.filter
def large_width(photo: Photo) -> int:
    """The largest of the wiki's thumbnail steps that is not larger than the picture."""
    return next((step for step in STEPS if step < photo.picture.width), STEPS[-1])


@register.filter
def large_src(photo: Photo) -> str:
    return photo.thumb(large_width(photo))
