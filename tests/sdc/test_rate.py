"""The rate that a batch's page tells: what was kept to, not what a short batch makes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from projects.models import Project, User
from sdc.models import EditBatch
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
