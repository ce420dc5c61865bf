"""What the preview asks to look at twice: it warns, it keeps nothing back but a small face."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse

from classify.models import Answer, Label, Origin, Verdict
from crawler.models import Photo, Region
from projects.models import Person, Project, User
from sdc.batches import services as batches
from sdc.files import statements
from sdc.models import ClaimAttempt, EditBatch
from sdc.preview import warnings
from sdc.preview.warnings import Caution
from sdc.writing.reasons import Reason
from tests.conftest import ClientOf
from tests.sdc.conftest import Make, WikiItself, send_to_the_end, the_attempt

Outcome = ClaimAttempt.Outcome


def warned(project: Project, user: User) -> tuple[ClaimAttempt, dict[str, str]]:
    """The one row of a new preview, and what it says by code."""
    row = the_attempt(batches.prepare_batch(project, user))
    return row, dict(warnings.said_of([row], project.person).get(row.pk, []))


@pytest.mark.parametrize(
    ("taken", "caution", "words"),
    [
        ((date(1800, 1, 1), date(1800, 1, 1)), Caution.BEFORE_BIRTH, "1 January 1800"),
        ((date(1860, 1, 1), date(1866, 12, 31)), Caution.BEFORE_BIRTH, "1860–1866"),
        ((date(2004, 1, 1), date(2004, 12, 31)), Caution.AFTER_DEATH, "2004"),
    ],
)
def test_a_date_outside_the_life_is_said(
    project: Project,
    alice: User,
    said_yes: Make,
    taken: tuple[date, date],
    caution: Caution,
    words: str,
) -> None:
    said_yes(project)
    Photo.objects.update(taken_from=taken[0], taken_to=taken[1])
    row, said = warned(project, alice)
    assert row.outcome == Outcome.PLANNED  # the date is often that of a scan
    assert set(said) == {caution}
    assert words in said[caution]


@pytest.mark.parametrize(
    "taken",
    [
        (None, None),
        (date(1920, 1, 1), date(1923, 12, 31)),
        (date(1860, 1, 1), date(1867, 12, 31)),  # the year of the birth: not certain
        (date(1934, 1, 1), date(1934, 12, 31)),  # the year of the death
    ],
)
def test_a_date_that_may_be_right_is_not_said(
    project: Project, alice: User, said_yes: Make, taken: tuple[date | None, date | None]
) -> None:
    said_yes(project)
    Photo.objects.update(taken_from=taken[0], taken_to=taken[1])
    assert warned(project, alice)[1] == {}


def test_a_birth_known_by_its_year_only_warns_before_that_year(
    project: Project, alice: User, said_yes: Make
) -> None:
    Person.objects.update(born_from=date(1867, 1, 1), born_to=date(1867, 12, 31))
    said_yes(project)
    Photo.objects.update(taken_from=date(1867, 2, 1), taken_to=date(1867, 2, 1))
    project.refresh_from_db()
    assert warned(project, alice)[1] == {}
    Photo.objects.update(taken_from=date(1866, 12, 31), taken_to=date(1866, 12, 31))
    assert set(warned(project, alice)[1]) == {Caution.BEFORE_BIRTH}


def test_another_statement_of_preferred_rank_is_named(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    wiki.somebody_adds(label.photo.page_id, "Q937")
    assert warned(project, alice)[1] == {}
    change_statements(wiki, label, lambda groups: groups["P180"][-1].update(rank="preferred"))
    row, said = warned(project, alice)
    assert set(said) == {Caution.PREFERRED}
    assert "Albert Einstein" in said[Caution.PREFERRED]
    assert row.outcome == Outcome.PLANNED


@pytest.fixture
def crowd(project: Project, said_yes: Make) -> Label:
    """A small face among six."""
    [label] = said_yes(project)
    Region.objects.filter(pk=label.region_id).update(h=0.05)
    for place in range(5):
        Region.objects.create(
            picture=label.photo.picture,
            origin=Region.Origin.DETECTOR,
            x=0.1 * place,
            y=0.5,
            w=0.05,
            h=0.05,
        )
    label.refresh_from_db()
    return label


def test_a_small_face_in_a_crowd_is_left_out_unless_ticked(
    project: Project, alice: User, crowd: Label, wiki: WikiItself
) -> None:
    row, said = warned(project, alice)
    assert row.outcome == Outcome.EXCLUDED
    assert "One of 6 faces, 5 %" in said[Caution.CROWD]
    with pytest.raises(batches.Refused, match="nothing"):
        batches.confirm(row.batch, alice)
    assert batches.exclude(row, alice, leave_out=False)
    row, _said = warned(project, alice)  # ticked, it stays in when it is read again
    assert row.outcome == Outcome.PLANNED
    send_to_the_end(batches.confirm(row.batch, alice))
    assert wiki.depicts(crowd.photo.page_id)


def test_what_is_no_face_or_was_redrawn_makes_no_crowd(
    project: Project, alice: User, crowd: Label
) -> None:
    other = Region.objects.exclude(pk=crowd.region_id).first()
    assert other
    said = {"subject": project.subject, "photo": crowd.photo, "region": other, "user": alice}
    wrong = Answer.objects.create(**said, verdict=Verdict.NOT_A_FACE, origin=Origin.ASK)
    Label.objects.create(**said, verdict=Verdict.NOT_A_FACE, origin=Origin.ASK, answer=wrong)
    assert warned(project, alice)[0].outcome == Outcome.PLANNED


def test_a_large_face_in_a_crowd_and_a_small_one_alone_are_planned(
    project: Project, alice: User, crowd: Label
) -> None:
    Region.objects.filter(pk=crowd.region_id).update(h=0.2)
    assert warned(project, alice)[0].outcome == Outcome.PLANNED
    Region.objects.filter(pk=crowd.region_id).update(h=0.05)
    Region.objects.exclude(pk=crowd.region_id).first().delete()  # type: ignore[union-attr]
    assert warned(project, alice)[0].outcome == Outcome.PLANNED


def test_the_limits_of_a_crowd_are_settings(
    project: Project, alice: User, crowd: Label, settings: Any
) -> None:
    settings.SMALL_FACE_PERCENT = 5
    assert warned(project, alice)[0].outcome == Outcome.PLANNED
    settings.SMALL_FACE_PERCENT = 8
    settings.CROWD_FACES = 7
    assert warned(project, alice)[0].outcome == Outcome.PLANNED


def test_a_reproduction_of_an_artwork_is_left_out_unless_the_project_asks_for_them(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, client_of: ClientOf
) -> None:
    [label] = said_yes(project)
    change_statements(wiki, label, lambda groups: groups.update(P6243=[artwork(label)]))
    row, _said = warned(project, alice)
    assert (row.outcome, row.reason) == (Outcome.SKIPPED, Reason.ARTWORK)
    client_of(alice).get(reverse("preview", args=[project.public_id]))

    form = {
        "visibility": "public",
        "joining": "invite",
        "rule": "exemplars",
        "threshold": "0.6",
        "min_confirmed": "5",
        "write_region": "on",
        "include_artworks": "on",
    }
    client_of(alice).post(reverse("project-settings", args=[project.public_id]), form)
    text = client_of(alice).get(reverse("preview", args=[project.public_id])).content.decode()
    assert 'data-caution="artwork"' in text, "the preview is read again after such a change"
    project.refresh_from_db()
    row, said = warned(project, alice)
    assert row.outcome == Outcome.PLANNED
    assert set(said) == {Caution.ARTWORK}
    send_to_the_end(batches.confirm(row.batch, alice))
    assert len(wiki.depicts(label.photo.page_id)) == 1


@pytest.mark.parametrize("asks_for_artworks", [False, True])
def test_what_became_an_artwork_after_the_preview_is_not_sent(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, asks_for_artworks: bool
) -> None:
    """Not even where the project asks for them: nobody was asked to look twice."""
    Project.objects.update(include_artworks=asks_for_artworks)
    [label] = said_yes(project)
    batch = batches.confirm(batches.prepare_batch(project, alice), alice)
    change_statements(wiki, label, lambda groups: groups.update(P6243=[artwork(label)]))
    send_to_the_end(batch)
    reason = Reason.EDITED if asks_for_artworks else Reason.ARTWORK
    assert the_attempt(batch).reason == reason
    assert not wiki.depicts(label.photo.page_id)
    project.refresh_from_db()
    again = the_attempt(batches.prepare_batch(project, alice))
    assert again.outcome == (Outcome.PLANNED if asks_for_artworks else Outcome.SKIPPED)


def test_a_rank_that_became_preferred_after_the_preview_is_looked_at_first(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    wiki.somebody_adds(label.photo.page_id, "Q937")
    batch = batches.confirm(batches.prepare_batch(project, alice), alice)
    change_statements(wiki, label, lambda groups: groups["P180"][-1].update(rank="preferred"))
    send_to_the_end(batch)
    assert the_attempt(batch).reason == Reason.EDITED
    assert not wiki.depicts(label.photo.page_id)
    row, said = warned(project, alice)
    assert set(said) == {Caution.PREFERRED}
    send_to_the_end(batches.confirm(row.batch, alice))
    assert len(wiki.depicts(label.photo.page_id)) == 1


def test_a_row_can_have_several_cautions_and_the_page_says_each(
    project: Project, alice: User, crowd: Label, client_of: ClientOf
) -> None:
    Photo.objects.update(taken_from=date(1800, 1, 1), taken_to=date(1800, 1, 1))
    address = reverse("preview", args=[project.public_id])
    text = client_of(alice).get(address).content.decode()
    assert 'data-caution="crowd"' in text
    assert 'data-caution="before-birth"' in text
    assert "Send 0 edits" in text
    assert "Left out</a>" not in text
    assert EditBatch.objects.get().attempts.get().cautions == "before-birth crowd"


def artwork(label: Label) -> dict[str, Any]:
    made = statements.depicts(ClaimAttempt.new_guid(label.photo.page_id), "Q12418", None)
    made["mainsnak"]["property"] = settings.WIKI.artwork
    return made


def change_statements(wiki: WikiItself, label: Label, change: Any) -> None:
    page = wiki.page(label.photo.page_id)
    entity = copy.deepcopy(wiki.running.world.current(page).entity) or {
        "type": "mediainfo",
        "id": f"M{page.id}",
        "labels": {},
    }
    entity["statements"] = dict(entity.get("statements") or {})
    change(entity["statements"])
    wiki.running.world.save_entity(page, entity, user="Charlie", comment="by hand")
