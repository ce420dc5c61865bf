"""What an engine is, whatever library it uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from crawler.engines.boxes import Box as Box

Picture = NDArray[np.uint8]  # height x width x 3, RGB, upright
Vector = NDArray[np.float32]
Landmarks = tuple[tuple[float, float], ...]  # points (x, y), 0–1 of the upright picture


TRUSTED = 0.5


@dataclass(frozen=True)
class Face:
    """A face that was found, or the one in a box that a person drew."""

    box: Box  # 0-1 of the upright picture
    score: float | None  # the detector's own scale, higher is surer; None for a person's box
    landmarks: Landmarks  # as many and in such an order as the engine's detector gives
    embedding: Vector
    height_px: int  # of the box, in the picture that was looked at
    # 0–1 by size, sharpness and turn: from `TRUSTED` on its vector says who it is
    quality: float | None = None


@dataclass(frozen=True)
class Licences:
    """Of the code that runs and of the weights it loads."""

    code: str
    weights: str


@dataclass(frozen=True)
class Detector:
    """Describes the part of an engine that finds faces and their landmarks."""

    name: str
    licences: Licences
    weights: Mapping[str, str]  # file name -> sha256


class Engine(Protocol):
    """Finds faces and turns them into vectors that are near for the same person.

    Each vector in the database points to the row of this `name`, each box to the row of the
    detector's. Vectors of different names are never compared.
    """

    key: str  # what people call it in settings and commands
    label: str  # and on pages
    name: str
    version: str
    detector: Detector
    dimension: int
    metric: str  # how two vectors are compared: "euclidean", or "cosine" for unit vectors
    match: float  # in this metric: what the makers call the same person
    licences: Licences
    weights: ClassVar[Mapping[str, str]]  # file name -> sha256, without the detector's
    prior: ClassVar[Mapping[str, float]]  # see `classify.learning.Prior.of`
    aligns_by: ClassVar[tuple[str, ...]]  # names of detectors whose landmarks `embed` takes

    def look(self, picture: Picture, *, upsample: int = 1) -> list[Face]:
        """All faces of a picture, surest first. Upsampling finds smaller ones and costs 4x each.

        Raises MemoryError.
        """
        ...

    def embed(self, picture: Picture, box: Box, landmarks: Landmarks | None = None) -> Face:
        """Return the face in a known box, aligned as found ones are.

        By `landmarks` of a detector in `aligns_by` it is aligned without detecting again. Without
        them the face is looked for in and around the box, which people draw generously.
        """
        ...


class EngineUnavailable(RuntimeError):
    """The libraries or models of the engine are not installed as they should be."""


class WrongWeights(Exception):
    """A file of weights is not the one that this engine's name stands for."""


def check_digest(path: Path, wanted: str) -> None:
    """Raises WrongWeights: vectors of other weights would be compared with ours in silence."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted:
        raise WrongWeights(f"{path.name} has sha256 {found[:12]}…, not {wanted[:12]}…")
