"""What pages ask of the database: as many queries whatever the size of a project, and few; and the
census, which is nothing else than a plain count.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bench import multitude
from bench.multitude import Multitude
from bench.pages import Meter, addresses
from classify import answers
from classify.learner import census as learner_census
from classify.models import Origin, Question, Verdict
from classify.tasks import count, infer
from classify.trust import exclude as trust_exclude
from crawler import omissions
from crawler import services as crawler
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.live import census as live_census
from projects.models import Census, Project, Tally, User
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import MakeProject
from wikivisage.pages import cards

MEMBERS = 5
MOST = 45  # queries of any page
MOST_NEXT = 6
MOST_ANSWER = 12
NOW_AND_THEN = re.compile(
    "SAVEPOINT|writingstop|core_measure|core_wikipace|COUNT.*projects_notification"
)
# How many there are depends on what there is to say, by a few, and not on how many faces there are.
ABOUT = {
    "project", "project-status", "project-figures", "batch", "batch-status", "member",
    "second-looks",
}  # fmt: skip

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]


def browser(user: User) -> Client:
    client = Client(headers={"host": f"127.0.0.1:{settings.PORT}"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def queries(ask: Callable[[], Any]) -> list[str]:
    """But for what a process does every few seconds: it looks whether all writing is stopped, which
    workers are there and what is unread, and writes down what it measured."""
    with CaptureQueriesContext(connection) as seen:
        ask()
    told = [each["sql"] for each in seen.captured_queries]
    return [sql for sql in told if not NOW_AND_THEN.search(sql)]


def of_each_page(built: Multitude) -> dict[str, int]:
    client = browser(built.owner)
    found = {}
    for name, path in addresses(built):
        if name.startswith("export-") or name == "crop":
            continue  # files of all rows, and of no real photo
        if client.get(path).status_code == 200:  # and it has remembered what it may
            found[name] = len(queries(partial(client.get, path)))
    return found


def at(faces: int) -> dict[str, int]:
    """Count the queries of each page beside so many faces, and empty the tables again.

    They are committed and analysed, since MariaDB asks some pages for minutes where it believes
    that there is one row in each.
    """
    cache.clear()
    built = multitude.build(faces, MEMBERS)
    multitude.analyze()
    found = of_each_page(built)
    call_command("flush", verbosity=0, interactive=False)
    return found


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_no_page_asks_more_of_a_larger_project() -> None:
    few = at(800)
    assert len(few) > 40, "most addresses answer"
    assert {name: n for name, n in few.items() if n > MOST} == {}
    many = at(2000)
    grown = {name: (few[name], many[name]) for name in few if many[name] > few[name]}
    assert {name: both for name, both in grown.items() if name not in ABOUT} == {}
    assert all(two - one <= 3 for one, two in grown.values())


def test_the_next_question_takes_six_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_census, "LARGE", 100)
    built = multitude.build(1000, MEMBERS)
    learner_census.count_all(60)
    assert live_census.is_large(built.project)
    for user, address in ((built.members[1], "ask/next"), (built.members[2], "grid/next")):
        client = browser(user)
        path = f"/p/{built.project.public_id}/{address}"
        client.get(path)
        for _ in range(2):  # each time another, newly leased
            mine = Question.objects.filter(leased_to=user).select_related("region")
            held = [each.region.public_id for each in mine]
            told = queries(partial(client.get, path, {"exclude": held}))
            assert len(told) <= MOST_NEXT, told
            assert Question.objects.filter(leased_to=user).count() > len(held)


class Life:
    """Deeds of a project at random, each by the product's own services."""

    def __init__(self, project: Project, alice: User, bob: User, seed: int) -> None:
        self.project, self.people, self.rng = project, (alice, bob), random.Random(seed)
        self.owner = alice

    def face(self) -> tuple[Region, Photo]:
        mine = ProjectPhoto.objects.filter(project=self.project).values("photo__picture")
        faces = Region.objects.filter(picture__in=mine, replaced_by=None)
        region = self.rng.choice(list(faces.exclude(origin=Region.Origin.PHOTO).order_by("pk")))
        return region, Photo.objects.get(picture=region.picture_id)

    def answer(self) -> None:
        region, photo = self.face()
        origin = self.rng.choice([Origin.ASK, Origin.REVIEW])
        verdict, user = self.rng.choice(Verdict.values), self.rng.choice(self.people)
        answers.answer(self.project, region, photo, user, verdict, origin, uuid4())

    def undo(self) -> None:
        answers.undo(self.project, self.rng.choice(self.people), uuid4())

    def without_a_face(self) -> None:
        _region, photo = self.face()
        answers.no_usable_face(self.project, photo, self.rng.choice(self.people), uuid4())

    def draw(self) -> None:
        _region, photo = self.face()
        answers.draw(self.project, photo, (0.1, 0.1, 0.2, 0.2), self.owner, uuid4())

    def let_go(self) -> None:
        _region, photo = self.face()
        change = omissions.leave_out if self.rng.random() < 0.5 else omissions.put_back
        change(self.project, photo, self.owner)

    def out_of_training(self) -> None:
        trust_exclude.set_counts(self.project, self.owner, self.people[1], self.rng.random() < 0.5)

    def learn(self) -> None:
        infer()

    def retry(self) -> None:
        _region, photo = self.face()
        Picture.objects.filter(pk=photo.picture_id).update(state="x", error="broken")
        crawler.retry_photo(Photo.objects.get(pk=photo.pk))
        Picture.objects.filter(pk=photo.picture_id).update(state="d", error="")
        crawler.retry_all(self.project)
        learn(self.project)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_the_census_is_what_a_plain_count_would_say(
    seed: int,
    make_project: MakeProject,
    alice: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is done in a project makes its pulse beat, so that it is counted again."""
    cast, project = Cast(), make_project(alice, members=[bob])
    for number in range(8):
        add_photo(project, [cast.face("marie"), cast.face("pierre")] if number else [])
    learn(project)
    monkeypatch.setattr(live_census, "LARGE", 1)
    monkeypatch.setattr(learner_census, "AT_LEAST", 0)
    monkeypatch.setattr(learner_census, "SHARE", 0)
    life = Life(project, alice, bob, seed)
    deeds = [life.answer] * 6 + [life.undo, life.without_a_face, life.draw, life.let_go]
    deeds += [life.out_of_training, life.learn]
    for _turn in range(14):
        life.rng.choice(deeds)()
        learner_census.count_all(60)
        kept = Census.objects.get(project=project).counts
        kept.pop("seconds")
        plain = Project.objects.get(pk=project.pk)
        assert kept == json.loads(json.dumps(live_census.count_parts(plain)))


def test_a_small_project_is_counted_at_once(
    make_project: MakeProject, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(alice)
    add_photo(project, [])
    infer()
    learner_census.count_all(60)
    census = Census.objects.get(project=project)
    assert census.counts == {}
    assert not live_census.is_large(project)
    monkeypatch.setattr(live_census, "LARGE", 1)
    Project.objects.filter(pk=project.pk).tell_learner()  # it grew
    learner_census.count_all(60)
    assert live_census.is_large(Project.objects.get(pk=project.pk))


# What counts through rows of which a large project has many. One person's answers and uploads are
# fewer, and an index finds them.
COUNTS = re.compile(
    r"(COUNT|SUM|MAX|MIN)\((?:(?!FROM).)*FROM .?(classify_(score|label|answer)"
    r"|crawler_(region|photo|projectphoto|picture|embedding))\b"
)
OF_SOMEBODY = re.compile(r"classify_answer.*user_id.? = \d|crawler_photo.*WHERE \(.*uploader.? = ")
# What people left out is little, and the index photo_left_out finds it.
LEFT_OUT = re.compile(r"WHERE \(.crawler_projectphoto.\..left_out. (= 1 )?AND")
# Of what was sent: one batch, what one person sent, and the few that others removed or changed.
COUNTS_SENT = re.compile(
    r"(COUNT|SUM|MAX|MIN)\((?:(?!FROM).)*FROM .?sdc_(claim|claimattempt|edit|watch)\b"
)
OF_A_BATCH = re.compile(r"batch_id.? (= \d|IN \(\d|= \(.sdc_editbatch.\..id.\))")
OF_SENDER = re.compile(r"sdc_edit(batch)?.\..user_id.? = \d")
FOUND = re.compile(r"sdc_watch.\..finding.? IN")
NO_PAGE = {"metrics", "crop"}  # nor are exports: files of all rows


def counts(sql: str) -> bool:
    few, few_sent = (OF_SOMEBODY, LEFT_OUT), (OF_A_BATCH, OF_SENDER, FOUND)
    return any(
        pattern.search(sql) and not any(each.search(sql) for each in exempt)
        for pattern, exempt in ((COUNTS, few), (COUNTS_SENT, few_sent))
    )


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_no_page_counts_a_large_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """The learner's worker does; before it has, pages say so."""
    cache.clear()
    built = multitude.build(800, MEMBERS)
    Project.objects.exclude(pk=built.project.pk).delete()  # small ones count themselves
    monkeypatch.setattr(live_census, "LARGE", 300)
    monkeypatch.setattr(cards, "LARGE", 300)
    client = browser(built.owner)

    def asked() -> tuple[dict[str, list[str]], set[str]]:
        found, said = {}, set()
        for name, path in addresses(built):
            if name in NO_PAGE or name.startswith("export-"):
                continue
            with CaptureQueriesContext(connection) as seen:
                response = client.get(path)
            found[name] = [each["sql"] for each in seen.captured_queries if counts(each["sql"])]
            if b"data-being-counted" in response.content:
                said.add(name)
        return {name: sql for name, sql in found.items() if sql}, said

    before, said = asked()
    assert before == {}
    assert before == {}
    assert said >= {"project", "project-status", "review", "tray", "sources", "set-aside"}
    learner_census.count_all(60)
    assert asked() == ({}, set())


def test_a_page_counts_a_small_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above looks for is what it finds here."""
    cache.clear()
    built = multitude.build(800, MEMBERS)
    client = browser(built.owner)
    for name in ("project", "review", "tray", "sources"):
        told = queries(partial(client.get, reverse(name, args=[built.project.public_id])))
        assert any(map(counts, told)), name


def test_counting_has_its_turn_while_others_wait_to_be_learned(
    make_project: MakeProject, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project that can't be learned from, or people who answer without pause, hold up nothing."""
    project = make_project(alice)
    add_photo(project, [])
    monkeypatch.setattr(live_census, "LARGE", 1)
    monkeypatch.setattr("classify.learner.run.infer", boom)
    for _ in range(3):
        Project.objects.filter(pk=project.pk).tell_learner()
        infer()
        count()
    assert live_census.is_being_counted(Project.objects.get(pk=project.pk)) is False
    assert settings.PIPELINE_TASKS["classify.count"] == settings.PIPELINE_TASKS["classify.infer"]
    assert "classify.count" in settings.PIPELINE_WAKES["photos-crawled"]


def boom(*_arguments: Any) -> None:
    raise RuntimeError("cannot learn")


def test_an_answer_takes_twelve_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    """One face or a screen of twenty, in a large project or a small one, the first of a day that
    somebody gives or a later one."""
    built = multitude.build(1000, MEMBERS)
    base, user = f"/p/{built.project.public_id}", built.members[3]
    asked = list(built.asked)
    client = browser(user)
    meter = Meter()

    def one() -> dict[str, Any]:
        region = asked.pop()
        photo = f"photo{region.picture_id}"
        return {"region": region.public_id, "photo": photo, "verdict": "yes"}

    def screen() -> dict[str, Any]:
        shown = [asked.pop().public_id for _ in range(20)]
        return {"shown": shown, "yes": shown[:10]}

    for large in (10_000, 100):
        monkeypatch.setattr(live_census, "LARGE", large)
        for made, address in ((one, "answer"), (screen, "grid/answer")):
            Tally.objects.filter(user=user, day=timezone.now().date()).delete()
            for _ in range(2):
                sent = {"client_uuid": str(uuid4())} | made()
                with meter() as seen:
                    reply = client.post(f"{base}/{address}", sent, headers={"X-Background": "1"})
                assert reply.status_code == 200
                told = [sql for sql, _rows in seen if "SAVEPOINT" not in sql]
                assert len(told) <= MOST_ANSWER, told
