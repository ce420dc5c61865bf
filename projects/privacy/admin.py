"""Moderation: about whom moderators decide, and objections until they are closed."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from core.text import plain
from core.user_errors import Refused
from projects.models import Admission, Objection, Person, Project
from projects.moderation.admin_base import (
    NOTHING,
    ModerationAdmin,
    ReasonForm,
    item_link,
    lines,
    link,
    list_of,
    portrait_of,
)
from projects.permissions import moderates, signed_in
from projects.privacy import admission_requests, objections
from wiki.http import WikiError

LONGEST_ANSWER = 1000


class ForModerators:
    """Seen by whoever moderates; no permission of its own."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return moderates(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return moderates(request.user)


@admin.register(Admission)
class AdmissionAdmin(ForModerators, ModerationAdmin[Admission]):
    list_display: Any = ("portrait", "who", "cause", "state", "asked_by", "asked_at", "note")
    list_filter: ClassVar[Any] = ("state", "cause")
    list_select_related = ("person", "asked_by")
    texts = ("person__labels", "note")
    exact = ("person__qid",)
    ordering = ("-state", "asked_at")  # those that wait first
    actions: Any = ("allow", "refuse")
    fields: ClassVar[Any] = (
        "portrait",
        "who",
        "cause",
        "born",
        "sitelinks",
        "state",
        "note",
        "asked_by",
        "asked_at",
        "reason",
        "decided_by",
        "decided_at",
        "deeds",
    )
    readonly_fields: ClassVar[Any] = ("portrait", "who", "born", "sitelinks", "deeds")

    @admin.display(description=_("portrait"))
    def portrait(self, asked: Admission) -> SafeString | str:
        return portrait_of(asked.person)

    @admin.display(description=_("person"))
    def who(self, asked: Admission) -> SafeString:
        projects = list_of(Project, q=asked.person.qid)
        return lines(asked.person, item_link(asked.person.qid), link(projects, _("projects")))

    @admin.display(description=_("born"))
    def born(self, asked: Admission) -> str:
        person = asked.person
        return f"{person.born_from} – {person.born_to}" if person.born_to else NOTHING

    @admin.display(description=_("wikis with a page"))
    def sitelinks(self, asked: Admission) -> int:
        return asked.person.sitelinks

    @admin.action(permissions=["moderate"], description=_("Allow: projects may look for them"))
    def allow(self, request: HttpRequest, queryset: QuerySet[Admission]) -> None:
        by = signed_in(request)
        deed = _("%(n)d allowed. What stands on the deny-list beside it stays there.")
        self.do(request, queryset, lambda row, why: admission_requests.allow(row, by, why), deed)

    @admin.action(permissions=["moderate"], description=_("Refuse: they are left alone"))
    def refuse(self, request: HttpRequest, queryset: QuerySet[Admission]) -> None:
        by = signed_in(request)
        deed = _("%(n)d refused; they are on the deny-list, and their projects are paused.")
        self.do(request, queryset, lambda row, why: admission_requests.refuse(row, by, why), deed)

    def audit_target(self, row: Admission) -> str:
        return admission_requests.name_of(row)


class AnswerForm(ReasonForm):
    """The reason is the answer that the objector reads."""

    reason = forms.CharField(
        label=_("Answer"),
        required=False,
        max_length=LONGEST_ANSWER,
        widget=forms.TextInput(attrs={"placeholder": _("the objector reads it")}),
    )
    value = forms.CharField(
        label=_("What"),
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"placeholder": _("Q-ID or title, if not as they said")}),
        help_text=_(
            "A person by the Q-ID, a file or a category by its title with “File:” or “Category:”,"
            " an uploader by the name with “User:”;"
            " or the address of one of these on Wikidata or Commons. An article of Wikipedia is"
            " none of them: its Q-ID stands behind “Wikidata item” beside it."
        ),
    )


class Standing(admin.SimpleListFilter):
    title = _("standing")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("open")), ("late", _("open for more than a week"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "late":
            return queryset.filter(pk__in=objections.overdue())
        return queryset.filter(state__in=objections.OPEN) if self.value() else queryset


TYPED = "typed-answer"  # in the session, from a deed that could not be done to its page


@admin.register(Objection)
class ObjectionAdmin(ForModerators, ModerationAdmin[Objection]):
    """What was written stands on the page of one objection only, never in the list."""

    list_display: Any = (
        "number",
        "kind",
        "about",
        "created_at",
        "state",
        "pause",
        "late",
        "handled_by",
    )
    list_filter: ClassVar[Any] = (Standing, "state", "kind")
    list_select_related = ("handled_by",)
    texts = ("value",)
    ordering = ("closed_at", "created_at")
    action_form = AnswerForm
    longest_reason = LONGEST_ANSWER
    actions: Any = ("take", "follow", "decline", "lift_pause")
    change_form_template = "admin/objection.html"
    fields: ClassVar[Any] = (
        "kind",
        "about",
        "state",
        "message_text",
        "contact_text",
        "would_stop",
        "pause",
        "created_at",
        "answer",
        "handled_by",
        "closed_at",
        "deeds",
    )
    readonly_fields: ClassVar[Any] = (
        "about",
        "message_text",
        "contact_text",
        "would_stop",
        "pause",
        "deeds",
    )

    @admin.display(description=_("number"), ordering="pk")
    def number(self, row: Objection) -> str:
        return f"#{row.pk}"

    @admin.display(description=_("about"), ordering="value")
    def about(self, row: Objection) -> SafeString | str:
        """What it names, with the label of a person whom we know; other words are sealed."""
        if row.kind != Objection.Kind.PERSON or not row.value:
            return plain(row.value) or _text("(named in its words)")
        known = Person.objects.filter(wiki=row.wiki, qid=row.value).first()
        return lines(known, item_link(row.value))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """With the deeds of the list, while it is open."""
        row = self.get_object(request, object_id) if object_id else None
        is_open = row is not None and row.state in objections.OPEN
        kept = request.session.pop(TYPED, {}) if row and request.method == "GET" else {}
        typed = kept if kept.get("page") == object_id else {}
        more = {
            "answer_form": AnswerForm(initial=typed) if is_open else None,
            "pausing": row is not None and objections.is_pausing(row),
        }
        return super().changeform_view(request, object_id, form_url, more | (extra_context or {}))

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *more: Any, **named: Any
    ) -> Any:
        """Back to the page of one objection, if the deed was done there. What was typed stands
        there once more if it could not be done."""
        response = super().response_action(request, queryset, *more, **named)
        page = request.POST.get("page", "")
        if response is None or not page.isdecimal():
            return response
        if Objection.objects.filter(pk=page, state__in=objections.OPEN).exists():
            words = {name: request.POST.get(name, "") for name in ("reason", "value")}
            request.session[TYPED] = words | {"page": page}
        return redirect("admin:projects_objection_change", page)

    @admin.display(description=_("overdue"))
    def late(self, row: Objection) -> str:
        return _text("overdue") if objections.is_overdue(row) else NOTHING

    @admin.display(description=_("paused until"), ordering="pauses_until")
    def pause(self, row: Objection) -> str:
        until = row.pauses_until
        return f"{until:%Y-%m-%d %H:%M}" if until and objections.is_pausing(row) else NOTHING

    @admin.display(description=_("what they wrote"))
    def message_text(self, row: Objection) -> str:
        words = objections.words(row)
        return words.message if words else _text("(removed)")

    @admin.display(description=_("how to reach them"))
    def contact_text(self, row: Objection) -> str:
        words = objections.words(row)
        return (words.contact or NOTHING) if words else _text("(removed)")

    @admin.display(description=_("following it stops"))
    def would_stop(self, row: Objection) -> SafeString | str:
        if row.kind != Objection.Kind.PERSON:
            return _text("This file, or all files that this names, in every project.")
        theirs = Project.objects.filter(
            subjects__person__wiki=row.wiki, subjects__person__qid=row.value
        )
        return lines(*(link(one.get_absolute_url(), one) for one in theirs[:50])) or NOTHING

    @admin.action(permissions=["moderate"], description=_("Start review"))
    def take(self, request: HttpRequest, queryset: QuerySet[Objection]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, _why: objections.take_in_work(row, by),
            _("%(n)d taken in work."),
            needs_reason=False,
        )

    @admin.action(permissions=["moderate"], description=_("Accept: add to the deny-list"))
    def follow(self, request: HttpRequest, queryset: QuerySet[Objection]) -> None:
        by, value = signed_in(request), request.POST.get("value", "").strip()[:255]

        def deed(row: Objection, why: str) -> bool:
            try:
                return objections.uphold(row, by, why, value)
            except WikiError as trouble:
                raise Refused("wiki", _text("The wiki did not answer.")) from trouble

        self.do(request, queryset, deed, _("%(n)d followed."))

    @admin.action(permissions=["moderate"], description=_("Decline: close it, with an answer"))
    def decline(self, request: HttpRequest, queryset: QuerySet[Objection]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, why: objections.decline(row, by, why),
            _("%(n)d declined."),
        )

    @admin.action(
        permissions=["moderate"], description=_("Lift the pause: asking and sending go on")
    )
    def lift_pause(self, request: HttpRequest, queryset: QuerySet[Objection]) -> None:
        by = signed_in(request)
        self.do(
            request,
            queryset,
            lambda row, why: objections.lift_pause(row, by, why),
            _("%(n)d pauses lifted. The objections stay open."),
        )

    def audit_target(self, row: Objection) -> str:
        return row.name
