"""Parts of pages about sending: the first batch to look at, and summaries as wikis show them."""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from projects.models import User
from sdc import senders
from sdc.models import ClaimAttempt, EditBatch

register = template.Library()

INTERWIKI = re.compile(r"\[\[:toolforge:([^|\]]+)\|([^\]]+)\]\]")
TOOLFORGE = "https://iw.toolforge.org/"  # where the wiki's prefix `toolforge:` leads


@register.simple_tag
def to_look_at(batch: EditBatch, user: Any) -> list[ClaimAttempt]:
    """What `batch` wrote, if it is this user's first one and waits for them to look at it."""
    if not isinstance(user, User) or batch.user_id != user.pk:
        return []
    waits = senders.first_steps_of(user).to_look_at == batch
    return list(senders.written_rows(batch)) if waits else []


@register.filter
def rendered_summary(summary: str) -> SafeString:
    """With the link to the batch as a link."""
    parts: list[str] = INTERWIKI.split(summary)  # text, target, words, text …
    shown = [parts[0]]
    for target, words, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        link = format_html('<a href="{}" rel="noopener">{}</a>', TOOLFORGE + target, words)
        shown += [link, text]
    return format_html_join("", "{}", ((part,) for part in shown))
