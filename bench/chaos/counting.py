"""What is counted: while it runs, whether each step moves; at the end, what was lost or doubled."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.apps import apps
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Max, Q
from django.utils import timezone

from bench.chaos.work import Contributor, Wiki
from bench.thousand import DEPICTS, statements
from classify.models import Answer, Learner
from core.models import WikiPace
from core.work import WorkRow, WorkState
from crawler.models import CrawlStep, Photo, Picture, Region
from crawler.selectors import UNFINISHED
from projects.models import Project
from sdc.files.statements import batch_mark
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch
from sdc.writing.reasons import Reason
from sdc.writing.scheduler import open_attempts

T = TypeVar("T")
STEPS = ("web", "crawl", "detect", "infer", "write", "default", "beat")
STUCK = timedelta(seconds=60)  # a row due for so long that nobody holds
Outcome = ClaimAttempt.Outcome


def ask(question: Callable[[], T], patience: float = 90) -> T:
    """The answer of the database, however often it is away meanwhile."""
    until = time.monotonic() + patience
    while True:
        try:
            return question()
        except (DatabaseError, InterfaceError):
            if time.monotonic() > until:
                raise
            connection.close()
            time.sleep(0.2)


class Monitor(threading.Thread):
    """Looks twice a second how far each step is."""

    def __init__(self, contributors: list[Contributor]) -> None:
        super().__init__(daemon=True)
        self.contributors = contributors
        self.seen: dict[str, list[tuple[float, Any]]] = {step: [] for step in STEPS}
        self.ending = threading.Event()
        self.read = datetime.min.replace(tzinfo=UTC)

    def run(self) -> None:
        while not self.ending.wait(0.4):
            self._note({"web": sum(each.done for each in self.contributors)})
            try:
                self._note(self._of_the_database())
            except (DatabaseError, InterfaceError):
                connection.close()
        connection.close()

    def _note(self, values: dict[str, Any]) -> None:
        now = time.monotonic()
        for step, value in values.items():
            self.seen[step].append((now, value))

    def _of_the_database(self) -> dict[str, Any]:
        signs = dict(WikiPace.objects.values_list("lane", "next_at"))
        return {
            "crawl": self._last_read(),
            "detect": Picture.objects.aggregate(most=Max("looked_at"))["most"],
            "infer": Learner.objects.aggregate(most=Max("computed_at"))["most"],
            "write": Edit.objects.aggregate(most=Max("id"))["most"],
            "default": signs.get("worker:default"),
            "beat": signs.get("beat"),
        }

    def _last_read(self) -> datetime:
        """When the listing that ended last was taken; one that begins anew does not count back."""
        ended = CrawlStep.objects.filter(state=WorkState.DONE)
        found = ended.aggregate(most=Max("served_at"))["most"]
        self.read = max(self.read, found or self.read)
        return self.read

    def recovery(self, step: str, end: float, patience: float) -> float | None:
        """Seconds from a moment until the step has moved; None when it does not in time."""
        while time.monotonic() < end + patience:
            after = [(at, value) for at, value in self.seen[step][-400:] if at >= end]
            for at, value in after:
                if value != after[0][1]:
                    return at - end
            time.sleep(0.2)
        return None


def backlog() -> int:
    """Pictures that nobody has looked at yet; many while the database is away."""
    try:
        return Picture.objects.filter(state=WorkState.QUEUED).count()
    except (DatabaseError, InterfaceError):
        connection.close()
        return 1000


def is_being_read(project: str) -> bool:
    """Whether a worker lists the project's files now, or is about to; so, too, while the database
    is away. Asked to begin anew each second, it would never come to an end."""
    steps = CrawlStep.objects.filter(source__project__public_id=project.rpartition("/")[2])
    try:
        return steps.filter(busy()).exists()
    except (DatabaseError, InterfaceError):
        connection.close()
        return True


def unanswered(project: str) -> tuple[str, str] | None:
    """Public ids of a face without a word, and of its photo."""
    try:
        mine = Project.objects.get(public_id=project.rpartition("/")[2])
        shown = Photo.objects.filter(project_photos__project=mine, state=Photo.State.LIVE)
        faces = Region.objects.filter(picture__photos__in=shown, replaced_by=None)
        face = faces.exclude(labels__subject__project=mine).order_by("?").first()
        photo = shown.filter(picture=face.picture_id).first() if face else None
        return (face.public_id, photo.public_id) if face and photo else None
    except (DatabaseError, InterfaceError):
        connection.close()
        return None


def paused_for_login(codes: list[str]) -> list[str]:
    """Those of these batches that wait for their sender to log in and press Resume."""
    try:
        paused = EditBatch.objects.filter(code__in=codes, state=EditBatch.State.PAUSED)
        return list(paused.filter(reason=Reason.LOGIN).values_list("code", flat=True))
    except (DatabaseError, InterfaceError):
        connection.close()
        return []


def under_way() -> str:
    """What waits to be written, read or looked at, and which lanes of the wiki are closed."""
    batches = Counter(open_batches().values_list("state", "reason"))
    attempts = Counter(open_attempts().values_list("state", "error"))
    pictures = Counter(Picture.objects.values_list("state", flat=True))
    lanes = WikiPace.objects.filter(paused_until__gt=timezone.now())
    paused = list(lanes.values_list("lane", "reason"))
    steps = Counter(CrawlStep.objects.values_list("state", "error"))
    return (
        f"batches {dict(batches)}, edits {dict(attempts)}, pictures {dict(pictures)} of "
        f"{Photo.objects.count()} photos, listings {dict(steps)}, closed lanes {paused}"
    )


# At rest ------------------------------------------------------------------------------------


def at_rest() -> bool:
    """Return whether nothing is under way or due, and each listing and picture has come to its end.

    Looks along the chain, since the end of a listing queues pictures that a look before would not
    have seen. A listing or picture that waits for its next try, or is held by a worker that died,
    is due only later.
    """
    return not (
        CrawlStep.objects.filter(state__in=UNFINISHED).exists()
        or Picture.objects.filter(state__in=UNFINISHED).exists()
        or any(rows.filter(busy()).exists() for rows in work_rows())
        or behind().exists()
        or open_batches().exists()
    )


def busy() -> Q:
    """Return the filter for rows that a worker has taken, or that are due."""
    return Q(state=WorkState.RUNNING) | Q(state=WorkState.QUEUED, due_at__lte=timezone.now())


def work_rows() -> Iterable[Any]:
    """Of each kind; of claims those that were confirmed, and not what a preview only shows.
    Learners are asked what they know instead, see `behind`."""
    kinds = {model for model in apps.get_models() if issubclass(model, WorkRow)}
    yield open_attempts()
    for kind in kinds - {Learner, ClaimAttempt}:
        yield kind._rows()


def open_batches() -> Any:
    return EditBatch.objects.filter(state__in=(EditBatch.State.RUNNING, EditBatch.State.PAUSED))


def open_batches_of(name: str) -> list[str]:
    """Codes of the batches of a user that have not ended."""
    return list(open_batches().filter(user__wiki_username=name).values_list("code", flat=True))


def behind() -> Any:
    """Learners that have not seen all that their project holds."""
    from django.db.models import F

    return Learner.objects.exclude(revision=F("project__revision"))


def stuck() -> list[str]:
    """Rows that were due a minute ago and that nobody holds, and batches that don't end."""
    long_ago = timezone.now() - STUCK
    due = Q(state=WorkState.QUEUED, due_at__lt=long_ago)
    left = Q(state=WorkState.RUNNING, lease_until__lt=long_ago)
    found = [
        f"{row._meta.label} {row.pk}: {row.state} {row.error}"
        for rows in work_rows()
        for row in rows.filter(due | left)
    ]
    found += [f"Learner {row.pk}" for row in behind()]
    return found + [f"batch {row.code}: {row.state} {row.reason}" for row in open_batches()]


# The reckoning ------------------------------------------------------------------------------


@dataclass
class Losses:
    answers_lost: int
    photos_lost: int
    claims_lost: int
    duplicate_edits: int
    stuck: int
    told: dict[str, Any]  # what there was
    examples: list[str]

    @property
    def any(self) -> int:
        lost = self.answers_lost + self.photos_lost + self.claims_lost
        return lost + self.duplicate_edits + self.stuck


def reckon(contributors: list[Contributor], wiki: Wiki) -> Losses:
    examples: list[str] = []
    given = {own for each in contributors for own in each.given}
    kept = set(Answer.objects.filter(client_uuid__in=given).values_list("client_uuid", flat=True))
    examples += [f"answer {own}" for own in given - kept]
    photos = lost_photos(contributors)
    claims = lost_claims(contributors, wiki)
    doubled = duplicates(wiki)
    left = stuck()
    told = {
        "answers": len(given),
        "photos": sum(len(each.pages) for each in contributors),
        "batches": sum(len(each.sent) for each in contributors),
        "refused": {each.person: dict(each.refused) for each in contributors},
        "edits": Edit.objects.count(),
        "set_aside": dict(
            Counter(Picture.objects.filter(state=WorkState.ASIDE).values_list("error", flat=True))
        ),
        "attempts": dict(Counter(ClaimAttempt.objects.values_list("outcome", flat=True))),
        "reasons": dict(
            Counter(ClaimAttempt.objects.exclude(reason="").values_list("reason", flat=True))
        ),
    }
    examples += photos + claims + doubled + left
    lost = len(given - kept)
    return Losses(lost, len(photos), len(claims), len(doubled), len(left), told, examples[:40])


def lost_photos(contributors: list[Contributor]) -> list[str]:
    """Files of a category that its project lacks, or that were neither looked at nor set aside
    with a reason."""
    found = []
    for each in contributors:
        project = Project.objects.get(public_id=each.project.rpartition("/")[2])
        there = Photo.objects.filter(project_photos__project=project)
        rows = there.values_list("page_id", "picture__state", "picture__error", "picture__due_at")
        pictures = {page: rest for page, *rest in rows}
        for page in each.pages:
            state, reason, due_at = pictures.get(page, ("not in the project", "", None))
            honest = state == WorkState.ASIDE and reason
            if state != WorkState.DONE and not honest:
                found.append(f"photo {page} of {each.person}: {state} {reason} {due_at}")
    return found


def lost_claims(contributors: list[Contributor], wiki: Wiki) -> list[str]:
    """What was promised to be sent, or to be taken back, and is neither so nor set aside with a
    reason; and written statements that the ledger does not know."""
    codes = {code for each in contributors for code in each.sent}
    batches = {batch.code: batch for batch in EditBatch.objects.filter(code__in=codes)}
    found = [f"batch {code} is gone" for code in codes - set(batches)]
    ledger = set(Edit.objects.values_list("guid", "kind"))
    rows = ClaimAttempt.objects.filter(batch__in=batches.values())
    rows = rows.select_related("claim", "batch", "undoes").prefetch_related("undone_by")
    entities = {
        row.claim.page_id: entity_of(wiki, row.claim.page_id) for row in rows.order_by("pk")
    }
    for row in rows:
        there = {each["id"] for each in entities[row.claim.page_id].get(DEPICTS, ())}
        about = entities[row.claim.page_id].get(DEPICTS, ())
        says_so = any(item_of(each) == row.claim.qid for each in about)
        if row.outcome == Outcome.WRITTEN and row.undoes is None:
            undone = any(undo.outcome == Outcome.WRITTEN for undo in row.undone_by.all())
            fine = (row.guid in there) is not undone and (row.guid, "add") in ledger
        elif row.outcome == Outcome.WRITTEN:
            guid = row.statement_guid
            fine = guid not in there and (guid, "remove") in ledger
        elif row.outcome == Outcome.PRESENT:
            fine = says_so or Claim.objects.get(pk=row.claim_id).state != Claim.State.PRESENT
        else:
            fine = row.outcome != Outcome.PLANNED and bool(row.reason or row.outcome == "excluded")
        if not fine:
            found.append(f"attempt {row.pk} of {row.batch.code}: {row.outcome} {row.reason}")
    return found


def duplicates(wiki: Wiki) -> list[str]:
    """On the wiki itself: statements that say the same of one file, and files that one batch
    edited twice."""
    found = []
    rows = wiki.world.store.rows(
        "SELECT page_id, comment FROM revision WHERE wiki = 'commons' AND comment != ''"
    )
    marks = {batch.code: batch_mark(batch.code) for batch in EditBatch.objects.all()}
    edits = Counter(
        (row["page_id"], code)
        for row in rows
        for code, mark in marks.items()
        if mark in (row["comment"] or "")
    )
    found += [f"page {page} was edited {n} times by {code}" for (page, code), n in edits.items()
              if n > 1]  # fmt: skip
    for page in {page for page, _code in edits}:
        about = entity_of(wiki, page).get(DEPICTS, ())
        said = Counter(item_of(each) for each in about)
        found += [f"page {page} says {qid} {n} times" for qid, n in said.items() if n > 1]
    return found


def entity_of(wiki: Wiki, page_id: int) -> dict[str, list[Any]]:
    page = wiki.world.page_by_id("commons", page_id)
    assert page
    return statements(wiki.world.current(page).entity or {})


def item_of(statement: dict[str, Any]) -> str:
    return str(statement["mainsnak"]["datavalue"]["value"]["id"])
