"""Statements on the wiki that rest on what one member said: listed, never touched from here."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classify.labels import standing
from classify.models import Verdict
from classify.trust.views import of_member
from projects.models import Project, User
from projects.permissions import Can, project_view
from sdc.models import Claim, ClaimAttempt

FEW, ROWS = 5, 50  # as a part of another page, and on a page of its own


@require_safe
@never_cache
@project_view(Can.VIEW)
def member_statements(request: HttpRequest, project: Project, user_id: str) -> HttpResponse:
    """A few lines for the page of the member's answers, or a page of its own."""
    theirs = of_member(request, project, user_id)
    part, before = "HX-Request" in request.headers, request.GET.get("before", "")
    shown = FEW if part else ROWS
    rows = resting_on(project, theirs.user)
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.select_related("claim__photo", "label", "batch__project")[: shown + 1])
    context = {
        "project": project,
        "theirs": theirs,
        "attempts": found[:shown],
        "before": found[shown - 1].pk if len(found) > shown else "",
        "first_page": not before,
        "part": part,
    }
    template = "sdc/_member_statements.html" if part else "sdc/member_statements.html"
    return render(request, template, context)


def resting_on(project: Project, user: User) -> QuerySet[ClaimAttempt]:
    """What this project wrote and stands, as far as we know, about faces to which `user` said
    Yes; latest first. `label` is the word of now, if it is still there."""
    said = standing(project).order_by().filter(user=user, verdict=Verdict.YES)
    written = ClaimAttempt.objects.filter(
        Exists(said.filter(region=OuterRef("region"))),
        batch__project=project,
        outcome=ClaimAttempt.Outcome.WRITTEN,
        undoes=None,
        claim__state=Claim.State.WRITTEN,
        claim__project=project,
    )
    return written.order_by("-pk")
