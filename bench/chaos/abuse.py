"""A member who presses every button of a project, many times at once."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag

from bench.chaos.work import csrf_token
from bench.volunteer import Volunteer

PAGES = ("", "/ask", "/grid", "/review", "/again", "/tray", "/set-aside", "/sources", "/members")
NOT_PRESSED = ("/logout", "/login/")
AT_ONCE = 4
Press = tuple[str, list[tuple[str, str]]]  # an address and what is sent there


class Abuser:
    """A member with no good intentions. It ignores every refusal, and never waits."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.volunteer = Volunteer(url, name, {})
        self.joined: set[str] = set()

    def begin(self, projects: list[str]) -> None:
        """Log in and join the projects. Raises what `Volunteer` raises."""
        if not self.joined:
            self.volunteer.log_in()
        for project in set(projects) - self.joined:
            self._send((f"{project}/join", []))
            self.joined.add(project)

    def press_everything(self, project: str, rng: random.Random) -> int:
        """Press each button of each page of a project, in any order; return how many presses."""
        presses = [press for page in PAGES for press in self._buttons(f"{project}{page}")] * 2
        rng.shuffle(presses)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(self._send, presses))

    def _buttons(self, path: str) -> Iterator[Press]:
        with suppress(requests.RequestException):
            answer = self._session.get(urljoin(self.url, path), timeout=15)
            for form in BeautifulSoup(answer.text, "lxml").select("form[method=post]"):
                action = str(form.get("action") or path)
                if not action.endswith(NOT_PRESSED):
                    yield from ((action, fields) for fields in fields_of(form))

    def _send(self, press: Press) -> bool:
        address, fields = press
        with suppress(requests.RequestException):
            self._session.post(
                urljoin(self.url, address),
                data=[*fields, ("client_uuid", str(uuid.uuid4()))],
                headers={"X-CSRFToken": csrf_token(self._session)},
                timeout=15,
            )
            return True
        return False

    @property
    def _session(self) -> requests.Session:
        session: requests.Session = self.volunteer.browser.session
        return session


def fields_of(form: Tag) -> Iterator[list[tuple[str, str]]]:
    """Yield what each button of a form sends, with every box ticked."""
    fields = [
        (str(field["name"]), str(field.get("value") or "x"))
        for field in form.select("input[name], textarea[name]")
        if field["name"] != "csrfmiddlewaretoken"
    ]
    fields += [
        (str(field["name"]), str(option.get("value", "")))
        for field in form.select("select[name]")
        for option in field.select("option")[-1:]
    ]
    for button in form.select("button:not([type=button])"):
        name, value = button.get("name"), button.get("value", "")
        yield [*fields, (str(name), str(value))] if name else fields
