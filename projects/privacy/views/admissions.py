"""Asking the moderators whether there may be a project for a person, and what they said."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.ratelimit import limited
from core.user_errors import Refused
from projects.creation.forms import wiki_problem
from projects.models import Person
from projects.permissions import signed_in
from projects.privacy import admission_requests, admissions
from wiki import wikidata
from wiki.http import WikiError


@limited("project")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def admission(request: HttpRequest, qid: str) -> HttpResponse:
    try:
        data = wikidata.read_human(qid)
    except Refused as refused:
        raise Http404(refused.sentence) from None
    except WikiError as error:
        messages.error(request, wiki_problem(error))
        return redirect("project-new")
    if request.method == "POST":
        try:
            admission_requests.ask(data, signed_in(request), request.POST.get("note", ""))
            messages.success(request, _("The moderators were asked. You will hear of it here."))
        except Refused as refused:
            messages.info(request, refused.sentence)
        return redirect("admission", data.qid)
    person = Person.from_wikidata(data)
    context = {
        "person": person,
        "asked": admissions.found(data.qid),
        "cause": admissions.cause_of(person),
        "mine": request.user,
    }
    return render(request, "projects/admission.html", context)
