"""Moderation: photos, pictures and the places in them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crawler import services
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.admin import ModerationAdmin, picture_tag


@admin.register(Photo)
class PhotoAdmin(ModerationAdmin[Photo]):
    list_display = ("thumbnail", "file", "state", "looked_at", "faces", "uploader", "seen_at")
    list_filter = ("state", "wiki", "picture__state", "picture__error")
    search_fields = ("title", "=page_id", "uploader")
    list_select_related = ("picture",)
    ordering = ("-id",)
    actions = ("look_again",)

    @admin.display(description=_("picture"))
    def thumbnail(self, photo: Photo) -> SafeString:
        return picture_tag(photo.thumb(120), photo.name)

    @admin.display(description=_("file"), ordering="title")
    def file(self, photo: Photo) -> SafeString:
        return format_html("<a href='{}'>{}</a>", photo.page_url, photo.name)

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
        tried = sum(map(services.retry_photo, queryset.select_related("picture")))
        self.message_user(request, _("%(n)s will be looked at again.") % {"n": tried})


@admin.register(Picture)
class PictureAdmin(ModerationAdmin[Picture]):
    list_display = ("sha1", "state", "error", "width", "height", "mime", "faces", "looked_at")
    list_filter = ("state", "error", "mime", "detector")
    search_fields = ("=sha1",)
    ordering = ("-id",)


@admin.register(Region)
class RegionAdmin(ModerationAdmin[Region]):
    list_display = ("crop", "where", "origin", "score", "face_px", "embeddings", "created_at")
    list_filter = ("origin", "detector")
    search_fields = ("=public_id", "picture__photos__title", "=picture__sha1")
    list_select_related = ("picture",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Region]:
        return super().get_queryset(request).annotate(vectors=Count("embeddings"))

    @admin.display(description=_("face"))
    def crop(self, region: Region) -> SafeString:
        shown = ProjectPhoto.objects.filter(photo__picture=region.picture_id)
        first = shown.select_related("project").first()
        if not first:
            return format_html("–")
        return picture_tag(reverse("crop", args=[first.project.public_id, region.public_id]), "")

    @admin.display(description=_("photo"))
    def where(self, region: Region) -> SafeString:
        photo = region.picture.photos.first()
        return (
            format_html("<a href='{}'>{}</a>", photo.page_url, photo.name)
            if photo
            else format_html("–")
        )

    @admin.display(description=_("vectors"))
    def embeddings(self, region: Region) -> int:
        return int(getattr(region, "vectors", 0))
