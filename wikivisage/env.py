"""Reads settings from the environment and says in one sentence each what is wrong."""

import os
import re
from collections.abc import Mapping


class Environment:
    """Collects every mistake, so that an operator sees all of them at once."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = os.environ if values is None else values
        self.errors: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

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
        value = self.text(name, default)
        if value not in choices:
            self.errors.append(f"{name} must be one of {', '.join(choices)}, but is {value!r}.")
            return default
        return value

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

    def property_id(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if re.fullmatch(r"P[1-9]\d{0,9}", value):
            return value
        self.errors.append(f"{name} must be a property like {default}, but is {value!r}.")
        return default
