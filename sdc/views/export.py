"""The page that offers a project's data, and the files it offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.ratelimit import limited
from core.user_errors import Refused
from projects.models import Project
from projects.permissions import Can, may, moderates, project_view
from projects.privacy import denylist
from sdc import export
from sdc.models import EditBatch

View = Callable[..., HttpResponseBase]


def for_members(view: View) -> View:
    """For members of the project, and for moderators; for nobody where its person is left alone."""

    @require_safe
    @project_view(Can.VIEW)
    def wrapper(request: HttpRequest, project: Project, /, **kwargs: Any) -> HttpResponseBase:
        if may(request.user, Can.ANSWER, project) or moderates(request.user):
            try:
                denylist.refuse_project(project)
            except Refused as refused:
                raise PermissionDenied(refused.sentence) from refused
            return view(request, project, **kwargs)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        raise PermissionDenied(_("Join this project first: its page says how."))

    return wrapper


@for_members
def page(request: HttpRequest, project: Project) -> HttpResponseBase:
    """What can be taken along, with each column explained."""
    context = {
        "project": project,
        "labels": export.LABELS.items(),
        "claims": export.CLAIMS.items(),
        "formulas": [repr(sign)[1:-1] for sign in export.FORMULA],
    }
    return render(request, "sdc/export.html", context)


@limited("export", reads=True)
@for_members
def labels(request: HttpRequest, project: Project, *, form: str) -> HttpResponseBase:
    kind, write = export.FORMATS[form]
    lines = write(export.LABELS, export.label_rows(project))
    return _download(project, lines, "labels", form, kind)


@limited("export", reads=True)
@for_members
def claims(request: HttpRequest, project: Project, *, form: str) -> HttpResponseBase:
    """`?batch=CODE`: of one batch only."""
    kind, write = export.FORMATS[form]
    code = request.GET.get("batch")
    batch = None
    if code:
        confirmed = EditBatch.objects.exclude(confirmed_at=None)
        batch = get_object_or_404(confirmed, project=project, code=code)
    lines = write(export.CLAIMS, export.claim_rows(project, batch))
    return _download(project, lines, f"batch-{batch}" if batch else "claims", form, kind)


@limited("export", reads=True)
@for_members
def quick_statements(request: HttpRequest, project: Project) -> HttpResponseBase:
    lines = export.quick_statements(project)
    return _download(project, lines, "quickstatements", "txt", "text/plain")


def _download(
    project: Project, lines: Iterator[str], what: str, suffix: str, kind: str
) -> StreamingHttpResponse:
    """A file named by the person: in ASCII for old browsers, with the name's own letters else."""
    response = StreamingHttpResponse(export.in_pieces(lines), content_type=f"{kind}; charset=utf-8")
    qid = project.person.qid
    plain = f"{qid}-{what}.{suffix}"
    name = re.sub(r"[^\w .,()-]+", " ", project.person.label(get_language() or "en")).strip()[:80]
    full = quote(f"{name} {plain}".strip(), safe="")
    response["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}"
    response["Cache-Control"] = "private, no-store"
    return response
