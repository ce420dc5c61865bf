"""Claims that a person said Yes to, confirmed by the product's own services, and what became of
them. Imported once Django is set up."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from bench.thousand import DEPICTS, Entity, Wiki, statements, without
from classify.models import Answer, Label, Origin, Verdict
from core.models import WikiPace
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.accounts import tokens
from projects.models import Membership, Person, Project, Subject, User
from sdc.batches import services as batches
from sdc.files.statements import batch_mark, depicts
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Writer
from sdc.sending_rights import probation

OVER = (EditBatch.State.DONE, EditBatch.State.STOPPED)


def make_user(wiki: Wiki, name: str) -> User:
    """The user of a sandbox account, just logged in."""
    user = User.objects.create(
        username=f"mw-{wiki.sub(name)}",
        issuer=settings.WIKI.issuer,
        sub=wiki.sub(name),
        wiki_username=name,
    )
    access, refresh = wiki.tokens(name, settings.OAUTH_CLIENT_ID)
    tokens.store(user, access, refresh, expires_in=4 * 3600)
    return user


def make_photos(wiki: Wiki, page_ids: list[int]) -> list[Photo]:
    """The files as the product knows them once they were crawled and looked at."""
    looked_at = {"state": WorkState.DONE, "looked_at": timezone.now(), "faces": 1}
    size = {"width": 64, "height": 48, "mime": "image/jpeg"}
    pictures = Picture.objects.bulk_create(
        [Picture(sha1=wiki.sha1(each), **size, **looked_at) for each in page_ids], batch_size=200
    )
    photos = [
        Photo(
            wiki=settings.WIKI.code,
            page_id=page_id,
            title=wiki.page(page_id).title,
            picture=picture,
        )
        for page_id, picture in zip(page_ids, pictures, strict=True)
    ]
    return Photo.objects.bulk_create(photos, batch_size=200)


def say_yes(user: User, qid: str, photos: list[Photo]) -> Project:
    """A project about that person in which the user, who took care, said Yes to a face of each
    photo."""
    person = Person.objects.create(wiki=settings.WIKI.code, qid=qid, labels={"en": qid})
    project = Project.objects.create(owner=user, active_key=f"{user.pk}:{person.pk}")
    project.subject = Subject.objects.create(project=project, person=person)
    Membership.objects.create(project=project, user=user, role=Membership.Role.OWNER)
    ProjectPhoto.objects.bulk_create(
        [ProjectPhoto(project=project, photo=photo) for photo in photos], batch_size=200
    )
    box = {"x": 0.25, "y": 0.1, "w": 0.2, "h": 0.3}
    now = timezone.now()
    for number, photo in enumerate(photos, 1):
        at = now - number * timedelta(seconds=10)
        region = Region.objects.create(picture=photo.picture, origin=Region.Origin.DETECTOR, **box)
        said: dict[str, Any] = {
            "subject": project.subject,
            "photo": photo,
            "region": region,
            "user": user,
        }
        answer = Answer.objects.create(
            **said, verdict=Verdict.YES, origin=Origin.ASK, created_at=at
        )
        Label.objects.create(**said, verdict=Verdict.YES, origin=Origin.ASK, answer=answer)
    return project


class Sending:
    """All batches that it takes to send what was said Yes to."""

    def __init__(self, project: Project, user: User, wiki: Wiki, page_ids: list[int]) -> None:
        self.project, self.user, self.wiki, self.page_ids = project, user, wiki, page_ids
        self.batches: list[EditBatch] = []
        self.before = wiki.entities(page_ids)
        self.pauses: dict[datetime, datetime] = {}  # until when → since when

    def preview(self) -> None:
        self.draft = batches.prepare_batch(self.project, self.user)

    def confirm(self) -> None:
        self.batches = [batches.confirm(self.draft, self.user)]
        planned = self.batches[0].attempts.filter(outcome=ClaimAttempt.Outcome.PLANNED)
        assert planned.count() == len(self.page_ids)

    def look_at_it(self) -> None:
        """After a first batch the user looks at it on the wiki, and says so."""
        probation.looked_at(self.batches[0], self.user)

    def pace(self, setting: int) -> float:
        """Edits a minute: the setting, or the wiki's own limit for this user if that is less."""
        limit = Writer.objects.get(user=self.user).edit_limit
        return min(float(setting), limit or setting)

    def state(self) -> list[tuple[str, str]]:
        return list(
            EditBatch.objects.filter(pk__in=[batch.pk for batch in self.batches]).values_list(
                "state", "reason"
            )
        )

    @property
    def attempts(self) -> Any:
        sent = ClaimAttempt.objects.filter(batch__in=self.batches)
        return sent.exclude(outcome=ClaimAttempt.Outcome.SKIPPED, began_at=None)

    @property
    def edits(self) -> Any:
        return Edit.objects.filter(batch__in=self.batches)

    def is_over(self) -> bool:
        states = EditBatch.objects.filter(pk__in=[batch.pk for batch in self.batches])
        return not states.exclude(state__in=OVER).exists()

    def note_pauses(self, ordered: float) -> None:
        """Remember how long everybody waits now, because the wiki said for how many seconds."""
        now = timezone.now()
        for lane in WikiPace.objects.filter(lane__in=("write", "read"), paused_until__gt=now):
            assert lane.paused_until
            since = lane.paused_until - timedelta(seconds=ordered)
            self.pauses[lane.paused_until] = since

    def span(self) -> tuple[float, float]:
        """Seconds from the first to the last edit, and how many of them the wiki ordered to
        wait: the union of the pauses."""
        times = sorted(self.edits.values_list("at", flat=True))
        first, last = times[0], times[-1]
        waited, reached = 0.0, first
        for until, since in sorted(self.pauses.items()):
            begin, end = max(since, reached), min(until, last)
            if end > begin:
                waited += (end - begin).total_seconds()
                reached = end
        return (last - first).total_seconds(), waited

    def standstill(self, at: datetime) -> float:
        """Seconds from the last edit before a moment to the first one after it."""
        times = list(self.edits.values_list("at", flat=True))
        before, after = [t for t in times if t <= at], [t for t in times if t > at]
        return round((min(after) - max(before)).total_seconds(), 1) if before and after else 0.0

    def faults(self, qid: str) -> dict[str, int]:
        """What must not be: statements twice, pages edited twice, claims without their statement
        or their row in the ledger, and files of which anything else changed."""
        guids = {attempt.guid: attempt for attempt in self.attempts}
        after = self.wiki.entities(self.page_ids)
        ours = {page_id: _saying(entity, qid) for page_id, entity in after.items()}
        edited = Counter(
            page for batch in self.batches for page in self.wiki.edits(batch_mark(batch.code))
        )
        ledger = set(self.edits.values_list("guid", flat=True))
        written = ClaimAttempt.Outcome.WRITTEN
        there = {row["id"] for rows in ours.values() for row in rows}
        return {
            "duplicates": sum(len(rows) - 1 for rows in ours.values() if rows)
            + sum(times - 1 for times in edited.values()),
            "lost": sum(
                guid not in there or guid not in ledger or attempt.outcome != written
                for guid, attempt in guids.items()
            ),
            "foreign_statements_touched": sum(
                without(after[each], set(guids)) != without(self.before[each], set())
                for each in self.page_ids
            ),
        }


class OneFile(Sending):
    """A batch that names several people on one file. A project has one person today, so the rows
    of the others are made here; what becomes of them is the product's own."""

    def __init__(
        self, project: Project, user: User, wiki: Wiki, page_id: int, qids: list[str]
    ) -> None:
        super().__init__(project, user, wiki, [page_id])
        self.page_id, self.qids = page_id, qids

    def preview(self) -> None:
        super().preview()
        first = self.draft.attempts.select_related("claim").get()
        for qid in self.qids:
            claim = Claim.objects.create(
                wiki=self.draft.wiki, page_id=self.page_id, qid=qid, photo=first.claim.photo
            )
            guid = ClaimAttempt.new_guid(self.page_id)
            ClaimAttempt.objects.create(
                batch=self.draft,
                claim=claim,
                label=first.label,
                region=first.region,
                guid=guid,
                statement=depicts(guid, qid, first.place),
                cautions=first.cautions,
                sha1=first.sha1,
                title=first.title,
                base_revision=first.base_revision,
            )

    def confirm(self) -> None:
        self.batches = [batches.confirm(self.draft, self.user)]
        planned = self.batches[0].attempts.filter(outcome=ClaimAttempt.Outcome.PLANNED)
        assert planned.count() == 1 + len(self.qids)

    def count_faults(self) -> dict[str, int]:
        """Statements that are lost or doubled, rows of the ledger that name the revision of another
        statement, and whether anything else of the file changed."""
        entity = self.wiki.entities([self.page_id])[self.page_id]
        guids = {str(attempt.guid) for attempt in self.attempts}
        said = Counter(
            _item(row)
            for row in statements(entity).get(DEPICTS, ())
            if row["id"] in guids or _item(row) in self.qids
        )
        added = self.wiki.guids_added(self.page_id)
        ledger = {edit.guid: edit.revision for edit in self.edits}
        there = {row["id"] for row in statements(entity).get(DEPICTS, ())}
        marked = self.wiki.edits(batch_mark(self.batches[0].code))
        return {
            "lost": len(guids - (there & ledger.keys())),
            "doubled": sum(n - 1 for n in said.values()) + max(len(marked) - len(guids), 0),
            "wrong": sum(guid not in added.get(ledger[guid] or 0, ()) for guid in ledger),
            "foreign_statements_touched": int(
                without(entity, guids) != without(self.before[self.page_id], set())
            ),
        }


def _saying(entity: Entity, qid: str) -> list[Entity]:
    """The statements of a file that say that it depicts the person."""
    return [row for row in statements(entity).get(DEPICTS, ()) if _item(row) == qid]


def _item(row: Entity) -> str:
    return str(row["mainsnak"]["datavalue"]["value"]["id"])
