"""A new project: who, where, and the button; with what the page asks as one types."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from core import i18n
from core.ratelimit import limited
from core.user_errors import Refused
from projects.creation import person_lookup, source_lookup
from projects.creation import services as creation
from projects.creation.forms import NewProjectForm, read_key, sentence, wiki_problem
from projects.creation.place_tree import Chooser, counted
from projects.creation.source_lookup import Kind
from projects.models import Person, Project
from projects.permissions import signed_in
from wiki import categories, wikidata
from wiki.http import WikiError

View = Callable[[HttpRequest], HttpResponse]


def _starts(request: HttpRequest) -> bool:
    return request.POST.get("do", "start") == "start"


@limited("lookup")
@limited("project", when=_starts)
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
    # htmx asks for the counts row by row; a browser without JavaScript gets them with its posts
    lazily = in_place or request.method != "POST"
    known = source_lookup.is_known if lazily else lambda _place, _qid: True
    ready = all(known(place, form.qid) for place in form.chosen_places)
    context = {
        "form": form,
        "person": Person.from_wikidata(form.chosen) if form.chosen else None,
        "found": [_hit(request, person) for person in form.hits],
        "rows": Chooser(form, lazily=lazily).rows(),
        "sum": source_lookup.add_up(form.chosen_places, form.qid) if ready else None,
        "waits": not ready,
        "depths": range(categories.MAX_DEPTH + 1),
        "kinds": [(kind, kind.label) for kind in (Kind.CATEGORY, Kind.SEARCH, Kind.UPLOADER)],
        "most": creation.MAX_SOURCES,
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


@limited("lookup", reads=True)
@require_safe
@in_background
def person_search(request: HttpRequest) -> HttpResponse:
    """Options for the field *Who?*: humans for `who`, or a sentence."""
    if not request.GET.get("who", "").strip():
        return HttpResponse()
    context: dict[str, object] = {}
    try:
        found = person_lookup.search_people(request.GET.get("who", ""), i18n.of_wikis())
        context["found"] = [_hit(request, person) for person in found]
    except Refused as refused:
        context["problem"] = sentence(refused)
    except WikiError as error:
        context["problem"] = wiki_problem(error)
    return render(request, "projects/_people.html", context)


@limited("lookup", reads=True)
@require_safe
@in_background
def category_search(request: HttpRequest) -> HttpResponse:
    """Options for the field *Add a source*: categories that begin with `add`, with sizes, or users
    of the wiki; none for a search."""
    kind, typed = request.GET.get("kind", Kind.CATEGORY), request.GET.get("add", "").strip()[:250]
    searches = {Kind.CATEGORY: categories.search, Kind.UPLOADER: source_lookup.users}
    if not typed or kind not in searches:
        return HttpResponse()
    context: dict[str, object] = {"users": kind == Kind.UPLOADER}
    try:
        context["found"] = searches[Kind(kind)](typed)
    except WikiError as error:
        context["problem"] = wiki_problem(error)
    return render(request, "projects/_categories.html", context)


@limited("lookup", reads=True)
@require_safe
@in_background
def place_count(request: HttpRequest) -> HttpResponse:
    """What the row of a place shows: `place` is its key, `depth:<key>` its levels, `person` a
    Q-ID."""
    key, qid = request.GET.get("place", ""), request.GET.get("person", "")
    place = read_key(key, request.GET.get(f"depth:{key}", request.GET.get("depth", "")))
    counts = counted(place, qid if wikidata.find_qid(qid) else "") if place else ""
    return render(request, "projects/_counts.html", {"counts": counts})


@limited("lookup", reads=True)
@require_POST
@in_background
def new_sum(request: HttpRequest) -> HttpResponse:
    """The sum over what is ticked in the form."""
    form = NewProjectForm(signed_in(request), request.POST)
    qid = form.qid if wikidata.find_qid(form.qid) else ""
    found = source_lookup.add_up(form.chosen_places, qid)
    return render(request, "projects/_new_sum.html", {"form": form, "sum": found})


def _hit(request: HttpRequest, data: wikidata.PersonData) -> dict[str, object]:
    """A person with the project that there is for them, as far as this user may see it."""
    live = creation.live_projects(data.qid)
    user = signed_in(request)
    mine = live.filter(owner=user).first()
    public = live.filter(visibility=Project.Visibility.PUBLIC).first()
    return {
        "person": Person.from_wikidata(data),
        "project": mine or public,
        "mine": mine is not None,
    }
