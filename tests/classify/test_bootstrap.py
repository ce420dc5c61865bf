"""What the wikis know already: the person through SPARQL, examples from statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from classify import answers
from classify.learner import bootstrap
from classify.models import Answer, Bootstrap, Label, Origin
from classify.tasks import read_bootstrap
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.models import Person, Project, User
from sandbox import RunningSandbox
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_face, add_photo, embed, learn
from tests.conftest import MakeProject

pytestmark = pytest.mark.django_db


class TestThePerson:
    def test_the_person_is_refreshed(self, project: Project) -> None:
        Person.objects.update(
            labels={}, descriptions={}, portrait="", commons_category="", died_from=None
        )
        read_bootstrap()
        row = Bootstrap.objects.get()
        assert (row.state, row.error) == (WorkState.DONE, "")
        person = Person.objects.get()
        assert person.label("en") == "Marie Curie"
        assert len(person.labels) > 1
        assert person.description("en")
        assert person.portrait == "File:Marie Curie c. 1920s.jpg"
        assert person.commons_category == "Marie Curie"
        assert (person.born_from, person.born_precision) == (date(1867, 11, 7), 11)
        assert (person.died_from, person.died_to) == (date(1934, 7, 4), date(1934, 7, 4))

    def test_it_says_the_same_as_the_api_said(
        self, make_project: MakeProject, project: Project, alice: User
    ) -> None:
        from projects.creation.person_lookup import read_person

        make_project(alice, "Q76")
        make_project(alice, "Q937")
        read_bootstrap()
        for person in Person.objects.all():
            known = read_person(person.qid).fields()
            known.pop("fetched_at")
            assert {name: getattr(person, name) for name in known} == known

    def test_a_person_who_lives_has_no_death(self, make_project: MakeProject, alice: User) -> None:
        project = make_project(alice, "Q76")
        read_bootstrap()
        project.person.refresh_from_db()
        assert project.person.died_from is None
        assert project.person.years == "born 1961"

    def test_it_is_read_once(self, sandbox: RunningSandbox, project: Project) -> None:
        read_bootstrap()
        read_bootstrap()
        assert Bootstrap.objects.get().attempt == 1

    def test_a_failure_is_tried_again_later_and_blocks_nobody(
        self,
        make_project: MakeProject,
        sandbox: RunningSandbox,
        project: Project,
        cast: Cast,
        alice: User,
    ) -> None:
        other = make_project(alice, "Q76")
        add_photo(project, [cast.face("marie")])
        sandbox.faults.add("http", {"path": "/sparql"}, times=1, status=500)
        read_bootstrap()
        failed, fine = Bootstrap.objects.order_by("project")
        assert (failed.state, failed.error) == (WorkState.QUEUED, "http-500")
        assert failed.due_at > timezone.now()
        assert (fine.project, fine.state) == (other, WorkState.DONE)
        assert learn(project).faces == 1

        Bootstrap.objects.filter(pk=failed.pk).update(due_at=F("due_at") - timedelta(hours=1))
        read_bootstrap()
        failed.refresh_from_db()
        assert (failed.state, failed.error, failed.tries) == (WorkState.DONE, "", 0)

    def test_what_is_no_human_is_set_aside(self, make_project: MakeProject, alice: User) -> None:
        project = make_project(alice, "Q999999999")
        read_bootstrap()
        row = Bootstrap.objects.get()
        assert (row.state, row.error) == (WorkState.ASIDE, "not-human")
        assert project.person.born_from == date(1900, 1, 1), "what was known stays"

    @pytest.mark.waits
    def test_no_answer_at_all(self, sandbox: RunningSandbox, project: Project) -> None:
        sandbox.faults.add("cut-before", {"path": "/sparql"})
        read_bootstrap()
        assert Bootstrap.objects.get().error == "network"

    def test_it_waits_as_long_as_the_endpoint_says(
        self, sandbox: RunningSandbox, project: Project
    ) -> None:
        sandbox.faults.add("http", {"path": "/sparql"}, status=429, retry_after=300)
        read_bootstrap()
        row = Bootstrap.objects.get()
        assert row.error == "http-429"
        assert row.due_at > timezone.now() + timedelta(seconds=290)


class TestExamples:
    def test_one_face_in_a_tagged_photo_is_an_example(self, project: Project, cast: Cast) -> None:
        photo, [region] = add_photo(project, [cast.face("marie")], already_depicts=True)
        add_photo(project, [cast.face("pierre")])
        learn(project)
        answer = Answer.objects.get()
        assert (answer.user, answer.origin, answer.verdict) == (None, Origin.BOOTSTRAP, "yes")
        label = Label.objects.get()
        assert (label.region, label.photo, label.origin) == (region, photo, Origin.BOOTSTRAP)
        learn(project)
        read_bootstrap()
        assert Answer.objects.count() == 1

    @pytest.mark.parametrize("faces", [0, 2, 5])
    def test_no_face_or_several_give_none(self, project: Project, cast: Cast, faces: int) -> None:
        add_photo(project, [cast.face("marie") for _ in range(faces)], already_depicts=True)
        learn(project)
        assert not Answer.objects.exists()

    def test_people_came_first(self, project: Project, cast: Cast, alice: User, say: Say) -> None:
        _, [region] = add_photo(project, [cast.face("marie")], already_depicts=True)
        say(alice, "no", region)
        learn(project)
        assert Label.objects.get().verdict == "no"
        assert Answer.objects.count() == 1

    def test_a_photo_looked_at_later_gives_its_example_later(
        self, project: Project, cast: Cast
    ) -> None:
        photo, _ = add_photo(project, [], already_depicts=True)
        Picture.objects.update(state=WorkState.QUEUED, faces=None)
        learn(project)
        assert not Answer.objects.exists()
        add_face(photo.picture, cast.face("marie"))
        Picture.objects.update(state=WorkState.DONE, faces=1)
        Project.objects.update(revision=F("revision") + 1)
        learn(project)
        assert Answer.objects.count() == 1

    def test_a_statement_seen_after_the_faces_gives_its_example(
        self, project: Project, cast: Cast
    ) -> None:
        add_photo(project, [cast.face("marie")])
        learn(project)
        ProjectPhoto.objects.update(already_depicts=True)
        read_bootstrap()
        assert Label.objects.get().origin == Origin.BOOTSTRAP
        assert Bootstrap.objects.get().tagged == 1
        assert learn(project).faces == 1

    def test_a_withdrawn_photo_gives_none(self, project: Project, cast: Cast) -> None:
        add_photo(project, [cast.face("marie")], already_depicts=True)
        Photo.objects.update(state=Photo.State.WITHDRAWN)
        learn(project)
        assert not Answer.objects.exists()

    def test_two_photos_of_one_picture_give_one(self, project: Project, cast: Cast) -> None:
        photo, [region] = add_photo(project, [cast.face("marie")], already_depicts=True)
        copy = Photo.objects.create(
            wiki=photo.wiki, page_id=10**6, title="File:Copy.jpg", picture=photo.picture
        )
        ProjectPhoto.objects.create(project=project, photo=copy, already_depicts=True)
        learn(project)
        label = Label.objects.get()
        assert (label.region, label.photo) == (region, photo)
        attempt = project.learner.attempt
        read_bootstrap()
        learn(project)
        project.learner.refresh_from_db()
        assert project.learner.attempt == attempt, "nothing is left to do"

    def test_a_box_drawn_beside_the_face_makes_it_no_example(
        self,
        project: Project,
        cast: Cast,
        alice: User,
        say: Callable[..., Answer],
    ) -> None:
        """The detector found a stranger; a person drew the one who was missed."""
        photo, _ = add_photo(project, [cast.face("pierre")])
        drawn = Region.objects.create(
            picture=photo.picture, origin=Region.Origin.PERSON, x=0.6, y=0.1, w=0.2, h=0.2
        )
        say(alice, "yes", drawn, Origin.DRAWN)
        ProjectPhoto.objects.update(already_depicts=True)
        learn(project)
        assert Label.objects.get().region == drawn

    def test_a_face_redrawn_elsewhere_is_left_to_be_asked(
        self, make_project: MakeProject, project: Project, cast: Cast, charlie: User
    ) -> None:
        photo, [region] = add_photo(project, [cast.face("marie")], already_depicts=True)
        elsewhere = make_project(charlie, "Q937")
        ProjectPhoto.objects.create(project=elsewhere, photo=photo)
        box = (0.1, 0.1, 0.3, 0.3)
        drawn = answers.draw(elsewhere, photo, box, charlie, uuid4(), replaces=region).region
        embed(drawn, cast.face("marie"))
        learn(project)
        assert not Label.objects.filter(subject=project.subject).exists()
        assert project.subject.questions.get().region == drawn

    def test_every_project_has_its_own(
        self, make_project: MakeProject, project: Project, cast: Cast, alice: User
    ) -> None:
        photo, _ = add_photo(project, [cast.face("marie")], already_depicts=True)
        other = make_project(alice, "Q937")
        ProjectPhoto.objects.create(project=other, photo=photo)
        bootstrap.label_all_tagged()
        assert [label.subject.project for label in Label.objects.all()] == [project]
