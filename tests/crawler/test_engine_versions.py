"""The rows of detectors and embedders: written from the code, and never changed in what counts."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db.models import ProtectedError

from classify.learning import Prior
from crawler.engines import KINDS, UnknownEngine
from crawler.models import EngineVersion
from crawler.registry.versions import ChangedVersion, version, write_versions
from projects.models import User
from tests.conftest import MakeProject
from tests.factories import set_engine

pytestmark = pytest.mark.django_db


def test_each_engine_has_a_row_for_its_embedder_and_one_for_its_detector() -> None:
    assert EngineVersion.objects.count() == 2 * len(KINDS)
    for kind in KINDS.values():
        embedder, detector = version(kind.name), version(kind.detector.name)
        assert (embedder.part, detector.part) == ("embedder", "detector")
        assert (embedder.dimension, embedder.metric, embedder.match) == (
            kind.dimension,
            kind.metric,
            kind.match,
        )
        assert (detector.dimension, detector.metric, detector.prior) == (0, "", {})
        assert Prior.of(embedder.metric, embedder.prior) == Prior.of(kind.metric, kind.prior)
        for row in (embedder, detector):
            assert {len(digest) for digest in row.weights.values()} == (
                {64} if row.weights else set()
            )
            assert row.state == EngineVersion.State.ACCEPTED
            assert row.licence_code
            assert row.licence_weights


def test_writing_them_again_changes_nothing() -> None:
    before = list(EngineVersion.objects.order_by("pk").values())
    write_versions(apps)
    assert list(EngineVersion.objects.order_by("pk").values()) == before


def test_licences_and_priors_follow_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = KINDS["sface"]
    key = version(kind.name).pk
    monkeypatch.setattr(kind, "prior", {**kind.prior, "same": 0.4})
    write_versions(apps)
    assert version(kind.name).prior["same"] == 0.4
    assert version(kind.name).pk == key


@pytest.mark.parametrize(
    ("name", "value"),
    [("weights", {"other.onnx": "0" * 64}), ("dimension", 512), ("metric", "euclidean")],
)
def test_other_weights_under_an_old_name_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    kind = KINDS["sface"]
    before = EngineVersion.objects.filter(name=kind.name).values().get()
    monkeypatch.setattr(kind, name, value)
    with pytest.raises(ChangedVersion, match=f"{kind.name} .* another {name}"):
        write_versions(apps)
    assert EngineVersion.objects.filter(name=kind.name).values().get() == before


@pytest.mark.parametrize("name", sorted(EngineVersion.IMMUTABLE))
def test_what_vectors_depend_on_never_changes(name: str) -> None:
    row = version(KINDS["sface"].name)
    value: object = {"name": "other", "part": "detector", "weights": {}, "metric": "x"}.get(name, 7)
    with pytest.raises(ValueError, match=name):
        EngineVersion.objects.filter(pk=row.pk).update(**{name: value})
    setattr(row, name, value)
    with pytest.raises(ValueError, match=name):
        row.save()


def test_its_state_may_change() -> None:
    row = version(KINDS["dlib"].name)
    row.state = EngineVersion.State.RETIRED
    row.save()
    assert version(row.name).state == EngineVersion.State.RETIRED


def test_one_that_is_in_use_cannot_be_deleted(alice: User, make_project: MakeProject) -> None:
    engine = set_engine(make_project(alice), "dlib").serving
    with pytest.raises(ProtectedError):
        engine.delete()


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(UnknownEngine, match="none"):
        version("none")
