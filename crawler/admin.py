"""Moderation: photos, pictures and the places in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from core.transactions import atomic
from crawler import services
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.ledger import audit
from projects.models import Project, User
from projects.moderation.admin_base import NOTHING, ModerationAdmin, lines, link, picture_tag
from projects.permissions import signed_in
from projects.templatetags import ui

LARGE = 500  # pixels wide; one of the steps that the wiki renders


def boxed(photo: Photo, region: Region | None, width: int = 330) -> SafeString:
    """The photo with its box, drawn in SVG; `photo.picture` is read, so select it."""
    context = ui.boxed_photo(photo, region, width=width, thumb=width < LARGE, lazy=True)
    drawn = render_to_string("_boxed_photo.html", context)
    kind = "moderated large" if width >= LARGE else "moderated"
    return format_html('<a class="{}" href="{}">{}</a>', kind, photo.page_url, drawn)


def face_and_photo(project: Project | None, photo: Photo, region: Region | None) -> SafeString:
    """The crop of a face beside the photo that it is in."""
    if project is None or region is None or region.origin == Region.Origin.PHOTO:
        return boxed(photo, region)
    crop = reverse("crop", args=[project.public_id, region.public_id])
    return format_html(
        '<span class="face-and-photo">{}{}</span>', picture_tag(crop, ""), boxed(photo, region)
    )


def file_links(photo: Photo) -> SafeString:
    """The file with its history; names of files are text."""
    return lines(
        link(photo.page_url, photo.name),
        format_html(
            "{} · {}",
            photo.mid,
            link(f"{photo.page_url}?action=history", _("history")),
        ),
    )


@admin.register(Photo)
class PhotoAdmin(ModerationAdmin[Photo]):
    list_display = ("thumbnail", "file", "state", "looked_at", "faces", "uploader", "seen_at")
    list_filter = ("state", "picture__state", "picture__error")
    texts = ("title", "uploader")
    exact = ("page_id",)
    list_select_related = ("picture",)
    ordering = ("-id",)
    actions = ("look_again",)

    def audit_target(self, row: Photo) -> str:
        return f"photo:{row.pk}"

    @admin.display(description=_("picture"))
    def thumbnail(self, photo: Photo) -> SafeString:
        return picture_tag(photo.thumb(120), photo.name)

    @admin.display(description=_("file"), ordering="title")
    def file(self, photo: Photo) -> SafeString:
        return file_links(photo)

    @admin.display(description=_("looked at"))
    def looked_at(self, photo: Photo) -> str:
        picture = photo.picture
        error = f": {picture.reason}" if picture.error else ""
        return f"{picture.get_state_display()}{error}"

    @admin.display(description=_("faces"))
    def faces(self, photo: Photo) -> int | None:
        return photo.picture.faces

    @admin.action(permissions=["moderate"], description=_("Try to look at these again"))
    def look_again(self, request: HttpRequest, queryset: QuerySet[Photo]) -> None:
        tried = 0
        for photo in queryset.select_related("picture"):
            tried += self._look_again(photo, signed_in(request))
        said = ngettext("%(n)s will be looked at again.", "%(n)s will be looked at again.", tried)
        self.message_user(request, said % {"n": intcomma(tried)})

    @atomic
    def _look_again(self, photo: Photo, by: User) -> bool:
        if not services.retry_photo(photo):
            return False
        audit(by, "photo.looked-at-again", target=self.audit_target(photo))
        return True


@admin.register(Picture)
class PictureAdmin(ModerationAdmin[Picture]):
    list_display = ("sha1", "state", "error", "width", "height", "mime", "faces", "looked_at")
    list_filter = ("state", "error", "mime", "detector")
    exact = ("sha1",)
    ordering = ("-id",)


@admin.register(Region)
class RegionAdmin(ModerationAdmin[Region]):
    list_display = ("crop", "where", "origin", "score", "face_px", "embeddings", "created_at")
    list_filter = ("origin", "detector")
    exact = ("public_id", "picture__sha1", "picture__photos__page_id")
    list_select_related = ("picture",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Region]:
        held = ProjectPhoto.objects.select_related("project")
        photos = Photo.objects.select_related("picture").prefetch_related(
            Prefetch("project_photos", queryset=held)
        )
        regions = super().get_queryset(request).annotate(vectors=Count("embeddings"))
        return regions.prefetch_related(Prefetch("picture__photos", queryset=photos))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Region], search_term: str
    ) -> tuple[QuerySet[Region], bool]:
        """By the title of a file, too, which several photos may have in common."""
        found, _more = super().get_search_results(request, queryset, search_term)
        if not search_term.strip():
            return found, False
        photos, _more = PhotoAdmin(Photo, self.admin_site).get_search_results(
            request, Photo.objects.all(), search_term
        )
        shown = queryset.filter(picture__in=photos.values("picture"))
        keys: Any = queryset.filter(pk__in=found.values("pk")) | shown
        return keys, True

    @admin.display(description=_("face"))
    def crop(self, region: Region) -> SafeString | str:
        for photo in region.picture.photos.all():
            for held in photo.project_photos.all():
                address = reverse("crop", args=[held.project.public_id, region.public_id])
                return picture_tag(address, "")
        return NOTHING

    @admin.display(description=_("photo"))
    def where(self, region: Region) -> SafeString | str:
        photo = next(iter(region.picture.photos.all()), None)
        return link(photo.page_url, photo.name) if photo else NOTHING

    @admin.display(description=_("vectors"))
    def embeddings(self, region: Region) -> int:
        return int(getattr(region, "vectors", 0))
