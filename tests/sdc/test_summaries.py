"""Each edit's summary says the machine's part in it, so that patrollers can filter."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from classify.models import Answer, Label, Origin, Verdict
from crawler.models import Region
from projects.models import Project, User
from sdc import reconcile
from sdc.batches import services as batches
from sdc.batches import undo as batches_undo
from sdc.models import Edit
from tests.conftest import ClientOf
from tests.sdc.conftest import Make, WikiItself, send_to_the_end

pytestmark = pytest.mark.django_db
SUGGESTED = "suggested by face recognition, confirmed by me"
BY_HAND = "named by hand"


def answered(label: Label, *origins: str) -> Label:
    """The label as answers of these origins make it, the first one first."""
    Answer.objects.filter(region=label.region).delete()
    for origin in origins:
        said: Any = {"subject": label.subject, "photo": label.photo, "region": label.region}
        answer = Answer.objects.create(**said, user=label.user, verdict=Verdict.YES, origin=origin)
        made = {"user": label.user, "verdict": Verdict.YES, "origin": origin, "answer": answer}
        Label.objects.update_or_create(**said, defaults=made)
    return Label.objects.get(region=label.region)


@pytest.mark.parametrize(
    ("region", "origins", "how"),
    [
        (Region.Origin.DETECTOR, [Origin.ASK], SUGGESTED),
        (Region.Origin.DETECTOR, [Origin.GRID], SUGGESTED),
        (Region.Origin.DETECTOR, [Origin.REVIEW], SUGGESTED),
        (Region.Origin.DETECTOR, [Origin.ASK, Origin.DRAWN], SUGGESTED),
        (Region.Origin.DETECTOR, [Origin.BOOTSTRAP, Origin.AGAIN], SUGGESTED),
        (Region.Origin.DETECTOR, [Origin.DRAWN], BY_HAND),
        (Region.Origin.DETECTOR, [Origin.DRAWN, Origin.REVIEW], BY_HAND),
        (Region.Origin.PERSON, [Origin.DRAWN], BY_HAND),
        (Region.Origin.PERSON, [Origin.DRAWN, Origin.REVIEW], BY_HAND),
        (Region.Origin.PHOTO, [Origin.DRAWN], BY_HAND),
    ],
)
def test_by_where_the_answer_came_from(
    region: str, origins: list[str], how: str, project: Project, alice: User, said_yes: Make
) -> None:
    [label] = said_yes(project)
    Region.objects.filter(pk=label.region_id).update(origin=region)
    answered(label, *origins)
    attempt = batches.prepare_batch(project, alice).attempts.get()
    assert f", {how} (" in attempt.summary


def test_the_preview_the_wiki_and_the_ledger_have_the_same_words(
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    client_of: ClientOf,
) -> None:
    labels = said_yes(project, 3)
    Region.objects.filter(pk=labels[1].region_id).update(origin=Region.Origin.PERSON)
    batch = batches.prepare_batch(project, alice)
    page = client_of(alice).get(reverse("preview", args=[project.public_id])).content.decode()
    assert SUGGESTED in page
    assert BY_HAND in page
    batch = send_to_the_end(batches.confirm(batch, alice))
    for label in labels:
        how = BY_HAND if label == labels[1] else SUGGESTED
        [edit] = wiki.edits(label.photo.page_id)
        ledger = Edit.objects.get(page_id=label.photo.page_id)
        assert f"Marie Curie, {how} ([[:toolforge:" in ledger.summary
        assert edit.comment.endswith(ledger.summary)
    shown = client_of(alice).get(batch.project_url).content.decode()
    assert SUGGESTED in shown
    assert BY_HAND in shown
    undo = send_to_the_end(batches_undo.undo(batch, alice))
    assert {edit.summary for edit in undo.edits.all()} == {undo.summary}
    assert SUGGESTED not in undo.summary


def test_reconcile_knows_edits_of_both_kinds_by_their_mark(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    labels = said_yes(project, 2)
    Region.objects.filter(pk=labels[1].region_id).update(origin=Region.Origin.PHOTO)
    send_to_the_end(batches.confirm(batches.prepare_batch(project, alice), alice))
    report = reconcile.reconcile()
    assert report.agrees
    assert report.edits == 2
