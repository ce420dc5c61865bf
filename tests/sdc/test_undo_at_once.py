"""Taking a batch back six times at once while it is being written: once, and never an error."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse

from projects.models import Project, User
from sdc.models import ClaimAttempt, Edit, EditBatch
from tests.sdc.conftest import Make, WikiItself, confirmed, send, send_to_the_end

AT_ONCE, FILES = 6, 8
WRITTEN = ClaimAttempt.Outcome.WRITTEN


@pytest.mark.mariadb
def test_a_batch_is_taken_back_once_while_it_is_written(
    shared_database: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    client_of: Any,
) -> None:
    labels = said_yes(project, FILES)
    batch = confirmed(project, alice)
    address = reverse("batch-undo", args=[project.public_id, batch.code])
    browsers = [client_of(alice) for _ in range(AT_ONCE)]
    start, over = threading.Barrier(AT_ONCE), threading.Event()

    def write() -> None:
        while not over.is_set():
            send(0.5)
        connections.close_all()

    def undo(browser: Any) -> int:
        start.wait(60)
        try:
            return int(browser.post(address).status_code)
        finally:
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while ClaimAttempt.objects.filter(batch=batch, outcome=WRITTEN).count() < FILES // 3:
            time.sleep(0.02)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = list(pool.map(undo, browsers))
    finally:
        over.set()
        writer.join(60)
    assert statuses == [302] * AT_ONCE
    for each in EditBatch.objects.exclude(state=EditBatch.State.DRAFT):
        send_to_the_end(each)
    undone = ClaimAttempt.objects.filter(batch__kind=EditBatch.Kind.UNDO, outcome=WRITTEN)
    claims = list(undone.values_list("claim__page_id", flat=True))
    assert len(claims) == len(set(claims)) >= FILES // 3, "each statement once"
    for label in labels:
        page_id = label.photo.page_id
        stands = [] if page_id in claims else [1]
        assert len(wiki.depicts(page_id)) == len(stands)
        assert len(wiki.edits(page_id)) == Edit.objects.filter(page_id=page_id).count()
    assert ClaimAttempt.objects.filter(batch=batch, outcome=WRITTEN).count() == FILES
