"""An engine looks at pixels, and its speed is counted."""

from __future__ import annotations

import time

from django.conf import settings

from core import metrics
from crawler.engines import Engine, Face
from crawler.engines.base import Picture as Pixels


def see(engine: Engine, pixels: Pixels) -> list[Face]:
    """All faces in a picture. Raises what the engine does, MemoryError for example."""
    begun = time.monotonic()
    faces = engine.look(pixels, upsample=settings.DETECT_UPSAMPLE)
    metrics.add("engine_seconds", time.monotonic() - begun, engine=engine.name)
    metrics.add("engine_pictures", engine=engine.name)
    metrics.add("engine_faces", len(faces), engine=engine.name)
    return faces
