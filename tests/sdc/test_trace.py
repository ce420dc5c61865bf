"""One id in the logs of all processes, from a click on Send in the real web server to the edit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from bs4 import BeautifulSoup

from bench.system import ROOT, free_ports
from bench.volunteer import wait
from core.models import Measure
from projects.models import Project, User
from sdc.batches import services as batches
from sdc.batches import undo as batches_undo
from sdc.models import EditBatch
from tests.conftest import ClientOf
from tests.sdc.conftest import Make, WikiItself, send_to_the_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
CLICK = "0123456789abcdef0123456789abcdef"


class Process:
    """A real part of the system, and the JSON lines it logs."""

    def __init__(self, log: Path, *command: str, **environment: str) -> None:
        self.log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=os.environ | {"LOG_FORMAT": "json", **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.strip()]

    def of(self, trace: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("trace") == trace]


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/live", timeout=30).ok
    except requests.RequestException:
        return False


@pytest.mark.process
def test_one_id_leads_from_the_click_to_the_edit(
    shared_database: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    client_of: ClientOf,
    tmp_path: Path,
) -> None:
    labels = said_yes(project, 2)
    draft = batches.prepare_batch(project, alice)
    cookies = {key: each.value for key, each in client_of(alice).cookies.items()}
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    web = ["gunicorn", "tests.served:application", "--bind", urlsplit(url).netloc, "--threads", "4"]
    worker = ["celery", "--quiet", "-A", "celery_app", "worker", "-Q", "write", "-c", "1"]
    worker += ["--without-gossip", "--without-mingle", "-n", f"trace-{port}@%h"]
    with (
        Process(tmp_path / "web.log", *web) as pages,
        Process(tmp_path / "worker.log", *worker, EDITS_A_MINUTE="6000") as writer,
    ):
        wait(lambda: answers(url), 60, "the web server")
        browser = requests.Session()
        browser.cookies.update(cookies)
        at = f"{url}/p/{project.public_id}"
        page = BeautifulSoup(browser.get(f"{at}/preview").text, "html.parser")
        form = page.find("form", action=lambda path: bool(path) and path.endswith("/confirm"))
        assert form, page.get_text()
        fields = {each["name"]: each.get("value", "") for each in form.find_all("input")}
        batch = EditBatch.objects.get(project=project, state=EditBatch.State.DRAFT)
        sent = browser.post(
            f"{url}{form['action']}", fields, headers={"X-Request-ID": CLICK, "Referer": at}
        )
        assert sent.ok
        done = EditBatch.objects.filter(pk=batch.pk, state=EditBatch.State.DONE)
        wait(lambda: done.exists() and len(writer.of(CLICK)) >= 2, 60, "the batch's end")
        odd = browser.get(f"{url}/p/no-such-project?secret=canary")
        measured = requests.get(f"{url}/metrics").text
        clicks, edits = pages.of(CLICK), writer.of(CLICK)
        told_by_all = json.dumps([pages.lines(), writer.lines()])
    assert draft.code == batch.code
    assert [(line["deed"], line["batch"]) for line in clicks] == [("confirmed", batch.code)]
    attempts = list(batch.attempts.order_by("pk"))
    told = {line["row"]: (line["step"], line["outcome"], line["claim"]) for line in edits}
    assert told == {each.pk: ("write", "written", each.claim_id) for each in attempts}
    assert len(wiki.edits()) == 2
    counted = Measure.objects.get(name="outcomes", labels="outcome=written;reason=;step=write")
    assert counted.value == 2, "written down when the worker ended"
    assert 'wikivisage_request_seconds_count{route="batch-confirm",status="3xx"} 1.0' in measured
    assert odd.status_code == 404
    assert odd.headers["X-Request-ID"] in odd.text, "so that a person can report it"
    secrets = ["canary", "Alice", project.person.qid, project.public_id, *cookies.values()]
    for secret in [*secrets, *(label.photo.name for label in labels)]:
        assert secret not in told_by_all


def test_taking_back_has_a_trace_of_its_own(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = batches.confirm(batches.prepare_batch(project, alice), alice)
    assert len(batch.trace) == 32
    send_to_the_end(batch)
    undo = batches_undo.undo(batch, alice)
    assert len(undo.trace) == 32
    assert undo.trace != batch.trace
