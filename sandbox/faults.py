"""Misbehaviour on demand: rules that make the sandbox slow, busy, or cut a connection."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import time
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from flask import Response, g, request

if TYPE_CHECKING:
    from sandbox.world import World

KINDS = (
    "latency",  # seconds: wait before doing anything
    "slow-save",  # seconds: wait between reading the page and saving, so that edits can collide
    "maxlag",  # lag, retry_after: refuse requests that carry maxlag below it
    "readonly",
    "ratelimited",
    "blocked",
    "protected",
    "hook",  # an extension says no, without a word why
    "abusefilter",  # codes: AbuseFilter says no; "abusefilter-warning" where it only warns
    "refuse",  # codes: refuse with these, as the header MediaWiki-API-Error would list them
    "patched",  # save, and warn that the edit was patched into somebody else's
    "expired-token",
    "http",  # status, retry_after: answer with that status
    "body",  # body, megabytes: answer with that body, or with so many bytes, packed by gzip
    "garble",  # find, body: put something else in the place of a text of the answer
    "cut-before",  # close the connection before doing anything
    "cut-after-effect",  # do the work, then close the connection without an answer
)


@dataclass
class Rule:
    """One rule. `match` narrows it (action, title, user, path prefix, and `having` a parameter,
    such as "list=users"); `times` None = always."""

    kind: str
    match: dict[str, str] = field(default_factory=dict)
    times: int | None = None
    seconds: float = 0.0
    status: int = 503
    retry_after: int | None = None
    lag: float = 7.3
    host: str = "10.64.0.1"  # what lags: a database host, or e.g. a wiki
    source: str = "db"  # how it lags: db, wikibase-dispatching, …
    codes: list[str] = field(default_factory=list)
    find: str = ""
    body: str = ""
    megabytes: int = 0
    hits: int = 0

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Rule:
        """A rule of a client's JSON. Raises ValueError with a sentence for a wrong one."""
        known = {entry.name for entry in fields(cls)} - {"hits"}
        if unknown := set(data) - known:
            raise ValueError(f"Unknown keys: {', '.join(sorted(unknown))}")
        if data.get("kind") not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        if data["kind"] == "refuse" and not data.get("codes"):
            raise ValueError("refuse needs codes")
        if unknown := set(data.get("match") or {}) - {
            "action",
            "title",
            "user",
            "path",
            "having",
        }:
            raise ValueError(f"Unknown match keys: {', '.join(sorted(unknown))}")
        return cls(**{key: value for key, value in data.items() if value is not None})


@dataclass(frozen=True)
class Target:
    """What a request is about, as far as it is known."""

    path: str
    action: str = ""
    titles: tuple[str, ...] = ()
    user: str = ""
    parameters: frozenset[str] = frozenset()  # "name=value" each


class Faults:
    """The rules now in force; thread-safe."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._lock = threading.Lock()

    def add(self, kind: str, match: dict[str, str] | None = None, **settings: Any) -> Rule:
        """Adds a rule, e.g. `faults.add("readonly", times=2)`."""
        rule = Rule.from_json({"kind": kind, "match": match or {}, **settings})
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Drops every rule."""
        with self._lock:
            self._rules.clear()

    def as_json(self) -> list[dict[str, Any]]:
        """The rules with how often each was used."""
        with self._lock:
            return [asdict(rule) for rule in self._rules]

    def take(self, kind: str, target: Target) -> Rule | None:
        """The first rule of that kind that matches, counted as used."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                if rule.kind == kind and rule.times != 0 and _matches(rule.match, target):
                    rule.hits += 1
                    if rule.times is not None:
                        rule.times -= 1
                    return rule
        return None

    def active(self, kind: str, target: Target) -> bool:
        """Whether such a rule would apply now; it does not count as used."""
        with self._lock:
            return any(
                rule.kind == kind and rule.times != 0 and _matches(rule.match, target)
                for rule in self._rules
            )

    def before_request(self, world: World) -> Response | None:
        """Latency, cut-before and http, for every path but the control's own."""
        if not self._rules or request.path.startswith("/_sandbox"):
            return None
        g.target = target_of_request(world)
        if slow := self.take("latency", g.target):
            time.sleep(slow.seconds)
        if self.take("cut-before", g.target):
            _cut()
            return Response(status=503)
        if rule := self.take("http", g.target):
            headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
            return Response("Too many requests or out of service.\n", rule.status, headers)
        if rule := self.take("body", g.target):
            return _body(rule)
        return None

    def after_request(self, response: Response) -> Response:
        """garble, and cut-after-effect: the work is done and committed, the answer never leaves."""
        target = g.get("target")
        if target is None:
            return response
        if rule := self.take("garble", target):
            response.set_data(response.get_data(as_text=True).replace(rule.find, rule.body))
        if self.take("cut-after-effect", target):
            _cut()
        return response


def target_of_request(world: World) -> Target:
    """Reads from a request which action, pages and user it concerns."""
    values = request.values
    titles = [value for key in ("title", "titles") for value in values.get(key, "").split("|")]
    return Target(
        path=request.path,
        action=values.get("action", ""),
        titles=tuple(title for title in titles + _entity_titles(world) if title),
        user=_user_name(world),
        parameters=frozenset(f"{name}={value}" for name, value in values.items()),
    )


def _entity_titles(world: World) -> list[str]:
    values = request.values
    named = [
        values.get("entity", ""),
        values.get("id", ""),
        *values.get("ids", "").split("|"),
    ]
    claim = values.get("claim", "")
    if claim.lstrip().startswith("{"):
        try:
            claim = str(json.loads(claim).get("id", ""))
        except (ValueError, AttributeError):
            claim = ""
    named += [guid.split("$")[0] for guid in claim.split("|")]
    numbers = [int(name[1:]) for name in named if name[:1] in "Mm" and name[1:].isdigit()]
    return [page.title for page in world.pages("commons", numbers).values()]


def _user_name(world: World) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer":
        return ""
    row = world.store.row(
        "SELECT user.name FROM oauth_token JOIN user ON user.id = user_id WHERE access = ?",
        (token,),
    )
    return str(row["name"]) if row else ""


def _matches(match: dict[str, str], target: Target) -> bool:
    return (
        match.get("action", target.action) == target.action
        and match.get("user", target.user) == target.user
        and target.path.startswith(match.get("path", ""))
        and ("having" not in match or match["having"] in target.parameters)
        and ("title" not in match or match["title"] in target.titles)
    )


def _body(rule: Rule) -> Response:
    if not rule.megabytes:
        return Response(rule.body, 200, content_type="application/json; charset=utf-8")
    packed = gzip.compress(b" " * 1_000_000) * rule.megabytes  # one member after the other
    headers = {"Content-Encoding": "gzip"}
    return Response(packed, 200, headers, content_type="application/json; charset=utf-8")


def _cut() -> None:
    connection = request.environ["werkzeug.socket"]
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
