"""Moderation: projects and people. Everything is looked at, only the deny-list is written."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from core.text import plain
from core.transactions import atomic
from core.user_errors import Refused
from projects.lifecycle.services import set_state
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
from projects.moderation.admin_base import (
    NOTHING,
    ModerationAdmin,
    ModerationInline,
    by_project,
    by_user,
    item_link,
    lines,
    link,
    page_of,
    picture_tag,
    portrait_of,
    reason_of,
    words,
)
from projects.permissions import MODERATORS, signed_in
from projects.privacy import denylist, denylist_changes
from projects.privacy.admin import AdmissionAdmin, ObjectionAdmin
from projects.privacy.objection_targets import find_target, read_target
from wiki.http import WikiError
from wiki.titles import LONGEST_ADDRESS

__all__ = [
    "AdmissionAdmin",
    "ModerationAdmin",
    "ModerationInline",
    "ObjectionAdmin",
    "picture_tag",
]


def on_the_wiki(user: User) -> SafeString:
    """The user's page and contributions there."""
    name = user.wiki_username
    return lines(
        link(settings.WIKI.page_url(f"User:{name}"), _("user page")),
        link(settings.WIKI.page_url(f"Special:Contributions/{name}"), _("contributions")),
    )


@admin.register(User)
class UserAdmin(ModerationAdmin[User]):
    list_display: Any = (
        "wiki_username",
        "wiki",
        "sub",
        "is_moderator",
        "last_login",
        "date_joined",
    )
    list_filter: ClassVar[Any] = ("is_staff", "is_active")
    texts = ("wiki_username",)
    exact = ("sub", "public_id")
    ordering = ("-id",)
    fields: ClassVar[Any] = (
        "wiki_username",
        "wiki",
        "issuer",
        "sub",
        "is_moderator",
        "is_active",
        "last_login",
        "date_joined",
        "deeds",
    )
    readonly_fields: ClassVar[Any] = ("wiki", "is_moderator", "deeds")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("on the wiki"))
    def wiki(self, user: User) -> SafeString:
        return on_the_wiki(user)

    @admin.display(description=_("moderates"), boolean=True)
    def is_moderator(self, user: User) -> bool:
        return user.is_staff and any(group.name == MODERATORS for group in user.groups.all())

    def audit_target(self, row: User) -> str:
        return f"user:{row.pk}"


class SourceInline(ModerationInline[Source, Project]):
    model = Source


class MembershipInline(ModerationInline[Membership, Project]):
    model = Membership

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user")


@admin.register(Project)
class ProjectAdmin(ModerationAdmin[Project]):
    list_display: Any = (
        "portrait",
        "called",
        "qid",
        "owner",
        "state",
        "visibility",
        "created_at",
        "active_at",
    )
    list_filter: ClassVar[Any] = ("state", "visibility", "joining", by_user("owner"))
    texts = ("name", "subject__person__labels", "owner__wiki_username")
    exact = ("subject__person__qid", "public_id")
    list_select_related = ("subject__person", "owner")
    ordering = ("-id",)
    inlines = (SourceInline, MembershipInline)
    actions: Any = ("pause", "resume")
    fields: ClassVar[Any] = (
        "portrait",
        "called",
        "qid",
        "owner",
        "state",
        "visibility",
        "joining",
        "rule",
        "threshold",
        "min_confirmed",
        "write_region",
        "include_artworks",
        "created_at",
        "active_at",
        "deeds",
    )
    readonly_fields: ClassVar[Any] = ("portrait", "called", "qid", "deeds")

    @admin.display(description=_("portrait"))
    def portrait(self, project: Project) -> SafeString | str:
        return portrait_of(project.person)

    @admin.display(description=_("person"))
    def called(self, project: Project) -> SafeString:
        """The person, and the project's own name if it has one."""
        page = link(project.get_absolute_url(), _("project page"))
        return lines(plain(project.name), project.person, page)

    @admin.display(description="Q-ID", ordering="subject__person__qid")
    def qid(self, project: Project) -> SafeString:
        return item_link(project.person.qid)

    @admin.action(permissions=["moderate"], description=_("Pause: nothing is looked at or sent"))
    def pause(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._set_state(request, queryset, Project.State.PAUSED)

    @admin.action(permissions=["moderate"], description=_("Go on"))
    def resume(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        paused = queryset.filter(state=Project.State.PAUSED)
        self._set_state(request, paused, Project.State.ACTIVE)

    def _set_state(self, request: HttpRequest, queryset: QuerySet[Project], state: str) -> None:
        for project in queryset:
            try:
                set_state(project, signed_in(request), state)
            except Refused as refused:
                self.message_user(request, f"{project}: {refused.sentence}", messages.ERROR)

    def audit_target(self, row: Project) -> str:
        return f"project:{row.pk}"


@admin.register(Person)
class PersonAdmin(ModerationAdmin[Person]):
    list_display = ("qid", "__str__", "years", "wiki", "fetched_at")
    list_filter = ("wiki",)
    texts = ("labels",)
    exact = ("qid",)
    ordering = ("-id",)


@admin.register(Invite)
class InviteAdmin(ModerationAdmin[Invite]):
    list_display = ("project", "created_by", "expires_at", "uses", "max_uses", "revoked_at")
    list_select_related = ("project__subject__person", "created_by")
    ordering = ("-id",)
    exclude = ("code",)


class DenyEntryForm(forms.ModelForm):  # type: ignore[type-arg]
    """Normalised as the list is looked up, and checked: an entry that matches nothing would be
    a false promise."""

    reason = forms.CharField(label=_("Reason"), max_length=255)
    value = forms.CharField(
        label=_("What"),
        max_length=LONGEST_ADDRESS,
        help_text=_(
            "A person by the Q-ID, a file or a category by its title on the wiki. An uploader by"
            " the user name: all files whose version of now they uploaded; after a change of name"
            " it has to be added again. An author by the author line of the file, exactly as the"
            " file's page has it: files whose line says more or less are not meant."
        ),
    )

    class Meta:
        model = DenyEntry
        fields = ("kind", "value", "reason")
        help_texts: ClassVar[Any] = {
            "kind": _(
                "Of a category, the photos directly in it are left alone; each of its subcategories"
                " has to be named, too."
            )
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        kind, value = data.get("kind"), data.get("value")
        if self.instance.pk or not kind or not value:
            return data
        try:
            named, data["value"] = read_target(value, kind)
            if named != kind:
                raise Refused("other-kind", _text("That names something of another kind."))
            denylist.check(kind, data["value"])
        except Refused as refused:
            self.add_error("value", refused.sentence)
        else:
            if denylist.entries().filter(kind=kind, value=data["value"]).exists():
                self.add_error("value", _text("It is on the list already."))
        return data


@admin.register(DenyEntry)
class DenyEntryAdmin(ModerationAdmin[DenyEntry]):
    """What the tool leaves alone: the one list that moderators write themselves."""

    list_display = ("kind", "value", "there", "reason", "created_by", "created_at")
    list_filter = ("kind",)
    list_select_related = ("created_by",)
    texts = ("value", "reason", "created_by__wiki_username")
    exact = ("page_id",)
    ordering = ("-id",)
    form = DenyEntryForm
    actions = None  # each is taken off on a page of its own
    delete_confirmation_template = "admin/lift.html"

    has_add_permission = admin.ModelAdmin.has_add_permission
    has_change_permission = admin.ModelAdmin.has_change_permission
    has_delete_permission = admin.ModelAdmin.has_delete_permission

    def get_readonly_fields(
        self, request: HttpRequest, obj: DenyEntry | None = None
    ) -> tuple[str, ...]:
        """What is denied stays as it was entered; another thing is another entry."""
        fixed = (
            "kind", "value", "there", "page_id", "objected", "created_by", "created_at", "deeds"
        )  # fmt: skip
        return fixed if obj else ()

    def get_fields(self, request: HttpRequest, obj: DenyEntry | None = None) -> tuple[str, ...]:
        return (*self.get_readonly_fields(request, obj), "reason") if obj else (
            "kind", "value", "reason"
        )  # fmt: skip

    @admin.display(description=_("on the wiki"))
    def there(self, entry: DenyEntry) -> SafeString | str:
        if entry.kind == DenyEntry.Kind.PERSON:
            return item_link(entry.value)
        if entry.kind == DenyEntry.Kind.AUTHOR:
            return NOTHING
        space = {DenyEntry.Kind.CATEGORY: "Category:", DenyEntry.Kind.UPLOADER: "User:"}
        title = f"{space.get(DenyEntry.Kind(entry.kind), '')}{entry.value}"
        return link(settings.WIKI.page_url(title), _("look"))

    @admin.display(description=_("asked for by"))
    def objected(self, entry: DenyEntry) -> SafeString | str:
        return lines(*map(page_of, denylist_changes.objections_to(entry))) or NOTHING

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The wiki is asked for a file's page id before the transaction of saving begins."""
        if request.method == "POST" and object_id is None and self.has_add_permission(request):
            _look_up(request)
        view = atomic(super().changeform_view)
        try:
            return view(request, object_id, form_url, extra_context)
        except IntegrityError:  # somebody was quicker, and now the form says so
            return view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: DenyEntry, form: Any, change: bool) -> None:
        if change:
            denylist_changes.reword(obj, signed_in(request))
            return
        obj.page_id = getattr(request, "denied_page_id", None)
        denylist_changes.deny(obj, signed_in(request))
        if obj.kind == DenyEntry.Kind.FILE and obj.page_id is None:
            text = _text("The wiki has no such file now: its name is on the list, whoever uses it.")
            self.message_user(request, text, messages.WARNING)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Asks why, and tells what stands behind the entry."""
        if request.method == "POST" and not reason_of(request):
            self.message_user(request, _text("Say why: the audit log keeps it."), messages.ERROR)
            return redirect(request.path)
        entry = self.get_object(request, object_id)
        more = (
            {"behind": [page_of(each) for each in denylist_changes.objections_to(entry)]}
            if entry
            else {}
        )
        return atomic(super().delete_view)(request, object_id, more | (extra_context or {}))

    def delete_model(self, request: HttpRequest, obj: DenyEntry) -> None:
        denylist_changes.undeny(obj, signed_in(request), reason_of(request))

    def audit_target(self, row: DenyEntry) -> str:
        return denylist_changes.name_of(row)


def _look_up(request: HttpRequest) -> None:
    """The page id of the file that is about to be denied, so that a new name is no way out."""
    value = request.POST.get("value", "")[:LONGEST_ADDRESS]
    if request.POST.get("kind") != DenyEntry.Kind.FILE or not value.strip():
        return
    try:
        target = find_target(value, DenyEntry.Kind.FILE)
    except WikiError:
        return
    request.denied_page_id = target.page_id  # type: ignore[attr-defined]


@admin.register(AuditEvent)
class AuditEventAdmin(ModerationAdmin[AuditEvent]):
    """Append-only, for everybody: the database rows refuse it, too."""

    list_display = ("at", "actor", "action", "project", "target", "said")
    list_filter = ("action", by_user("actor"), by_project("project"))
    texts = ("actor__wiki_username",)
    exact = ("target", "project__public_id", "action")
    list_select_related = ("actor", "project__subject__person")
    ordering = ("-id",)
    fields: ClassVar[Any] = ("at", "actor", "action", "project", "target", "said")
    readonly_fields: ClassVar[Any] = ("said",)
    actions = None

    @admin.display(description=_("words"))
    def said(self, event: AuditEvent) -> str:
        return words(event)
