"""What Django's reports of errors (pages with DEBUG, mails to administrators) may show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter


class NoValues(SafeExceptionReporterFilter):
    """Outside DEBUG nothing but the traceback: a token may be in any variable, a password in any
    address, and what somebody wrote in any field."""

    def get_safe_settings(self) -> dict[str, Any]:
        return {}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: Any) -> Any:
        """Pairs of name and value."""
        if self.is_active(request):
            return []
        return super().get_traceback_frame_variables(request, tb_frame)


class Reporter(ExceptionReporter):
    def _get_raw_insecure_uri(self) -> str:
        """Without the query, in which the wiki sends the code of a login."""
        return str(self.request.path) if self.request else ""

    def get_traceback_data(self) -> dict[str, Any]:
        data: dict[str, Any] = super().get_traceback_data()
        if self.filter.is_active(self.request):
            data |= {"request_GET_items": [], "request_FILES_items": []}
        return data
