"""/commons/w/api.php and /wikidata/w/api.php."""

from __future__ import annotations

from sandbox.api.dispatch import bp

__all__ = ["bp"]
