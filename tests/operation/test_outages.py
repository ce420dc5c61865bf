"""While the database and Redis are away every address says so: 503, a sentence, one log line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from django.conf import settings

ASK = """
import json, pytest, time, django
django.setup()
from django.conf import settings
from django.test import Client
from django.urls import reverse
from tests.hostile.test_matrix import URLS, methods_of, rule_of

def address(url):
    if not url.name:
        return "/" + url.route.replace("<path:object_id>", "1").replace("(?P<url>.*)$", "x")
    names = dict.fromkeys(url.params, 1) | {"project_id": "AAAAAAAAAAA", "app_label": "sdc"}
    return reverse(url.name, kwargs={param: names[param] for param in url.params})

def ask(key, method, where, **headers):
    browser = Client(raise_request_exception=False)
    browser.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    headers |= {"host": "127.0.0.1", "origin": "http://127.0.0.1"}
    data = {"note": "my own words"} if method == "post" else {}
    answer = getattr(browser, method)(where, data, headers=headers)
    shape = "page" if set(headers) == {"host", "origin"} else "script"
    body = "" if answer.streaming else answer.content.decode()
    print(json.dumps([key, method, shape, answer.status_code, dict(answer.headers), body]))

for url in URLS:
    for method, _access in methods_of(rule_of(url)):
        ask(url.key, method, address(url))
        if method == "post":
            ask(url.key, method, address(url), X_Background="1")
time.sleep(3.1)  # an answer of /health is given again for that long
ask("health", "get", "/health")
ask("tray", "get", "/p/AAAAAAAAAAA/tray", X_Background="1")
ask("keys", "post", "/account/keys", HX_Request="true")
"""
# What needs nobody and nothing that is saved.
pytestmark = pytest.mark.process

NEEDS_NO_DATABASE = {
    *("health", "health-live", "health-ready", "metrics", "style", "offline", "manifest"),
    *("service-worker", "robots", "sitemap", "favicon", "language", "theme"),
    "accounts/login/",
}


@dataclass
class Answer:
    key: str
    method: str
    shape: str
    status: int
    headers: dict[str, str]
    body: str


@pytest.fixture(scope="module")
def run() -> subprocess.CompletedProcess[str]:
    """All addresses asked in a process whose servers are not there."""
    pytest.importorskip("MySQLdb")  # the extra [mariadb]
    environment = os.environ | {
        "DATABASE_URL": "mysql://nobody:hunter2@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DJANGO_SETTINGS_MODULE": "wikivisage.settings",
        "PYTHONPATH": str(settings.BASE_DIR),
    }
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK],
        cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran


@pytest.fixture(scope="module")
def answers(run: subprocess.CompletedProcess[str]) -> list[Answer]:
    return [Answer(*json.loads(line)) for line in run.stdout.splitlines() if line[:1] == "["]


def test_every_address_answers_503_and_says_when_to_come_back(answers: list[Answer]) -> None:
    assert len(answers) > 200
    wrong = [
        f"{each.method} {each.key}: {each.status}"
        for each in answers
        if each.key not in NEEDS_NO_DATABASE
        and (each.status != 503 or not each.headers.get("Retry-After"))
    ]
    assert not wrong, "\n".join(wrong)


def test_probes_are_told_as_well(answers: list[Answer]) -> None:
    probes = [each for each in answers if each.key in ("health", "health-ready")]
    assert len(probes) == 3
    assert {(each.status, each.headers.get("Retry-After")) for each in probes} == {(503, "10")}


def test_pages_try_again_and_forms_keep_what_was_sent(answers: list[Answer]) -> None:
    page = next(each for each in answers if (each.key, each.method) == ("account", "get"))
    assert page.headers["Refresh"] == page.headers["Retry-After"] == "10"
    assert "tries again by itself in 10 seconds" in page.body
    form = next(each for each in answers if (each.key, each.method) == ("project-ask", "post"))
    assert "may not be" in form.body
    assert "my own words" in form.body
    assert "Refresh" not in form.headers


def test_scripts_get_a_sentence(answers: list[Answer]) -> None:
    answer = next(each for each in answers if (each.key, each.shape) == ("answer", "script"))
    told = json.loads(answer.body)
    assert (told["error"], told["retry_after"]) == ("unavailable", 10)
    assert told["sentence"].startswith("The database can’t answer")
    htmx = answers[-1]
    assert htmx.headers["Content-Type"].startswith("text/plain")
    assert htmx.body == told["sentence"]


def test_the_log_has_one_line_and_no_traceback(run: subprocess.CompletedProcess[str]) -> None:
    lines = [json.loads(line) for line in run.stderr.splitlines() if line.startswith("{")]
    ready = [line["message"] for line in lines if line["logger"] == "wikivisage.ops.health"]
    assert ready == ["not ready: database, migrations"], "once for several probes"
    failed = [line for line in lines if "did not answer" in line["message"]]
    assert 1 <= len(failed) <= 8, "a line for ten seconds"
    assert {line["level"] for line in failed} == {"WARNING"}
    assert [line for line in lines if line["level"] == "ERROR" or "exception" in line] == []
    assert "Traceback" not in run.stderr
    assert "hunter2" not in run.stdout + run.stderr
