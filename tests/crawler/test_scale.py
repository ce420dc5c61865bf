"""The centroid rule on vectors of either engine: the project's threshold means the same."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest

from classify.answers import answer
from classify.learner.cache import Mind
from classify.learner.predict import Thoughts
from classify.learner.project_arrays import Words
from classify.models import Label
from core.encryption import seal
from crawler.detection.embeddings import context_of
from crawler.engines import KINDS
from crawler.models import Embedding, Region
from projects.models import Project, User
from tests.classify.faces import Cast, Vector, add_photo
from tests.conftest import MakeProject
from tests.factories import set_engine

SFACE = KINDS["sface"]


def at(cosine: float, middle: Vector, random: np.random.Generator) -> Vector:
    """A unit vector with this cosine to a unit vector."""
    aside = random.standard_normal(len(middle))
    aside -= (aside @ middle) * middle
    aside /= np.linalg.norm(aside)
    vector: Vector = (cosine * middle + np.sqrt(1 - cosine**2) * aside).astype(np.float32)
    return vector


@pytest.fixture
def project(alice: User, make_project: MakeProject) -> Project:
    """Five confirmed faces of SFace's, one above its cosine to their mean, one below."""
    made = make_project(alice, rule="centroid")
    engine = set_engine(made, "sface").serving
    random = np.random.default_rng(3)
    middle = np.eye(128, dtype=np.float32)[0]
    vectors = [at(0.8, middle, random) for _ in range(5)]
    mean = np.mean(vectors, axis=0)
    mean /= np.linalg.norm(mean)
    vectors += [at(0.40, mean, random), at(0.33, mean, random)]
    cast = Cast()
    for number, vector in enumerate(vectors):
        photo, (region,) = add_photo(made, [cast.face("marie")])
        Embedding.objects.filter(region=region).update(
            engine=engine,
            vector=seal(vector.astype("<f4").tobytes(), context_of(region, engine)),
        )
        if number < 5:
            answer(made, region, photo, alice, "yes", "ask", uuid4())
    return made


def test_a_face_is_a_match_from_the_engine_s_own_cosine_on(project: Project) -> None:
    mind = Mind.read(project)
    thoughts = Thoughts.of(mind, Words.read(project, mind.faces), project)
    assert mind.model.scorer.vectors.shape == (7, 128)
    assert Label.objects.count() == 5
    last = [region.pk for region in Region.objects.order_by("pk")][5:]
    matches = mind.faces.region_ids[thoughts.is_match].tolist()
    assert project.threshold == 0.6
    assert matches == last[:1]
