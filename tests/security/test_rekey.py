"""Keys are rotated while everything runs: nothing is lost, nothing newer is overwritten."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from io import StringIO

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import models
from django.db.models import BinaryField
from pytest_django import Settings

from core.encryption import Misplaced, seal, unseal
from crawler.detection import embeddings
from crawler.models import Embedding, Picture, Region
from crawler.registry import selection
from projects.accounts import tokens
from projects.models import Objection, User, WikiCredential
from projects.privacy import objections
from tests import factories
from wikivisage.ops import rotate_keys

OLD, NEW = b"1" * 32, b"2" * 32
TOKENS, REFRESH_TOKENS, VECTORS, MESSAGES, _CONTACTS = rotate_keys.SEALED


@pytest.fixture
def one_key(settings: Settings) -> None:
    settings.SEALING_KEYS = {1: OLD}


def _rotate(settings: Settings) -> None:
    settings.SEALING_KEYS = {2: NEW, 1: OLD}


def _rekey(**options: object) -> str:
    told = StringIO()
    call_command("rekey", stdout=told, **options)
    return told.getvalue()


def _vector(number: int) -> Embedding:
    picture = Picture.objects.create(sha1=f"{number:040}", width=10, height=10)
    region = Region.objects.create(
        picture=picture, origin=Region.Origin.DETECTOR, x=0, y=0, w=0.5, h=0.5
    )
    engine = selection.default()
    vector = seal(f"vector {number}".encode() * 16, embeddings.context_of(region, engine))
    return Embedding.objects.create(region=region, engine=engine, vector=vector)


def _plain(column: rotate_keys.Column, row: models.Model) -> bytes:
    [sealed] = column.values(column.rows.filter(pk=row.pk))
    return unseal(sealed.value, sealed.context)


def _user(name: str = "Rotated") -> User:
    user = factories.make_user(name)
    tokens.store(user, "access", "refresh", 4 * 3600)
    return user


def test_every_sealed_field_is_rotated() -> None:
    """A field of bytes that is missing here would become unreadable with the old key gone."""
    ours = ("core", "projects", "crawler", "classify", "sdc")
    fields = {
        (model, field.name)
        for model in apps.get_models()
        if model._meta.app_label in ours
        for field in model._meta.fields
        if isinstance(field, BinaryField)
    }
    assert fields == {(column.model, column.field) for column in rotate_keys.SEALED}


@pytest.mark.django_db
def test_all_that_is_sealed_opens_with_the_new_key_alone(one_key: None, settings: Settings) -> None:
    user, rows = _user(), [_vector(n) for n in range(3)]
    objections.lodge("Q7186", "person", "why")
    _rotate(settings)

    told = _rekey(dry_run=True)
    assert "6 values would be sealed anew with key 2" in told
    assert "Key 1 is needed for 6 values: run it without --dry-run" in told
    assert rotate_keys.left(TOKENS) == {1: 1}
    told = _rekey(batch=2)
    assert "6 values sealed anew with key 2" in told
    assert "Key 1 may go" in told
    assert "0 values sealed anew" in _rekey()

    settings.SEALING_KEYS = {2: NEW}
    row = WikiCredential.objects.get(user=user)
    assert _plain(TOKENS, row) == b"access"
    assert _plain(REFRESH_TOKENS, row) == b"refresh"
    for n, each in enumerate(rows):
        assert _plain(VECTORS, each) == f"vector {n}".encode() * 16
    objection = Objection.objects.get()
    assert _plain(MESSAGES, objection) == b"why"
    assert objection.contact is None


@pytest.mark.django_db
@pytest.mark.parametrize("column", rotate_keys.SEALED, ids=str)
def test_a_sealed_value_opens_in_its_own_row_alone(
    column: rotate_keys.Column, one_key: None
) -> None:
    """Who can write into the database swaps two, or puts one's own into another's row."""
    for n, name in enumerate(("One", "Other")):
        _vector(n)
        _user(name)
        objections.lodge("Q7186", "person", f"message {n}", f"contact {n}")
    one, other = column.values(column.rows)
    for row, value in ((one, other.value), (other, one.value)):
        column.model._default_manager.filter(pk=row.pk).update(**{column.field: value})
    for swapped in column.values(column.rows):
        with pytest.raises(Misplaced):
            unseal(swapped.value, swapped.context)


@pytest.mark.django_db
def test_a_token_that_was_refreshed_meanwhile_is_not_overwritten(
    one_key: None, settings: Settings
) -> None:
    user = _user()
    row = WikiCredential.objects.get(user=user)
    [read_before] = TOKENS.values(TOKENS.rows)
    tokens.store(user, "newer", "newer refresh", 4 * 3600)
    _rotate(settings)
    assert not rotate_keys.reseal(TOKENS, read_before)
    assert _plain(TOKENS, row) == b"newer"


@pytest.mark.django_db
def test_a_key_that_was_taken_away_too_early_is_missed_aloud(
    one_key: None, settings: Settings
) -> None:
    _user()
    settings.SEALING_KEYS = {2: NEW}
    with pytest.raises(CommandError, match=r"numbers \[1\]"):
        _rekey()


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_it_runs_beside_processes_that_write_and_refresh(
    shared_database: str, one_key: None, settings: Settings
) -> None:
    """This process still has the old key first, as one that was not restarted yet."""
    user, rows = _user(), [_vector(n) for n in range(30)]
    settings.SEALING_KEYS = {1: OLD, 2: NEW}
    running = _start_rekeying()
    last = 0
    while running.poll() is None:
        last += 1
        tokens.store(user, f"access {last}", f"refresh {last}", 4 * 3600)
        Embedding.objects.filter(pk=rows.pop().pk).delete() if len(rows) > 25 else None
        time.sleep(0.01)
    assert running.returncode == 0, running.stdout and running.stdout.read()
    assert last > 5

    row = WikiCredential.objects.get(user=user)
    assert _plain(TOKENS, row) == f"access {last}".encode()
    _rotate(settings)
    _rekey()
    settings.SEALING_KEYS = {2: NEW}
    assert _plain(TOKENS, row) == f"access {last}".encode()
    assert _plain(REFRESH_TOKENS, row) == f"refresh {last}".encode()
    for kept in Embedding.objects.all():
        assert _plain(VECTORS, kept).startswith(b"vector ")
    assert Embedding.objects.count() == 25


def _start_rekeying() -> subprocess.Popen[str]:
    """Slowly: a row at a time, with a rest between two."""
    import base64

    keys = ",".join(f"{n}:{base64.b64encode(key).decode()}" for n, key in ((2, NEW), (1, OLD)))
    return subprocess.Popen(
        [sys.executable, "manage.py", "rekey", "--batch", "1", "--pause", "0.02"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "SEALING_KEYS": keys},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
