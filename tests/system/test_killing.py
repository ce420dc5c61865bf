"""The running system, whose processes are killed without warning: nothing is lost or doubled."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from bench import truth
from bench.system import System
from bench.volunteer import Volunteer, wait
from tests.system.test_start import start

pytestmark = pytest.mark.process

QID, CATEGORY = "Q7186", "Marie Curie"


def lives(process: psutil.Process) -> bool:
    """Whether it still does anything; who reaps a dead grandchild is not our business."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def stop_all_of_it(system: System) -> None:
    """Ctrl-C; before it, a second start on the same data is refused."""
    second = start(Path(system.folder.name), system.port)
    assert "already running on the data" in second.stderr
    children = psutil.Process(system.process.pid).children(recursive=True)
    assert len(children) >= 6, "sandbox, web and four workers"
    system.stop()
    assert not [child for child in children if lives(child)]


def processes(system: System, part: str) -> list[psutil.Process]:
    """All processes of one part; workers are known by their queue, children included."""
    marks = {
        "sandbox": "-m sandbox",
        "web": "gunicorn",
        "crawl": "-Q crawl",
        "detect": "-Q detect",
        "infer": "-Q infer",
        "write": "-Q write",
    }
    found = []
    for process in psutil.Process(system.process.pid).children(recursive=True):
        try:
            if marks[part] in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(system: System, part: str) -> None:
    """SIGKILL to the whole part, parent first, as when the machine's memory ends."""
    victims = wait(lambda: processes(system, part), 60, f"a process of {part}")
    for victim in victims:
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            continue


def state(system: System, project: str) -> dict[str, Any]:
    """The project's state; {} while the web server is down."""
    try:
        answer = requests.get(f"{system.url}{project}/status.json", timeout=10)
        return answer.json() if answer.ok else {}
    except requests.RequestException:
        return {}


def at_rest(system: System, project: str) -> bool:
    now = state(system, project)
    return bool(now) and not (now["crawling"] or now["detecting"] or now["learning"])


def edits_of(system: System, batch: str) -> list[int]:
    """The page of every revision on the wiki whose summary names the batch."""
    code = batch.rstrip("/").rpartition("/")[2]
    revisions = requests.get(f"{system.wiki}/_sandbox/edits", timeout=20).json()
    rows = revisions["edits"] if isinstance(revisions, dict) else revisions
    return [row["page_id"] for row in rows if code in (row["comment"] or "")]


@pytest.mark.timeout(400)
def test_killing_every_part_loses_nothing_and_sends_nothing_twice() -> None:
    # Short leases, so that little is waited for. On MariaDB and Redis: tests/system/test_chaos.py.
    with System(environment={"PICTURE_SECONDS": "5"}) as system:
        kill_while_working(system)
        stop_all_of_it(system)


def end_in_the_middle_of_work(system: System) -> None:
    """SIGTERM to the supervisor: each part ends within ten seconds, what it did is taken up."""
    system.process.terminate()
    system.process.wait(60)
    assert not [line for line in system.lines if "is killed" in line], system.lines[-20:]
    system.start()


def kill_while_working(system: System) -> None:
    volunteer = Volunteer(system.url, "Ingrid S.", truth.photos())
    volunteer.log_in()
    project = volunteer.create(QID, CATEGORY)
    wait(lambda: state(system, project).get("detecting"), 60, "looking at pictures")
    end_in_the_middle_of_work(system)

    for part in ("crawl", "detect", "infer"):
        kill(system, part)
        time.sleep(1)
    wait(lambda: at_rest(system, project), 120, "the end of looking after the workers died")
    photos = state(system, project)["photos"]

    yes = answered = 0
    while yes < 5 and (seen := volunteer.question(project)):
        yes += volunteer.answer(seen, QID)
        answered += 1
        if answered == 2:
            kill(system, "web")
            wait(lambda: state(system, project), 60, "the web server")

    wait(lambda: at_rest(system, project), 60, "the end of learning")
    told = state(system, project)["answered"]
    assert told >= answered

    # The supervisor itself: all parts die with it, and a restart goes on from the rows.
    system.process.kill()
    system.process.wait()
    wait(lambda: not port_taken(system.url), 30, "the end of the orphans")
    system.start()
    wait(lambda: at_rest(system, project), 60, "the end of learning after the restart")
    now = state(system, project)
    assert now["photos"] == photos, "no photo was lost"
    assert now["answered"] == told, "no answer was lost"

    for _ in volunteer.review(project, QID):
        wait(lambda: at_rest(system, project), 60, "the end of learning")
    batch = volunteer.confirm(project)
    time.sleep(0.5)
    kill(system, "write")
    volunteer.wait_for_batch(batch)

    edits = edits_of(system, batch)
    sent = volunteer.written(batch)
    assert sent > 0
    assert len(edits) == sent, "each claim was one edit"
    assert max(Counter(edits).values()) == 1, "no page was edited twice"


def port_taken(url: str) -> bool:
    try:
        requests.get(f"{url}/health", timeout=1)
        return True
    except requests.RequestException:
        return False
