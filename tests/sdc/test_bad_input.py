"""What no page of ours would send is answered kindly, not with a fault of ours."""

from __future__ import annotations

import pytest
from django.urls import reverse

from projects.models import Project, User
from sdc.batches import services as batches
from sdc.models import ClaimAttempt
from tests.conftest import ClientOf
from tests.sdc.conftest import Make, WikiItself

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("number", ["9" * 25, "²", "-1", "1.5", "", "x\0"])
def test_a_number_that_no_row_can_have_changes_nothing(
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    client_of: ClientOf,
    number: str,
) -> None:
    said_yes(project)
    batches.prepare_batch(project, alice)
    address = reverse("preview-choose", args=[project.public_id])
    answer = client_of(alice).post(address, {"shown": [number], "keep": [number]})
    assert answer.status_code == 302
    assert ClaimAttempt.objects.get().outcome == ClaimAttempt.Outcome.PLANNED
