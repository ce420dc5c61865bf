"""The gallery of what was inferred or answered: approve, reject, reassign, compare, draw anew."""

from __future__ import annotations

import json
import math
import re
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classify import answers as classify_answers
from classify import selectors
from classify.audit import estimates
from classify.models import Answer, Label, Origin, Score
from classify.pages import responses, strings
from classify.pages.fields import ReassignForm, ReviewForm, faces_of, photos_of
from classify.pages.person import person_context
from classify.review import galleries, reassign
from classify.review.galleries import Cursor, Facet, Facets, Fresh, Narrow, Order, Size, Tile, Which
from core.ratelimit import limited
from core.user_errors import Refused
from crawler import photo_pauses
from crawler.models import Region
from projects.models import Project
from projects.permissions import Can, may, project_view, signed_in
from projects.privacy import denylist, pauses

PAGE = 48
CHOSEN = 200  # faces that are moved to another project at once
STATES = (
    Which.MATCHES,
    Which.CONFIRMED,
    Which.APPROVED,
    Which.ON_COMMONS,
    Which.REJECTED,
    Which.OTHERS,
)
SECOND = (Which.DOUBTED, Which.DISPUTED)
PARTS = (Which.APPROVED, Which.ON_COMMONS)  # of what is confirmed
ALWAYS = (Which.MATCHES, Which.CONFIRMED, Which.REJECTED, Which.OTHERS, *SECOND)
ANSWERS = 30  # of one face that are listed
YEAR = re.compile(r"[12]\d{3}|[12]\d\d0s|none")


@dataclass(frozen=True)
class Chosen:
    """What the address of a gallery says."""

    which: Which
    order: Order
    narrow: Narrow
    photos: bool  # whole photos instead of faces

    @classmethod
    def of(cls, project: Project, query: QueryDict) -> Chosen:
        year = query.get("year", "")
        fresh = Fresh.of(project, query.get("fresh", ""))
        # who comes from the years of a person wants to see them
        usual = Which.CONFIRMED if year else Which.MATCHES
        if fresh and "which" not in query:  # wherever the new faces are
            counts = fresh.counts(project)
            usual = next((each for each in ALWAYS if counts[each]), usual)
        return cls(
            which=_choice(Which, query.get("which"), usual),
            order=_choice(Order, query.get("order"), Order.BEST),
            narrow=Narrow(
                way=_choice(Origin, query.get("way"), ""),
                size=_choice(Size, query.get("size"), ""),
                by=query.get("by", "")[:16],
                year=year if YEAR.fullmatch(year) else "",
                fresh=fresh,
            ),
            photos=query.get("view") == "photos",
        )

    def address(self, **changes: str) -> str:
        """The address of the same gallery with something else chosen; "?" and what follows."""
        narrow = self.narrow
        values = {
            "which": str(self.which),
            "order": str(self.order) if self.order != Order.BEST else "",
            "way": narrow.way,
            "size": narrow.size,
            "by": narrow.by,
            "year": narrow.year,
            "fresh": str(narrow.fresh.source.pk) if narrow.fresh else "",
            "view": "photos" if self.photos else "",
        } | changes
        query = QueryDict(mutable=True)
        query.update({name: value for name, value in values.items() if value})
        return f"?{query.urlencode(safe=':')}"


@require_GET
@never_cache
@project_view(Can.VIEW)
def review(request: HttpRequest, project: Project) -> HttpResponse:
    """The page, or some of its faces for the script. Who may only look gets no buttons."""
    chosen = Chosen.of(project, request.GET)
    after, before = (_cursor(request.GET.get(name, "")) for name in ("after", "before"))
    page = galleries.gallery(
        project, chosen.which, chosen.order, after, PAGE, chosen.narrow, before
    )
    counts = galleries.gallery_counts(project)
    context = person_context(project) | {
        "picked": chosen,
        "which": chosen.which,
        "order": page.order,
        "tiles": galleries.stacked(page.tiles),
        "more": chosen.address(after=galleries.cursor_text(page.after))
        if page.after and before is None
        else "",
        "earlier": galleries.cursor_text(page.after) if page.after and before is not None else "",
        "learner": selectors.learner(project),
        "may_review": _may_review(request, project),
        "client_uuid": uuid.uuid4(),
        "counts_json": json.dumps(counts),
        "whole": chosen.address(),
        "plain": chosen.address(way="", size="", by="", year="", fresh=""),
        "fresh": chosen.narrow.fresh,
    }
    if responses.is_script(request):
        return render(request, "classify/_gallery.html", context)
    facets = galleries.facets(project, chosen.which, chosen.narrow)
    is_sample = bool(chosen.narrow) or not counts  # nothing was counted yet
    groups = _groups(chosen, facets)
    if fresh := chosen.narrow.fresh:
        counts = fresh.counts(project)
    context |= {
        "states": _states(chosen, counts),
        "groups": groups,
        "chosen_filters": sum(each["is_chosen"] for group in groups for each in group["links"]),
        "orders": _orders(chosen, page.order),
        "is_sorted": page.order == chosen.order,
        "total": facets.total if is_sample else counts[chosen.which],
        "at_least": is_sample and facets.more,
        "as_faces": chosen.address(view=""),
        "as_photos": chosen.address(view="photos"),
        "sure": estimates.of(project),
        "undo_uuid": uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "words": strings.review(context["name"]),
    }
    return render(request, "classify/review.html", context)


@require_GET
@never_cache
@project_view(Can.VIEW)
def review_face(request: HttpRequest, project: Project, region_id: str) -> HttpResponse:
    """One face of the gallery in its photo: what was said of it, by whom and when."""
    [tile] = _tiles(project, [region_id])
    answers = Answer.objects.filter(subject=project.subject, region=tile.region).exclude(verdict="")
    standing = answers.exclude(origin=Origin.UNDO).select_related("user")
    boxes = Region.objects.filter(picture=tile.photo.picture_id, replaced_by=None)
    context = person_context(project) | {
        "tile": tile,
        "boxes": boxes.exclude(origin=Region.Origin.PHOTO),
        "answers": standing.filter(undone_by=None).order_by("-id")[:ANSWERS],
        "may_review": _may_review(request, project),
        "client_uuid": uuid.uuid4(),
        "here": reverse("review", args=[project.public_id]),
    }
    part = "classify/_face.html" if responses.is_script(request) else "classify/face.html"
    return render(request, part, context)


@require_GET
@never_cache
@project_view(Can.VIEW)
def review_compare(request: HttpRequest, project: Project) -> HttpResponse:
    """Two faces side by side, at the same size, and the person's portrait."""
    named = list(dict.fromkeys(request.GET.getlist("region")))
    if len(named) != 2:
        raise Http404
    context = person_context(project) | {
        "pair": _tiles(project, named),
        "may_review": _may_review(request, project),
        "client_uuid": uuid.uuid4(),
        "here": reverse("review", args=[project.public_id]),
    }
    part = "classify/_compare.html" if responses.is_script(request) else "classify/compare.html"
    return render(request, part, context)


@require_GET
@never_cache
@project_view(Can.REVIEW)
def review_else(request: HttpRequest, project: Project) -> HttpResponse:
    """Somebody else: who? The projects in which the user may say Yes to these very faces."""
    tiles = _tiles(project, list(dict.fromkeys(request.GET.getlist("region")))[:CHOSEN])
    try:
        photo_pauses.refuse_paused(project, [tile.photo for tile in tiles])
    except Refused as refused:
        messages.error(request, refused.sentence)
        return redirect("review", project.public_id)
    sought = request.GET.get("q", "")[:100]
    user = signed_in(request)
    keys = [tile.region.pk for tile in tiles]
    found = reassign.offered(project, user, keys, sought)
    context = person_context(project) | {
        "tiles": tiles,
        "offered": [(each, reassign.joins(each, user)) for each in found],
        "sought": sought,
        "client_uuid": uuid.uuid4(),
        "here": reverse("review", args=[project.public_id]),
    }
    part = "classify/_else.html" if responses.is_script(request) else "classify/else.html"
    return render(request, part, context)


@limited("answer")
@require_POST
@project_view(Can.REVIEW)
@responses.says_why
def review_answer(request: HttpRequest, project: Project) -> HttpResponse:
    """One word for all faces that were ticked, or for all that the page showed."""
    if (leads_to := PAGES.get(request.POST.get("deed", ""))) and request.POST.getlist("region"):
        return _led(request, project, leads_to)
    form = ReviewForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    given = _given(project, form)
    photo_pauses.refuse_paused(project, [each.photo for each in given])
    classify_answers.answer_many(project, given, signed_in(request), form.verdict, Origin.REVIEW)
    return responses.done(
        request,
        project,
        _sentence(form.verdict, len(given)),
        filters=galleries.gallery_counts(project),
    )


@limited("answer")
@require_POST
@project_view(Can.REVIEW)
@responses.says_why
def review_reassign(request: HttpRequest, project: Project) -> HttpResponse:
    """These faces are somebody else: No here, and Yes in that person's project if it is named."""
    form = ReassignForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    given, other, user = _given(project, form), form.cleaned_data["other"], signed_in(request)
    for one in filter(None, (project, other)):
        photo_pauses.refuse_paused(one, [each.photo for each in given])
    if other is None:
        classify_answers.answer_many(project, given, user, form.verdict, Origin.REVIEW)
        sentence = _sentence(form.verdict, len(given))
    else:
        reassign.reassign(project, other, given, user)
        text = ngettext(
            "%(n)d face is %(name)s, not %(other)s.",
            "%(n)d faces are %(name)s, not %(other)s.",
            len(given),
        )
        sentence = text % {"n": len(given), "name": other.person, "other": project.person}
    return responses.done(request, project, sentence, filters=galleries.gallery_counts(project))


def _may_review(request: HttpRequest, project: Project) -> bool:
    """Whether the page offers verdicts: while its person is paused it can only be read."""
    return may(request.user, Can.REVIEW, project) and not pauses.of_project(project)


# Deeds of the gallery that are a page of their own where there is no script
PAGES = {"else": "review-else", "compare": "review-compare"}


def _led(request: HttpRequest, project: Project, name: str) -> HttpResponse:
    query = QueryDict(mutable=True)
    query.setlist("region", request.POST.getlist("region"))
    if name == "review-compare" and len(query.getlist("region")) != 2:
        sentence = _("Choose two faces to compare.")
        return responses.refused(request, project, "two", sentence, status=422)
    return redirect(f"{reverse(name, args=[project.public_id])}?{query.urlencode()}")


def _given(project: Project, form: ReviewForm) -> list[classify_answers.Given]:
    faces = form.cleaned_data["faces"]
    photos = photos_of(project, [region for region, _own in faces])
    return [classify_answers.Given(region, photos[region.picture_id], own) for region, own in faces]


def _tiles(project: Project, public_ids: list[str]) -> list[Tile]:
    """These faces with what is said and thought of them. Raises Http404 if one is not here, or
    none is named, and where the person is left alone."""
    faces = faces_of(project, public_ids)
    if not faces or len(faces) != len(public_ids):
        raise Http404
    photos = photos_of(project, faces)
    denied = any(photos[face.picture_id].state == "denied" for face in faces)
    if denied or denylist.denied_project(project):
        raise Http404
    said = Label.objects.filter(subject=project.subject, region__in=faces).select_related("user")
    words_ = {label.region_id: label for label in said}
    thought = {
        score.region_id: score
        for score in Score.objects.filter(subject=project.subject, region__in=faces)
    }
    return [
        Tile(face, photos[face.picture_id], words_.get(face.pk), thought.get(face.pk))
        for face in faces
    ]


def _states(chosen: Chosen, counts: dict[str, int]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Groups of states as links. Each leads to all of its faces, so that its count is true."""

    def links(some: tuple[Which, ...]) -> list[dict[str, Any]]:
        return [
            {
                "which": each,
                "n": counts.get(each),
                "part": each in PARTS,
                "href": chosen.address(which=str(each), way="", size="", by="", year=""),
            }
            for each in some
            if counts.get(each, True) or each in ALWAYS or each == chosen.which
        ]

    return [(_("State"), links(STATES)), (_("For a second look"), links(SECOND))]


def _groups(chosen: Chosen, facets: Facets) -> list[dict[str, Any]]:
    """The other filters. What is chosen leads back to where it is not."""
    titles = {
        "way": _("Answered in"),
        "size": _("Size of the face"),
        "by": _("Answered by"),
        "year": _("Year"),
    }
    groups = []
    for name, found in facets.groups.items():
        now = getattr(chosen.narrow, name)
        links = [
            {
                "label": _label(name, each),
                "facet": each,
                "is_chosen": each.value == now,
                "href": chosen.address(**{name: "" if each.value == now else each.value}),
                "part": name == "year" and each.value.isdigit(),
            }
            for each in found
        ]
        if links and (len(links) > 1 or now):
            groups.append({"name": name, "title": titles[name], "links": links})
    return groups


def _label(name: str, facet: Facet) -> str:
    if name == "way":
        return {
            Origin.ASK.value: _("One at a time"),
            Origin.GRID.value: _("A grid"),
            Origin.AGAIN.value: _("A second look"),
            Origin.DRAWN.value: _("Drawing"),
            Origin.REVIEW.value: _("Review"),
            Origin.BOOTSTRAP.value: _("A statement on the wiki"),
        }.get(facet.value, facet.label)
    if name == "year" and facet.value == "none":
        return _("Not known")
    if name == "year" and facet.value.endswith("s"):
        # Translators: a decade; “1910s”
        return _("%(year)ss") % {"year": facet.value[:-1]}
    return facet.label


def _orders(chosen: Chosen, order: str) -> list[tuple[str, str, bool]]:
    doubted = chosen.which == Which.DOUBTED
    names = {
        Order.BEST: _("Most doubted first") if doubted else _("Most likely first"),
        Order.WORST: _("Least doubted first") if doubted else _("Least likely first"),
        Order.NEWEST: _("Newest first"),
    }
    return [(name, chosen.address(order=str(each)), each == order) for each, name in names.items()]


def _sentence(verdict: str, n: int) -> str:
    if verdict == "yes":
        return ngettext("%d face approved.", "%d faces approved.", n) % n
    if verdict == "no":
        return ngettext("%d face rejected.", "%d faces rejected.", n) % n
    return ngettext("%d answer kept.", "%d answers kept.", n) % n


def _choice(choices: Any, value: str | None, default: Any) -> Any:
    return choices(value) if value in choices.values else default


def _cursor(text: str) -> Cursor | None:
    """`<key>:<id>` of the last face of the page before; nonsense begins at the first page."""
    key, _colon, pk = text.partition(":")
    try:
        cursor = (float(key), int(pk))
    except ValueError:
        return None
    return cursor if math.isfinite(cursor[0]) and abs(cursor[1]) < 2**63 else None
