"""Whatever two detectors find, and wherever people have drawn: a swap keeps every label at its
face, gives each face one vector, and brings nothing twice."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classify.answers import answer
from classify.models import Label
from crawler.detection import match_regions
from crawler.engines import KINDS, Engine, Face, opencv_engine
from crawler.engines.boxes import Box, overlap
from crawler.engines.opencv_engine import OpenCvEngine
from crawler.models import Embedding, Picture, Region
from projects.models import Project, User
from tests.conftest import MakeProject
from tests.crawler.helpers import make_pictures


class OtherEngine(OpenCvEngine):
    """Under dlib's name, whose network takes ten times as long: what is tested is where vectors
    go, not what is in them."""

    name = KINDS["dlib"].name
    detector = replace(OpenCvEngine.detector, name=KINDS["dlib"].detector.name)


ENGINES = (opencv_engine.load(), OtherEngine())
PIXELS = np.random.default_rng(4).integers(0, 256, (80, 80, 3), dtype=np.uint8)

side = st.floats(0.06, 0.3)
corner = st.floats(0.0, 0.7)
boxes = st.lists(st.tuples(corner, corner, side, side), max_size=4).map(lambda found: apart(found))


def apart(found: list[Box]) -> list[Box]:
    """As a detector gives them: no two that overlap much."""
    kept: list[Box] = []
    for box in found:
        if all(overlap(box, other) < 0.3 for other in kept):
            kept.append(box)
    return kept


@st.composite
def seen_again(draw: st.DrawFn, first: list[Box]) -> list[Box]:
    """What another detector makes of the same faces: some missed, others moved, some more."""
    moved = [
        (x + draw(shift) * w, y + draw(shift) * h, w * draw(stretch), h * draw(stretch))
        for x, y, w, h in first
        if draw(st.booleans())
    ]
    return apart(moved + draw(boxes))


shift = st.floats(-0.3, 0.3)
stretch = st.floats(0.7, 1.4)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[Box], list[Box], list[Box], list[int]]:
    """What one detector finds, what people drew, what another finds; which regions a redrawn box
    stands for."""
    first = draw(boxes)
    drawn = draw(boxes)
    redrawn = draw(st.lists(st.integers(0, 4), max_size=2))
    return first, drawn, draw(seen_again(first + drawn)), redrawn


def faces(found: list[Box]) -> list[Face]:
    vector = np.full(128, 1 / np.sqrt(128), np.float32)
    return [Face(box, 0.9, ((0.5, 0.5),) * 5, vector, 20, 0.7) for box in found]


def look(picture: Picture, found: list[Box], engine: Engine) -> None:
    placed = match_regions.place(picture, PIXELS, faces(found), engine)
    match_regions.keep(placed, engine)


def draw_boxes(picture: Picture, drawn: list[Box], redrawn: list[int], user: User) -> None:
    """Some stand instead of what the detector found."""
    found = list(picture.regions.order_by("pk"))
    for number, (x, y, w, h) in enumerate(drawn):
        mine = Region.objects.create(
            picture=picture, origin=Region.Origin.PERSON, x=x, y=y, w=w, h=h, drawn_by=user
        )
        if number < len(redrawn) and redrawn[number] < len(found):
            found[redrawn[number]].replaced_by = mine
            found[redrawn[number]].save()


def told(project: Project) -> list[tuple[int, str]]:
    return list(
        Label.objects.filter(subject=project.subject)
        .order_by("pk")
        .values_list("region", "verdict")
    )


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.engine
@given(layout=layouts(), engines=st.permutations(ENGINES))
def test_a_swap_keeps_every_label_and_back_again(
    layout: tuple[list[Box], list[Box], list[Box], list[int]],
    engines: list[Engine],
    alice: User,
    make_project: MakeProject,
) -> None:
    first, drawn, second, redrawn = layout
    one, other = engines
    with transaction.atomic():
        project = make_project(alice, "Q937", [])
        [picture] = make_pictures(project, 1)
        [shown] = picture.photos.all()
        look(picture, first, one)
        draw_boxes(picture, drawn, redrawn, alice)
        standing = list(picture.regions.filter(replaced_by=None).order_by("pk"))
        for region in standing:
            word = ("yes", "no")[region.pk % 2]
            answer(project, region, shown, alice, word, "ask", uuid4())
        before, where = told(project), {region.pk: region.box for region in picture.regions.all()}
        assert len(before) == len(standing)

        look(picture, second, other)
        assert told(project) == before, "every label is at its face"
        number = picture.regions.count()
        assert number - len(where) <= len(second), "only what was not there is new"
        for round_ in ((first, one), (second, other)):  # back, and there again
            look(picture, *round_)
        assert told(project) == before
        assert {pk: Region.objects.get(pk=pk).box for pk in where} == where
        assert picture.regions.count() == number, "nothing is there twice"
        for region in picture.regions.filter(replaced_by=None):
            made = Embedding.objects.filter(region=region).values_list("engine__name", flat=True)
            assert sorted(made) == sorted([one.name, other.name])
            assert len(region.phash) == 32
        transaction.set_rollback(True)
