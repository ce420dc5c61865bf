"""How many files could be sent, as pages that poll say it: counted by the database.

Measured with 10,000 labels of Yes in one project, SQLite in memory, one core: some 35 ms, and 65
where 20,000 rows of batches tell of them (loading the labels took 1.1 s).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from classify.models import Answer, Label, Origin, Verdict
from classify.selectors import eligible_labels
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.live.census import has_many_rows
from projects.models import Project, User
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt
from sdc.preview.eligibility import passed_over_count, ready_count
from sdc.writing.reasons import Reason
from tests.conftest import ClientOf
from tests.sdc.conftest import CURIE, Make, WikiItself

pytestmark = pytest.mark.django_db


def another_face(label: Label, size: float, origin: str = Origin.ASK) -> Label:
    """A yes on one more face of the same photo."""
    region = Region.objects.create(
        picture=label.photo.picture, origin=Region.Origin.DETECTOR, x=0, y=0, w=size, h=size
    )
    said: dict[str, Any] = {"subject": label.subject, "photo": label.photo, "region": region}
    said |= {"verdict": Verdict.YES, "origin": origin}
    return Label.objects.create(**said, answer=Answer.objects.create(**said))


def claim(label: Label, state: str, **fields: Any) -> Claim:
    return Claim.objects.create(
        wiki=settings.WIKI.code,
        page_id=label.photo.page_id,
        qid=CURIE,
        photo=label.photo,
        state=state,
        **fields,
    )


def test_a_photo_counts_once_however_many_faces_in_it_are_hers(
    project: Project, said_yes: Make
) -> None:
    one, _other = said_yes(project, 2)
    larger = another_face(one, 0.4)
    another_face(one, 0.1)
    assert ready_count(project) == 2
    assert larger in eligible_labels(project)


@pytest.mark.parametrize("state", [state for state in Claim.State if state != Claim.State.FREE])
def test_what_was_sent_by_anybody_is_not_ready(
    project: Project, said_yes: Make, state: str
) -> None:
    one, _other = said_yes(project, 2)
    claim(one, state)
    assert ready_count(project) == 1


def test_a_free_claim_blocks_nothing_unless_it_is_held(project: Project, said_yes: Make) -> None:
    free, held = said_yes(project, 2)
    claim(free, Claim.State.FREE)
    assert ready_count(project) == 2
    claim(held, Claim.State.FREE, held=True)
    assert ready_count(project) == 1


def test_what_must_not_be_sent_is_not_ready(project: Project, said_yes: Make) -> None:
    """One each: it depicts her already, withdrawn, on another wiki, let go of by the project,
    answered No, other pixels now, and a word that only a statement said."""
    labels = said_yes(project, 8)
    mine = ProjectPhoto.objects.filter(project=project)
    mine.filter(photo=labels[0].photo).update(already_depicts=True)
    Photo.objects.filter(pk=labels[1].photo_id).update(state=Photo.State.WITHDRAWN)
    Photo.objects.filter(pk=labels[2].photo_id).update(wiki="commons")
    mine.filter(photo=labels[3].photo).delete()
    Label.objects.filter(pk=labels[4].pk).update(verdict=Verdict.NO)
    Photo.objects.filter(pk=labels[5].photo_id).update(picture=labels[7].photo.picture)
    Label.objects.filter(pk=labels[6].pk).update(origin=Origin.BOOTSTRAP)
    assert ready_count(project) == 1


def test_another_projects_words_and_people_do_not_count(
    project: Project, said_yes: Make, make_project: Any, bob: User
) -> None:
    said_yes(project, 1)
    other = make_project(bob, "Q937")
    [label] = said_yes(other, 1)
    claim(label, Claim.State.WRITTEN)  # Curie's claim says nothing of Einstein
    assert ready_count(other) == 1


def test_it_takes_one_query(
    project: Project, said_yes: Make, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    said_yes(project, 5)
    project = Project.objects.select_related("subject__person", "census", "learner").get(
        pk=project.pk
    )
    assert not has_many_rows(project)  # which every page of a project asks once
    with django_assert_num_queries(1):
        assert ready_count(project) == 5


def counts(project: Project) -> tuple[int, int]:
    return ready_count(project), passed_over_count(project)


def test_what_the_last_preview_left_out_or_skipped_is_not_called_ready(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, client_of: ClientOf
) -> None:
    labels = said_yes(project, 3)
    wiki.running.world.protect(wiki.page(labels[0].photo.page_id), "sysop")
    assert counts(project) == (3, 0)  # nobody has looked yet
    draft = batches.prepare_batch(project, alice)
    assert counts(project) == (2, 1)
    one, other = draft.attempts.filter(outcome=ClaimAttempt.Outcome.PLANNED)
    batches.exclude(one, alice)
    batches.exclude(other, alice)
    assert counts(project) == (0, 3)
    page = client_of(alice).get(project.get_absolute_url()).content.decode()
    assert "3 files left out or skipped: see why" in page
    assert "ready" not in page.split('id="next"')[1].split("</h2>")[0]
    batches.exclude(one, alice, leave_out=False)
    assert counts(project) == (1, 2)


def test_the_last_word_on_a_file_counts(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    wiki.running.world.protect(wiki.page(label.photo.page_id), "sysop")
    batches.prepare_batch(project, alice)
    assert counts(project) == (0, 1)
    wiki.running.world.protect(wiki.page(label.photo.page_id), None)
    batches.prepare_batch(project, alice)
    assert counts(project) == (1, 0)


def test_what_a_new_look_settled_is_ready_again(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """A new name that the crawl took up, artworks that the project asks for, other pixels."""
    said_yes(project)
    batches.prepare_batch(project, alice)
    skipped = ClaimAttempt.objects.all()
    settled: list[tuple[Reason, Callable[[], object]]] = [
        (Reason.MOVED, lambda: Photo.objects.update(title="File:New.jpg")),
        (Reason.ARTWORK, lambda: Project.objects.update(include_artworks=True)),
        (Reason.CHANGED, lambda: Picture.objects.update(sha1="1" * 40)),
    ]
    for reason, settle in settled:
        skipped.update(outcome=ClaimAttempt.Outcome.SKIPPED, reason=reason, title="File:New.jpg")
        project.refresh_from_db()
        assert counts(project) == (0, 1), reason
        settle()
        project.refresh_from_db()
        assert counts(project) == (1, 0), reason


def test_a_preview_of_nothing_offers_nothing_to_send(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, client_of: ClientOf
) -> None:
    [label] = said_yes(project)
    wiki.running.world.protect(wiki.page(label.photo.page_id), "sysop")
    page = client_of(alice).get(reverse("preview", args=[project.public_id])).content.decode()
    assert "Nothing to send" in page
    assert "1 file is skipped" in page
    assert 'id="send"' not in page
    assert "Edit summary" not in page
