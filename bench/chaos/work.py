"""Contributors at work: they watch a category, answer, send batches, take some of them back.

They press what a browser would press, and try again with the same UUID until the server has said
that it was done. What was said to them they write down: by that the end is judged.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from bs4 import BeautifulSoup
from mechanicalsoup import LinkNotFoundError

from bench import truth, variants
from bench.volunteer import Volunteer
from sandbox import files, seed
from sandbox.world import World

WIDTH = 480  # of the pictures: small ones are looked at quickly
AT_ONCE = 2  # files that are uploaded together
QUESTIONS = 4  # answered before something is sent
BACKLOG = 20  # pictures that wait: no more are uploaded then
UNDO_SHARE, TAKE_BACK_SHARE = 0.08, 0.25
BARE = 5  # one file of so many has no author, licence and date
DESCRIPTION = "{{Information|author=Picture Desk|date=2026-01-02}}\n{{cc-by-4.0}}"
PEOPLE = (
    ("Ingrid S.", "Q7186", "Marie Curie"),
    ("Kari N.", "Q937", "Albert Einstein"),
    ("Bob", "Q1615", "Neil Armstrong"),  # in whose project somebody abuses every button
)
# What `Volunteer.log_in` raises while the server is in trouble
LOGIN_TROUBLE = (requests.RequestException, LinkNotFoundError, AssertionError)


def csrf_token(session: requests.Session) -> str:
    """Return the token against forged forms that the server gave this session, or nothing."""
    return next((c.value for c in session.cookies if "csrf" in c.name), "") or ""


class Wiki:
    """The store of the sandbox, opened beside its own process, to upload into."""

    def __init__(self, folder: Path, url: str, rng: random.Random) -> None:
        self.world = World(folder / "sandbox")
        self.world.base_url = url
        seed.seed(self.world)
        self.pictures = folder / "pictures"
        self.pictures.mkdir()
        self.number = rng.randrange(1_000_000)
        self.lock = threading.Lock()

    def open(self, category: str) -> None:
        self.world.add_page("commons", f"Category:{category}", "Chaos.", user="Admin")

    def upload(self, categories: list[str]) -> int:
        """One new file; returns its page id."""
        with self.lock:
            self.number += 1
            path = self.pictures / f"{self.number}.jpg"
            path.write_bytes(variants.jpeg(self.number, WIDTH))
            text = "\n".join(f"[[Category:{each}]]" for each in categories)
            if self.number % BARE:
                text = f"{DESCRIPTION}\n{text}"
            title = f"File:Chaos {self.number:07}.jpg"
            read = files.describe(path)
            return int(self.world.upload(title, path, read, user="Picture Desk", text=text).id)


class Contributor(threading.Thread):
    """One person with a project of their own."""

    def __init__(
        self, url: str, wiki: Wiki, who: tuple[str, str, str], rng: random.Random, look: Any
    ) -> None:
        """`look` is the module that reads the database, once Django is set up."""
        super().__init__(daemon=True)
        self.url, self.wiki, self.rng, self.look = url, wiki, rng, look
        self.person, self.qid, self.category_of_person = who
        self.category = f"Chaos of {self.person}"
        self.ending, self.needs_login = threading.Event(), threading.Event()
        # What the server said was done:
        self.given: dict[uuid.UUID, str] = {}  # answers, and the verdict
        self.sent: list[str] = []  # codes of batches
        self.pages: set[int] = set()  # files of the category
        self.done = 0  # answers of the server that were no error
        self.trouble = 0  # those that were
        self.refused: Counter[str] = Counter()  # what it would not do, and said why
        self.failed: BaseException | None = None
        self.last = ""  # the answer of the server that came last, or that none came

    # Before the faults ------------------------------------------------------------------------

    def begin(self) -> None:
        self.wiki.open(self.category)
        self.volunteer = Volunteer(self.url, self.person, truth.photos())
        self.volunteer.log_in()
        for _ in range(2):
            self.pages.add(self.wiki.upload([self.category]))
        self.project = self.volunteer.create(self.qid, self.category)
        self.session: requests.Session = self.volunteer.browser.session

    # The work ---------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            while not self.ending.is_set():
                self.turn()
        except BaseException as error:
            self.failed = error

    def turn(self) -> None:
        self.log_in_if_needed()
        if self.look.backlog() < BACKLOG and not self.look.is_being_read(self.project):
            self.pages |= {self.wiki.upload([self.category]) for _ in range(AT_ONCE)}
            self.press(f"{self.project}/recrawl", {})
        answered = sum(self.answer() for _ in range(QUESTIONS))
        if answered and self.rng.random() < UNDO_SHARE:
            self.undo()
        self.send()
        if self.sent and self.rng.random() < TAKE_BACK_SHARE:
            self.take_back(self.rng.choice(self.sent[-4:]))
        self.ending.wait(0.2)

    def answer(self) -> bool:
        """What the page asks or, where it has enough, any face that nobody has answered."""
        page = self.get(f"{self.project}/ask")
        if shown := page.select_one("article.question[data-region]"):
            face = str(shown["data-region"]), str(shown["data-photo"])
        elif (found := self.look.unanswered(self.project)) is None:
            return False
        else:
            face = found
        own, verdict = uuid.uuid4(), self.rng.choices(("yes", "no"), (7, 3))[0]
        said = {"region": face[0], "photo": face[1], "verdict": verdict}
        if self.press(f"{self.project}/answer", said | {"client_uuid": str(own)}).ok:
            self.given[own] = verdict
        return True

    def undo(self) -> None:
        own = uuid.uuid4()
        done = self.press(f"{self.project}/undo", {"client_uuid": str(own)})
        if done.ok and done.json().get("undone"):
            self.given[own] = "undo"

    def send(self) -> None:
        form = self.get(f"{self.project}/preview").select_one("form[action*='/confirm']")
        if form is None or not form.select_one("button:not([disabled])"):
            return
        self._keep_batch(self.press(str(form["action"]), {}))

    def take_back(self, code: str) -> None:
        self._keep_batch(self.press(f"{self.project}/batch/{code}/undo", {}))

    def _keep_batch(self, answer: requests.Response) -> None:
        """Where it led to a batch, that one is promised."""
        before, _, code = answer.url.rstrip("/").rpartition("/")
        if answer.ok and before.endswith("/batch") and code not in self.sent:
            self.sent.append(code)

    def log_in_if_needed(self) -> None:
        """As the page asks those whose login was lost in a refresh that died: log in, and let the
        batches go on that have paused for it."""
        for code in self.look.paused_for_login(self.sent):
            if not self.needs_login.is_set():
                self.press(f"{self.project}/batch/{code}/resume", {})
        if not self.needs_login.is_set():
            return
        try:
            self.volunteer.log_in()
            self.needs_login.clear()
        except LOGIN_TROUBLE:
            self.trouble += 1  # an error's page; the next turn tries again

    # Requests ---------------------------------------------------------------------------------

    def get(self, path: str) -> BeautifulSoup:
        answer = self.insist(lambda: self.session.get(urljoin(self.url, path), timeout=15))
        return BeautifulSoup(answer.text, "lxml")

    def press(self, path: str, data: dict[str, Any]) -> requests.Response:
        url = urljoin(self.url, path)

        def post() -> requests.Response:
            headers = {"X-CSRFToken": csrf_token(self.session), "X-Background": "1"}
            return self.session.post(url, data=data, headers=headers, timeout=15)

        return self.insist(post)

    def insist(self, send: Callable[[], requests.Response]) -> requests.Response:
        """Until the server answers with other than an error of its own; at the end at most
        another two minutes."""
        since_end = 0.0
        while True:
            try:
                answer = send()
            except requests.RequestException as error:
                self.trouble += 1
                self.last = type(error).__name__
            else:
                path = urlsplit(answer.url).path
                self.last = f"{answer.status_code} of {answer.request.method} {path}"
                if answer.status_code < 500 and answer.status_code != 429:
                    self.done += answer.ok
                    if not answer.ok:
                        self.refused[f"{path.rpartition('/')[2]}: {answer.status_code}"] += 1
                    return answer
                self.trouble += 1
            since_end += 0.5 * self.ending.is_set()
            if since_end > 120:
                raise TimeoutError("the web server does not come back")
            time.sleep(0.5)
