"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from projects.permissions import moderates


def wiki(request: HttpRequest) -> dict[str, Any]:
    return {
        "wiki": settings.WIKI,
        "can_log_in": settings.CAN_LOG_IN,
        "local_login": settings.LOCAL_LOGIN,
        "moderates": lambda: hasattr(request, "user") and moderates(request.user),
    }
