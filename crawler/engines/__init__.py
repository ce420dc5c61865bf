"""Engines that find faces and turn them into vectors. No Django here: numbers in, numbers out."""

from crawler.engines.base import Engine, Face
from crawler.engines.dlib_engine import DlibEngine, load

__all__ = ["ENGINE_NAME", "Engine", "Face", "default_engine"]

# What stands beside each vector of this deployment; known without loading any weights.
ENGINE_NAME = DlibEngine.name


def default_engine() -> Engine:
    """The engine of this deployment; loads its weights at first use, in this process."""
    return load()
