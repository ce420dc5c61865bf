"""A new project: who, where, and the button."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse


@login_required
def new_project(request: HttpRequest) -> HttpResponse:
    return HttpResponse("New project")


@login_required
def person_search(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


@login_required
def category_search(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


@login_required
def category_count(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")
