"""A whole screen of faces at once: it costs no more than one, and finds the photo that is live."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classify import answers as classify_answers
from classify.answers import Given
from classify.models import Label, Origin
from classify.pages.fields import photos_of
from crawler.models import Photo, Region
from projects.models import Project, User
from tests.classify.faces import Cast, add_photo, show

pytestmark = pytest.mark.django_db


def approve(project: Project, regions: list[Region], user: User) -> int:
    """How many queries it took."""
    photos = photos_of(project, regions)
    given = [Given(region, photos[region.picture_id], uuid4()) for region in regions]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answers = classify_answers.answer_many(project, given, user, "yes", Origin.REVIEW)
    assert [answer.region for answer in answers] == regions
    assert [answer.client_uuid for answer in answers] == [each.client_uuid for each in given]
    return len(queries)


def test_a_full_screen_takes_as_many_queries_as_one_face(
    project: Project, cast: Cast, alice: User
) -> None:
    faces = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(61)]
    approve(project, faces[:1], alice)  # makes the tally of the day
    one = approve(project, faces[1:2], alice)
    many = approve(project, faces[2:], alice)
    assert Label.objects.filter(subject=project.subject, verdict="yes").count() == 61
    assert many == one


def test_a_picture_is_answered_on_the_page_that_still_shows_it(
    project: Project, cast: Cast, alice: User
) -> None:
    gone, [face] = add_photo(project, [cast.face("marie")])
    there = Photo.objects.create(
        wiki=gone.wiki, page_id=10_000, title="File:Copy.jpg", picture=gone.picture
    )
    show(project, there)
    assert photos_of(project, [face]) == {face.picture_id: gone}  # the oldest
    Photo.objects.filter(pk=gone.pk).update(state=Photo.State.WITHDRAWN)
    approve(project, [face], alice)
    assert Label.objects.get().photo == there
