"""A pretend Wikimedia in one small process.

`serve()` runs it in a thread of a test; `python -m sandbox` runs it for people. It knows
nothing of the product, and the product talks to it over HTTP only.
"""

from __future__ import annotations

from sandbox.server import RunningSandbox, serve

__all__ = ["RunningSandbox", "serve"]
