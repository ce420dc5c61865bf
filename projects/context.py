"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from projects.models import User
from projects.notifications.services import unread
from projects.permissions import moderates
from projects.privacy.objections import open_ones


def wiki(request: HttpRequest) -> dict[str, Any]:
    return {
        "wiki": settings.WIKI,
        "can_log_in": settings.CAN_LOG_IN,
        "local_login": settings.LOCAL_LOGIN,
        "service_worker": settings.SERVICE_WORKER,
        "moderates": lambda: hasattr(request, "user") and moderates(request.user),
        "open_objections": lambda: open_ones().count(),
        "unread": lambda: unread(request.user) if isinstance(request.user, User) else 0,
    }
