"""The rate that a batch's page tells: what was kept to, not what a short batch makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from core.work import WorkState
from projects.models import Project, User
from sdc.models import ClaimAttempt, EditBatch
from sdc.selectors import batch_progress
from tests.sdc.conftest import Make, WikiItself, confirmed, send_to_the_end


@pytest.mark.parametrize("over", [True, False])
def test_one_edit_a_second_is_sixty_a_minute_however_few_they_are(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, over: bool
) -> None:
    said_yes(project, 3)
    batch = send_to_the_end(confirmed(project, alice))
    now = timezone.now()
    for seconds, row in enumerate(batch.attempts.all()):
        row.ended_at = now - timedelta(seconds=seconds)
        row.save(update_fields=["ended_at"])
    if not over:
        batch.state, batch.finished_at = EditBatch.State.RUNNING, None
        batch.save()
    assert batch_progress(batch).rate == pytest.approx(60, rel=0.1)


def test_a_single_edit_has_no_rate(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    assert batch_progress(send_to_the_end(confirmed(project, alice))).rate == 0


@pytest.mark.parametrize("ago", [0, 4, 9.5])
def test_at_six_a_minute_the_time_left_does_not_waver(
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    settings: Settings,
    ago: float,
) -> None:
    """Two of five edits are made, the last one `ago`: three more take half a minute."""
    said_yes(project, 5)
    batch = confirmed(project, alice)
    settings.EDITS_A_MINUTE = 6
    assert batch_progress(batch).seconds_left == pytest.approx(50)
    now = timezone.now()
    for number, row in enumerate(batch.attempts.order_by("pk")[:2]):
        row.ended_at = now - timedelta(seconds=ago + 10 * number)
        row.outcome, row.state = ClaimAttempt.Outcome.WRITTEN, WorkState.DONE
        row.save()
    progress = batch_progress(batch)
    assert progress.to_come == 3
    assert progress.seconds_left == pytest.approx(30, rel=0.05)


@pytest.mark.process
def test_the_default_pace_is_what_the_launch_page_promises() -> None:
    """On Commons; the sandbox is quicker. And no page says another one."""
    code = "from django.conf import settings; print(settings.EDITS_A_MINUTE)"
    paces = {}
    for wiki in ("commons", "sandbox"):
        unset = {name: value for name, value in os.environ.items() if name != "EDITS_A_MINUTE"}
        asked = [sys.executable, "-c", code]
        env = unset | {"WIKI": wiki, "DJANGO_SETTINGS_MODULE": "wikivisage.settings"}
        paces[wiki] = int(subprocess.check_output(asked, env=env, text=True))
    assert paces == {"commons": 6, "sandbox": 60}
    root = Path(__file__).parents[2]
    assert "#EDITS_A_MINUTE=6\n" in (root / ".env.example").read_text()
    assert "six edits a minute" in (root / "docs/launch/village-pump.wikitext").read_text()
    assert "6 is the default" in (root / "docs/launch.md").read_text()
