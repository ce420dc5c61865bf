"""Simulated projects, made of encodings of people whose identity is known.

A project is one person's faces among five to twenty times as many other people's, as a category
gives them: two in five of the others are of four people who are seen often, and half of the
person's photos show other people, too.

Files: dlib_*.npz and sface_*.npz in the folder ENCODINGS (docs/how-it-decides.md says how
to make them).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classify.learning.distances import Floats, Ints, Mask
from classify.learning.priors import Prior
from crawler.engines import KINDS

FREQUENT = 10  # photos of somebody who is seen often
DETECTOR = {"sface": 1, "dlib": 4}  # the bit in `det` of the detector that goes with an engine


@dataclass(frozen=True)
class Encodings:
    """A file of n faces."""

    name: str
    engine: str
    vectors: Floats
    identity: Ints  # −1: unknown, and nobody in question
    found: Mask  # by the detector that goes with the engine

    @property
    def prior(self) -> Prior:
        kind = KINDS[self.engine]
        return Prior.of(kind.metric, kind.prior)

    def people(self, photos: int) -> Ints:
        """Identities with that many photos or more."""
        identities, counts = np.unique(self.identity[self.identity >= 0], return_counts=True)
        return identities[counts >= photos]


@dataclass(frozen=True)
class Pool:
    """The n faces of one simulated project, in no order."""

    vectors: Floats
    person: Mask  # is it the person?
    photos: Ints
    found: Mask
    portrait: int  # row of the one picture that is known from the start


def folder() -> Path:
    here = Path(__file__).resolve().parent.parent
    return Path(os.environ.get("ENCODINGS") or here.parent / "shared" / "encodings")


def read(path: Path) -> Encodings:
    with np.load(path) as data:
        engine = str(data["engine"])
        return Encodings(
            path.stem,
            engine,
            data["emb"].astype(np.float32),
            data["pid"].astype(np.int64),
            (data["det"].astype(np.int64) & DETECTOR[engine]) > 0,
        )


def files() -> list[Encodings]:
    paths = sorted([*folder().glob("sface_*.npz"), *folder().glob("dlib_*.npz")])
    if not paths:
        raise SystemExit(f"no sface_*.npz or dlib_*.npz in {folder()}; set ENCODINGS")
    return [read(path) for path in paths]


def pool(
    faces: Encodings, person: int, ratio: int, rng: np.random.Generator, most: int | None = 100
) -> Pool:
    """A project for `person` with `ratio` other faces to each of theirs."""
    own = np.flatnonzero(faces.identity == person)
    if most and len(own) > most:
        own = rng.choice(own, most, replace=False)
    others = _others(faces, person, ratio * len(own), rng)
    rows = np.concatenate([own, others])
    is_person = np.arange(len(rows)) < len(own)
    photos = np.arange(len(rows))
    strangers = iter(len(own) + rng.permutation(len(others)))
    for group_photo in rng.permutation(len(own))[: len(own) // 2]:
        for _ in range(rng.integers(1, 4)):
            stranger = next(strangers, None)
            if stranger is not None:
                photos[stranger] = group_photo
    portrait = int(rng.integers(len(own)))
    mixed = rng.permutation(len(rows))
    return Pool(
        faces.vectors[rows[mixed]],
        is_person[mixed],
        photos[mixed],
        faces.found[rows[mixed]],
        int(np.flatnonzero(mixed == portrait)[0]),
    )


def _others(faces: Encodings, person: int, number: int, rng: np.random.Generator) -> Ints:
    often = np.setdiff1d(faces.people(FREQUENT), [person])
    chosen = rng.choice(often, min(4, len(often)), replace=False)
    frequent = np.flatnonzero(np.isin(faces.identity, chosen))
    first = rng.permutation(frequent)[: int(0.4 * number)]
    rest = np.setdiff1d(np.flatnonzero(faces.identity != person), frequent)
    second = rng.choice(rest, min(number - len(first), len(rest)), replace=False)
    return np.concatenate([first, second])
