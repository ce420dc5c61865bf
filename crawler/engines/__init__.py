"""Engines that find faces and turn them into vectors. No Django here: numbers in, numbers out.

Which one serves a project stands in `crawler/registry/selection.py`.
"""

from crawler.engines import dlib_engine, opencv_engine
from crawler.engines.base import TRUSTED, Engine, Face
from crawler.engines.dlib_engine import DlibEngine
from crawler.engines.opencv_engine import OpenCvEngine

__all__ = ["KINDS", "TRUSTED", "Engine", "Face", "Kind", "UnknownEngine", "load", "named"]

# What an engine declares is known from its class, without loading weights.
Kind = type[DlibEngine] | type[OpenCvEngine]

# By the key that settings and commands use; the name is what stands beside vectors.
KINDS: dict[str, Kind] = {kind.key: kind for kind in (OpenCvEngine, DlibEngine)}


class UnknownEngine(LookupError):
    """No engine of this version has such a name."""


def named(name: str) -> Kind:
    """The engine that made vectors under a name. Raises UnknownEngine."""
    for kind in KINDS.values():
        if kind.name == name:
            return kind
    raise UnknownEngine(name)


def load(name: str) -> Engine:
    """The engine of that name, its weights loaded once a process. Raises EngineUnavailable."""
    return opencv_engine.load() if named(name) is OpenCvEngine else dlib_engine.load()
