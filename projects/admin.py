"""Moderation: projects and people. Everything is looked at, nothing is edited by hand."""

from __future__ import annotations

from typing import Any, TypeVar

from django.conf import settings
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from projects.ledger import audit
from projects.models import (
    AuditEvent,
    DenyEntry,
    Invite,
    Membership,
    Person,
    Project,
    Source,
    User,
)
from projects.permissions import moderates, signed_in
from projects.settings_form import set_state

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)


class ModerationAdmin(admin.ModelAdmin[M]):
    """A list to look through, for who has the right to view it; rows change only by the deeds
    offered as actions."""

    show_full_result_count = False
    list_per_page = 50

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        """What actions ask for: `permissions=["moderate"]`."""
        return moderates(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


class ModerationInline(admin.TabularInline[M, P]):
    """Rows that belong to what is looked at; nothing to add, to change or to delete."""

    extra = max_num = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False


def picture_tag(url: str, alt: str, height: int = 80) -> SafeString:
    """An image that leads to itself; sizes as attributes, since CSP forbids inline styles."""
    return format_html(
        '<a href="{0}"><img src="{0}" alt="{1}" height="{2}" loading="lazy"></a>', url, alt, height
    )


@admin.register(User)
class UserAdmin(ModerationAdmin[User]):
    list_display = ("wiki_username", "issuer", "sub", "is_staff", "last_login", "date_joined")
    list_filter = ("is_staff", "is_active")
    search_fields = ("wiki_username", "sub")
    ordering = ("-id",)
    fields = ("wiki_username", "issuer", "sub", "is_staff", "is_active", "last_login")


class SourceInline(ModerationInline[Source, Project]):
    model = Source


class MembershipInline(ModerationInline[Membership, Project]):
    model = Membership

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")


@admin.register(Project)
class ProjectAdmin(ModerationAdmin[Project]):
    list_display = (
        "portrait",
        "name",
        "qid",
        "owner",
        "state",
        "visibility",
        "created_at",
        "active_at",
    )
    list_filter = ("state", "visibility", "joining", "person__wiki")
    search_fields = ("=person__qid", "person__labels", "owner__wiki_username", "=public_id")
    list_select_related = ("person", "owner")
    ordering = ("-id",)
    inlines = (SourceInline, MembershipInline)
    actions = ("pause", "resume")

    @admin.display(description=_("portrait"))
    def portrait(self, project: Project) -> SafeString | str:
        title = project.person.portrait
        return picture_tag(settings.WIKI.file_path(title, 120), "") if title else "–"

    @admin.display(description=_("person"))
    def name(self, project: Project) -> SafeString:
        return format_html("{} (<a href='{}'>{}</a>)", project, project.get_absolute_url(), "↗")

    @admin.display(description="Q-ID", ordering="person__qid")
    def qid(self, project: Project) -> str:
        return project.person.qid

    @admin.action(permissions=["moderate"], description=_("Pause: nothing is looked at or sent"))
    def pause(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._set_state(request, queryset, Project.State.ACTIVE, Project.State.PAUSED)

    @admin.action(permissions=["moderate"], description=_("Go on"))
    def resume(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._set_state(request, queryset, Project.State.PAUSED, Project.State.ACTIVE)

    def _set_state(
        self, request: HttpRequest, queryset: QuerySet[Project], old: str, new: str
    ) -> None:
        for project in queryset.filter(state=old):
            set_state(project, signed_in(request), new)


@admin.register(Person)
class PersonAdmin(ModerationAdmin[Person]):
    list_display = ("qid", "__str__", "years", "wiki", "fetched_at")
    list_filter = ("wiki",)
    search_fields = ("=qid", "labels")
    ordering = ("-id",)


@admin.register(Invite)
class InviteAdmin(ModerationAdmin[Invite]):
    list_display = ("project", "created_by", "expires_at", "uses", "max_uses", "revoked_at")
    list_select_related = ("project__person", "created_by")
    ordering = ("-id",)
    exclude = ("code",)


@admin.register(DenyEntry)
class DenyEntryAdmin(ModerationAdmin[DenyEntry]):
    """What the tool leaves alone: the one list that moderators write themselves."""

    list_display = ("kind", "value", "wiki", "reason", "created_by", "created_at")
    list_filter = ("kind", "wiki")
    search_fields = ("value", "reason")
    ordering = ("-id",)
    fields = ("wiki", "kind", "value", "reason")

    has_add_permission = admin.ModelAdmin.has_add_permission
    has_change_permission = admin.ModelAdmin.has_change_permission
    has_delete_permission = admin.ModelAdmin.has_delete_permission

    def save_model(self, request: HttpRequest, obj: DenyEntry, form: Any, change: bool) -> None:
        obj.created_by = signed_in(request)
        super().save_model(request, obj, form, change)
        self._audit(request, "deny.saved", obj)

    def delete_model(self, request: HttpRequest, obj: DenyEntry) -> None:
        super().delete_model(request, obj)
        self._audit(request, "deny.removed", obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DenyEntry]) -> None:
        for entry in queryset:
            self.delete_model(request, entry)

    def _audit(self, request: HttpRequest, action: str, entry: DenyEntry) -> None:
        audit(signed_in(request), action, target=f"{entry.kind}:{entry.value}"[:80])


@admin.register(AuditEvent)
class AuditEventAdmin(ModerationAdmin[AuditEvent]):
    list_display = ("at", "actor", "action", "project", "target")
    list_filter = ("action",)
    search_fields = ("actor__wiki_username", "target", "=project__public_id")
    list_select_related = ("actor", "project__person")
    ordering = ("-id",)
