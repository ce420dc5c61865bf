"""A migration may run while the code before it still works: the rule, and a rehearsal of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED
from pytest_django import DjangoDbBlocker

from bench.system import ROOT
from tests.system.servers import fresh_database

# Whatever comes after these must obey the rule.
BASELINE = dict.fromkeys(("core", "projects", "crawler", "classify", "sdc"), "0001_rooms")
# Operations that break the rule on purpose: "app.migration: Operation on what" -> why it is safe.
EXCEPTIONS: dict[str, str] = {}
# Options of a field that the database knows nothing of, or that only let more in.
HARMLESS = {"blank", "choices", "default", "db_default", "editable", "help_text", "related_name",
            "validators", "verbose_name"}  # fmt: skip


def added() -> list[tuple[str, str, Operation, ProjectState]]:
    """Each operation after the baseline, with the state before it."""
    loader = MigrationLoader(None)
    base = list(BASELINE.items())
    old = {node for target in base for node in loader.graph.forwards_plan(target)}
    found = []
    for node in loader.graph.leaf_nodes():
        for key in loader.graph.forwards_plan(node):
            if key in old or key[0] not in BASELINE:
                continue
            old.add(key)
            state = loader.project_state([each.key for each in loader.graph.node_map[key].parents])
            for operation in loader.graph.nodes[key].operations:
                found.append((*key, operation, state.clone()))
                operation.state_forwards(key[0], state)
    return found


def breaks(app: str, operation: Operation, before: ProjectState) -> str:
    """Why the code of before could not work beside it; nothing where it can."""
    if isinstance(operation, migrations.CreateModel | migrations.AddIndex):
        return ""
    if isinstance(operation, migrations.AlterModelOptions | migrations.AlterModelManagers):
        return ""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        open_to_old_code = field.null or field.many_to_many or field.db_default is not NOT_PROVIDED
        return "" if open_to_old_code else "old code can't insert: give it null or db_default"
    if isinstance(operation, migrations.AlterField):
        old = before.models[app, operation.model_name_lower].fields[operation.name]
        return narrowed(old.deconstruct()[3], operation.field.deconstruct()[3])
    return "neither a new table, a column with a default nor a wider column"


def narrowed(old: dict[str, Any], new: dict[str, Any]) -> str:
    changed = {key for key in {*old, *new} - HARMLESS if old.get(key) != new.get(key)}
    if new.get("null"):
        changed.discard("null")
    if new.get("max_length", 0) >= old.get("max_length", 0):
        changed.discard("max_length")
    return f"it changes {', '.join(sorted(changed))}" if changed else ""


def test_every_migration_leaves_the_code_before_it_working() -> None:
    found = {
        f"{app}.{name}: {operation.describe()}": why
        for app, name, operation, before in added()
        if (why := breaks(app, operation, before))
    }
    assert {key: why for key, why in found.items() if key not in EXCEPTIONS} == {}
    assert not set(EXCEPTIONS) - set(found), "an exception that nothing needs any more"


def test_the_migrations_lead_to_the_models(django_db_blocker: DjangoDbBlocker) -> None:
    """Since the other tests' tables are made from the models alone."""
    with django_db_blocker.unblock():
        call_command("makemigrations", check=True, dry_run=True)


@pytest.mark.process
@pytest.mark.timeout(400)
@pytest.mark.django_db
def test_old_code_inserts_while_the_new_schema_arrives(tmp_path: Path) -> None:
    """From the baseline with data, under inserts as the old code makes them, to today's schema."""
    with fresh_database(connection, tmp_path) as where:
        environment = os.environ | where
        writer = [sys.executable, "-W", "ignore", "-m", "tests.system.old_writer"]
        command = [*writer, json.dumps(BASELINE), str(tmp_path / "stop")]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as old:  # fmt: skip
            assert old.stdout is not None
            assert old.stdout.readline() == "inserting\n"
            migrate(environment)
            time.sleep(0.5)  # the old code goes on for a moment on the new schema
            (tmp_path / "stop").touch()
            last, errors = old.communicate(timeout=60)
        assert old.returncode == 0, errors
        inserted = json.loads(last)
        assert inserted["before"] > 0
        assert inserted["after"] > 0
        assert inserted["rows"] == inserted["before"] + inserted["after"]


def migrate(environment: dict[str, str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "migrate"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]
