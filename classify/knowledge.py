"""What is known of a project's faces, and what follows from it, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from classify import learning
from classify.learning.distances import Floats, Ints, Mask
from classify.models import Label, Origin, Score, Verdict
from crawler import vectors
from crawler.models import ProjectPhoto, Region
from projects.models import Project


class Word(NamedTuple):
    """A label, as far as learning goes."""

    region: int
    picture: int
    verdict: str
    origin: str
    place: str  # the region's origin: the photo as a whole is no face

    def counts(self, project: Project) -> bool:
        """Does it count as a confirmed face of the person?"""
        by_people = self.origin != Origin.BOOTSTRAP
        return self.is_yes and (by_people or project.bootstrap_counts)

    @property
    def is_yes(self) -> bool:
        return self.verdict == Verdict.YES and self.place != Region.Origin.PHOTO


@dataclass(frozen=True)
class Faces:
    """The n faces of a project that have vectors, and what is known of each; rows correspond."""

    region_ids: Ints
    photo_ids: Ints
    picture_ids: Ints
    matrix: Floats  # float32[n, d]
    labelled: Mask  # people, or a statement that existed, said a word
    confirmed: Mask  # said to be the person: shown beside questions
    positive: Mask  # of these, what makes the centroid: bootstrap's only if the project says so
    examples: Mask  # what questions are ordered by: the portrait too, until it is answered
    negative: Mask  # somebody else
    settled: Mask  # in a photo that shows the person already
    tagged: Mask  # in a file that depicts the person, none of whose faces was answered
    count: int  # towards the project's minimum; boxes that still lack a vector are among them
    round: bool = False  # are all vectors of one length, as where the cosine counts?

    @classmethod
    def load(cls, project: Project) -> Faces:
        """Read vectors and labels; needs the keys that open vectors, so only workers call it."""
        words = [
            Word(*row)
            for row in Label.objects.filter(project=project).values_list(
                "region", "region__picture", "verdict", "origin", "region__origin"
            )
        ]
        found = vectors.load(project)
        labelled = {word.region for word in words}
        shown = ~np.isin(found.region_ids, list(_drawn_elsewhere(project) - labelled))
        region_ids, picture_ids = found.region_ids[shown], found.picture_ids[shown]

        def regions(wanted: Iterable[int]) -> Mask:
            return np.isin(region_ids, list(wanted))

        def pictures(wanted: Iterable[int]) -> Mask:
            return np.isin(picture_ids, list(wanted))

        confirmed = regions(word.region for word in words if word.is_yes)
        answered_in = {word.picture for word in words}
        portraits, tagged = _portraits_and_tagged(project)
        return cls(
            region_ids=region_ids,
            photo_ids=found.photo_ids[shown],
            picture_ids=picture_ids,
            matrix=found.on_usual_scale()[shown],
            labelled=regions(labelled),
            confirmed=confirmed,
            positive=regions(word.region for word in words if word.counts(project)),
            examples=confirmed | pictures(portraits - answered_in),
            negative=regions(word.region for word in words if word.verdict == Verdict.NO),
            settled=pictures(word.picture for word in words if word.verdict == Verdict.YES),
            tagged=pictures(tagged - answered_in),
            count=sum(word.counts(project) for word in words),
            round=found.metric == "cosine",
        )


@dataclass(frozen=True)
class Thoughts:
    """What follows from the answers, for the same n rows as Faces."""

    unlikely: list[float]  # see Score
    is_match: Mask
    order: Ints  # rows to ask, the first one first

    @classmethod
    def of(cls, faces: Faces, project: Project) -> Thoughts:
        """The centroid rule: a match is nearer to the confirmed faces' mean than the threshold."""
        number = len(faces.region_ids)
        if faces.count < project.min_confirmed or not faces.positive.any():
            order = _order(faces, np.zeros(number, np.int64))
            return cls([Score.FAR] * number, np.zeros(number, bool), order)
        middle = learning.centroid(faces.matrix[faces.positive])
        if faces.round:  # a mean is shorter than what it is the mean of, so nearer to everything
            length = float(np.linalg.norm(faces.matrix[0])) / max(
                float(np.linalg.norm(middle)), 1e-9
            )
            middle = middle * np.float32(length)
        distances = learning.distances(faces.matrix, middle)
        is_match = (distances < project.threshold) & ~faces.labelled
        # Matches are settled twenty at a look in the review. Asked singly are, before them,
        # those just beyond the threshold, since nobody else finds these.
        unsure = ~is_match & (distances < project.threshold + Score.UNCERTAIN)
        order = _order(faces, np.select([unsure, is_match], [0, 1], 2).astype(np.int64))
        return cls(distances.tolist(), is_match, order)


def _order(faces: Faces, tiers: Ints) -> Ints:
    """Rows to ask: what is nearest to the examples comes first within each of `tiers`."""
    costs = learning.cost(
        faces.matrix,
        faces.picture_ids,
        faces.matrix[faces.examples],
        faces.matrix[faces.negative],
    )
    open_ = ~faces.labelled
    # In a photo that shows the person already another face adds nothing: those come last.
    # One of the faces of a tagged photo is the person: the likeliest is asked before all else.
    first = learning.one_a_group(costs, faces.picture_ids, open_ & faces.tagged)
    tiers = np.where(first, -1, np.where(faces.settled, 9, tiers))
    return learning.asking_order(costs, open_, tiers)


def _drawn_elsewhere(project: Project) -> set[int]:
    """Boxes drawn by people where none was found: faces only for a project that labels them.

    They may come from another project, or have been taken back. (A box that was drawn better
    than another one stands for everybody.)
    """
    drawn = Region.objects.filter(
        origin=Region.Origin.PERSON,
        replaces=None,
        picture__photos__project_photos__project=project,
    )
    return set(drawn.values_list("pk", flat=True))


def _portraits_and_tagged(project: Project) -> tuple[set[int], set[int]]:
    """Picture ids of the portrait, and of the files that depict the person already."""
    photos = ProjectPhoto.objects.filter(project=project).values_list("photo__picture", flat=True)
    return set(photos.filter(is_portrait=True)), set(photos.filter(already_depicts=True))
