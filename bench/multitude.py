"""A large project written straight into the tables: what `make bench-pages` asks pages about.

Imported once Django is set up. Nothing of it was looked at or learned; it has what pages read.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

import numpy as np
from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone
from PIL import Image, ImageOps

from bench.truth import photos as true_photos
from classify.models import (
    Answer,
    Forecast,
    Label,
    Learner,
    Look,
    Origin,
    Question,
    Round,
    Score,
    Skip,
    Verdict,
)
from core.work import WorkState
from crawler.engines import KINDS
from crawler.models import CrawlStep, Photo, Picture, ProjectEngine, ProjectPhoto, Region
from crawler.pictures import crops
from crawler.registry.versions import version
from projects.models import (
    AuditEvent,
    Contribution,
    Invite,
    Membership,
    Notification,
    Person,
    Project,
    Source,
    Subject,
    Tally,
    User,
)
from sdc.files.statements import depicts
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch, Writer

M = TypeVar("M", bound=models.Model)
Box = dict[str, float]

SFACE = KINDS["sface"]
SOURCES, BATCHES = 12, 10
OTHERS, FACES_OF_OTHERS = 29, 40  # small projects beside it
SCREEN, SCREENS = 20, 30  # questions: twenty people hold one or two screens each,
FREE = 120  # and so many, the first ones, are held by nobody
VERDICTS = (  # of what people answered
    (Verdict.YES, 30),
    (Verdict.NO, 60),
    (Verdict.NOT_A_FACE, 5),
    (Verdict.CANT_TELL, 3),
    (Verdict.BACKGROUND, 1),
    (Verdict.ARTWORK, 1),
)


@dataclass(frozen=True)
class Multitude:
    project: Project
    owner: User
    members: list[User]
    asked: list[Region]  # faces of prepared questions, the next one first
    running: EditBatch
    done: EditBatch
    hardly: list[int]  # regions that nobody answered and that are not asked about


def build(faces: int, members: int) -> Multitude:
    return _Builder(faces, members).build()


def analyze() -> None:
    """As a table that grew has had it done long ago."""
    models = (Score, Label, Answer, Region, Photo, Picture, ProjectPhoto, Look)
    with connection.cursor() as cursor:
        if connection.vendor != "mysql":
            cursor.execute("ANALYZE")
            return
        for model in models:
            cursor.execute(f"ANALYZE TABLE {model._meta.db_table}")


def _check(*, rows: bool) -> None:
    """Let MariaDB check each row against other tables and rows, or not."""
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET foreign_key_checks = {rows:d}, unique_checks = {rows:d}")


class _Builder:
    def __init__(self, faces: int, members: int) -> None:
        self.rng = random.Random(0)
        self.now = timezone.now()
        self.faces, self.n_members = faces, members
        self.matches: list[int] = []
        self.hardly: list[int] = []

    def build(self) -> Multitude:
        _check(rows=False)
        with transaction.atomic():
            self.write()
        _check(rows=True)
        return Multitude(
            self.project,
            self.members[0],
            self.members,
            self.asked,
            self.running,
            self.done,
            self.hardly[SCREEN * SCREENS : -300],
        )

    def write(self) -> None:
        self.people()
        self.pictures()
        self.answers()
        self.scores()
        self.questions()
        self.looks()
        self.batches()
        self.small_things()
        self.other_projects()

    def people(self) -> None:
        self.members = _write(
            User(
                username=f"member-{number}",
                wiki_username=f"Member {number}",
                issuer=settings.WIKI.issuer,
                sub=str(number),
                show_on_leaderboard=number % 3 != 2,
            )
            for number in range(self.n_members)
        )
        person = Person.objects.create(
            wiki=settings.WIKI.code,
            qid="Q7186",
            labels={"en": "Marie Curie", "nb": "Marie Curie"},
            descriptions={"en": "physicist and chemist"},
            portrait="Marie Curie c1920.jpg",
        )
        owner = self.members[0]
        self.project = Project.objects.create(
            owner=owner,
            active_key=f"{owner.pk}:{person.pk}",
            revision=1000,
            words=900,
            pulse=1,
            turn_at=self.now,
        )
        self.project.subject = Subject.objects.create(project=self.project, person=person)
        roles = [Membership.Role.OWNER, Membership.Role.REVIEWER]
        _write(
            Membership(
                project=self.project,
                user=user,
                role=roles[number] if number < 2 else Membership.Role.MEMBER,
                joined_at=self.now - timedelta(days=100 - number),
            )
            for number, user in enumerate(self.members)
        )
        self.sources = _write(
            Source(project=self.project, kind=Source.Kind.CATEGORY, value=f"Event {n}", depth=2)
            for n in range(SOURCES)
        )
        _write(
            CrawlStep(source=source, title=f"{source.value}, part {n}", files=500, state="d")
            for source in self.sources
            for n in range(10)
        )

    def pictures(self) -> None:
        """Three photos to five faces; one in twelve without any; some set aside or to come.

        The keys of a picture and of the photo that shows it are the same.
        """
        wiki, first, days = settings.WIKI.code, date(1890, 1, 1), 44 * 365
        states = ["d"] * 97 + ["x", "x", "q"]
        pictures, photos, held = [], [], []
        with_faces = []
        for n in range(1, self.faces * 3 // 5 + 1):
            state = states[n % 100]
            error = Picture.Error.BROKEN.value if state == "x" else ""
            looked_at = self.now - timedelta(seconds=n) if state == "d" else None
            faces = 0 if n % 12 == 0 else 1
            pictures.append((n, f"{n:040x}", state, error, faces, looked_at))
            if state == "d" and faces:
                with_faces.append(n)
            when = first + timedelta(days=self.rng.randrange(days))
            photos.append((n, f"photo{n}", n, self.title(n), n, f"/thumb/a/ab/{n}.jpg", when, when))
            source = self.sources[n % SOURCES].pk
            held.append((n, n, source, n % 20 == 0, n % 2000 == 7, n == 1))
        detector, engine = version(SFACE.detector.name), version(SFACE.name)
        _fill(Picture, "id sha1 state error faces looked_at", pictures, {
            "width": 2000, "height": 1500, "mime": "image/jpeg", "detector": detector.pk,
            "engine": engine.pk,
        })  # fmt: skip
        _fill(Photo, "id public_id page_id title picture thumb_path taken_from taken_to", photos, {
            "wiki": wiki, "uploader": "Uploader", "author": "Somebody", "licence": "CC BY-SA 4.0",
        })  # fmt: skip
        columns = "id photo source already_depicts left_out is_portrait"
        _fill(ProjectPhoto, columns, held, {"project": self.project.pk})
        boxes = [0.1, 0.35, 0.6, 0.8]
        rows = []
        for n in range(self.faces):
            turn, place = divmod(n, len(with_faces))
            rows.append((n + 1, f"face{n + 1}", with_faces[place], boxes[turn]))
        self.picture_of = {row[0]: row[2] for row in rows}
        _fill(Region, "id public_id picture x", rows, {
            "origin": "detector", "y": 0.2, "w": 0.2, "h": 0.3, "score": 0.9, "face_px": 200,
            "quality": 0.8, "detector": detector.pk,
        })  # fmt: skip
        ProjectEngine.objects.create(project=self.project, serving=engine)

    @staticmethod
    def title(number: int) -> str:
        return f"File:Marie Curie at event {number % 997} ({number}).jpg"

    def about(self, region: int) -> dict[str, Any]:
        return {
            "subject": self.project.subject,
            "region_id": region,
            "photo_id": self.picture_of[region],
        }

    def answers(self) -> None:
        """A fifth of all faces, of these some twice and differently, and some taken back."""
        names, weights = zip(*VERDICTS, strict=True)
        every = range(1, self.faces + 1, 5)
        verdicts = self.rng.choices(names, weights, k=len(every))
        said = list(zip(every, verdicts, strict=True))

        def answer(number: int, region: int, verdict: str, shift: int = 0) -> Answer:
            is_statement = number % 40 == 0 and verdict == Verdict.YES
            origin = (Origin.REVIEW if number % 2 else Origin.GRID) if verdict == "yes" else "grid"
            return Answer(
                **self.about(region),
                user=None if is_statement else self.members[(number + shift) % self.n_members],
                verdict=verdict,
                origin=Origin.BOOTSTRAP if is_statement else origin,
                created_at=self.now - timedelta(minutes=len(said) - number // 20),
            )

        given = _write(answer(n, region, verdict) for n, (region, verdict) in enumerate(said))
        again = [n for n in range(len(said)) if n % 17 == 0]
        _write(answer(n, said[n][0], Verdict.CANT_TELL, 1) for n in again if n % 2)
        twice = [n for n in again if not n % 2]
        before = _write(answer(n, *said[n], 1) for n in twice)
        _write(
            Answer(
                **self.about(each.region_id),
                user=each.user,
                verdict=each.verdict,
                origin=Origin.UNDO,
                undoes=each,
            )
            for each in before
        )
        self.labels = _write(
            Label(
                **self.about(each.region_id),
                verdict=each.verdict,
                origin=each.origin,
                answer=each,
                user=each.user,
                disputed=n % 17 == 0,
                decided_at=each.created_at,
            )
            for n, each in enumerate(given)
        )
        self.answered = {label.region_id for label in self.labels}
        self.yes = [label for label in self.labels if label.verdict == Verdict.YES]

    def scores(self) -> None:
        rng = self.rng
        said = {label.region_id: label for label in self.labels}

        rows = []
        for region, picture in self.picture_of.items():
            label = said.get(region)
            likely = label.verdict == Verdict.YES if label else region % 25 == 2
            unlikely = rng.uniform(0, 0.45) if likely else rng.betavariate(8, 2) / 2 + 0.5
            doubt = rng.uniform(3, 12) if label and label.pk % 100 == 0 else None
            rows.append((region, region, picture, unlikely, likely and label is None, doubt))
            if label is None:
                (self.matches if likely else self.hardly).append(region)
        columns = "id region photo unlikely is_match doubt"
        _fill(Score, columns, rows, {"subject": self.project.subject.pk, "revision": 1000})
        left = self.faces - len(self.labels)
        Learner.objects.create(
            project=self.project,
            state=WorkState.DONE,
            revision=1000,
            faces=self.faces,
            confirmed=len(self.yes),
            matches=len(self.matches),
            worth=900,
            left=left * 3 // 4,
            computed_at=self.now,
        )
        _write(
            Forecast(
                subject=self.project.subject,
                answers=n * 100,
                precision=1 - 0.5 / (n + 2),
                recall=n / (n + 8),
                worth=5000 / (n + 1),
                at=self.now - timedelta(hours=200 - n),
            )
            for n in range(200)
        )

    def questions(self) -> None:
        likely = self.matches[: SCREEN * SCREENS // 2]
        chosen = likely + self.hardly[: SCREEN * SCREENS - len(likely)]
        self.asked = list(Region.objects.in_bulk(chosen).values())
        near = [label.region_id for label in self.yes[:6]]
        _write(
            Question(
                **self.about(region),
                rank=float(rank),
                kind=Question.Kind.LIKELY if rank < len(likely) else Question.Kind.OTHERS,
                screen=rank // SCREEN,
                marked=rank < len(likely),
                chance=0.9 if rank < len(likely) else 0.1,
                leased_to=None if rank < FREE else self.members[rank // SCREEN % self.n_members],
                leased_until=None if rank < FREE else self.now + timedelta(hours=1),
                nearest=near,
            )
            for rank, region in enumerate(chosen)
        )
        _write(
            Skip(
                subject=self.project.subject,
                user=self.members[n % self.n_members],
                region_id=region,
            )
            for n, region in enumerate(self.hardly[-200:])
        )

    def looks(self) -> None:
        """A round that is done, about half of what is approved, and one of what is left."""
        seen = [label for label in self.yes if label.origin != Origin.BOOTSTRAP]
        half = seen[: len(seen) // 2]
        done = Round.objects.create(
            subject=self.project.subject,
            about=Round.About.APPROVED,
            frame=len(half),
            faces=self.faces,
            revision=900,
            after=0,
            done_at=self.now,
        )
        left = self.hardly[-60:]
        open_ = Round.objects.create(
            subject=self.project.subject,
            about=Round.About.LEFT,
            frame=self.faces - len(self.labels),
            faces=self.faces,
            revision=1000,
            after=Answer.objects.order_by("-pk").values_list("pk", flat=True)[0],
        )
        rows = [
            Look(
                round=done,
                **self.about(label.region_id),
                why=Look.Why.SAMPLED if n < 300 else Look.Why.FRAME,
                rank=n,
                before=Verdict.YES,
                said=Verdict.YES if n < 300 else "",
            )
            for n, label in enumerate(half)
        ]
        rows += [
            Look(round=open_, **self.about(each), why=Look.Why.SAMPLED, rank=n)
            for n, each in enumerate(left)
        ]
        _write(rows)

    def batches(self) -> None:
        """Half of what was confirmed was sent, in batches; the last one is running."""
        photos: dict[int, Label] = {}
        for label in self.yes:
            if label.origin != Origin.BOOTSTRAP:
                photos.setdefault(label.photo_id, label)
        sent = list(photos.values())[: len(photos) // 2]
        size = -(-len(sent) // BATCHES)
        parts = [sent[at : at + size] for at in range(0, len(sent), size)]
        for number, part in enumerate(parts):
            self.batch(part, running=number == len(parts) - 1, number=number)
        Writer.objects.create(
            user=self.members[0],
            wiki=settings.WIKI.code,
            autoconfirmed=True,
            edit_count=9000,
            asked_at=self.now,
            patrols_asked_at=self.now,
            looked_at=self.now,
        )

    def batch(self, labels: list[Label], running: bool, number: int) -> None:
        user = self.members[number % 3]
        when = self.now - timedelta(days=20 - number)
        batch = EditBatch.objects.create(
            project=self.project,
            user=user,
            wiki=settings.WIKI.code,
            state=EditBatch.State.RUNNING if running else EditBatch.State.DONE,
            summary="Marie Curie",
            confirmed_at=when,
            finished_at=None if running else when + timedelta(hours=1),
        )
        claims = _write(
            Claim(
                wiki=settings.WIKI.code,
                page_id=label.photo_id,
                qid="Q7186",
                photo_id=label.photo_id,
                project=self.project,
                state="sending" if running and n % 2 else "written",
            )
            for n, label in enumerate(labels)
        )
        rows = list(zip(claims, labels, strict=True))
        tries = _write(
            ClaimAttempt(
                batch=batch,
                claim=claim,
                label=label,
                region_id=label.region_id,
                guid=ClaimAttempt.new_guid(claim.page_id),
                statement=depicts("x", "Q7186", None),
                sha1=f"{label.photo_id:040x}",
                title=self.title(label.photo_id),
                outcome="planned" if claim.state == "sending" else "written",
                state="q" if claim.state == "sending" else "d",
                began_at=when,
                ended_at=None if claim.state == "sending" else when + timedelta(seconds=n),
            )
            for n, (claim, label) in enumerate(rows)
        )
        written = [each for each in tries if each.outcome == "written"]
        _write(
            Edit(
                attempt=each,
                kind=Edit.Kind.ADD,
                wiki=batch.wiki,
                page_id=each.claim.page_id,
                qid="Q7186",
                guid=each.guid or "",
                revision=1,
                user=user,
                batch=batch,
                summary="",
                at=each.ended_at or self.now,
            )
            for each in written
        )
        _write(
            Watch(
                claim_attempt=each,
                state="q",
                due_at=self.now + timedelta(days=1),
                checks=1,
                checked_at=self.now,
                finding=Watch.Finding.REMOVED if n % 100 == 1 else Watch.Finding.STANDS,
                found_at=self.now if n % 100 == 1 else None,
                by="Somebody" if n % 100 == 1 else "",
            )
            for n, each in enumerate(written)
        )
        if running:
            self.running = batch
        elif user == self.members[0]:
            self.done = batch

    def small_things(self) -> None:
        _write(
            Contribution(
                project=self.project,
                user=label.user,
                kind=Contribution.Kind.ANSWER,
                at=label.decided_at,
            )
            for label in self.labels
            if label.user
        )
        _write(
            Tally(
                project=self.project,
                user=user,
                kind=kind,
                day=(self.now - timedelta(days=day)).date(),
                amount=1 + (day + user.pk) % 40,
            )
            for user in self.members
            for kind in Contribution.Kind
            for day in range(90)
        )
        _write(
            Notification(
                user=self.members[n % self.n_members],
                project=self.project,
                kind=list(Notification.Kind)[n % 5],
                data={"count": n},
                at=self.now - timedelta(hours=n),
                read_at=self.now if n > 40 else None,
            )
            for n in range(600)
        )
        _write(
            AuditEvent(
                actor=self.members[n % 20 % self.n_members], project=self.project, action="x"
            )
            for n in range(500)
        )
        Invite.objects.create(
            project=self.project,
            created_by=self.members[0],
            expires_at=self.now + timedelta(days=3),
        )

    def other_projects(self) -> None:
        people = _write(
            Person(wiki=settings.WIKI.code, qid=f"Q{n + 90000}", labels={"en": f"Person {n}"})
            for n in range(OTHERS)
        )
        projects = _write(
            Project(
                owner=self.members[n % self.n_members],
                active_key=f"other-{n}",
                revision=10,
                active_at=self.now - timedelta(hours=n + 1),
            )
            for n in range(OTHERS)
        )
        pairs = zip(projects, people, strict=True)
        subjects = _write(Subject(project=project, person=person) for project, person in pairs)
        _write(
            Membership(project=each, user=each.owner, role=Membership.Role.OWNER)
            for each in projects
        )
        for n, (project, subject) in enumerate(zip(projects, subjects, strict=True)):
            faces = self.hardly[n * FACES_OF_OTHERS : (n + 1) * FACES_OF_OTHERS]
            photos = {self.picture_of[face] for face in faces}
            _write(ProjectPhoto(project=project, photo_id=photo) for photo in photos)
            _write(
                Score(
                    subject=subject,
                    region_id=face,
                    photo_id=self.picture_of[face],
                    unlikely=0.1,
                    is_match=True,
                    revision=10,
                )
                for face in faces
            )
            Learner.objects.create(project=project, revision=10, state="d", faces=len(faces))


def cut_crops(regions: Sequence[Region]) -> None:
    """Crops of real faces of the sandbox's photos for these regions, as detection makes them."""
    cut = []
    for photo in true_photos().values():
        with Image.open(photo.path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
        for face in photo.faces:
            if min(face.box[2:]) >= 20:
                w, h = upright.size
                x, y, wide, high = face.box
                cut.append(crops.cut(np.asarray(upright), (x / w, y / h, wide / w, high / h)))
        if len(cut) >= 60:
            break
    for number, region in enumerate(regions):
        path = crops.path_of(region)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cut[number % len(cut)])


def _write(rows: Iterable[M]) -> list[M]:
    """Saved, with their keys."""
    made = list(rows)
    if made:
        type(made[0])._default_manager.bulk_create(made, batch_size=2000)
    return made


def _fill(
    model: type[models.Model],
    columns: str,
    rows: list[tuple[Any, ...]],
    same: dict[str, Any],
) -> None:
    """Many rows without objects: these columns, the `same` ones, and the defaults of the others."""
    meta = model._meta
    fields: dict[str, Any] = {field.name: field for field in meta.concrete_fields}
    named = [fields.pop(name) for name in columns.split()]
    rest = list(fields.values())
    fixed = [
        field.get_db_prep_save(same.get(field.name, field.get_default()), connection)
        for field in rest
    ]
    every = ", ".join(connection.ops.quote_name(field.column) for field in named + rest)
    marks = ", ".join(["%s"] * (len(named) + len(rest)))
    tail = tuple(fixed)
    if connection.vendor == "sqlite":
        rows = [tuple(map(_plain, row)) for row in rows]
    with connection.cursor() as cursor:
        sql = f"INSERT INTO {meta.db_table} ({every}) VALUES ({marks})"
        cursor.executemany(sql, [row + tail for row in rows])


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, date) else value


def new_uuid() -> str:
    return str(uuid.uuid4())
