"""What the `infer` worker keeps in mind of the projects that people are answering in.

All of it can be read anew from the database at any time; keeping it saves the time to do so.
Vectors are open here and in the `detect` worker only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Self
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import Max

from classify import learning
from classify.learner.project_arrays import Faces, Words
from classify.learning.distances import Floats, Ints, Mask
from classify.learning.scorer import Doubles
from classify.models import Answer, Learner, Score
from crawler.detection import embeddings
from crawler.models import EngineVersion
from crawler.registry import selection
from projects.models import Person, Project

PORTRAIT, STATED = 0.95, 0.7  # how much a Yes weighs that no person has said
RESTS = 1800  # seconds after which a project in which nobody answers is forgotten
A_FACE = 800  # bytes: a vector of 128, eight look-alikes, what is kept of answers
MANY_NEW = 0.5  # new faces to old ones, from which on look-alikes are found anew


@dataclass
class Saved:
    """The scores in the database, for the rows of Faces; NaN where there is none."""

    photo_ids: Ints
    unlikely: Doubles
    is_match: Mask
    doubt: Doubles

    @classmethod
    def none(cls, number: int) -> Self:
        empty = np.full(number, np.nan)
        return cls(np.zeros(number, np.int64), empty, np.zeros(number, bool), empty.copy())

    def extended(self, number: int) -> Saved:
        new = Saved.none(number - len(self.unlikely))
        return Saved(
            np.concatenate([self.photo_ids, new.photo_ids]),
            np.concatenate([self.unlikely, new.unlikely]),
            np.concatenate([self.is_match, new.is_match]),
            np.concatenate([self.doubt, new.doubt]),
        )


@dataclass
class Mind:
    """The faces of a project, and all that is thought of them."""

    project_id: int
    engine: EngineVersion
    faces: Faces
    model: learning.Model
    faces_revision: int
    copies: Ints
    dated: tuple[int, tuple[date | None, ...], Doubles] | None = None  # what the dates say
    saved: Saved | None = None  # None: to be read
    gone: list[int] = field(default_factory=list)  # regions with scores that are no faces now
    answer: int = 0  # the last one that was given when scores were last compared
    attempt: int = -1  # of the learner, when it last settled with this mind
    settled_at: datetime | None = None
    used_at: float = field(default_factory=time.monotonic)

    @classmethod
    def read(cls, project: Project, before: Mind | None = None) -> Self:
        """All anew from the database; vectors that are in memory needn't be opened again."""
        engine = selection.serving(project)
        listed = embeddings.listed(project, engine)
        there, matrix = _opened(listed.keys, engine, before)
        faces = Faces.read(project, listed)
        keep = np.isin(listed.keys, faces.keys) & there
        faces = faces.taken(np.isin(faces.keys, listed.keys[keep]))
        prior = learning.Prior.of(engine.metric, engine.prior)
        matrix = matrix if keep.all() else matrix[keep]
        model = learning.Model.of(prior, matrix, faces.picture_ids)
        copies = learning.copies(prior.space, model.scorer.alike, faces.hashes, faces.hashed)
        return cls(project.pk, engine, faces, model, project.faces_revision, copies)

    def caught_up(self, project: Project) -> Mind:
        """With the faces that the project has now: itself where only some came, else a new one."""
        engine = selection.serving(project)
        if engine != self.engine:
            return Mind.read(project)
        faces = Faces.read(project, embeddings.listed(project, engine))
        old = len(self.faces)
        came = faces.keys[~np.isin(faces.keys, self.faces.keys)]
        gone = not np.isin(self.faces.keys, faces.keys).all()
        if gone or len(came) > MANY_NEW * old:
            return Mind.read(project, self)
        there, matrix = embeddings.opened(came, engine)
        keys = np.concatenate([self.faces.keys, came[there]])
        order = np.argsort(faces.keys)
        at = np.searchsorted(faces.keys, keys, sorter=order)
        self.faces = faces.taken(order[at])
        if there.any():
            self.model.extend(matrix[there], self.faces.picture_ids[old:])
            self.saved = self.saved and self.saved.extended(len(keys))
        alike = self.model.scorer.alike
        space = self.model.scorer.space
        self.copies = learning.copies(space, alike, self.faces.hashes, self.faces.hashed)
        self.faces_revision = project.faces_revision
        return self

    def tell(self, project: Project, words: Words) -> None:
        """Let the model know what was said, and forget what was taken back."""
        faces, model = self.faces, self.model
        model.around = words.around(faces, self._dates(project.person), self.copies)
        portrait = faces.portrait & ~words.spoken
        trust = np.select([words.yes, portrait, words.stated], [1.0, PORTRAIT, STATED], 0.0)
        trust = np.where(faces.trusted, trust, 0).astype(np.float32)
        said = np.where(trust > 0, 1, np.where(words.no & faces.trusted, -1, 0))
        scorer = model.scorer
        scorer.forget(np.flatnonzero((said == 0) & (scorer.said != 0)))
        changed = (said != 0) & ((scorer.said != said) | (scorer.trust != trust))
        rows = np.flatnonzero(changed)
        if len(rows):
            model.tell(rows, said[rows] > 0, trust[rows])

    def _dates(self, person: Person) -> Doubles:
        days = (person.born_from, person.died_from, person.died_to)
        if self.dated is None or self.dated[:2] != (self.faces_revision, days):
            self.dated = (self.faces_revision, days, self.faces.dates(person))
        return self.dated[2]

    @property
    def size(self) -> int:
        """Bytes, about."""
        scorer = self.model.scorer
        arrays = [*vars(scorer).values(), *vars(scorer.alike).values(), *vars(self.faces).values()]
        return sum(one.nbytes for one in arrays if isinstance(one, np.ndarray))


_minds: dict[UUID, Mind] = {}  # the one used last stands last


def knows(project: Project) -> bool:
    """Is a mind kept that is up to the faces of now?"""
    mind = _minds.get(project.public_id)
    return mind is not None and mind.faces_revision == project.faces_revision


def recall(project: Project) -> Mind:
    """The mind of a project, up to its `faces_revision` as it was read, or one of later."""
    mind = _minds.pop(project.public_id, None)
    if mind is None:
        _make_room(project)
        mind = Mind.read(project)
    elif mind.faces_revision != project.faces_revision:
        mind = mind.caught_up(project)
    mind.used_at = time.monotonic()
    _minds[project.public_id] = mind
    return mind


def tidy() -> None:
    """Forget projects in which nobody answers any more."""
    since = time.monotonic() - RESTS
    for key in [key for key, mind in _minds.items() if mind.used_at < since]:
        del _minds[key]


def forget(project_id: int | None = None) -> None:
    """One project, or all."""
    for key, mind in list(_minds.items()):
        if project_id in (None, mind.project_id):
            del _minds[key]


def saved_scores(mind: Mind, project: Project, learner: Learner) -> Saved:
    """The scores in the database; NaN also where pages may have changed them since they were
    compared, as they do with faces that people answer. Call before labels are read.

    What was last saved is trusted if this process did the last run that ended; the learner was
    taken once since.
    """
    answers = Answer.objects.filter(subject=project.subject)
    last = answers.aggregate(last=Max("pk"))["last"] or 0
    ours = learner.attempt == mind.attempt + 1 and learner.computed_at == mind.settled_at
    if mind.saved is None or not ours:
        mind.saved, mind.gone = _read_scores(project, mind.faces)
    else:
        since = answers.filter(pk__gt=mind.answer).values_list("region", flat=True)
        mind.saved.unlikely[mind.faces.of(set(since))] = np.nan
    mind.answer = last
    return mind.saved


def _opened(keys: Ints, engine: EngineVersion, before: Mind | None) -> tuple[Mask, Floats]:
    """As vectors.opened; what another mind has open is taken from there."""
    if before is None or before.engine != engine or not len(before.faces):
        return embeddings.opened(keys, engine)
    known = dict(zip(before.faces.keys.tolist(), range(len(before.faces)), strict=True))
    rows = np.array([known.get(key, -1) for key in keys.tolist()], np.int64)
    new = np.flatnonzero(rows < 0)
    there = np.ones(len(keys), bool)
    matrix = before.model.scorer.vectors[rows]
    there[new], matrix[new] = embeddings.opened(keys[new], engine)
    return there, matrix


def _make_room(project: Project) -> None:
    faces = Learner.objects.filter(project=project).values_list("faces", flat=True).first() or 0
    room = settings.LEARNING_MEMORY_MB * 1_000_000 - faces * A_FACE
    for key in list(_minds):
        if sum(mind.size for mind in _minds.values()) <= room:
            return
        del _minds[key]


def _read_scores(project: Project, faces: Faces) -> tuple[Saved, list[int]]:
    rows = Score.objects.filter(subject=project.subject).values_list(
        "region", "photo", "unlikely", "is_match", "doubt"
    )
    saved, gone = Saved.none(len(faces)), []
    found = list(rows)
    at = faces.rows_of(row[0] for row in found)
    for row, (region, photo, unlikely, is_match, doubt) in zip(at.tolist(), found, strict=True):
        if row < 0:
            gone.append(region)
            continue
        saved.photo_ids[row], saved.unlikely[row], saved.is_match[row] = photo, unlikely, is_match
        saved.doubt[row] = np.nan if doubt is None else doubt
    return saved, gone
