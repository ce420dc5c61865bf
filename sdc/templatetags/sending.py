"""Parts of pages about sending: the first batch to look at, and summaries as wikis show them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from projects.models import User
from sdc.models import ClaimAttempt, EditBatch
from sdc.sending_rights import limits

register = template.Library()

INTERWIKI = re.compile(r"\[\[:toolforge:([^|\]]+)\|([^\]]+)\]\]")
TOOLFORGE = "https://iw.toolforge.org/"  # where the wiki's prefix `toolforge:` leads


@dataclass(frozen=True)
class FirstBatch:
    """A first batch while it goes, then with the edits that wait to be looked at."""

    going: bool
    edits: list[ClaimAttempt]


@register.simple_tag
def first_batch(batch: EditBatch, user: Any) -> FirstBatch | None:
    """`batch`, if it is this user's first one and they did not look at it yet."""
    if not isinstance(user, User) or batch.user_id != user.pk:
        return None
    standing = limits.first_steps_of(user)
    if standing.batch != batch:
        return None
    going = standing.to_look_at is None
    return FirstBatch(going, [] if going else list(limits.written_rows(batch)))


@register.filter
def rendered_summary(summary: str) -> SafeString:
    """With the link to the batch as a link."""
    parts: list[str] = INTERWIKI.split(summary)  # text, target, words, text …
    shown = [parts[0]]
    for target, words, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        link = format_html('<a href="{}" rel="noopener">{}</a>', TOOLFORGE + target, words)
        shown += [link, text]
    return format_html_join("", "{}", ((part,) for part in shown))
