"""Users in every role, and a project with one of everything that an address can name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone

from classify.models import Answer, Label, Learner, Look, Origin, Question, Round, Score, Verdict
from core.work import WorkState
from crawler.models import EmbedJob, Photo, Picture, ProjectPhoto, Region
from crawler.pictures import crops
from projects.models import (
    Admission,
    AuditEvent,
    DenyEntry,
    Invite,
    Membership,
    Notification,
    Objection,
    Person,
    Project,
    Source,
    User,
)
from projects.privacy import objections
from sdc.files import statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch, Writer, WritingStop
from sdc.sending_rights import stops
from tests import factories


class Who(StrEnum):
    NOBODY = "nobody"
    STRANGER = "stranger"
    MEMBER = "member"
    REVIEWER = "reviewer"
    OWNER = "owner"
    BANNED = "banned"
    MODERATOR = "moderator"
    SUPERUSER = "superuser"
    PATROLLER = "patroller"


@dataclass
class Texts:
    """What people and wikis write, where a test wants other words than the usual ones."""

    user: str = "{}"  # the name of a user; {} is the role
    label: str = "Marie Curie"
    labels: dict[str, str] = field(default_factory=dict)
    description: str = "physicist"
    title: str = "File:Curie {}.jpg"  # {} is a number
    category: str = "Marie Curie"
    project: str = ""
    note: str = "I know her"
    comment: str = "not her"


@dataclass
class Cast:
    """The users, each of whom the wiki knows as somebody who may send."""

    users: dict[Who, User]

    def __getitem__(self, who: Who) -> User:
        return self.users[who]


def make_cast(texts: Texts | None = None) -> Cast:
    names = (texts or Texts()).user
    users: dict[Who, User] = {
        who: factories.make_user(names.replace("{}", who)) for who in Who if who != Who.NOBODY
    }
    factories.make_moderator(users[Who.MODERATOR])
    # by the name of whom the sandbox knows as one
    users[Who.PATROLLER].wiki_username = "Pat"
    users[Who.PATROLLER].save()
    users[Who.SUPERUSER].is_staff = users[Who.SUPERUSER].is_superuser = True
    users[Who.SUPERUSER].save()
    for user in users.values():
        Writer.objects.create(
            user=user,
            wiki="sandbox",
            autoconfirmed=True,
            edit_count=1000,
            asked_at=timezone.now(),
            looked_at=timezone.now(),
            patrols=user == users[Who.PATROLLER],
            patrols_asked_at=timezone.now(),
        )
    return Cast(users)


class Made:
    """A project and its things; `names` holds what stands for each of them in an address."""

    def __init__(self, cast: Cast, qid: str, first_page: int, texts: Texts, **fields: Any) -> None:
        self.cast, self.texts = cast, texts
        self.project = self._project(qid, **fields)
        self._sources()
        self.photos = [self._photo(first_page + i) for i in range(4)]
        self.face, self.asked, self.looked = self._faces()
        self.aside = self._aside(first_page + 9)
        self.drawn = self._region(self.photos[0], 0.5)
        EmbedJob.objects.create(
            project=self.project, region=self.drawn, state=WorkState.ASIDE, error="broken"
        )
        self.batch = self._sent()
        self.drafts = {
            who: self._draft(cast[who], self.photos[1])
            for who in (Who.MEMBER, Who.REVIEWER, Who.OWNER)
        }
        self.told = {
            who: Notification.objects.create(
                user=user, project=self.project, kind=Notification.Kind.PEOPLE,
                data={"code": "asked", "who": str(cast[Who.STRANGER]), "people": 1},
            )
            for who, user in cast.users.items()
        }  # fmt: skip
        self._beside()
        AuditEvent.objects.create(
            actor=cast[Who.OWNER], project=self.project, action="claim.held",
            target=f"claim:{self.claim.pk}", data={"reason": texts.comment},
        )  # fmt: skip

    def names(self, who: Who) -> dict[str, Any]:
        """As `who` would find it in the addresses of pages."""
        draft = self.drafts.get(who)
        told = self.told.get(who)
        return {
            "project_id": self.project.public_id,
            "region_id": self.face.public_id,
            "other_region": self.asked.public_id,
            "drawn": self.drawn.public_id,
            "photo_id": self.photos[0].public_id,
            "source_id": self.source.pk,
            "user_id": self.cast[Who.MEMBER].public_id,
            "batch": self.batch.code,
            "draft": draft.code if draft else self.drafts[Who.OWNER].code,
            "sent_attempt": self.attempt.pk,
            "draft_attempt": (draft or self.drafts[Who.OWNER]).attempts.get().pk,
            "watch_id": self.watch.pk,
            "invite": self.invite.code,
            "told_id": told.pk if told else 0,
            "objection": self.objection.code,
            "qid": "Q990000041",  # somebody known for little
        }

    # Making them --------------------------------------------------------------------------

    def _beside(self) -> None:
        """What moderators look at, and belongs to no project."""
        texts, person = self.texts, self.project.person
        stops.place(WritingStop.Source.SHARE, texts.comment[:255], user=self.cast[Who.BANNED])
        DenyEntry.objects.create(
            wiki="sandbox", kind=DenyEntry.Kind.CATEGORY,
            value=f"{texts.category} {person.qid}"[:255], reason=texts.comment[:255],
            created_by=self.cast[Who.MODERATOR],
        )  # fmt: skip
        Admission.objects.create(
            person=person, cause=Admission.Cause.LITTLE_KNOWN, state=Admission.State.ALLOWED,
            asked_by=self.cast[Who.STRANGER], note=texts.note, reason=texts.comment,
        )  # fmt: skip
        self.objection = objections.lodge(texts.category, "category", texts.note, texts.note)
        Photo.objects.update(paused_until=None)  # as if the wiki said that they are elsewhere
        Objection.objects.update(answer=texts.comment)

    def _project(self, qid: str, **fields: Any) -> Project:
        texts, cast = self.texts, self.cast
        labels = {"en": texts.label, **texts.labels}
        Person.objects.get_or_create(
            wiki="sandbox", qid=qid,
            defaults={
                "labels": labels, "descriptions": dict.fromkeys(labels, texts.description),
                "commons_category": texts.category, "portrait": texts.title.replace("{}", "0"),
            },
        )  # fmt: skip
        made = factories.make_project(
            cast[Who.OWNER], qid, [(texts.category, 1)], name=texts.project, **fields
        )
        for who, role, state in (
            (Who.MEMBER, "member", "active"),
            (Who.REVIEWER, "reviewer", "active"),
            (Who.BANNED, "member", "banned"),
        ):
            Membership.objects.create(
                project=made, user=cast[who], role=role, state=state, note=texts.note
            )
        self.invite = Invite.objects.create(
            project=made, created_by=cast[Who.OWNER],
            expires_at=timezone.now() + timedelta(days=3),
        )  # fmt: skip
        return made

    def _sources(self) -> None:
        self.source = self.project.sources.get()
        kinds = (Source.Kind.SEARCH, Source.Kind.UPLOADER)
        for kind in kinds:
            Source.objects.create(project=self.project, kind=kind, value=self.texts.category)
        for source in self.project.sources.all():
            source.steps.create(title=source.value, state=WorkState.DONE)

    def _photo(self, page_id: int, **fields: Any) -> Photo:
        picture = Picture.objects.create(
            sha1=f"{page_id:040}", width=400, height=300, mime="image/jpeg",
            **{"state": WorkState.DONE, "faces": 2, "looked_at": timezone.now(), **fields},
        )  # fmt: skip
        photo = Photo.objects.create(
            wiki="sandbox", page_id=page_id, title=self.texts.title.replace("{}", str(page_id)),
            picture=picture, uploader=self.texts.user.replace("{}", "uploader"),
            author=self.texts.note, licence=self.texts.note[:100],
        )  # fmt: skip
        ProjectPhoto.objects.create(project=self.project, photo=photo, source=self.source)
        return photo

    def _region(self, photo: Photo, left: float) -> Region:
        return Region.objects.create(
            picture=photo.picture, origin=Region.Origin.DETECTOR,
            x=left, y=0.1, w=0.2, h=0.3, face_px=90, quality=0.9,
        )  # fmt: skip

    def _faces(self) -> tuple[Region, Region, Region]:
        """One that was answered, one that is asked about, one that is looked at again."""
        project, member = self.project, self.cast[Who.MEMBER]
        answered = [self._said(photo, member) for photo in self.photos]
        asked, looked = (self._region(self.photos[0], left) for left in (0.4, 0.7))
        for region in (asked, looked):
            where = {"subject": project.subject, "photo": self.photos[0], "region": region}
            Score.objects.create(**where, unlikely=0.3, is_match=True, revision=0)
        where = {"subject": project.subject, "photo": self.photos[0]}
        Question.objects.create(**where, region=asked, rank=1, nearest=[answered[0].pk])
        drawn = Round.objects.create(
            subject=project.subject, about=Round.About.APPROVED, frame=1, revision=0
        )
        Look.objects.create(**where, region=looked, round=drawn, why=Look.Why.SAMPLED, rank=1)
        Learner.objects.create(
            project=project, state=WorkState.DONE, faces=6, confirmed=4, worth=2, left=2
        )
        for region in (*answered, asked, looked):
            crop = crops.path_of(region)
            crop.parent.mkdir(parents=True, exist_ok=True)
            crop.write_bytes(b"a picture")
        return answered[0], asked, looked

    def _said(self, photo: Photo, user: User) -> Region:
        region = self._region(photo, 0.1)
        said = {"subject": self.project.subject, "photo": photo, "region": region, "user": user,
                "verdict": Verdict.YES, "origin": Origin.ASK}  # fmt: skip
        Label.objects.create(**said, answer=Answer.objects.create(**said))
        return region

    def _aside(self, page_id: int) -> Photo:
        return self._photo(page_id, state=WorkState.ASIDE, error=Picture.Error.BROKEN, faces=None)

    def _batch(self, user: User, state: str, **fields: Any) -> EditBatch:
        project = self.project
        code = "0123456789ab"
        summary = statements.summary("{person} ({batch})", project.person, code)
        return EditBatch.objects.create(
            project=project, user=user, wiki="sandbox", state=state, summary=summary, **fields
        )

    def _attempt(self, batch: EditBatch, photo: Photo, **fields: Any) -> ClaimAttempt:
        qid = self.project.person.qid
        claim, _ = Claim.objects.get_or_create(
            wiki="sandbox", page_id=photo.page_id, qid=qid,
            defaults={"photo": photo, "project": self.project, "held_reason": self.texts.comment},
        )  # fmt: skip
        guid = ClaimAttempt.new_guid(photo.page_id)
        return ClaimAttempt.objects.create(
            batch=batch, claim=claim, guid=guid, sha1=photo.picture.sha1, title=photo.title,
            statement=statements.depicts(guid, qid, None), has_now=None,
            region=photo.picture.regions.first(),
            **fields,
        )  # fmt: skip

    def _sent(self) -> EditBatch:
        """One statement that stands no more, by somebody's edit."""
        now, user = timezone.now(), self.cast[Who.OWNER]
        batch = self._batch(user, EditBatch.State.DONE, confirmed_at=now, finished_at=now)
        self.attempt = self._attempt(
            batch, self.photos[0], outcome=ClaimAttempt.Outcome.WRITTEN, state=WorkState.DONE,
            revision=5, ended_at=now, began_at=now,
        )  # fmt: skip
        self.claim = self.attempt.claim
        Claim.objects.filter(pk=self.claim.pk).update(state=Claim.State.REMOVED)
        Edit.objects.create(
            attempt=self.attempt, kind="add", wiki="sandbox", page_id=self.claim.page_id,
            qid=self.claim.qid, guid=self.attempt.statement_guid, revision=5, user=user,
            batch=batch, summary=batch.summary,
        )  # fmt: skip
        self.watch = Watch.objects.create(
            claim_attempt=self.attempt, finding=Watch.Finding.REMOVED, checked_at=now, found_at=now,
            by=self.texts.user.replace("{}", "remover"), comment=self.texts.comment, revision=6,
        )  # fmt: skip
        return batch

    def _draft(self, user: User, photo: Photo) -> EditBatch:
        batch = self._batch(user, EditBatch.State.DRAFT)
        self._attempt(batch, photo)
        return batch
