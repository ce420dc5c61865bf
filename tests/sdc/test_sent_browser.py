"""The page of a sent batch in a real browser: it moves by itself for a visitor, too."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from projects.models import Project, User
from tests.pages.harness import Visit
from tests.sdc.conftest import Make, confirmed, send_to_the_end
from tests.sdc.test_patrollers import send_one

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_visitor_sees_edits_as_they_are_written(
    shared_database: str, project: Project, alice: User, said_yes: Make, visit: Visit
) -> None:
    said_yes(project, 3)
    batch = confirmed(project, alice)
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    one, two, _three = batch.attempts.order_by("pk")
    send_one(one)
    window = visit(reverse("sent-batch", args=[batch.code]))
    rows, part = window.page.locator(".batch-rows > li"), window.page.locator("#sent-status")
    expect(rows).to_have_count(1)
    for _poll in range(2):  # nothing has changed
        with window.page.expect_response(lambda answer: "/status" in answer.url) as poll:
            pass
        assert poll.value.status == 204
        assert "ticket" not in poll.value.url
    send_one(two)
    expect(rows).to_have_count(2, timeout=15_000)
    send_to_the_end(batch)
    expect(part).to_have_attribute("data-state", "done", timeout=15_000)
    expect(rows).to_have_count(3)
    assert part.get_attribute("data-poll") is None, "nothing moves any more"
    assert window.complaints == []
