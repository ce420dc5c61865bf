"""A new project: who, where, and the button; with what the page asks as one types."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from projects import categories, services, wikidata
from projects.forms import NewProjectForm, Row, sentence, wiki_is_silent
from projects.http import WikiError
from projects.models import Project
from projects.permissions import signed_in
from projects.refusal import Refused

View = Callable[[HttpRequest], HttpResponse]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_project(request: HttpRequest) -> HttpResponse:
    """The page, and each of its buttons. `?who=Q7186` begins with a person."""
    begun = QueryDict(mutable=True)
    if request.GET.get("who"):
        begun.update({"do": "find", "who": request.GET["who"], "public": "on", "anybody": "on"})
    form = NewProjectForm(signed_in(request), request.POST or begun or None)
    project = form.act() if form.is_bound else None
    if project and request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(project.get_absolute_url())
    if project:
        return redirect(project)
    in_place = bool(request.htmx)  # type: ignore[attr-defined]
    # htmx asks for the counts row by row; a browser without JavaScript gets them at once
    rows = [(row, None if in_place else _counts(row, form.qid)) for row in form.rows]
    context = {
        "form": form,
        "person": form.chosen,
        "found": [_hit(request, person) for person in form.hits],
        "rows": rows,
        "total": _total(rows),
        "depths": range(categories.MAX_DEPTH + 1),
    }
    return render(request, "projects/_new_form.html" if in_place else "projects/new.html", context)


def in_background(view: View) -> View:
    """For what the page asks by itself: nobody is sent to the login page inside it."""

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            text = _("Your session has ended. Log in again; nothing is lost.")
            return HttpResponse(text, status=401)
        return view(request)

    return wrapper


@require_safe
@in_background
def person_search(request: HttpRequest) -> HttpResponse:
    """Options for the field *Who?*: humans for `who`, or a sentence."""
    if not request.GET.get("who", "").strip():
        return HttpResponse()
    context: dict[str, object] = {}
    try:
        found = wikidata.search_people(request.GET.get("who", ""), get_language() or "en")
        context["found"] = [_hit(request, person) for person in found]
    except Refused as refused:
        context["problem"] = sentence(refused)
    except WikiError:
        context["problem"] = wiki_is_silent()
    return render(request, "projects/_people.html", context)


@require_safe
@in_background
def category_search(request: HttpRequest) -> HttpResponse:
    """Options for the field *Add a category*: names that begin with `add`, with sizes."""
    if not request.GET.get("add", "").strip():
        return HttpResponse()
    context: dict[str, object]
    try:
        context = {"found": categories.search(request.GET.get("add", "")[:250])}
    except WikiError:
        context = {"problem": wiki_is_silent()}
    return render(request, "projects/_categories.html", context)


@require_safe
@in_background
def category_count(request: HttpRequest) -> HttpResponse:
    """What the row of a category shows: `category`, `depth`, and `person` (a Q-ID)."""
    depth = request.GET.get("depth", "")
    row = Row(request.GET.get("category", ""), int(depth) if depth in set("012345") else 0)
    counts = _counts(row, request.GET.get("person", ""))
    return render(request, "projects/_counts.html", {"counts": counts})


def _counts(row: Row, qid: str) -> categories.Counts | str:
    """The counts of a row, or the sentence that stands in their place."""
    try:
        return categories.count(row.title, qid if wikidata.find_qid(qid) else "", row.depth)
    except Refused as refused:
        return refused.sentence
    except WikiError:
        return wiki_is_silent()


def _total(rows: list[tuple[Row, categories.Counts | str | None]]) -> dict[str, int] | None:
    """The sum over the ticked rows, as far as they are counted."""
    counts = [found for row, found in rows if row.use and isinstance(found, categories.Counts)]
    if not counts:
        return None
    files, lacking = sum(c.files for c in counts), sum(c.lacking for c in counts)
    return {"files": files, "depicting": files - lacking, "lacking": lacking}


def _hit(request: HttpRequest, data: wikidata.PersonData) -> dict[str, object]:
    """A person with the project that there is for them, as far as this user may see it."""
    live = services.live_projects(data.qid)
    user = signed_in(request)
    mine = live.filter(owner=user).first()
    public = live.filter(visibility=Project.Visibility.PUBLIC).first()
    return {"person": data.person, "project": mine or public, "mine": mine is not None}
