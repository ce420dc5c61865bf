"""JSON of the wiki: bounded when it is parsed, and typed where it is read.

`parse` gives a `Node`. A reader takes a node, asks it for what it needs and makes a frozen
dataclass of it. What has another shape raises WikiError("unreadable") with the way to it, and in
a list costs that element alone. PHP writes an empty object as `[]`, and leaves out what it does
not have: both are normal answers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K")
MAX_BYTES = 16_000_000  # MediaWiki stops at 8 MB of values by itself
MAX_VALUES = 1_000_000  # each takes some 60 bytes of memory, however short it is
MAX_INTEGER = 2**53 - 1  # beyond it JSON is not exact

log = logging.getLogger(__name__)


class WikiError(Exception):
    """The wiki answered with an error, or not at all.

    `code` is MediaWiki's (the most telling of its list), "network", "http-<status>",
    "forbidden-host" or "unreadable"; `retry_after` is in seconds where the wiki named one.
    """

    def __init__(self, code: str, text: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text
        self.retry_after = retry_after


UNREADABLE = "unreadable"


def unreadable(what: str) -> WikiError:
    """An answer that makes no sense to us; `what` says what is wrong with it."""
    return WikiError(UNREADABLE, what)


@dataclass(frozen=True, slots=True)
class Node:
    """A value in an answer, or the lack of one, and the way to it."""

    value: Any = None
    path: str = "answer"

    def __getitem__(self, key: str | int) -> Node:
        """What is under a key of an object, or at a place of a list; a node without a value where
        there is nothing."""
        if isinstance(key, int):
            items = self.items()
            return items[key] if key < len(items) else Node(None, f"{self.path}[{key}]")
        return Node(self._object().get(key), f"{self.path}.{key}")

    def __contains__(self, key: str) -> bool:
        return key in self._object()

    @property
    def is_missing(self) -> bool:
        return self.value is None

    def fields(self) -> dict[str, Node]:
        """The fields of an object; none where it is missing."""
        return {key: Node(each, f"{self.path}.{key}") for key, each in self._object().items()}

    def items(self, *, required: bool = False) -> list[Node]:
        """The elements of a list; none where it is missing, unless it is `required`."""
        if (self.value is None and not required) or self.value == {}:
            return []
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        return [Node(each, f"{self.path}[{n}]") for n, each in enumerate(self.value)]

    def text(self, default: str | None = None, *, longest: int | None = None) -> str:
        """A string of at most `longest` characters; `default` where it is missing."""
        value = default if self.value is None else self.value
        if not isinstance(value, str):
            raise self.wrong("text")
        if longest is not None and len(value) > longest:
            raise self.wrong(f"text of at most {longest} characters")
        return value

    def integer(
        self, default: int | None = None, *, least: int = 0, most: int = MAX_INTEGER
    ) -> int:
        """A whole number from `least` to `most`; `default` where it is missing."""
        value = default if self.value is None else self.value
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong("a number that can be")
        return value

    def moment(self) -> datetime:
        """A time as MediaWiki writes it: 2026-11-24T06:35:42Z."""
        try:
            return datetime.strptime(self.text(), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise self.wrong("a time") from None

    def flag(self) -> bool:
        """True or false; Wikibase and older formats write true as an empty string."""
        if self.value is None or self.value is False:
            return False
        if self.value is True or self.value == "":
            return True
        raise self.wrong("true or false")

    def read_items(self, read: Callable[[Node], T], *, required: bool = False) -> list[T]:
        """What `read` makes of each element of a list; those it can't read are left out."""
        items = self.items(required=required)
        return list(self._readable(dict(enumerate(items)), read).values())

    def read_fields(self, read: Callable[[Node], T]) -> dict[str, T]:
        """The same of the fields of an object."""
        return self._readable(self.fields(), read)

    def wrong(self, wanted: str) -> WikiError:
        """It is not what was `wanted`."""
        return unreadable(f"{self.path} is {_kind(self.value)}, not {wanted}")

    def _object(self) -> dict[str, Any]:
        if self.value is None or self.value == []:
            return {}
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return self.value

    def _readable(self, nodes: dict[K, Node], read: Callable[[Node], T]) -> dict[K, T]:
        found: dict[K, T] = {}
        wrong: list[str] = []
        for key, node in nodes.items():
            try:
                found[key] = read(node)
            except WikiError as error:
                wrong.append(error.text)
        if wrong:
            log.warning("left out of an answer: %s (%d of %d)", wrong[0], len(wrong), len(nodes))
        return found


def parse(body: bytes | str) -> Node:
    r"""JSON within its bounds, with each half character (a lone `\ud83d`) made a question mark:
    neither the database nor a page could hold it. Raises WikiError("unreadable")."""
    if len(body) > MAX_BYTES:
        raise unreadable(f"more than {MAX_BYTES} bytes")
    text = body.decode("utf-8-sig", "replace") if isinstance(body, bytes) else body
    if text.count(",") > MAX_VALUES:
        raise unreadable(f"more than {MAX_VALUES} values")
    try:
        value = json.loads(text)
        if "\\ud" in text.lower():
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise unreadable("nested too deeply") from None
    except ValueError:
        raise unreadable("not JSON") from None
    return Node(value)


def _kind(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    return "text" if isinstance(value, str) else "a number"
