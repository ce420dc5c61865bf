"""What pages show of a question, or why there is none."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from classify import selectors
from classify.asking import evidence
from classify.asking import queue as asking_queue
from classify.asking.ways import anew
from classify.audit import rounds
from classify.models import Answer, Question
from classify.pages import progress as pages_progress
from classify.pages.answering import LEASE_MAY_END
from classify.pages.person import comparison, help_context, person_context
from crawler import selectors as crawler
from crawler.models import not_paused
from projects.live.census import is_being_counted
from projects.live.polling import ticket
from projects.models import Project
from projects.permissions import signed_in
from projects.privacy import pauses


def question_context(project: Project, question: Question) -> dict[str, Any]:
    person = person_context(project)
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
        **comparison(person, question, known.confirmed),
        **help_context(question, known),
    }


def asked_again(request: HttpRequest, project: Project, undone: Answer) -> str:
    """The question that an undo has put back, as a fragment; nothing for other undos, and while
    an objection pauses it."""
    if pauses.of_project(project):
        return ""
    asked = Question.objects.filter(not_paused(), subject=project.subject, region=undone.region_id)
    question = asked.select_related("region", "photo__picture").first()
    if question is None:
        return ""
    context = question_context(project, question) | {
        "counts": pages_progress.of(project, request.user)
    }
    return render_to_string("classify/_question.html", context, request)


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
    return person_context(project) | {
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
