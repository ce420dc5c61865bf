"""A first start on a disk that is too small says so in a sentence, wherever the space ends.

Each test runs twice: on a small disk of its own, which needs the right to mount one, and with a
limit to the size of files, which needs no right. To SQLite, both are a write that fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError

from tests.environment import free_port
from wikivisage.management.commands.run import said_of_a_full_disk

NAMESPACES = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])
MOUNT = 'mount -t tmpfs -o size="$MEGABYTES"m small "$DATA_DIR" && exec "$@"'
LIMIT = 'ulimit -f "$BLOCKS" && exec "$@"'  # a block has 512 bytes
# What `manage.py run` does once its web server answers, where the space ended meanwhile.
DEMO = """
import django, os, resource
django.setup()
from django.core.management import call_command
from wikivisage.management.commands.run import Command

call_command("migrate", verbosity=0)
if "MEGABYTES" in os.environ:
    with open(os.environ["DATA_DIR"] + "/filler", "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass
else:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
Command().make_demo()
print("goes on")
"""

# Runs a command with so many megabytes for its data, or else for each of its files.
Start = Callable[..., subprocess.CompletedProcess[str]]


def run(
    folder: Path, way: list[str], script: str, size: dict[str, str], *command: str
) -> subprocess.CompletedProcess[str]:
    own = {"DATA_DIR": str(folder), "DATABASE_URL": "", "REDIS_URL": "", "PORT": str(free_port())}
    own |= {"DJANGO_SETTINGS_MODULE": "wikivisage.settings"} | size
    return subprocess.run(
        [*way, "sh", "-c", script, "sh", sys.executable, "-W", "ignore", *command],
        cwd=settings.BASE_DIR, env=os.environ | own, capture_output=True, text=True, timeout=100,
    )  # fmt: skip


@cache
def namespace() -> list[str]:
    """Find how a disk may be mounted here. Nothing where it may not."""
    for way in NAMESPACES:
        probe = [*way, "sh", "-c", "mount -t tmpfs small /mnt"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return way
    return []


@pytest.fixture(params=["disk", "limit"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    if request.param == "disk" and not namespace():
        pytest.skip("no disk may be mounted here: run as root, or with user namespaces")

    def begin(disk: int, file: float, *command: str) -> subprocess.CompletedProcess[str]:
        if request.param == "disk":
            return run(tmp_path, namespace(), MOUNT, {"MEGABYTES": str(disk)}, *command)
        return run(tmp_path, [], LIMIT, {"BLOCKS": str(round(file * 2048))}, *command)

    return begin


@pytest.mark.process
def test_a_first_start_without_room_ends_with_a_sentence(start: Start, tmp_path: Path) -> None:
    ran = start(8, 0.4, "manage.py", "run", "--no-demo")
    assert ran.returncode == 1
    assert f"There is no room left on the disk of {tmp_path}." in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


@pytest.mark.process
def test_without_room_for_the_demo_the_rest_goes_on(start: Start, tmp_path: Path) -> None:
    ran = start(20, 20, "-c", DEMO)
    assert "goes on" in ran.stdout, ran.stderr
    assert f"is not made: There is no room left on the disk of {tmp_path}." in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_a_write_that_finds_no_room_is_said_in_a_sentence() -> None:
    """By the device of Linux that is always full."""
    with (
        pytest.raises(CommandError, match="There is no room left on the disk of"),
        said_of_a_full_disk(),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        full.write(b"x")
