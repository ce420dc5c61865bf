"""The default engine and rule on the sandbox's real photos, answered as people would."""

from uuid import uuid4

import pytest

from bench import truth
from classify import answers
from classify.asking.screens import next_screen
from classify.models import Label, Origin, Round, Score
from classify.tasks import infer
from crawler.detection import detect as detection_detect
from crawler.engines import load
from crawler.listing import crawl as listing_crawl
from crawler.models import Photo, Region
from projects.models import Project, Source
from sandbox import RunningSandbox
from tests import factories

HER = "Q7186"

pytestmark = [pytest.mark.timeout(180), pytest.mark.engine]


@pytest.fixture
def project(sandbox: RunningSandbox, shared_database: str) -> Project:
    """Marie Curie's category with all below it, crawled, detected and learned."""
    owner = factories.wiki_user(sandbox, "Alice")
    project = factories.make_project(owner, HER, [("Marie Curie", 2)])
    Source.objects.create(project=project, kind="file", value=project.person.portrait)
    while listing_crawl.crawl(30):
        pass
    while detection_detect.detect(load, 30):
        pass
    infer()
    return project


def is_her(region: Region, photo: Photo) -> bool:
    wide, high = photo.picture.width, photo.picture.height
    x, y, w, h = region.box
    return truth.photos()[photo.name].person_at((x * wide, y * high, w * wide, h * high)) == HER


def test_all_her_faces_are_found_with_fewer_actions_than_faces(project: Project) -> None:
    hers = {
        region.pk
        for region in Region.objects.select_related("picture")
        if is_her(region, region.picture.photos.all()[0])
    }
    assert len(hers) >= 10
    actions = 0
    while screen := next_screen(project, project.owner):
        right = [is_her(face.region, face.photo) for face in screen.faces]
        actions += 1 + sum(
            face.marked != yes for face, yes in zip(screen.faces, right, strict=True)
        )
        given = [
            (answers.Given(face.region, face.photo, uuid4()), "yes" if yes else "no")
            for face, yes in zip(screen.faces, right, strict=True)
        ]
        answers.answer_screen(project, project.owner, given, Origin.GRID)
        infer()
    said = Label.objects.filter(verdict="yes").values_list("region", flat=True)
    assert set(said) == hers
    assert actions < len(hers)
    assert not Score.objects.filter(is_match=True).exists()
    assert Round.objects.filter(about=Round.About.APPROVED).exists(), "second looks come next"
