"""Many faces at once, of which the truth is known, and people who look at them again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

import numpy as np
from django.conf import settings
from django.db.models import F

from classify import answers, learning
from classify.answers import Given
from classify.audit import rounds
from classify.labels import lock, relabel, standing
from classify.learning.distances import Floats, Ints
from classify.models import Answer, Look, Origin, Verdict
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.models import Project, User
from tests.classify.learning.projects import PRIORS

_numbers = count(10_000_000)


@dataclass
class Crowd:
    """n faces of a project, one a photo, as the worker has them in memory."""

    project: Project
    region_ids: Ints
    photo_ids: Ints
    vectors: Floats

    def with_(self, more: Crowd) -> Crowd:
        return Crowd(
            self.project,
            np.concatenate([self.region_ids, more.region_ids]),
            np.concatenate([self.photo_ids, more.photo_ids]),
            np.concatenate([self.vectors, more.vectors]),
        )

    def draw(self, seed: int = 1) -> None:
        """What the worker does when nothing more is worth asking."""
        rounds.close(self.project)
        rounds.begin(self.project, self.draft(seed))

    def draft(self, seed: int) -> list[rounds.Draft]:
        words = dict(standing(self.project).values_list("region", "verdict"))
        said = np.array([words.get(region, "") for region in self.region_ids.tolist()])
        model = learning.Model.of(PRIORS["sface"], self.vectors, self.photo_ids)
        for verdict in (Verdict.YES, Verdict.NO):
            rows = np.flatnonzero(said == verdict)
            model.tell(rows, np.full(len(rows), verdict == Verdict.YES))
        everything = np.ones(len(self.region_ids), bool)
        self.project.refresh_from_db()
        rng = np.random.default_rng(seed)
        return rounds.draft(self.project, self, model, everything, rng)

    def say(self, user: User, verdict: str, rows: Collection[int]) -> None:
        """An answer to each of these rows, written down at once."""
        lock(self.project)
        ids = [int(self.region_ids[row]) for row in rows]
        Answer.objects.bulk_create(
            Answer(
                subject=self.project.subject,
                photo_id=int(self.photo_ids[row]),
                region_id=int(self.region_ids[row]),
                user=user,
                verdict=verdict,
                origin=Origin.GRID,
            )
            for row in rows
        )
        relabel(self.project, ids)
        rounds.settle(self.project, ids)


def add_crowd(project: Project, n: int, seed: int = 1) -> Crowd:
    numbers = [next(_numbers) for _ in range(n)]
    pictures = Picture.objects.bulk_create(
        Picture(
            sha1=f"{number:040x}",
            width=1000,
            height=800,
            mime="image/jpeg",
            state=WorkState.DONE,
            faces=1,
        )
        for number in numbers
    )
    photos = Photo.objects.bulk_create(
        Photo(wiki=settings.WIKI.code, page_id=number, title=f"File:{number}.jpg", picture=picture)
        for number, picture in zip(numbers, pictures, strict=True)
    )
    ProjectPhoto.objects.bulk_create(ProjectPhoto(project=project, photo=each) for each in photos)
    regions = Region.objects.bulk_create(
        Region(picture=each, origin=Region.Origin.DETECTOR, x=0.1, y=0.1, w=0.1, h=0.1)
        for each in pictures
    )
    Project.objects.filter(pk=project.pk).update(revision=F("revision") + 1)
    vectors = np.random.default_rng(seed).standard_normal((n, 16)).astype(np.float32)
    return Crowd(
        project,
        np.array([each.pk for each in regions], np.int64),
        np.array([each.pk for each in photos], np.int64),
        vectors,
    )


def look(project: Project, user: User, is_person: Callable[[Region], bool]) -> int:
    """Answer the next screen of second looks as the page sends it; how many faces it had."""
    screen = rounds.next_screen(project, user)
    if screen is None:
        return 0
    given = [
        (
            Given(face.region, face.photo, uuid4()),
            Verdict.YES if is_person(face.region) else Verdict.NO,
        )
        for face in screen.faces
    ]
    answers.answer_screen(project, user, given, Origin.AGAIN)
    return len(given)


def look_at_all(project: Project, user: User, is_person: Callable[[Region], bool]) -> int:
    """All screens, and what is asked a third time after them; how many screens there were."""
    screens = 0
    while look(project, user, is_person):
        screens += 1
    for third in Look.objects.filter(subject=project.subject, third=True).select_related(
        "region", "photo"
    ):
        verdict = Verdict.YES if is_person(third.region) else Verdict.NO
        answers.answer(project, third.region, third.photo, user, verdict, Origin.ASK, uuid4())
    return screens
