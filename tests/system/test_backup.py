"""A rehearsal of the worst day: a backup, an empty machine, a restore, and the system goes on."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from classify import answers
from classify.models import Answer, Label, Score
from classify.tasks import infer
from crawler.detection import detect as detection_detect
from crawler.engines import load
from crawler.listing import crawl as listing_crawl
from crawler.models import Embedding, Photo, ProjectPhoto, Region
from projects.accounts import tokens
from projects.models import Project, User
from sandbox import RunningSandbox
from sdc.batches import services as sending
from sdc.batches import undo as batches_undo
from sdc.models import Edit, EditBatch
from tests import factories
from tests.operation.test_health import all_seen
from tests.sdc.conftest import WikiItself, confirmed, quick_pace, send_to_the_end, wiki

__all__ = ["quick_pace", "wiki"]

# What the workers do on the restored machine, and what stands there then
GOES_ON = """
import json
from classify.models import Answer, Label, Score
from classify.tasks import infer
from crawler.detection import detect
from crawler.engines import load
from crawler.models import Embedding, Region
from projects.accounts import tokens
from projects.models import User

bare = Embedding.objects.count()
while detect.detect(load, 30):
    pass
infer()
print(json.dumps({
    "bare": bare,
    "regions": sorted(Region.objects.values_list("public_id", flat=True)),
    "vectors": sorted(Embedding.objects.values_list("region__public_id", flat=True)),
    "answers": Answer.objects.count(),
    "labels": sorted(Label.objects.values_list("region__public_id", "verdict", "origin")),
    "scores": Score.objects.count(),
    "token": tokens.access_token(User.objects.get(wiki_username="Alice")),
}))
"""


def state() -> dict[str, object]:
    """What must be there again."""
    labels = Label.objects.values_list("region__public_id", "verdict", "origin")
    return {
        "bare": 0,
        "regions": sorted(Region.objects.values_list("public_id", flat=True)),
        "vectors": sorted(Embedding.objects.values_list("region__public_id", flat=True)),
        "answers": Answer.objects.count(),
        "labels": sorted(map(list, labels)),
        "scores": Score.objects.count(),
        "token": tokens.access_token(User.objects.get(wiki_username="Alice")),
    }


@pytest.fixture
def project(fresh_sandbox: RunningSandbox, shared_database: str) -> Project:
    """Photos of Marie Curie, crawled and detected."""
    project = factories.make_project(
        factories.wiki_user(fresh_sandbox, "Alice"), "Q7186", [("Marie Curie", 0)]
    )
    while listing_crawl.crawl(30):
        pass
    while detection_detect.detect(load, 30):
        pass
    return project


# A write worker on the restored machine, until nothing is left to send
SENDS = """
import json
from sdc.models import Claim, ClaimAttempt
from sdc.writing import scheduler

while scheduler.work(5):
    pass
print(json.dumps({
    "attempts": list(ClaimAttempt.objects.order_by("pk").values_list("outcome", "reason")),
    "claim": Claim.objects.get().state,
}))
"""
CONFIRMS = """
from projects.models import User
from sdc.batches import services
from sdc.models import EditBatch

services.confirm(EditBatch.objects.get(), User.objects.get(wiki_username="Alice"))
"""


def say_yes_to_one(project: Project, wiki: WikiItself) -> Photo:
    """Alice says Yes to the only face of a file that does not depict her."""
    photo = next(
        row.photo
        for row in ProjectPhoto.objects.live().filter(project=project).order_by("pk")
        if row.photo.picture.regions.count() == 1 and not wiki.depicts(row.photo.page_id)
    )
    region = photo.picture.regions.all()[0]
    answers.answer(project, region, photo, project.owner, "yes", "ask", uuid4())
    infer()
    return photo


def send_one(project: Project, wiki: WikiItself) -> EditBatch:
    """... and sends it."""
    say_yes_to_one(project, wiki)
    batch = send_to_the_end(confirmed(project, project.owner))
    assert Edit.objects.filter(batch=batch).count() == 1
    return batch


@pytest.fixture
def elsewhere(db: None, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of another machine: the same keys, an empty database, an empty folder."""
    folder = tmp_path / "elsewhere"
    environment = os.environ | {"DATA_DIR": str(folder)}
    if connection.vendor == "sqlite":
        yield environment | {"DATABASE_URL": f"sqlite://{folder}/restored.sqlite3"}
        return
    name = f"{connection.settings_dict['NAME']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE DATABASE `{name}` COLLATE utf8mb4_nopad_bin")
    address, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    yield environment | {"DATABASE_URL": f"{address}/{name}"}
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE `{name}`")


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)


@pytest.mark.process
def test_a_backup_brings_everything_back_but_vectors(
    project: Project, wiki: WikiItself, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    batch = send_one(project, wiki)
    vector = bytes(Embedding.objects.all()[0].vector)
    file = tmp_path / "backup.gz"
    call_command("backup", str(file))
    assert vector not in gzip.decompress(file.read_bytes())
    assert file.stat().st_mode & 0o077 == 0
    assert [path for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    before = state()
    send_to_the_end(batches_undo.undo(batch, project.owner))  # only the wiki will know of it

    said = manage(elsewhere, "restore", str(file))
    assert said.returncode == 0, said.stderr
    assert json.loads(manage(elsewhere, "shell", "-v", "0", "-c", GOES_ON).stdout) == before
    again = manage(elsewhere, "restore", str(file))
    assert "not empty" in again.stderr
    found = json.loads(manage(elsewhere, "reconcile", "--repair", "--json").stdout)["findings"]
    assert {each["code"]: each["repaired"] for each in found} == {
        "gone": True,  # the statement that was taken back
        "unknown-batch": False,  # the batch that did so: a person is told
    }
    left = manage(elsewhere, "reconcile", "--json")
    assert [each["code"] for each in json.loads(left.stdout)["findings"]] == ["unknown-batch"]


@pytest.mark.process
@pytest.mark.parametrize("saved", ["preview", "confirmed"])
def test_what_was_sent_after_the_backup_and_removed_by_somebody_stays_removed(
    saved: str, project: Project, wiki: WikiItself, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    """A worker that starts before anybody ran `reconcile` reads the history first."""
    photo, file = say_yes_to_one(project, wiki), tmp_path / "backup.gz"
    batch = sending.prepare_batch(project, project.owner)
    if saved == "preview":
        call_command("backup", str(file))
    sending.confirm(batch, project.owner)
    if saved == "confirmed":
        call_command("backup", str(file))
    send_to_the_end(batch)
    wiki.somebody_removes(photo.page_id)

    quick = elsewhere | {"EDITS_A_MINUTE": "6000", "FIRST_BATCH": "0"}
    assert manage(elsewhere, "restore", str(file)).returncode == 0
    if saved == "preview":
        assert manage(quick, "shell", "-v", "0", "-c", CONFIRMS).returncode == 0
    said = manage(quick, "shell", "-v", "0", "-c", SENDS)
    assert json.loads(said.stdout) == {"attempts": [["written", "removed"]], "claim": "removed"}
    assert len(wiki.edits(photo.page_id)) == 1
    assert wiki.depicts(photo.page_id) == []


@pytest.mark.process
def test_what_was_taken_back_after_the_backup_and_restored_by_somebody_stands(
    project: Project, wiki: WikiItself, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    batch, file = send_one(project, wiki), tmp_path / "backup.gz"
    [added] = wiki.edits()
    page_id = batch.attempts.get().claim.page_id
    undo = batches_undo.undo(batch, project.owner)
    call_command("backup", str(file))
    send_to_the_end(undo)
    wiki.somebody_restores(page_id, added.id)

    assert manage(elsewhere, "restore", str(file)).returncode == 0
    said = manage(elsewhere | {"EDITS_A_MINUTE": "6000"}, "shell", "-v", "0", "-c", SENDS)
    told = [["written", ""], ["written", "restored"]]
    assert json.loads(said.stdout) == {"attempts": told, "claim": "undone"}
    assert len(wiki.depicts(page_id)) == 1


@pytest.mark.process
def test_says_what_is_wrong_with_a_file(elsewhere: dict[str, str], tmp_path: Path) -> None:
    kinds = {"sqlite": (b"SQLite format 3\0", "SQLite"), "mysql": (b"/*M!999999\\- e", "MariaDB")}
    head, name = kinds.pop(connection.vendor)
    [(other, other_name)] = kinds.values()
    broken = tmp_path / "broken.gz"
    for content, told in (
        (b"not a database", ["not a whole backup"]),
        (head + b" and then nothing that is right", ["make that empty again"]),
        (other, [f"a backup of {other_name}, and DATABASE_URL names {name}", "can't move"]),
    ):
        packed = gzip.compress(content)
        broken.write_bytes(packed[:-4] if content == b"not a database" else packed)
        said = manage(elsewhere, "restore", str(broken))
        assert said.returncode == 1
        assert [words for words in told if words not in said.stderr] == []
        assert "Traceback" not in said.stderr


@pytest.mark.process
def test_a_file_or_folder_that_is_missing_is_named(
    elsewhere: dict[str, str], tmp_path: Path
) -> None:
    for command, path, told in (
        ("restore", tmp_path / "no.gz", f"There is no file {tmp_path}/no.gz."),
        ("backup", tmp_path / "no" / "such.gz", f"There is no folder {tmp_path}/no."),
    ):
        said = manage(elsewhere, command, str(path)).stderr
        assert told in said
        assert "Errno" not in said


def test_a_disk_that_takes_nothing_is_told_in_words(tmp_path: Path, shared_database: str) -> None:
    (tmp_path / "file.gz").mkdir()
    with pytest.raises(CommandError, match=r"^The backup can't be written: Is a directory\.$"):
        call_command("backup", str(tmp_path / "file.gz"))
    assert not list(tmp_path.glob("*.part"))


def test_dated_backups_are_kept_so_many(
    tmp_path: Path, shared_database: str, settings: Any
) -> None:
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "backup"
    call_command("backup")
    [now] = folder.iterdir()
    assert (folder.stat().st_mode | now.stat().st_mode) & 0o077 == 0
    for name in ("before.gz", *(f"wikivisage-2026-01-0{day}T0315.gz" for day in (1, 2, 3))):
        (folder / name).touch()
    call_command("backup", keep=2)
    dated = sorted(path.name for path in folder.iterdir() if path.name != "before.gz")
    assert len(dated) == 2
    assert dated[-1] >= now.name
    assert (folder / "before.gz").exists()
    with pytest.raises(CommandError):
        call_command("backup", keep=0)


@pytest.mark.process
def test_nobody_is_seen_where_nothing_runs(
    shared_database: str, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    """Signs of life are of the machine that was backed up."""
    all_seen()
    file = tmp_path / "backup.gz"
    call_command("backup", str(file))
    assert manage(elsewhere, "restore", str(file)).returncode == 0
    told = json.loads(manage(elsewhere, "doctor", "--quick", "--json").stdout)
    said = {each["about"]: each["says"] for each in told}
    assert said["workers infer"] == "No worker of this queue was ever seen."
    assert "Nothing of beat was seen lately" in said["beat"]
