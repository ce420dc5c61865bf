"""Objecting without a login, and what became of it for who knows the code."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from core.ratelimit import limited, seconds_to_wait
from projects.models import Objection
from projects.privacy import objections, pauses
from projects.privacy.objection_targets import read_target
from wiki.titles import LONGEST_ADDRESS


class ObjectionForm(forms.Form):
    """`website` is a trap for machines that fill in every field; people don't see it."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What should this tool stop using?"),
        choices=Objection.Kind.choices,
        widget=forms.RadioSelect,
        initial=Objection.Kind.PERSON,
    )
    about = forms.CharField(
        label=gettext_lazy("Which one?"),
        help_text=gettext_lazy("A name, a title or the address of a page."),
        max_length=LONGEST_ADDRESS,
        required=False,
    )
    message = forms.CharField(
        label=gettext_lazy("What do you ask for, and why?"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    contact = forms.CharField(
        label=gettext_lazy("How can we reach you? (if you like)"),
        help_text=gettext_lazy(
            "An e-mail address or a user name. You can follow your objection without it, too."
        ),
        max_length=200,
        required=False,
    )
    website = forms.CharField(required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("website"):
            raise forms.ValidationError(_("Leave the hidden field empty."))
        is_missing = "about" not in self.errors and not data.get("about", "").strip()
        if data.get("kind") != Objection.Kind.OTHER and is_missing:
            self.add_error("about", _("Say which one: a name, a title or an address."))
        return data


@limited("objection")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def object_to(request: HttpRequest) -> HttpResponse:
    """The form; `?about=Q7186` fills in what it is about."""
    about = request.GET.get("about", "")[:LONGEST_ADDRESS]
    kind, _value = read_target(about, Objection.Kind.PERSON, by_name=False)
    form = ObjectionForm(request.POST or None, initial={"about": about, "kind": kind})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        made = objections.lodge(
            said["about"],
            said["kind"],
            said["message"],
            said["contact"],
            may_pause=lambda: not seconds_to_wait(request, "pause"),
        )
        return redirect("objection", made.code)
    status = 422 if form.errors else 200
    context = {"form": form, "days": settings.RETENTION_DAYS, "pause_days": pauses.LASTS.days}
    return render(request, "projects/object.html", context, status=status)


@never_cache
@require_safe
def objection(request: HttpRequest, code: str) -> HttpResponse:
    """Only state and answer: what was written is for moderators alone."""
    found = get_object_or_404(Objection, code=code)
    context = {
        "objection": found,
        "listed": objections.is_listed(found),
        "paused_until": pauses.of_objection(found),
    }
    response = render(request, "projects/objection.html", context)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response
