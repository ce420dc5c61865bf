"""Reads settings from the environment and says in one sentence each what is wrong."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit


class Environment:
    """Collects every mistake, so that an operator sees all of them at once."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = os.environ if values is None else values
        self.errors: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def has(self, name: str) -> bool:
        """Whether it is set, be it to nothing."""
        return name in self.values

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name, str(default)).lower()
        if value in ("1", "true", "yes", "on"):
            return True
        if value in ("0", "false", "no", "off"):
            return False
        self.errors.append(f"{name} must be yes or no, but is {value!r}.")
        return default

    def integer(self, name: str, default: int, low: int = 0, high: int = 10**9) -> int:
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            self.errors.append(f"{name} must be a number, but is {value!r}.")
            return default
        if not low <= number <= high:
            self.errors.append(f"{name} must be between {low} and {high}, but is {value}.")
            return default
        return number

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of them, in whatever case."""
        value = self.text(name, default)
        for each in choices:
            if each.lower() == value.lower():
                return each
        self.errors.append(f"{name} must be one of {', '.join(choices)}, but is {value!r}.")
        return default

    def header(self, name: str, default: str) -> str:
        """What a header of HTTP can hold."""
        value = self.text(name, default)
        if value.isprintable() and all(ord(each) < 256 for each in value):
            return value
        self.errors.append(f"{name} must be one line in Latin letters, but is {value!r}.")
        return default

    def address(self, name: str, default: str = "") -> str:
        """Of a server. It may hold a password, so that nothing of it is ever shown."""
        value = self.text(name, default)
        if not value or _is_address(value):
            return value
        self.errors.append(
            f"{name} can't be read: percent-encode what is special in its password (/ is %2F, "
            "# is %23, ? is %3F), and let its port be a number."
        )
        return default

    def web_address(self, name: str, default: str) -> str:
        """Return an http or https address without the slash at its end."""
        value = self.text(name, default).rstrip("/")
        try:
            parts = urlsplit(value)
            if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
                return value
        except ValueError:  # no address at all, or its port is no number
            pass
        self.errors.append(f"{name} must be an address like {default}, but is {value!r}.")
        return default

    @contextmanager
    def folder(self, name: str, path: Path) -> Iterator[None]:
        """What can't be made or read in this folder is said once, of its setting."""
        try:
            yield
        except OSError:
            says = f"{name} must be a folder in which files can be made and read, but is {path}."
            if says not in self.errors:
                self.errors.append(says)

    def items(self, name: str, default: str = "") -> list[str]:
        return [part.strip() for part in self.text(name, default).split(",") if part.strip()]

    def numbers(self, name: str, default: str) -> list[float]:
        """Positive numbers, growing, separated by commas."""
        text = self.text(name, default)
        try:
            found = [float(part) for part in text.split(",")]
        except ValueError:
            found = []
        if found and found == sorted(set(found)) and found[0] > 0:
            return found
        self.errors.append(f"{name} must be growing numbers like {default}, but is {text!r}.")
        return [float(part) for part in default.split(",")]

    def template(self, name: str, default: str, fields: tuple[str, ...]) -> str:
        """A text that holds each of these fields in braces once and no other, within a summary."""
        text = self.text(name, default)
        if sorted(re.findall(r"\{([^}]*)\}", text)) == sorted(fields) and len(text.encode()) <= 200:
            return text
        wanted = " and ".join(f"{{{field}}}" for field in fields)
        self.errors.append(f"{name} must hold {wanted} once each, within 200 bytes.")
        return default

    def words(self, name: str, default: str) -> str:
        """A few words for a summary: a line without what wikis make something of."""
        text = " ".join(self.text(name, default).split())
        if text and not re.search(r"[\[\]{}|<>]", text) and len(text.encode()) <= 80:
            return text
        self.errors.append(f"{name} must be plain words within 80 bytes, without [ ] {{ }} | < >.")
        return default

    def property_id(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if re.fullmatch(r"P[1-9]\d{0,9}", value):
            return value
        self.errors.append(f"{name} must be a property like {default}, but is {value!r}.")
        return default


def _is_address(text: str) -> bool:
    """Whether all of it is what it was meant to be: where a password holds a plain / or #, its rest
    and the host, behind an @, seem to be the path."""
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError:
        return False
    return not (parts.netloc and "@" in f"{parts.path}{parts.query}{parts.fragment}")
