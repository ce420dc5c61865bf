"""A worker whose processes wait for a lock that a dead one holds is seen and started again."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from core.models import WikiPace
from wikivisage.management.commands.run import Command, Part
from wikivisage.ops import heartbeats

pytestmark = pytest.mark.process


@pytest.mark.django_db
def test_the_supervisor_kills_a_worker_that_hangs_and_no_other() -> None:
    long_ago = timezone.now() - heartbeats.PATIENCE - timedelta(seconds=1)
    command = Command()
    command.parts = []
    ages = {"detect": long_ago, "infer": timezone.now(), "write": long_ago}
    for queue, sign in ages.items():
        WikiPace.objects.create(wiki="sandbox", lane=heartbeats.LANE + queue, next_at=sign)
        process = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"],
            text=True, start_new_session=True,
        )  # fmt: skip
        command.parts.append(Part(queue, "", [], process))
    hangs, works, new = command.parts
    new.started = time.monotonic()  # it has had no time to leave a sign
    hangs.started = works.started = time.monotonic() - 1000
    try:
        command.kill_what_hangs()
        assert hangs.process is not None
        assert hangs.process.wait(10) == -9
        assert [part.process.poll() for part in (works, new) if part.process] == [None, None]
    finally:
        for part in command.parts:
            assert part.process is not None
            part.process.kill()
            part.process.wait()
