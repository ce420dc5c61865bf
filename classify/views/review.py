"""The gallery of what was inferred or answered: approve, reject, draw anew."""

from __future__ import annotations

import json
import math
import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classify import certainty, selectors, services
from classify.forms import ReviewForm, photos_of
from classify.models import Origin
from classify.selectors import Cursor, Order, Which
from classify.views import replies, words
from classify.views.ask import whose
from projects.models import Project
from projects.permissions import Can, may, project_view, signed_in

PAGE = 60


@require_GET
@never_cache
@project_view(Can.VIEW)
def review(request: HttpRequest, project: Project) -> HttpResponse:
    """The page, or its gallery alone for the script. Who may only look gets no buttons."""
    which = _choice(Which, request.GET.get("which"), Which.MATCHES)
    order = _choice(Order, request.GET.get("order"), Order.BEST)
    counts = selectors.gallery_counts(project)
    page = selectors.gallery(project, which, order, _cursor(request.GET.get("after", "")), PAGE)
    context = whose(project) | {
        "which": which,
        "order": order,
        "page": page,
        "after": f"{page.after[0]!r}:{page.after[1]}" if page.after else "",
        "learner": selectors.learner(project),
        "may_review": may(request.user, Can.REVIEW, project),
        "client_uuid": uuid.uuid4(),
        "counts_json": json.dumps(counts),
    }
    if replies.is_script(request):
        return render(request, "classify/_gallery.html", context)
    context |= {
        "filters": [(each, counts[each]) for each in Which if counts[each] or each in ALWAYS],
        "total": counts[which],
        "sure": certainty.of(project),
        "undo_uuid": uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "words": words.review(context["name"]),
    }
    return render(request, "classify/review.html", context)


ALWAYS = (Which.MATCHES, Which.CONFIRMED, Which.REJECTED, Which.OTHERS)


@require_POST
@project_view(Can.REVIEW)
@replies.says_why
def review_answer(request: HttpRequest, project: Project) -> HttpResponse:
    """One word for all faces that were ticked, or for all that the page showed."""
    form = ReviewForm(project, request.POST)
    if not form.is_valid():
        return replies.wrong(request, project, form)
    faces = form.cleaned_data["faces"]
    photos = photos_of(project, [region for region, _own in faces])
    given = [services.Given(region, photos[region.picture_id], own) for region, own in faces]
    services.answer_many(project, given, signed_in(request), form.verdict, Origin.REVIEW)
    return replies.done(
        request,
        project,
        _sentence(form.verdict, len(given)),
        filters=selectors.gallery_counts(project),
    )


def _sentence(verdict: str, n: int) -> str:
    if verdict == "yes":
        return ngettext("%d face approved.", "%d faces approved.", n) % n
    return ngettext("%d face rejected.", "%d faces rejected.", n) % n


def _choice(choices: Any, value: str | None, default: Any) -> Any:
    return choices(value) if value in choices.values else default


def _cursor(text: str) -> Cursor | None:
    """`<key>:<id>` of the last face of the page before; nonsense begins at the first page."""
    key, _colon, pk = text.partition(":")
    try:
        cursor = (float(key), int(pk))
    except ValueError:
        return None
    return cursor if math.isfinite(cursor[0]) and cursor[1] < 2**63 else None
