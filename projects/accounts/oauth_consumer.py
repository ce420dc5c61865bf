"""The OAuth consumer, by which the wiki knows this site: who hears that the wiki refuses it.

No user can mend that. A batch waits or ends with a sentence of its own (`sdc.writing.reasons`).
"""

from __future__ import annotations

import logging

from django.core.cache import cache

from projects.models import Notification
from projects.notifications.services import notify
from projects.permissions import moderators

REMINDER_SECONDS = 3600

log = logging.getLogger(__name__)


def report_refused(reason: str) -> None:
    """Tell the log and the moderators, at most once an hour."""
    if cache.add(f"consumer-refused:{reason}", True, REMINDER_SECONDS):
        log.error("the wiki refuses our OAuth consumer (%s): run manage.py doctor", reason)
        notify(moderators(), None, Notification.Kind.CONSUMER, code=reason)
