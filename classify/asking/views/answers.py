"""Taking answers. Each is sent once under a UUID of the page, so a repeat changes nothing."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from classify import answers
from classify.asking.context import asked_again
from classify.models import Answer, Origin, Verdict
from classify.pages import responses
from classify.pages.fields import OVERWRITTEN, AnswerForm, BoxForm, FaceForm, PhotoForm, UndoForm
from classify.review import galleries, reassign
from core.ratelimit import limited, sentence
from crawler import photo_pauses
from crawler.pictures import freshness
from projects.members.limits import seconds_to_wait_in
from projects.models import Project, User
from projects.permissions import Can, project_view, signed_in


@limited("answer")
@require_POST
@project_view(Can.ANSWER)
@responses.says_why
def answer(request: HttpRequest, project: Project) -> HttpResponse:
    """While the person is paused no question is handed out, but answers that a browser still
    had in its queue are kept: nothing is lost, and nothing is sent before a moderator decides."""
    form = AnswerForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    said = form.cleaned_data
    kept = answers.answer(
        project,
        said["region"],
        said["photo"],
        signed_in(request),
        said["verdict"],
        Origin.ASK,
        said["client_uuid"],
        said["waited"],
    )
    return responses.kept(request, project, [kept], _("Your answer is kept."))


@limited("answer")
@require_POST
@project_view(Can.ANSWER)
@responses.says_why
def skip(request: HttpRequest, project: Project) -> HttpResponse:
    form = FaceForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    answers.skip(project, form.cleaned_data["region"], signed_in(request))
    return responses.done(request, project, _("Skipped for now."))


@limited("answer")
@require_POST
@project_view(Can.ANSWER)
@responses.says_why
def draw(request: HttpRequest, project: Project) -> HttpResponse:
    form = BoxForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    drawn = form.cleaned_data
    photo_pauses.refuse_paused(project, [drawn["photo"]])
    if freshness.is_overwritten(drawn["photo"]):
        return responses.refused(request, project, "changed", str(OVERWRITTEN), status=409)
    if drawn["replaces"] and (wait := seconds_to_wait_in(project, request, "redraw")):
        # no 429, with which the page would hold back all other answers, too
        return responses.refused(request, project, "too-many", sentence(wait), status=422)
    kept = answers.draw(
        project,
        drawn["photo"],
        drawn["box"],
        signed_in(request),
        drawn["client_uuid"],
        replaces=drawn["replaces"],
    )
    return responses.done(request, project, _("The box is kept."), region=kept.region.public_id)


@limited("answer")
@require_POST
@project_view(Can.ANSWER)
@responses.says_why
def no_usable_face(request: HttpRequest, project: Project) -> HttpResponse:
    """The person is there without a usable face; the face that was asked about, if any, is
    no help then: it gets a "can't tell", which trains nothing. With a face it answers a question,
    and is kept during a pause as in `answer`."""
    with_face = "region" in request.POST
    form = FaceForm(project, request.POST) if with_face else PhotoForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    said, user = form.cleaned_data, signed_in(request)
    if not with_face:
        photo_pauses.refuse_paused(project, [said["photo"]])
    else:
        answers.answer(
            project,
            said["region"],
            said["photo"],
            user,
            Verdict.CANT_TELL,
            Origin.ASK,
            beside(said["client_uuid"]),
        )
    answers.no_usable_face(project, said["photo"], user, said["client_uuid"])
    return responses.done(request, project, _("Kept: here, but no usable face."))


@limited("answer")
@require_POST
@project_view(Can.ANSWER)
@responses.says_why
def not_here(request: HttpRequest, project: Project) -> HttpResponse:
    form = PhotoForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    said = form.cleaned_data
    photo_pauses.refuse_paused(project, [said["photo"]])
    answers.not_here(project, said["photo"], signed_in(request), said["client_uuid"])
    return responses.done(request, project, _("Kept: not in this photo."))


@limited("answer")
@require_POST
@project_view(Can.ANSWER)
@responses.says_why
def undo(request: HttpRequest, project: Project) -> HttpResponse:
    """Take back the answers that `target` names, or the last deed, whatever it was."""
    form = UndoForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    user, own = signed_in(request), form.cleaned_data["client_uuid"]
    if form.targets:
        undone = _take_back(project, user, form.targets)
    else:
        undone = _step_back(project, user, own)
    if not undone:
        nothing = _("There is nothing to undo.")
        return responses.done(request, project, nothing, undone=0, told=nothing)
    reassign.take_back(user, [each.undoes.client_uuid for each in undone if each.undoes])
    sentence = ngettext("%d answer taken back.", "%d answers taken back.", len(undone))
    sentence %= len(undone)
    return responses.done(
        request,
        project,
        sentence,
        undone=len(undone),
        told=sentence,
        question=asked_again(request, project, undone[-1]),
        filters=galleries.gallery_counts(project),
    )


def beside(client_uuid: uuid.UUID) -> uuid.UUID:
    """The UUID of the second answer that one key gave."""
    return uuid.uuid5(client_uuid, "face")


def _take_back(project: Project, user: User, targets: list[uuid.UUID]) -> list[Answer]:
    both = [each for target in targets for each in (target, beside(target))]
    return answers.undo_many(project, user, both)


def _step_back(project: Project, user: User, own: uuid.UUID) -> list[Answer]:
    undone = answers.undo(project, user, own)
    if undone is None or undone.undoes is None:
        return []
    beside_it = [beside(undone.undoes.client_uuid)]
    return answers.undone_with(undone) + answers.undo_many(project, user, beside_it)
