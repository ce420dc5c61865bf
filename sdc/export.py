"""A project's labels and claims as CSV and JSON, and its reviewed claims as QuickStatements.

All of it is made a chunk of rows at a time, so that neither a large project nor a slow reader
fills the memory or holds the database.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from classify.models import Label
from classify.selectors import best_of
from core.text import plain
from crawler.models import Photo, Region
from projects.models import Project
from projects.privacy import denylist, pauses
from sdc.files.statements import place_in, place_of
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch
from sdc.preview import warnings
from sdc.preview.eligibility import claims_of, depicting, passed_over, ready
from sdc.writing.reasons import sentence

Row = dict[str, Any]
Columns = dict[str, str | Promise]
M = TypeVar("M", bound=models.Model)

CHUNK = 1000
# A spreadsheet takes a cell that begins so for a formula, and would run it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
SPLIT = re.compile(r"[;\t]\s*(?=[=+\-@＝＋－＠])")

LABELS: Columns = {
    "file": _("title of the file"),
    "page_id": _("number of its page"),
    "mid": _("the same as entity of structured data: M and the number"),
    "qid": _("the person"),
    "label": _("the person's name"),
    "verdict": _("what was said: yes, no, not-a-face, cant-tell, background or artwork"),
    "origin": _("how: ask, drawn or review; bootstrap is a statement that existed"),
    "by": _("who said so, by their name on the wiki; empty for bootstrap"),
    "at": _("when, UTC"),
    "disputed": _("whether people's answers differ"),
    "place": _("the box as the qualifier has it: left, top, width, height in per cent"),
    "x": _("the box in parts of the picture, 0 to 1: its left edge"),
    "y": _("its upper edge"),
    "w": _("its width"),
    "h": _("its height"),
    "region": _("the box's name in this tool"),
    "sha1": _("the picture that was looked at"),
    "on_wiki": _("whether the file says so already, as far as we know"),
}
CLAIMS: Columns = {
    "mid": _("the file as entity of structured data"),
    "file": _("its title when it was sent"),
    "qid": _("the person"),
    "state": _("how the claim stands: free, sending, written, present, removed, undone …"),
    "kind": _("add, or undo: took a statement back"),
    "batch": _("code of the batch"),
    "by": _("who sent it, by their name on the wiki"),
    "at": _("when it ended, or was last tried; UTC"),
    "outcome": _("planned, written, present, skipped or refused"),
    "reason": _("why it was not written, as a code"),
    "reason_text": _("the same in words"),
    "guid": _("the statement's GUID"),
    "revision": _("the edit's revision"),
    "diff": _("address of the edit"),
    "watch": _("what was found when it was looked at again: stands, removed, changed or gone"),
    "watch_by": _("who removed or changed it"),
    "place": _("the box in the statement"),
}


def label_rows(project: Project) -> Iterator[Row]:
    qid, name = project.person.qid, project.person.label()
    said = claims_of(project).filter(state__in=(Claim.State.WRITTEN, Claim.State.PRESENT))
    on_wiki = Exists(said) | Exists(depicting(project))
    rows = Label.objects.filter(subject=project.subject).exclude(photo__state=Photo.State.DENIED)
    rows = rows.annotate(on_wiki=on_wiki)
    for label in _in_chunks(rows.select_related("photo", "region__picture", "user")):
        photo, region = label.photo, label.region
        yield {
            "file": photo.title,
            "page_id": photo.page_id,
            "mid": photo.mid,
            "qid": qid,
            "label": name,
            "verdict": label.verdict,
            "origin": label.origin,
            "by": label.user.wiki_username if label.user else "",
            "at": _iso(label.decided_at),
            "disputed": label.disputed,
            "place": place_of(region) or "",
            **_box(region),
            "region": region.public_id,
            "sha1": region.picture.sha1,
            "on_wiki": label.on_wiki,  # type: ignore[attr-defined]
        }


def claim_rows(project: Project, batch: EditBatch | None = None) -> Iterator[Row]:
    """What was sent, one row a try: of all batches that were confirmed, or of one."""
    sent = Q(ended_at__isnull=False) | Q(outcome=ClaimAttempt.Outcome.PLANNED)
    rows = ClaimAttempt.objects.filter(sent).exclude(outcome=ClaimAttempt.Outcome.EXCLUDED)
    rows = rows.select_related("claim", "watch")
    batches = EditBatch.objects.filter(project=project).exclude(confirmed_at=None)
    if batch is not None:
        batches = batches.filter(pk=batch.pk)
    for each in _in_chunks(batches.select_related("user")):
        for attempt in _in_chunks(rows.filter(batch=each)):
            yield _claim_row(each, attempt)


def _claim_row(batch: EditBatch, attempt: ClaimAttempt) -> Row:
    claim, revision = attempt.claim, attempt.revision
    watch: Watch | None = getattr(attempt, "watch", None)
    reason = attempt.reason or attempt.error
    return {
        "mid": f"M{claim.page_id}",
        "file": attempt.title,
        "qid": claim.qid,
        "state": claim.state,
        "kind": batch.kind,
        "batch": batch.code,
        "by": batch.user.wiki_username,
        "at": _iso(attempt.ended_at or attempt.began_at),
        "outcome": attempt.outcome,
        "reason": reason,
        "reason_text": sentence(reason),
        "guid": attempt.statement_guid,
        "revision": revision,
        "diff": settings.WIKI.diff_url(revision) if revision else "",
        "watch": watch.finding if watch and watch.checked_at else "",
        "watch_by": watch.by if watch else "",
        "place": place_in(attempt.statement),
    }


def quick_statements(project: Project) -> Iterator[str]:
    """A line a file, in QuickStatements' first syntax: what people said Yes to and nobody speaks
    against, unless the file says so already by our own rows."""
    if pauses.of_project(project):
        return
    qid = project.person.qid
    depicts, region = settings.WIKI.depicts, settings.WIKI.region
    for label in _best_labels(project):
        line = f"{label.photo.mid}|{depicts}|{qid}"
        place = place_of(label.region) if project.write_region else None
        yield f'{line}|{region}|"{place}"\n' if place else f"{line}\n"


def _best_labels(project: Project) -> Iterator[Label]:
    """The label of each file that the preview would plan, by what our own rows know."""
    said = ready(project)
    over = set(passed_over(project).values_list("claim__photo", flat=True))
    several = set(
        said.values("photo").annotate(n=Count("pk")).filter(n__gt=1).values_list("photo", flat=True)
    )
    for chunk in _chunks(said.select_related("photo", "region")):
        rivals = said.filter(photo__in=several & {label.photo_id for label in chunk})
        best = {label.pk for label in best_of(rivals.select_related("region"))}
        labels = [
            label
            for label in chunk
            if label.photo_id not in over and (label.photo_id not in several or label.pk in best)
        ]
        denied = denylist.denied_files((each.photo.page_id, each.photo.title) for each in labels)
        crowds = warnings.crowds({label.region.picture_id for label in labels})
        for label in labels:
            small = warnings.is_small(label.region, crowds[label.region.picture_id])
            if label.photo.page_id not in denied and not small:
                yield label


def as_csv(columns: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    """Lines as spreadsheets read them (RFC 4180), harmless in each cell."""
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_cell(row[name]) for name in columns])


def as_json(columns: Iterable[str], rows: Iterable[Row]) -> Iterator[str]:
    """An array of objects, one a line."""
    begin = "["
    for row in rows:
        yield begin + "\n" + json.dumps({name: row[name] for name in columns}, ensure_ascii=False)
        begin = ","
    yield "[]\n" if begin == "[" else "\n]\n"


FORMATS: dict[str, tuple[str, Callable[[Iterable[str], Iterable[Row]], Iterator[str]]]] = {
    "csv": ("text/csv", as_csv),
    "json": ("application/json", as_json),
}


def in_pieces(lines: Iterator[str], size: int = 1 << 15) -> Iterator[bytes]:
    """The same in pieces of some size: a line by itself is not worth a packet."""
    piece = bytearray()
    for line in lines:
        piece += line.encode("utf-8", "replace")
        if len(piece) >= size:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


class _Echo:
    """What csv writes to: gives back each line."""

    def write(self, line: str) -> str:
        return line


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _harmless(value) if isinstance(value, str) else value


def _harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: not behind blanks, unseen or full-width signs
    either, nor where it splits the line at another sign than the comma."""
    text = SPLIT.sub(r"\g<0>'", text)
    first = unicodedata.normalize("NFKC", plain(text)[:1])
    return f"'{text}" if text.startswith(FORMULA) or first in FORMULA else text


def _box(region: Region) -> Row:
    if region.origin == Region.Origin.PHOTO:
        return dict.fromkeys("xywh")
    return {name: round(getattr(region, name), 6) for name in "xywh"}


def _iso(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else ""


def _in_chunks(rows: QuerySet[M]) -> Iterator[M]:
    for chunk in _chunks(rows):
        yield from chunk


def _chunks(rows: QuerySet[M]) -> Iterator[list[M]]:
    """By key, so that each chunk is a short query of its own."""
    last, more = 0, True
    while more:
        chunk = list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK])
        yield chunk
        more = len(chunk) == CHUNK
        last = chunk[-1].pk if chunk else last
