"""What is shown in the lists and on the pages: faces, files, links, tables."""

from __future__ import annotations

from typing import TypeVar

from django.conf import settings
from django.contrib import admin
from django.db.models import Model
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _text
from django.utils.translation import gettext_lazy as _

from crawler.admin import LARGE, boxed, face_and_photo, file_links
from projects.models import Project, User
from projects.moderation.admin_base import (
    NOTHING,
    ModerationAdmin,
    item_link,
    lines,
    link,
    list_of,
    page_of,
    table,
)
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch
from sdc.preview import warnings as preview_warnings

M = TypeVar("M", bound=Model)


class OfAttempt(ModerationAdmin[M]):
    """A list whose rows belong to one attempt each: its face, file, person and batch."""

    def attempt_of(self, row: M) -> ClaimAttempt:
        raise NotImplementedError

    @admin.display(description=_("face and photo"))
    def picture(self, row: M) -> SafeString:
        attempt = self.attempt_of(row)
        return face_and_photo(attempt.batch.project, attempt.claim.photo, attempt.region)

    @admin.display(description=_("photo"))
    def large_picture(self, row: M) -> SafeString:
        attempt = self.attempt_of(row)
        return boxed(attempt.claim.photo, attempt.region, LARGE)

    @admin.display(description=_("file"))
    def file(self, row: M) -> SafeString:
        return file_links(self.attempt_of(row).claim.photo)

    @admin.display(description=_("person"))
    def person(self, row: M) -> SafeString:
        claim = self.attempt_of(row).claim
        return lines(item_link(claim.qid), page_of(claim, _("claim")))

    @admin.display(description=_("batch"))
    def in_batch(self, row: M) -> SafeString:
        return batch_links(self.attempt_of(row).batch)


def diff(revision: int | None) -> SafeString | str:
    return link(settings.WIKI.diff_url(revision), _("diff")) if revision else NOTHING


def who(user: User | None) -> SafeString | str:
    """A user here, and on the wiki."""
    if user is None:
        return NOTHING
    wiki = link(settings.WIKI.page_url(f"User:{user.wiki_username}"), _("on the wiki"))
    return lines(page_of(user), wiki)


def project_links(project: Project | None) -> SafeString | str:
    if project is None:
        return NOTHING
    return lines(page_of(project), link(project.get_absolute_url(), _("project page")))


def batch_links(batch: EditBatch) -> SafeString:
    return lines(page_of(batch), link(batch.project_url, _("batch page")))


def said(attempt: ClaimAttempt) -> SafeString | str:
    """Why an attempt ended otherwise than planned, with the wiki's code where we don't know it."""
    return lines(attempt.why_title, attempt.error_detail) or NOTHING


def warnings(attempt: ClaimAttempt) -> list[str]:
    disputed = bool(attempt.label and attempt.label.disputed)
    found = [str(each.label) for each in preview_warnings.of_row(attempt)]
    return found + ([_text("answers differ")] if disputed else [])


def one_below_the_other(parts: list[str]) -> SafeString | str:
    return format_html_join("", "<div>{}</div>", ((part,) for part in parts)) or NOTHING


def found_words(watch: Watch) -> SafeString:
    change = diff(watch.revision) if watch.revision else ""
    return lines(watch.get_finding_display(), watch.by, watch.comment, change)


def attempts_table(attempts: list[ClaimAttempt]) -> SafeString | str:
    head = (_("attempt"), _("batch"), _("user"), _("outcome"), _("why"), _("change"), _("ended"))
    return table(
        head,
        [
            (
                page_of(attempt, attempt.claim),
                batch_links(attempt.batch),
                who(attempt.batch.user),
                attempt.get_outcome_display(),
                said(attempt),
                diff(attempt.revision),
                f"{attempt.ended_at:%Y-%m-%d %H:%M}" if attempt.ended_at else NOTHING,
            )
            for attempt in attempts
        ],
    )


def edits_table(edits: list[Edit]) -> SafeString | str:
    head = (_("when"), _("what"), _("user"), _("batch"), _("change"), _("summary"))
    return table(
        head,
        [
            (
                page_of(edit, f"{edit.at:%Y-%m-%d %H:%M}"),
                edit.get_kind_display(),
                who(edit.user),
                batch_links(edit.batch),
                diff(edit.revision),
                edit.summary,
            )
            for edit in edits
        ],
    )


def sent_lists(**narrowed: str) -> SafeString:
    return lines(
        *(
            link(list_of(model, **narrowed), model._meta.verbose_name_plural)
            for model in (Claim, EditBatch, Edit, Watch)
        )
    )
