"""What every template may show of the machinery."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from wikivisage.ops.heartbeats import away_since


def workers(request: HttpRequest) -> dict[str, Any]:
    """Only templates that ask for it look it up."""
    return {"workers_away": away_since}
