"""One face at a time: is this the person?"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from classify import answers, selectors
from classify.asking import evidence
from classify.asking import queue as asking_queue
from classify.asking.evidence import Beside
from classify.asking.screens import Screen
from classify.audit import rounds
from classify.models import Answer, Question
from classify.pages import progress as pages_progress
from classify.pages import strings
from classify.review.galleries import Tile
from crawler import selectors as crawler
from crawler.models import not_paused
from projects.live.census import is_being_counted
from projects.live.polling import ticket
from projects.models import Project
from projects.permissions import Can, may, membership, project_view, signed_in
from projects.privacy import pauses

MOST_HELD = 200  # faces that a page names
LEASE_MAY_END = 30  # seconds after which a page that waits looks whether others let go of a face
COMPARED = 5  # confirmed faces beside the one in question
# In the session, how one likes to answer: "ask", one face at a time; "grids", many faces at once;
# "grid", what saves most work by what is known, the usual way.
WAY = "way"
# Milliseconds since EVER: what one skipped before is asked again, as the page says, and nothing
# that one skipped after.
ANEW, EVER = "anew", datetime(1970, 1, 1, tzinfo=UTC)


@require_GET
@never_cache
@project_view(Can.VIEW)
def ask(request: HttpRequest, project: Project) -> HttpResponse:
    """The page; who may look but not answer reads why, and how to join."""
    if not may(request.user, Can.ANSWER, project):
        return how_to_join(request, project)
    remember_way(request, "ask")
    context = _next(request, project, []) | {
        "here": "ask",
        "next_url": lead_on(request, reverse("question-next", args=[project.public_id])),
        "keep_url": reverse("questions-keep", args=[project.public_id]),
    }
    return page(request, context, strings.ask(context["name"]))


@require_GET
@never_cache
@project_view(Can.ANSWER)
def question_next(request: HttpRequest, project: Project) -> HttpResponse:
    """The next question as a fragment; `exclude` names the faces that the page holds already."""
    context = _next(request, project, faces_named(request, "exclude"))
    return render(request, context["fragment"], context)


@require_GET
@never_cache
@project_view(Can.ANSWER)
def questions_keep(request: HttpRequest, project: Project) -> HttpResponse:
    """Of the faces that a page holds (`face`) those that may still be asked there, for two
    minutes more; and the figures as they are by now."""
    asked = Question.objects.filter(subject=project.subject)
    kept = asking_queue.keep(project, asked, signed_in(request), faces_named(request, "face"))
    return JsonResponse({"kept": sorted(kept)} | pages_progress.of(project, request.user))


def page(
    request: HttpRequest, context: dict[str, Any], said: dict[str, str], template: str = "ask"
) -> HttpResponse:
    """A page on which one answers: about what `context` shows, or its `fragment` says why not."""
    told = context["counts"]
    context |= {
        "total": told["answered"] + told["left"],
        "undo_uuid": uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "words": said,
    }
    return render(request, f"classify/{template}.html", context)


def how_to_join(request: HttpRequest, project: Project) -> HttpResponse:
    """Instead of a page on which one answers, for who may look only."""
    context = whose(project) | {"mine": membership(project, request.user)}
    return render(request, "classify/ask_join.html", context)


def faces_named(request: HttpRequest, field: str) -> list[str]:
    """Public ids of regions."""
    return request.GET.getlist(field)[:MOST_HELD]


def remember_way(request: HttpRequest, way: str) -> None:
    """The way of answering used last, to which a project's main button leads."""
    if request.session.get(WAY, "grid") != way:
        request.session[WAY] = way


def way_used(request: HttpRequest) -> str:
    """The name of the address, "grid" or "ask"."""
    return "ask" if request.session.get(WAY) == "ask" else "grid"


def skipped_since(request: HttpRequest) -> datetime:
    """What the visitor skipped since then is not asked."""
    try:
        return EVER + timedelta(milliseconds=int(request.GET.get(ANEW, "0")))
    except (ValueError, OverflowError):
        return EVER


def lead_on(request: HttpRequest, url: str) -> str:
    """The address of what comes next on a page on which one looks at skipped faces anew, or not."""
    since = skipped_since(request)
    return anew(url, since) if since > EVER else url


def anew(url: str, now: datetime) -> str:
    """The address under which what was skipped until now is asked again."""
    since = (now - EVER) // timedelta(milliseconds=1)
    return f"{url}{'&' if '?' in url else '?'}{ANEW}={since}"


def asked_again(request: HttpRequest, project: Project, undone: Answer) -> str:
    """The question that an undo has put back, as a fragment; nothing for other undos, and while
    an objection pauses it."""
    if pauses.of_project(project):
        return ""
    asked = Question.objects.filter(not_paused(), subject=project.subject, region=undone.region_id)
    question = asked.select_related("region", "photo__picture").first()
    if question is None:
        return ""
    context = _shown(project, question) | {"counts": pages_progress.of(project, request.user)}
    return render_to_string("classify/_question.html", context, request)


def whose(project: Project) -> dict[str, Any]:
    """The project, the person's name and portrait: what every answering page shows.

    The portrait is the face in it, where it was found, else the file as it is.
    """
    file = project.person.portrait
    return {
        "project": project,
        "name": project.person.label(get_language() or "en"),
        "portrait": _portrait(project),
        "portrait_src": settings.WIKI.file_path(file, 250) if file else "",
    }


def _portrait(project: Project) -> Tile | None:
    """Remembered as long as the project has the same faces."""
    key = f"portrait:{project.public_id}:{project.faces_revision}"
    found: Tile | None = cache.get(key)
    if found is None and (found := selectors.portrait(project)):
        cache.set(key, found)
    return found


def helps(face: Any, known: Beside | Screen) -> dict[str, Any]:
    """What stands beside one face that is asked about (a Question or a screens.Face), if it is
    no second look: the other faces of its photo, and its name in other projects."""
    named = known.named.get(face.region.pk, [])
    return {"helps": True, "boxes": known.boxes, "choice": known.choice, "named": named}


def _next(request: HttpRequest, project: Project, faces: list[str]) -> dict[str, Any]:
    since, url = skipped_since(request), reverse("ask", args=[project.public_id])
    question: Any = answers.next_question(
        project, signed_in(request), held=faces, skipped_since=since
    )
    shown = _shown(project, question) if question else not_asking(request, project, url)
    told = (question.given, question.worth) if question else ()
    return shown | {"counts": pages_progress.of(project, request.user, *told)}


def to_compare(person: dict[str, Any], tiles: list[Tile]) -> list[Tile]:
    """Of these confirmed faces some, without the portrait (see `whose`): it is shown anyway."""
    shown = person["portrait"]
    return [tile for tile in tiles if not shown or tile.region != shown.region][:COMPARED]


def compared(person: dict[str, Any], face: Any, tiles: list[Tile]) -> dict[str, Any]:
    """What one face (see `helps`) is compared with: the portrait (see `whose`) and some of these
    confirmed faces. Where it is in the portrait itself, one of these takes the portrait's place;
    where there is none, `is_portrait` says so."""
    shown = to_compare(person, tiles)
    if not _is_portrait(person, face):
        told = {"reference": person["portrait"], "reference_src": person["portrait_src"]}
        return told | {"nearest": shown}
    others = [tile for tile in shown if not _is_same_picture(tile, face)]
    first, rest = next(iter(others), None), others[1:]
    return {"reference": first, "nearest": rest, "is_portrait": first is None}


def _is_portrait(person: dict[str, Any], face: Any) -> bool:
    if person["portrait"]:
        return _is_same_picture(person["portrait"], face)
    return bool(face.photo.title == person["project"].person.portrait)


def _is_same_picture(one: Any, other: Any) -> bool:
    same = one.photo.picture_id == other.photo.picture_id
    return same or evidence.are_alike(one.region.phash, other.region.phash)


def _shown(project: Project, question: Question) -> dict[str, Any]:
    person = whose(project)
    picture = question.photo.picture_id
    known = evidence.beside(project, question.nearest, [question.region_id], picture)
    return person | {
        "fragment": "classify/_question.html",
        "face": question,
        "client_uuid": uuid.uuid4(),  # sent twice by a plain form, it is one answer
        "op": "answer",
        "field": "verdict",
        "post_url": reverse("answer", args=[project.public_id]),
        "skip_op": "skip",
        "skip_url": reverse("skip", args=[project.public_id]),
        "is_nearest": bool(question.nearest),
        "why": evidence.why(question.kind, question.rank),
        **compared(person, question, known.confirmed),
        **helps(question, known),
    }


def not_asking(request: HttpRequest, project: Project, url: str) -> dict[str, Any]:
    """Why there is nothing to ask the user now, in how many seconds to ask again, and what else
    there is to do; `url` is the page's."""
    user = signed_in(request)
    held = Question.objects.filter(subject=project.subject).exclude(asking_queue.free())
    # before what is learned: an answer that comes in between makes the learner be behind
    holders = set(held.values_list("leased_to", flat=True))
    known = selectors.learner(project)
    progress, faces = crawler.crawl_progress(project), selectors.face_counts(project)
    is_looking = progress.crawling or progress.detecting
    paused_until = pauses.of_project(project)
    now = timezone.now() + timedelta(milliseconds=1)  # after any skip that was written down
    if project.state == Project.State.COMPLETED:
        why, again = "completed", 60
    elif paused_until:
        why, again = "objected", 60
    elif project.state != Project.State.ACTIVE:
        why, again = "paused", 30
    elif (
        (is_looking or not known.behind)
        and user.pk not in holders
        and asking_queue.has_skipped(project, user)
    ):
        why, again = "skipped", 5
    elif is_looking:
        why, again = "looking", 1
    elif known.behind:
        why, again = "learning", 1
    elif holders - {user.pk}:
        why, again = "others-answer", 5
    elif holders or is_being_counted(project):
        # held by this page, or its answer is on the way: what follows depends on it
        why, again = "learning", 2
    elif faces.unanswered:
        why, again = "enough", 15
    else:
        why, again = "all-answered" if progress.faces else "no-faces", 15
    return whose(project) | {
        "fragment": "classify/_no_question.html",
        "ticket": ticket(request, project, seconds=LEASE_MAY_END),
        "why": why,
        "paused_until": paused_until,
        "again": again,
        "progress": progress,
        "faces": faces,
        "left": known.left,
        "anew_url": anew(url, now),
        "looks": rounds.wanted(project).faces,
    }
