"""A member who presses every button of a project, many times at once."""

from __future__ import annotations

import random
import re
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup, Tag
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

from bench.chaos.work import LOGIN_TROUBLE, csrf_token
from bench.volunteer import Volunteer

PAGES = (
    "/", "/ask", "/grid", "/review", "/again", "/tray", "/set-aside/", "/sources/", "/members",
    "/preview", "/batches", "/second-looks",
)  # fmt: skip
OWN_PAGES = ("/account", "/account/sessions", "/notifications")
AT_ONCE = 4
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
DRAWN_BOX = {"x": "0.1", "y": "0.1", "w": "0.2", "h": "0.2"}  # parts of the photo's sides
NONSENSE = ("", "x", "-1", "9" * 30, "null", "[]", "\x00", "../..", "💥" * 100, "1e999", "nan")
NONSENSE_IN_ADDRESS = {"int": "9" * 30, "slug": "nonsense", "str": "💥"}
# Fields that are sent otherwise, or are another on each page while the button is the same
LEFT_OUT = ("csrfmiddlewaretoken", "client_uuid", "next")
LOGIN_PAGES = ("/login/", "/accounts/login/")


@dataclass(frozen=True)
class Press:
    """A POST: the address, and the names and values of its form."""

    path: str
    fields: tuple[tuple[str, str], ...]


class Abuser:
    """A member with no good intentions. It ignores every refusal, and never waits.

    `errors` are the answers that say that the server failed, `pressed` the routes that took a POST,
    `only_read` those that take none.
    """

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name
        self.session = requests.Session()
        self.logins = 0
        self.lock = threading.Lock()
        self.errors: list[str] = []
        self.pressed: set[str] = set()
        self.only_read: set[str] = set()
        self.values: dict[str, set[str]] = defaultdict(set)  # of fields and parameters, as found

    def press_everything(self, project: str, rng: random.Random) -> int:
        """Press each button of each page of a project twice, and each address of the site with
        values found on pages and with nonsense, in any order; return how many presses."""
        if not self.logins:
            self._log_in(0)
        self._send(Press(f"{project}/join", ()))
        pages = [*(f"{project}{page}" for page in PAGES), *OWN_PAGES]
        presses = list({press for page in pages for press in self._buttons(page)}) * 2
        presses.sort(key=str)  # so that a seed shuffles them the same way
        project_id = project.rpartition("/")[2]
        for route in sorted(set(site_routes()) - self.only_read):
            presses.append(self._with_found(route, project_id, rng))
            presses.append(self._with_nonsense(route, project_id, rng))
        rng.shuffle(presses)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sum(pool.map(self._send, presses))

    def stop_batches(self, codes: list[str]) -> None:
        """Stop what it has sent, so that nothing waits for a member who never comes back."""
        for code in codes:
            self._send(Press(f"/batch/{code}/stop", ()))

    def _buttons(self, path: str) -> Iterator[Press]:
        with suppress(requests.RequestException):
            answer = self.session.get(urljoin(self.url, path), timeout=15)
            page = BeautifulSoup(answer.text, "lxml")
            self._remember(page)
            for form in page.select("form[method=post]"):
                action = str(form.get("action") or path)
                yield from (Press(action, tuple(fields)) for fields in fields_of(form))

    def _remember(self, page: BeautifulSoup) -> None:
        """Keep what the page tells: values of fields, and what its addresses are made of."""
        for part in page.select("[href], [src], [action], [name], [data-region], [data-photo]"):
            for attribute in ("href", "src", "action"):
                for name, value in parameters_of(str(part.get(attribute, ""))).items():
                    self.values[name].add(str(value))
            for thing in ("region", "photo"):
                if value := part.get(f"data-{thing}"):
                    self.values[thing].add(str(value))
                    self.values[f"{thing}_id"].add(str(value))
            if part.name in ("input", "button", "option", "textarea") and part.get("name"):
                self.values[str(part["name"])].add(str(part.get("value") or "x"))
        for name in LEFT_OUT:
            self.values.pop(name, None)

    def _with_found(self, route: str, project_id: str, rng: random.Random) -> Press:
        found = {name: rng.choice(sorted(values)) for name, values in self.values.items()}
        found["project_id"] = project_id

        def fill(parameter: re.Match[str]) -> str:
            kind, name = parameter.groups()
            return quote(found.get(name) or NONSENSE_IN_ADDRESS[kind])

        return Press(f"/{PARAMETER.sub(fill, route)}", tuple((found | DRAWN_BOX).items()))

    def _with_nonsense(self, route: str, project_id: str, rng: random.Random) -> Press:
        def fill(parameter: re.Match[str]) -> str:
            kind, name = parameter.groups()
            return project_id if name == "project_id" else quote(NONSENSE_IN_ADDRESS[kind])

        fields = tuple((name, rng.choice(NONSENSE)) for name in sorted(self.values))
        return Press(f"/{PARAMETER.sub(fill, route)}", fields)

    def _send(self, press: Press) -> bool:
        """Press once; where the answer asks for it, log in or join first and press again."""
        for _ in range(2):
            logins = self.logins
            with suppress(requests.RequestException):
                answer = self._post(press)
                if is_login_wanted(answer):
                    self._log_in(logins)
                    continue
                if answer.status_code == 403 and (join := join_address(answer)):
                    self._post(Press(join, ()))
                    continue
                return True
        return False

    def _post(self, press: Press) -> requests.Response:
        session = self.session
        answer = session.post(
            urljoin(self.url, press.path),
            data=[("client_uuid", str(uuid.uuid4())), *press.fields],
            headers={"X-CSRFToken": csrf_token(session)},
            timeout=15,
        )
        away = answer.status_code == 503 and "Retry-After" in answer.headers
        if answer.status_code >= 500 and not away and answer.url.startswith(self.url):
            what = f"{answer.status_code} of {answer.request.method} {answer.url}"
            self.errors.append(f"{what} after POST {press.path} {press.fields}"[:500])
        with suppress(Resolver404):
            route = resolve(press.path).route
            if answer.status_code == 405:
                self.only_read.add(route)
            elif answer.status_code not in (404, 429) and not is_login_wanted(answer):
                self.pressed.add(route)
        return answer

    def _log_in(self, logins: int) -> None:
        """Log in, unless another thread has done so since there were this many logins."""
        with self.lock, suppress(*LOGIN_TROUBLE):
            if logins == self.logins:
                volunteer = Volunteer(self.url, self.name, {})  # apart from what others press
                volunteer.log_in()
                self.session = volunteer.browser.session
                self.logins += 1


def site_routes(
    patterns: list[URLPattern | URLResolver] | None = None, before: str = ""
) -> Iterator[str]:
    """Yield the routes of the site outside the admin. Those that take no POST answer 405."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        elif pattern.namespace != "admin":
            yield from site_routes(pattern.url_patterns, route)


def parameters_of(address: str) -> dict[str, Any]:
    """Return the parameters in an address of the site; none in any other address."""
    with suppress(Resolver404, ValueError):
        return resolve(urlsplit(address).path).kwargs
    return {}


def is_login_wanted(answer: requests.Response) -> bool:
    """Return whether the answer says, or is, that one has to log in first."""
    asked = answer.history and urlsplit(answer.url).path in LOGIN_PAGES
    return answer.status_code == 401 or bool(asked)


def join_address(answer: requests.Response) -> str:
    """Return where the page of a refusal offers to join, or nothing."""
    form = BeautifulSoup(answer.text, "lxml").select_one("form[action$='/join']")
    return str(form["action"]) if form else ""


def fields_of(form: Tag) -> Iterator[list[tuple[str, str]]]:
    """Yield what each button of a form sends, with every box ticked."""
    fields = [
        (str(field["name"]), str(field.get("value") or "x"))
        for field in form.select("input[name], textarea[name]")
        if field["name"] not in LEFT_OUT
    ]
    fields += [
        (str(field["name"]), str(option.get("value", "")))
        for field in form.select("select[name]")
        for option in field.select("option")[-1:]
    ]
    for button in form.select("button:not([type=button])"):
        name, value = button.get("name"), button.get("value", "")
        yield [*fields, (str(name), str(value))] if name else fields
