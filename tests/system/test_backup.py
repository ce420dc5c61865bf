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

from classify import services
from classify.models import Answer, Label, Score
from classify.tasks import infer
from crawler import crawling, detection
from crawler.engines import load
from crawler.models import Embedding, ProjectPhoto, Region
from projects import tokens
from projects.models import Project, User
from sandbox import RunningSandbox
from sdc import undoing
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
from crawler import detection
from crawler.engines import load
from crawler.models import Embedding, Region
from projects import tokens
from projects.models import User

bare = Embedding.objects.count()
while detection.detect(load, 30):
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
    while crawling.crawl(30):
        pass
    while detection.detect(load, 30):
        pass
    return project


def send_one(project: Project, wiki: WikiItself) -> EditBatch:
    """Alice says Yes to the only face of a file that does not depict her, and sends it."""
    photo = next(
        row.photo
        for row in ProjectPhoto.objects.live().filter(project=project).order_by("pk")
        if row.photo.picture.regions.count() == 1 and not wiki.depicts(row.photo.page_id)
    )
    region = photo.picture.regions.all()[0]
    services.answer(project, region, photo, project.owner, "yes", "ask", uuid4())
    infer()
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
    send_to_the_end(undoing.undo(batch, project.owner))  # only the wiki will know of it

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


def test_says_what_is_wrong_with_a_file(elsewhere: dict[str, str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"not a database")[:-4])
    said = manage(elsewhere, "restore", str(broken))
    assert said.returncode == 1
    assert "not a whole backup" in said.stderr
    assert "Traceback" not in said.stderr


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
