"""An engine looks at pixels, and its speed is counted."""

from __future__ import annotations

import time

from django.conf import settings

from crawler.engines import Engine, Face
from crawler.engines.base import Picture as Pixels
from projects import measures


def see(engine: Engine, pixels: Pixels) -> list[Face]:
    """All faces in a picture. Raises what the engine does, MemoryError for example."""
    begun = time.monotonic()
    faces = engine.look(pixels, upsample=settings.DETECT_UPSAMPLE)
    measures.add("engine_seconds", time.monotonic() - begun, engine=engine.name)
    measures.add("engine_pictures", engine=engine.name)
    measures.add("engine_faces", len(faces), engine=engine.name)
    return faces
