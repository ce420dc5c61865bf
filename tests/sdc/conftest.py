"""Photos of the sandbox wiki with faces that people said Yes to, and a look at the wiki itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from classify.models import Answer, Label, Origin, Verdict
from core.models import WikiPace
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.models import Project, User
from sandbox import RunningSandbox
from sandbox.records import Page, Revision
from sdc.batches import services as batches
from sdc.files import statements
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch, Writer
from sdc.writing import scheduler
from wiki.json_tree import Node

CURIE = "Q7186"
Make = Callable[..., list[Label]]


def item_of(statement: dict[str, Any]) -> str | None:
    """The item that is the main value of a statement's JSON."""
    return statements.read_statement(Node(statement)).item


@dataclass
class WikiItself:
    """The sandbox's own state, looked at and changed behind the product's back."""

    running: RunningSandbox
    since: int

    def page(self, page_id: int) -> Page:
        found = self.running.world.page_by_id("commons", page_id)
        assert found
        return found

    def depicts(self, page_id: int, qid: str = CURIE) -> list[dict[str, Any]]:
        """The statements that say so, as they stand."""
        entity = self.running.world.current(self.page(page_id)).entity or {}
        found = (entity.get("statements") or {}).get(settings.WIKI.depicts, [])
        return [each for each in found if item_of(each) == qid]

    def edits(self, page_id: int | None = None) -> list[Revision]:
        """Revisions made since the test began that changed a statement of ours, newest first."""
        world, mark = self.running.world, "editgroups-commons"
        rows = world.store.rows(
            "SELECT DISTINCT page_id FROM revision WHERE wiki = 'commons' AND id > ?",
            (self.since,),
        )
        pages = [page_id] if page_id else [row["page_id"] for row in rows]
        return [
            revision
            for each in pages
            for revision in world.history(self.page(each))
            if revision.id > self.since and mark in revision.comment
        ]

    def somebody_adds(self, page_id: int, qid: str = CURIE, user: str = "Charlie") -> None:
        page = self.page(page_id)
        entity = copy.deepcopy(self.running.world.current(page).entity) or _empty(page_id)
        statement = statements.depicts(ClaimAttempt.new_guid(page_id), qid, None)
        groups = entity["statements"] = entity.get("statements") or {}
        groups.setdefault(settings.WIKI.depicts, []).append(statement)
        self.running.world.save_entity(page, entity, user=user, comment="added by hand")

    def somebody_removes(
        self, page_id: int, qid: str = CURIE, user: str = "Charlie", words: str = "not her"
    ) -> Revision:
        page = self.page(page_id)
        entity = copy.deepcopy(self.running.world.current(page).entity)
        assert entity
        rows = entity["statements"][settings.WIKI.depicts]
        entity["statements"][settings.WIKI.depicts] = [
            each for each in rows if item_of(each) != qid
        ]
        link = "[[d:Special:EntityPage/{}]]"
        about = f"{link.format(settings.WIKI.depicts)}: {link.format(qid)}"
        comment = f"/* wbremoveclaims-remove:1| */ {about}, {words}"
        return self.running.world.save_entity(page, entity, user=user, comment=comment)

    def somebody_changes(
        self, page_id: int, qid: str = CURIE, user: str = "Charlie", **changes: Any
    ) -> Revision:
        """Other fields of the statement, for example its rank; the GUID stays."""
        page = self.page(page_id)
        entity = copy.deepcopy(self.running.world.current(page).entity)
        assert entity
        for each in entity["statements"][settings.WIKI.depicts]:
            if item_of(each) == qid:
                each.update(changes)
        comment = "/* wbsetclaim-update:2||1 */ better so"
        return self.running.world.save_entity(page, entity, user=user, comment=comment)

    def somebody_restores(self, page_id: int, revision: int, user: str = "Bob") -> Revision:
        """The structured data of an earlier revision, as an undo does."""
        page = self.page(page_id)
        [old] = [each for each in self.running.world.history(page) if each.id == revision]
        assert old.entity
        return self.running.world.save_entity(page, old.entity, user=user, comment="it is her")


def _empty(page_id: int) -> dict[str, Any]:
    return {"type": "mediainfo", "id": f"M{page_id}", "labels": {}, "statements": {}}


@pytest.fixture(autouse=True)
def quick_pace(settings: Any) -> None:
    settings.EDITS_A_MINUTE = 6000
    settings.READS_A_MINUTE = 60000
    settings.FIRST_BATCH = 0  # see test_first_steps


@pytest.fixture
def wiki(fresh_sandbox: RunningSandbox) -> WikiItself:
    last = fresh_sandbox.world.store.value("SELECT max(id) FROM revision WHERE wiki = 'commons'")
    return WikiItself(fresh_sandbox, last)


@pytest.fixture
def project(make_project: Any, alice: User, bob: User, wiki: WikiItself) -> Project:
    """Alice's project about Marie Curie, where Bob helps."""
    made: Project = make_project(alice, CURIE, members=[bob])
    return made


@pytest.fixture
def said_yes(wiki: WikiItself, alice: User) -> Make:
    """`said_yes(project, 3)`: that many faces on files that don't depict her, answered Yes."""

    def make(
        project: Project, count: int = 1, by: User | None = None, skip: int = 0
    ) -> list[Label]:
        rows = wiki.running.world.store.rows(
            "SELECT id FROM page WHERE wiki = 'commons' AND ns = 6 AND deleted = 0"
            " AND redirect_to IS NULL AND protection IN ('', '{}', 'null') ORDER BY id"
        )
        free = [
            row["id"]
            for row in rows
            if not wiki.depicts(row["id"])
            and (file := wiki.running.world.file(wiki.page(row["id"])))
            and file.mime == "image/jpeg"
        ]
        chosen = free[skip : skip + count]
        assert len(chosen) == count
        return [label_yes(project, wiki, page_id, by or alice) for page_id in chosen]

    return make


def label_yes(project: Project, wiki: WikiItself, page_id: int, by: User) -> Label:
    page = wiki.page(page_id)
    file = wiki.running.world.file(page)
    assert file
    picture, _ = Picture.objects.get_or_create(
        sha1=file.sha1,
        defaults={"width": file.width, "height": file.height, "mime": file.mime},
    )
    photo, _ = Photo.objects.get_or_create(
        wiki=settings.WIKI.code,
        page_id=page_id,
        defaults={"title": page.title, "picture": picture, "thumb_path": ""},
    )
    ProjectPhoto.objects.get_or_create(project=project, photo=photo)
    region = Region.objects.create(
        picture=picture, origin=Region.Origin.DETECTOR, x=0.25, y=0.1, w=0.2, h=0.3
    )
    said = {"subject": project.subject, "photo": photo, "region": region, "user": by}
    answer = Answer.objects.create(**said, verdict=Verdict.YES, origin=Origin.ASK)
    return Label.objects.create(**said, verdict=Verdict.YES, origin=Origin.ASK, answer=answer)


def time_passes() -> None:
    """All waits are over: what is due later is due, leases have run out, lanes are open."""
    now = timezone.now()
    ClaimAttempt.objects.update(due_at=now)
    ClaimAttempt.objects.exclude(began_at=None).update(began_at=F("began_at") - timedelta(hours=1))
    ClaimAttempt.objects.filter(state=WorkState.RUNNING).update(lease_until=now)
    Writer.objects.update(due_at=now)
    Writer.objects.filter(state=WorkState.RUNNING).update(lease_until=now)
    EditBatch.objects.exclude(resume_at=None).update(resume_at=now)
    WikiPace.objects.update(paused_until=None, next_at=now)


def hours_pass(hours: float) -> None:
    """The edits lie that much longer back; nothing else moves."""
    earlier = timedelta(hours=hours)
    ClaimAttempt.objects.exclude(ended_at=None).update(ended_at=F("ended_at") - earlier)
    Watch.objects.update(due_at=F("due_at") - earlier)


class SkippedTime:
    """A clock that skips each wait: whatever is due later becomes due that much earlier.

    Each look at it takes a hundredth of a second, so that every budget ends.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 0.01
        return self.seconds

    def sleep(self, seconds: float, /) -> None:
        self.seconds += seconds
        skipped = timedelta(seconds=seconds)
        for rows in (Writer.objects, ClaimAttempt.objects):
            rows.update(due_at=F("due_at") - skipped, lease_until=F("lease_until") - skipped)
        WikiPace.objects.update(
            next_at=F("next_at") - skipped, paused_until=F("paused_until") - skipped
        )


def send(budget: float = 2.0, desk: scheduler.Desk | None = None) -> float:
    """Let a worker send what is due within so many seconds; return how many it would have taken.

    Nobody waits for them.
    """
    clock = SkippedTime()
    scheduler.work(budget, desk, clock)
    return clock.seconds


def send_to_the_end(batch: EditBatch, rounds: int = 12) -> EditBatch:
    """Let workers send until the batch is over, with all the waiting in between cut short."""
    for _round in range(rounds):
        send()
        batch.refresh_from_db()
        if batch.state not in (EditBatch.State.RUNNING, EditBatch.State.PAUSED):
            break
        time_passes()
    return batch


def confirmed(project: Project, user: User) -> EditBatch:
    """A batch of all that the user may send, previewed and confirmed."""
    return batches.confirm(batches.prepare_batch(project, user), user)


def the_attempt(batch: EditBatch) -> ClaimAttempt:
    return ClaimAttempt.objects.select_related("claim").get(batch=batch)


def claim_of(label: Label) -> Claim:
    return Claim.objects.get(page_id=label.photo.page_id, qid=CURIE)
