"""What an answer depends on, in one query. Read it with the project held, so that it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet, Subquery

from classify.labels import Said, Voice
from classify.models import Answer, Look, Question
from core.prepared_queries import prepared
from crawler.models import Photo, ProjectPhoto, Region
from projects.models import Membership, Project, User
from projects.privacy import denylist

VOICE = ("role", "state", "counts")  # of a membership
READ_WITH: Any = ("shown", "given")


@dataclass(frozen=True)
class Facts:
    """Of some faces, by the keys of their regions."""

    said: Said
    sent: dict[UUID, Answer]  # all answers to them, by the UUIDs that they came under
    # What the model thought when it asked about them. Of those seen most often the person is
    # picked, and nothing is said of the others: no chance tells of that.
    chances: dict[int, float]
    looked: set[int]  # those that a round of second looks has
    right: set[tuple[int, int]]  # those that can be answered, each with a photo that shows it
    is_left_alone: bool  # whether the project's person is; so it is said where there is no face

    @classmethod
    def read(cls, project: Project, user: User, regions: Iterable[int], photos: Any) -> Self:
        qid = project.person.qid
        keys = (project.pk, project.subject.pk, user.pk)
        rows = _rows(*keys, qid, sorted(set(regions)), sorted(set(photos)))
        answers = {row.given.pk: row.given for row in rows if "given" in row.__dict__}
        voices = {
            key: Voice.of(*(getattr(row, f"{whose}_{each}") for each in VOICE))
            for row in rows
            for whose, key in (("own", user.pk), ("their", _giver(row)))
            if key and getattr(row, f"{whose}_role") is not None
        }
        return cls(
            said=Said.of(project, answers.values(), voices),
            sent={answer.client_uuid: answer for answer in answers.values()},
            chances={row.pk: row.chance for row in rows if row.chance is not None},
            looked={row.pk for row in rows if row.is_looked_at},
            right={
                (row.pk, row.shown.pk)
                for row in rows
                if "shown" in row.__dict__
                and row.is_held
                and row.shown.state == Photo.State.LIVE
                and row.replaced_by_id is None
            },
            is_left_alone=not rows or rows[0].is_left_alone,
        )


def _giver(row: Any) -> int | None:
    return row.given.user_id if "given" in row.__dict__ else None


@prepared
def _rows(
    project: Any, subject: Any, user: Any, qid: Any, regions: Any, photos: Any
) -> QuerySet[Any]:
    """A row for each region, photo that shows it and answer to it."""
    asked = Question.objects.filter(subject=subject, region=OuterRef("pk"))
    looks = Look.objects.filter(subject=subject, region=OuterRef("pk"))
    voices = {
        f"{whose}_{each}": Subquery(_membership(project, of).values(each)[:1])
        for whose, of in (("own", user), ("their", OuterRef("given__user")))
        for each in VOICE
    }
    shows = Q(picture__photos__in=photos)
    given = Q(answers__subject=subject)
    faces = Region.objects.filter(pk__in=regions).annotate(
        shown=FilteredRelation("picture__photos", condition=shows),
        given=FilteredRelation("answers", condition=given),
    )
    held = ProjectPhoto.objects.filter(project=project, photo=OuterRef("shown"))
    return faces.select_related(*READ_WITH).annotate(
        is_left_alone=Exists(denylist.persons(qid)),
        is_held=Exists(held),
        is_looked_at=Exists(looks.exclude(why=Look.Why.FRAME)),
        chance=Subquery(asked.exclude(kind=Question.Kind.COMMON).values("chance")[:1]),
        **voices,
    )


def _membership(project: Any, user: Any) -> QuerySet[Membership]:
    return Membership.objects.filter(project=project, user=user)
