"""The sources of a project: what they brought, and what its owner may do with them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core import i18n
from core.ratelimit import limited
from core.user_errors import Refused
from crawler.listing import sources as listing_sources
from crawler.listing.source_stats import brought, leaving_count
from projects.creation import suggestions
from projects.creation.forms import AddPlaceForm, Row, known, sentence
from projects.creation.services import MAX_SOURCES
from projects.creation.source_lookup import Kind
from projects.models import Project, Source
from projects.permissions import Can, may, project_view, signed_in

KINDS = [(kind, kind.label) for kind in (Kind.CATEGORY, Kind.SEARCH, Kind.UPLOADER)]


@require_safe
@project_view(Can.VIEW)
def sources(request: HttpRequest, project: Project) -> HttpResponse:
    return _page(request, project, AddPlaceForm())


@limited("lookup")
@require_POST
@project_view(Can.MANAGE)
def add(request: HttpRequest, project: Project) -> HttpResponse:
    """What was typed (`add`, `kind`), a guess at what was meant, or a suggested `place`."""
    form = AddPlaceForm(request.POST)
    if place := form.place():
        try:
            source = listing_sources.add(project, place, signed_in(request))
        except Refused as refused:
            form.add_error("add", sentence(refused))
        else:
            messages.success(request, _("“%(source)s” is read now.") % {"source": source})
            return redirect("sources", project.public_id)
    return _page(request, project, form)


@require_POST
@project_view(Can.MANAGE)
def change(request: HttpRequest, project: Project, source_id: int) -> HttpResponse:
    """`do` is take-away, watch, unwatch or look."""
    source = get_object_or_404(Source, pk=source_id, project=project)
    user, deed = signed_in(request), request.POST.get("do", "")
    said = ""
    if deed == "take-away" and source.kind != Kind.FILE:
        listing_sources.remove(source, user)
        said = _("“%(source)s” is taken away. Its photos leave, but for those with answers.")
    elif deed in ("watch", "unwatch"):
        listing_sources.watch(source, user, deed == "watch")
        said = (
            _("“%(source)s” is watched: new uploads join by themselves, and you hear of it.")
            if deed == "watch"
            else _("“%(source)s” is watched no more.")
        )
    elif deed == "look":
        listing_sources.recrawl(project, user, source)
        said = _("“%(source)s” is read again.")
    if said:
        messages.success(request, said % {"source": source})
    return redirect("sources", project.public_id)


@limited("lookup", reads=True)
@require_safe
@project_view(Can.MANAGE)
def suggested(request: HttpRequest, project: Project) -> HttpResponse:
    """Places that may hold more photos of the person: a part of the page of sources."""
    return render(request, "crawler/_suggested.html", _suggestions(project))


def _suggestions(project: Project) -> dict[str, object]:
    person = known(project.person.qid)
    if person is None:
        return {"project": project, "silent": True}
    found, complete = suggestions.for_person(person, i18n.of_wikis())
    there = set(project.sources.values_list("kind", "value"))
    rows = [
        Row(*each.place, use=True, why=each.why, years=each.years)
        for each in found
        if (each.place.kind, each.place.value) not in there
    ]
    return {"project": project, "rows": rows, "silent": not complete, "suggested": True}


def _page(request: HttpRequest, project: Project, form: AddPlaceForm) -> HttpResponse:
    manages = may(request.user, Can.MANAGE, project)
    listed = brought(project)
    room = MAX_SOURCES - sum(each.source.kind != Kind.FILE for each in listed)
    asked = manages and "suggest" in request.GET  # without JavaScript
    context = {
        "project": project,
        "listed": listed,
        "manages": manages and project.state != Project.State.ARCHIVED,
        "answers": may(request.user, Can.ANSWER, project),
        "form": form,
        "kinds": KINDS,
        "room": room,
        "most": MAX_SOURCES,
        "leaving": leaving_count(project),
        **(_suggestions(project) if asked else {}),
    }
    return render(request, "crawler/sources.html", context)
