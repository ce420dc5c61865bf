"""The admin of moderators. One logs in to it through the wiki, as everywhere; it has no password.

Who is logged in and doesn't moderate is told so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from projects.permissions import moderates

PASSWORDS = ("password_change", "password_change_done")
FORMS_ONLY = require_http_methods(["GET", "HEAD", "POST"])
OUR_APPS = ("projects", "crawler", "classify", "sdc")


class ModerationSite(AdminSite):
    site_title = site_header = gettext_lazy("WikiVisage: moderation")
    index_title = gettext_lazy("Moderation")
    enable_nav_sidebar = False  # the lists need the room; the start page leads everywhere

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only what is ours has a page: no groups, permissions, social accounts or tokens."""
        models = (
            model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        )
        ours = [model for model in models if model._meta.app_label in OUR_APPS]
        super().register(ours, admin_class, **options)

    def get_urls(self) -> list[Any]:
        """Without those of passwords, which nobody has."""
        kept = [each for each in super().get_urls() if getattr(each, "name", "") not in PASSWORDS]
        return [path("switch/", self.admin_view(self.switch), name="switch"), *kept]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return FORMS_ONLY(super().admin_view(view, cacheable))

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """What needs eyes, the big switch, and then the lists."""
        from wikivisage.moderation import dashboard

        more = dashboard.start_page() if moderates(request.user) else {}
        return super().index(request, {**more, **(extra_context or {})})

    def switch(self, request: HttpRequest) -> HttpResponse:
        from wikivisage.moderation import dashboard

        return dashboard.switch(request, self.each_context(request))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """To the login page and back; raises PermissionDenied for who is logged in already."""
        if request.user.is_authenticated:
            raise PermissionDenied(_("This part is for moderators."))
        wanted = request.GET.get("next", "")
        inside = url_has_allowed_host_and_scheme(wanted, {request.get_host()})
        return redirect_to_login(wanted if inside else reverse("admin:index"), settings.LOGIN_URL)
