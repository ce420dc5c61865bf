"""Users and projects: whether they may send, and the deeds for that."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from classify.trust import exclude as trust_exclude
from projects.accounts import sessions
from projects.admin import ProjectAdmin, UserAdmin
from projects.models import Project, User
from projects.moderation.admin_base import ModerationAdmin, lines, page_of
from projects.permissions import signed_in
from sdc.admin.cells import sent_lists
from sdc.admin.filters import MayNotSend
from sdc.batches import moderation
from sdc.sending_rights import stops


class StopsSending(ModerationAdmin[Any]):
    """Adds to a list of users or projects who may not send, and the deeds for that."""

    def stop_words(self, row: User | Project) -> SafeString | str:
        return lines(
            *(
                page_of(stop, f"{stop.get_source_display()}: {stop.reason}")
                for stop in row.writing_stops.all()
                if stop.lifted_at is None
            )
        ) or _text("yes")

    def with_stops(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.prefetch_related(Prefetch("writing_stops", queryset=stops.active()))


admin.site.unregister(User)
admin.site.unregister(Project)


@admin.register(User)
class SenderAdmin(UserAdmin, StopsSending):
    list_display = (*UserAdmin.list_display, "may_send")
    list_filter = (*UserAdmin.list_filter, MayNotSend)
    actions = ("stop_users", "release_users", "end_sessions", "let_count")
    fields = (*UserAdmin.fields[:-1], "may_send", "batches", "deeds")
    readonly_fields = (*UserAdmin.readonly_fields, "may_send", "batches")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return self.with_stops(super().get_queryset(request))

    @admin.display(description=_("may send"))
    def may_send(self, user: User) -> SafeString | str:
        return self.stop_words(user)

    @admin.display(description=_("what they sent"))
    def batches(self, user: User) -> SafeString:
        return sent_lists(user=user.wiki_username)

    @admin.action(permissions=["moderate"], description=_("Stop: nothing is sent in their name"))
    def stop_users(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        by = signed_in(request)
        done = _("%(n)d stopped from sending.")
        self.do(request, queryset, lambda row, why: moderation.stop_user(row, by, why), done)

    @admin.action(permissions=["moderate"], description=_("Release: may send again"))
    def release_users(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, why: moderation.release_user(row, by, why),
            _("%(n)d released."),
            needs_reason=False,
        )

    @admin.action(permissions=["moderate"], description=_("Log out everywhere"))
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        by = signed_in(request)
        done = _("%(n)d logged out everywhere.")
        self.do(request, queryset, lambda row, why: sessions.end_all(row, by, why), done)

    @admin.action(
        permissions=["moderate"], description=_("Let answers count that the tool set aside")
    )
    def let_count(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        by = signed_in(request)
        done = _("The answers of %(n)d count again.")
        self.do(
            request,
            queryset,
            lambda row, _why: trust_exclude.let_doubted_count(row, by),
            done,
            needs_reason=False,
        )


@admin.register(Project)
class SendingProjectAdmin(ProjectAdmin, StopsSending):
    list_display = (*ProjectAdmin.list_display, "may_send")
    list_filter = (*ProjectAdmin.list_filter, MayNotSend)
    actions = (*ProjectAdmin.actions, "stop_projects", "release_projects")
    fields = (*ProjectAdmin.fields[:-1], "may_send", "batches", "deeds")
    readonly_fields = (*ProjectAdmin.readonly_fields, "may_send", "batches")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        return self.with_stops(super().get_queryset(request))

    @admin.display(description=_("may send"))
    def may_send(self, project: Project) -> SafeString | str:
        return self.stop_words(project)

    @admin.display(description=_("what it sent"))
    def batches(self, project: Project) -> SafeString:
        return sent_lists(project=project.public_id)

    @admin.action(permissions=["moderate"], description=_("Stop: nothing is sent for it"))
    def stop_projects(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        by = signed_in(request)
        done = _("%(n)d stopped from sending.")
        self.do(request, queryset, lambda row, why: moderation.stop_project(row, by, why), done)

    @admin.action(permissions=["moderate"], description=_("Release: may be sent for again"))
    def release_projects(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, why: moderation.release_project(row, by, why),
            _("%(n)d released."),
            needs_reason=False,
        )
