"""One request to the Action API: its parameters, its user, the warnings it collects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.api.errors import ApiError, missing_param
from sandbox.faults import Faults, Rule, Target
from sandbox.records import User, Wiki
from sandbox.world import World

Json = dict[str, Any]

# Read by the dispatcher or by nobody, never worth a warning.
_MAIN = {
    "action", "format", "formatversion", "errorformat", "errorlang", "errorsuselocal", "uselang",
    "maxlag", "smaxage", "maxage", "assert", "assertuser", "requestid", "servedby", "curtimestamp",
    "responselanginfo", "origin", "variant", "callback", "utf8", "ascii", "token", "rawcontinue",
}  # fmt: skip


@dataclass(frozen=True)
class Warning_:
    """One warning; `data` goes along in the newer formats."""

    module: str
    code: str
    text: str
    data: Json | None = None


@dataclass
class Call:
    """What a module needs to answer. `module` is the name that errors and warnings carry."""

    world: World
    faults: Faults
    wiki: Wiki
    action: str
    values: dict[str, str]
    posted: frozenset[str]
    post: bool
    user: User | None
    bearer: str
    rights: frozenset[str]
    address: str
    module: str = ""
    warnings: list[Warning_] = field(default_factory=list)
    read: set[str] = field(default_factory=lambda: set(_MAIN))

    @property
    def base(self) -> str:
        """The wiki's own address, without a slash at the end."""
        return f"{self.world.base_url}/{self.wiki}"

    @property
    def user_name(self) -> str:
        """The name edits are made under; the address for anonymous ones."""
        return self.user.name if self.user else self.address

    def params(self, module: str, prefix: str = "") -> Params:
        """The parameters of one module."""
        return Params(self, module, prefix)

    def fault_active(self, kind: str) -> bool:
        """Whether a fault would apply to this user's calls, without counting it as used."""
        name = self.user.name if self.user else ""
        return self.faults.active(kind, Target(f"/{self.wiki}/w/api.php", self.action, (), name))

    def warn(self, module: str, code: str, text: str, data: Json | None = None) -> None:
        """Adds a warning to the answer."""
        self.warnings.append(Warning_(module, code, text, data))

    def fault(self, kind: str, *titles: str) -> Rule | None:
        """A fault that applies to this call, counted as used."""
        name = self.user.name if self.user else ""
        return self.faults.take(kind, Target(f"/{self.wiki}/w/api.php", self.action, titles, name))

    def warn_unread(self) -> None:
        """Warns of parameters that no module has asked for."""
        unread = [name for name in self.values if name not in self.read]
        if unread:
            noun = "parameter" if len(unread) == 1 else "parameters"
            self.warn("main", "unrecognizedparams", f"Unrecognized {noun}: {', '.join(unread)}.")


@dataclass(frozen=True)
class Params:
    """A module's parameters under its prefix. Errors name the module."""

    call: Call
    module: str
    prefix: str = ""

    def name(self, name: str) -> str:
        """The full name, prefix included, marked as known."""
        full = self.prefix + name
        self.call.read.add(full)
        return full

    def known(self, *names: str) -> None:
        """Names parameters that are accepted and have no effect here."""
        for name in names:
            self.name(name)

    def text(self, name: str, default: str = "") -> str:
        """A text, or the default."""
        return self.call.values.get(self.name(name), default)

    def given(self, name: str) -> bool:
        """True when the parameter is there at all; so are booleans true, whatever they say."""
        return self.name(name) in self.call.values

    def required(self, name: str) -> str:
        """A text that must be there and not be empty."""
        value = self.text(name)
        if not value:
            raise missing_param(self.prefix + name, self.module)
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number. Raises badinteger."""
        text = self.text(name)
        if not text:
            return default
        try:
            return int(text)
        except ValueError:
            full = self.prefix + name
            told = f'Invalid value "{text}" for integer parameter "{full}".'
            raise ApiError("badinteger", told, module=self.module) from None

    def limit(self, default: int = 10, most: int = 500, least: int = 1, name: str = "limit") -> int:
        """A limit; `max` is the most allowed, too much is a warning."""
        high = most * 10
        top = high if "apihighlimits" in self.call.rights else most
        text = self.text(name)
        if text == "max":
            return top
        number = self.integer(name, default)
        if least <= number <= top:
            return number
        full = self.prefix + name
        told = f'The value "{number}" for parameter "{full}" must be between {least} and {top}.'
        data = {"min": least, "curmax": top, "max": most, "highmax": high}
        self.call.warn(self.module, "outofrange", told, data)
        return max(least, min(number, top))

    def choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        """One of the allowed values. Raises badvalue."""
        value = self.text(name) or default
        if value not in allowed:
            raise self.bad_value(name, value)
        return value

    def bad_value(self, name: str, value: str) -> ApiError:
        """The refusal of a value that is not among the allowed ones."""
        text = f'Unrecognized value for parameter "{self.prefix + name}": {value}.'
        return ApiError("badvalue", text, module=self.module)

    def values(self, name: str, *, most: int = 50) -> list[str]:
        """A multi-value parameter. Raises toomanyvalues."""
        text = self.text(name)
        if not text:
            return []
        separator = "\x1f" if text.startswith("\x1f") else "|"
        found = list(dict.fromkeys(text.removeprefix("\x1f").split(separator)))
        high = most * 10
        limit = high if "apihighlimits" in self.call.rights else most
        if len(found) > limit:
            full = self.prefix + name
            told = f'Too many values supplied for parameter "{full}". The limit is {limit}.'
            data = {"parameter": full, "limit": limit, "lowlimit": most, "highlimit": high}
            raise ApiError("toomanyvalues", told, data, module=self.module)
        return found

    def options(self, name: str, allowed: Iterable[str], default: str = "") -> list[str]:
        """Several of the allowed values, `*` for all; unknown ones are a warning."""
        full, known = self.name(name), list(allowed)
        found = self.call.values.get(full, default)
        if found == "*":
            return known
        asked = [value for value in found.split("|") if value]
        unknown = [value for value in asked if value not in known]
        if unknown:
            noun = "value" if len(unknown) == 1 else "values"
            told = f'Unrecognized {noun} for parameter "{full}": {", ".join(unknown)}'
            self.call.warn(self.module, "unrecognizedvalues", told, {"values": unknown})
        return [value for value in asked if value in known]

    def namespaces(self, default: str = "") -> list[int]:
        """Namespace numbers; none for all of them."""
        found = self.values("namespace") or [default]
        return [int(value) for value in found if value not in ("", "*")]
