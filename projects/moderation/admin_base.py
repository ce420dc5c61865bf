"""What the lists of moderators share: they are looked through, and changed by deeds alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, Model, Q, QuerySet, TextField
from django.db.models.functions import Cast, Lower
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import smart_split
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from core.text import plain
from core.user_errors import Refused
from projects.models import AuditEvent, Person
from projects.permissions import moderates

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)
AT_ONCE = 500  # rows that one deed is done to
SHOWN = 50  # rows of a table on the page of one thing
NOTHING = "–"


class ReasonForm(ActionForm):
    """The menu of deeds with a line for the reason, which the audit log keeps."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"placeholder": _("kept in the audit log")}),
    )


class ModerationAdmin(admin.ModelAdmin[M]):
    """A list to look through, for who has the right to view it; rows change only by the deeds
    offered as actions."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    action_form: ClassVar[type[ActionForm]] = ReasonForm
    longest_reason = 255

    # What the search looks at. Texts match a part, whatever the case, with any collation; `exact`
    # are keys: Q-IDs, M-ids, codes.
    texts: ClassVar[Sequence[str]] = ()
    exact: ClassVar[Sequence[str]] = ()

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[M], *more: Any, **named: Any
    ) -> Any:
        """Do an action for the rows that were ticked. Django fails for a key that is no number."""
        ticked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(key.isdecimal() and len(key) < 19 for key in ticked):
            messages.error(request, _text("These rows are not in this list."))
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *more, **named)

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        """What actions ask for: `permissions=["moderate"]`."""
        return moderates(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    # Search -------------------------------------------------------------------------------

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [*self.texts, *self.exact]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """Each word must be found somewhere; in quotation marks several are one."""
        if not search_term.strip():
            return queryset, False
        # a cast for what is JSON
        lowered = {f"_lower_{name}": Lower(Cast(name, TextField())) for name in self.texts}
        found = queryset.alias(**lowered)
        for word in words_of(search_term):
            found = found.filter(reduce(or_, self.matches(word), Q(pk=None)))
        return found, False

    def matches(self, word: str) -> Iterator[Q]:
        """Where a word may be found."""
        text = word.replace("_", " ").lower().removeprefix("file:")
        for name in self.texts:
            if name.endswith("labels"):  # JSON, whose other letters are escaped
                for one in (word, text):
                    yield Q(**{f"_lower_{name}__contains": json.dumps(one)[1:-1].lower()})
            else:
                yield Q(**{f"_lower_{name}__contains": text})
        for name in self.exact:
            if name.endswith("page_id"):
                number = word.upper().removeprefix("M")
                if number.isdecimal() and len(number) < 19:
                    yield Q(**{name: int(number)})
            else:
                yield Q(**{name: word.upper() if name.endswith("qid") else word})

    # Deeds --------------------------------------------------------------------------------

    def do(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        deed: Callable[[Any, str], Any],
        done: Any,
        *,
        needs_reason: bool = True,
    ) -> None:
        """Do a deed with each row that was ticked, for the reason given, and tell the result. A
        deed that raises Refused says itself why."""
        reason = reason_of(request, self.longest_reason)
        if needs_reason and not reason:
            self.message_user(request, _text("Give a reason beside the menu."), messages.ERROR)
            return
        rows = list(queryset[: AT_ONCE + 1])
        if len(rows) > AT_ONCE:
            text = _text("Those are too many at once: choose %(n)d at most.") % {"n": AT_ONCE}
            self.message_user(request, text, messages.ERROR)
            return
        count = refused = 0
        for row in rows:
            try:
                count += bool(deed(row, reason))
            except Refused as why:
                refused += 1
                text = why.sentence if len(rows) == 1 else f"{row}: {why.sentence}"
                self.message_user(request, text, messages.ERROR)
        if count or not refused:
            level = messages.SUCCESS if count else messages.WARNING
            self.message_user(request, str(done) % {"n": count}, level)
        if left := len(rows) - count - refused:
            text = _text("%(n)d were not in a state for it and are as they were.") % {"n": left}
            self.message_user(request, text, messages.WARNING)

    # Pages --------------------------------------------------------------------------------

    def audit_target(self, row: M) -> str:
        """How the audit log names this row; nothing where it never does."""
        return ""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The button *History* leads to what the audit log has on it."""
        row = self.get_object(request, object_id)
        target = self.audit_target(row) if row else ""
        if not target or not self.has_view_permission(request, row):
            return super().history_view(request, object_id, extra_context)
        return HttpResponseRedirect(list_of(AuditEvent, target__exact=target))

    @admin.display(description=_("what was done"))
    def deeds(self, row: M) -> SafeString | str:
        """The latest of the audit log on it."""
        events = AuditEvent.objects.filter(target=self.audit_target(row)).select_related("actor")
        return table(
            (_("when"), _("who"), _("what"), _("reason")),
            [
                (f"{event.at:%Y-%m-%d %H:%M}", event.actor or NOTHING, event.action, words(event))
                for event in events.order_by("-pk")[:SHOWN]
            ],
        )


class ModerationInline(admin.TabularInline[M, P]):
    """Rows that belong to what is looked at; nothing to add, to change or to delete."""

    extra = max_num = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: P | None = None) -> bool:
        return False


class Typed(admin.SimpleListFilter):
    """A filter with a line to type in, where a list of all choices would have no end."""

    template = "admin/typed_filter.html"
    hint: ClassVar[Any] = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]  # or else it is left out

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        mine = self.parameter_name or ""
        others = changelist.get_filters_params().items()
        yield {
            "parameter": mine,
            "value": self.value() or "",
            "hint": self.hint,
            "others": [
                (name, value)
                for name, values in others
                for value in (values if isinstance(values, list) else [values])
                if name != mine
            ],
            "clear": changelist.get_query_string(remove=[mine]),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        typed = (self.value() or "").strip()
        return self.narrow(queryset, typed) if typed else queryset

    def narrow(self, rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
        raise NotImplementedError


def by_person(path: str) -> type[Typed]:
    """Rows whose Q-ID at `path` is the typed one."""

    class Filter(Typed):
        title = _("person")
        parameter_name = "person"
        hint = "Q7186"

        def narrow(self, rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
            return rows.filter(**{path: typed.upper()})

    return Filter


def by_user(path: str) -> type[Typed]:
    """Rows whose user at `path` has the typed name, whatever its case."""

    class Filter(Typed):
        title = _("user")
        parameter_name = "user"
        hint = _("name on the wiki")

        def narrow(self, rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
            name = Lower(F(f"{path}__wiki_username" if path else "wiki_username"))
            named: QuerySet[Any] = rows.alias(_name=name)
            return named.filter(_name=typed.replace("_", " ").lower()).distinct()

    return Filter


def by_project(path: str) -> type[Typed]:
    """Rows of the project at `path` whose address, or its last part, was typed."""

    class Filter(Typed):
        title = _("project")
        parameter_name = "project"
        hint = _("address of its page")

        def narrow(self, rows: QuerySet[Any], typed: str) -> QuerySet[Any]:
            public_id = typed.partition("/p/")[2].partition("/")[0] or typed
            return rows.filter(**{f"{path}__public_id": public_id})

    return Filter


# Parts of cells ---------------------------------------------------------------------------


def reason_of(request: HttpRequest, longest: int = 255) -> str:
    return request.POST.get("reason", "").strip()[:longest]


def words_of(search: str) -> list[str]:
    return [word.strip("\"'") for word in smart_split(search) if word.strip("\"'")][:8]


def words(event: AuditEvent) -> str:
    """What the audit log has beside the deed itself, as text."""
    return "; ".join(
        plain(str(value)) if name == "reason" else f"{name}: {plain(str(value))}"
        for name, value in event.data.items()
        if value not in ("", None)
    )


def picture_tag(url: str, alt: str, height: int = 80) -> SafeString:
    """An image that leads to itself; sizes as attributes, since CSP forbids inline styles."""
    return format_html(
        '<a href="{0}"><img src="{0}" alt="{1}" height="{2}" loading="lazy"></a>', url, alt, height
    )


def portrait_of(person: Person) -> SafeString | str:
    """A small portrait, where Wikidata has one."""
    if not person.portrait:
        return NOTHING
    return picture_tag(settings.WIKI.file_path(person.portrait, 120), str(person))


def item_link(qid: str) -> SafeString:
    """To the item on Wikidata."""
    return link(f"{settings.WIKI.wikidata}/wiki/{qid}", qid)


def link(url: str, text: object) -> SafeString:
    return format_html('<a href="{}">{}</a>', url, text)


def lines(*parts: object) -> SafeString:
    """One below the other; empty ones are left out."""
    return format_html_join(mark_safe("<br>"), "{}", ((part,) for part in parts if part))


def list_of(model: type[Model], **lookups: object) -> str:
    """The address of a list, filtered."""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{address}?{urlencode(lookups)}" if lookups else address


def page_of(row: Model, text: object = "") -> SafeString:
    """A link to the page of a row in the admin."""
    meta = row._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return link(address, text or row)


def table(head: Iterable[object], rows: Sequence[Iterable[object]]) -> SafeString | str:
    """A small table in the page of one thing."""
    if not rows:
        return NOTHING
    return format_html(
        '<div class="rows"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        format_html_join("", '<th scope="col">{}</th>', ((cell,) for cell in head)),
        format_html_join(
            "",
            "<tr>{}</tr>",
            ((format_html_join("", "<td>{}</td>", ((c,) for c in row)),) for row in rows),
        ),
    )
