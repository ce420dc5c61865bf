"""A first start on a disk that is too small says so in a sentence, wherever the space ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.environment import free_port

WAY = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
MOUNT = 'mount -t tmpfs -o size="$MEGABYTES"m small "$DATA_DIR" && exec "$@"'
# What `manage.py run` does once its web server answers, on a disk that was filled meanwhile.
DEMO = """
import django, os
django.setup()
from django.core.management import call_command
from wikivisage.management.commands.run import Command

call_command("migrate", verbosity=0)
with open(os.environ["DATA_DIR"] + "/filler", "wb", buffering=0) as filler:
    try:
        while True:
            filler.write(bytes(4096))
    except OSError:
        pass
Command().make_demo()
print("goes on")
"""


def start(folder: Path, megabytes: int, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with its data on a disk of that size, which ends with it."""
    own = {
        "DATA_DIR": str(folder),
        "MEGABYTES": str(megabytes),
        "DATABASE_URL": "",
        "REDIS_URL": "",
    }
    own |= {"PORT": str(free_port()), "DJANGO_SETTINGS_MODULE": "wikivisage.settings"}
    return subprocess.run(
        [*WAY, "sh", "-c", MOUNT, "sh", sys.executable, "-W", "ignore", *command],
        cwd=settings.BASE_DIR, env=os.environ | own, capture_output=True, text=True, timeout=100,
    )  # fmt: skip


@pytest.fixture(scope="module")
def can_mount(tmp_path_factory: pytest.TempPathFactory) -> bool:
    """Some containers allow no disk of one's own; `make chaos` leaves out such faults there."""
    return start(tmp_path_factory.mktemp("probe"), 1, "-c", "").returncode == 0


def test_a_first_start_without_room_ends_with_a_sentence(can_mount: bool, tmp_path: Path) -> None:
    if not can_mount:
        return
    ran = start(tmp_path, 8, "manage.py", "run", "--no-demo")
    assert ran.returncode == 1
    assert f"There is no room left on the disk of {tmp_path}." in ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


def test_without_room_for_the_demo_the_rest_goes_on(can_mount: bool, tmp_path: Path) -> None:
    if not can_mount:
        return
    ran = start(tmp_path, 20, "-c", DEMO)
    assert "goes on" in ran.stdout, ran.stderr
    assert f"is not made: There is no room left on the disk of {tmp_path}." in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
