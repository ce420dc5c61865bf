"""Puts the parts of the sandbox together into one Flask app."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

from sandbox import api, control, oauth, pages, sparql, thumbs
from sandbox.faults import Faults
from sandbox.world import World

_PARTS = (api, control, oauth, thumbs, pages, sparql)


def create_app(world: World, faults: Faults) -> Flask:
    """The whole sandbox; views find `world` and `faults` in `current_app.extensions`."""
    app = Flask("sandbox", static_url_path="/_sandbox/static")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    app.extensions["world"] = world
    app.extensions["faults"] = faults
    for part in _PARTS:
        app.register_blueprint(part.bp)
    app.before_request(_before)
    app.after_request(_after)
    return app


def _before() -> Response | None:
    world, faults = _state()
    world.count_request(f"{request.path} {request.values.get('action', '')}".strip())
    return faults.before_request(world)


def _after(response: Response) -> Response:
    _, faults = _state()
    return faults.after_request(response)


def _state() -> tuple[World, Faults]:
    return current_app.extensions["world"], current_app.extensions["faults"]
