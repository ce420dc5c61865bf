"""How the lists can be narrowed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models import User
from sdc.models import ClaimAttempt, EditBatch, Watch, WritingStop
from sdc.preview import warnings
from sdc.sending_rights import stops
from sdc.writing.reasons import Reason

Finding, State = Watch.Finding, EditBatch.State
REVERTED = (Finding.REMOVED, Finding.CHANGED)
WEEK = timedelta(days=7)
# Codes of batches that did not end, or rest, because a person so wanted.
TROUBLE = (
    Reason.BLOCKED,
    Reason.NOT_PERMITTED,
    Reason.LOGIN,
    Reason.MISCONFIGURED,
    Reason.TOOL_OFF,
    Reason.BAD_TAGS,
    Reason.TURNED_AWAY,
    Reason.TROUBLE,
    Reason.READONLY,
)


class Risk(admin.SimpleListFilter):
    """What was odd about a claim when it was prepared, or what its answers say."""

    title = _("risk")
    parameter_name = "risk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        general = [("any", _("anything odd")), ("disputed", _("answers differ"))]
        return [*general, *warnings.Caution.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        disputed = Q(label__disputed=True)
        odd = {"any": disputed | ~Q(cautions=""), "disputed": disputed}
        rows = ClaimAttempt.objects.filter(odd.get(chosen, Q(cautions__contains=chosen)))
        return self.narrow(queryset, rows)

    def narrow(self, queryset: QuerySet[Any], rows: QuerySet[ClaimAttempt]) -> QuerySet[Any]:
        return queryset.filter(pk__in=rows.values("pk"))


class RiskOfClaim(Risk):
    def narrow(self, queryset: QuerySet[Any], rows: QuerySet[ClaimAttempt]) -> QuerySet[Any]:
        return queryset.filter(Exists(rows.filter(claim=OuterRef("pk"))))


class Reverted(admin.SimpleListFilter):
    """What the watch found; `path` leads from the watch to the row of the list."""

    title = _("reverted")
    parameter_name = "reverted"
    path: ClassVar[str] = "claim_attempt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        general = [
            ("yes", _("removed or changed")),
            ("week", _("removed or changed, found within a week")),
            ("unlooked", _("removed or changed, no second look yet")),
        ]
        return [*general, *Finding.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        return self.narrow(queryset, watches(chosen))

    def narrow(self, queryset: QuerySet[Any], found: QuerySet[Watch]) -> QuerySet[Any]:
        return queryset.filter(Exists(found.filter(**{self.path: OuterRef("pk")})))


def watches(chosen: str) -> QuerySet[Watch]:
    """The watches that a choice of the filter means."""
    reverted = Watch.objects.filter(finding__in=REVERTED)
    if chosen == "yes":
        return reverted
    if chosen == "week":
        return reverted.filter(found_at__gte=timezone.now() - WEEK)
    if chosen == "unlooked":
        return reverted.filter(looked_at=None)
    return Watch.objects.filter(finding=chosen)


class RevertedClaim(Reverted):
    path = "claim_attempt__claim"


class RevertedEdit(Reverted):
    def narrow(self, queryset: QuerySet[Any], found: QuerySet[Watch]) -> QuerySet[Any]:
        return queryset.filter(Exists(found.filter(claim_attempt=OuterRef("attempt"))))


class RevertedWatch(Reverted):
    def narrow(self, queryset: QuerySet[Any], found: QuerySet[Watch]) -> QuerySet[Any]:
        return found & queryset


class InTrouble(admin.SimpleListFilter):
    title = _("trouble")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("stopped or paused by trouble"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(in_trouble()) if self.value() else queryset


def in_trouble() -> Q:
    return Q(state__in=(State.STOPPED, State.PAUSED), reason__in=TROUBLE)


class Why(admin.SimpleListFilter):
    """Why an attempt was skipped or refused."""

    title = _("why")
    parameter_name = "why"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Reason.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


class Holds(admin.SimpleListFilter):
    title = _("now")
    parameter_name = "holds"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("holds")), ("no", _("lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return (
            queryset.filter(lifted_at__isnull=self.value() == "yes") if self.value() else queryset
        )


class MayNotSend(admin.SimpleListFilter):
    title = _("sending")
    parameter_name = "sending"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("may not send")), ("share", _("held back by the share rule"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        field = "user" if queryset.model is User else "project"
        holding = stops.active().filter(**{field: OuterRef("pk")})
        if self.value() == "share":
            holding = holding.filter(source=WritingStop.Source.SHARE)
        return queryset.filter(Exists(holding))
