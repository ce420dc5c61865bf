"""A project's own name: where it is set and shown, and where the person is named all the same."""

from django.urls import reverse

from classify.models import Learner
from crawler.models import Region
from projects.creation import services as creation
from projects.creation.source_lookup import Place
from projects.models import AuditEvent, Project, User
from sandbox import RunningSandbox
from tests.classify.faces import Cast, add_photo
from tests.classify_pages.screens import ask_about
from tests.conftest import ClientOf, MakeProject
from tests.factories import make_moderator
from tests.people.test_settings import GOOD

EVIL = "Radium <b>1911</b> & co"
SAFE = "Radium &lt;b&gt;1911&lt;/b&gt; &amp; co"


def test_it_is_given_at_the_start_without_being_asked_for(
    sandbox: RunningSandbox, alice: User, client_of: ClientOf
) -> None:
    page = client_of(alice).get("/projects/new").content.decode()
    assert '<details class="own-name">' in page, "folded away"
    form = {"person": "Q7186", "row": "category:Curie family", "use": "category:Curie family"}
    client_of(alice).post("/projects/new", form | {"do": "start", "name": "  Radium \n 1911 "})
    project = Project.objects.get()
    assert (project.name, str(project)) == ("Radium 1911", "Radium 1911")
    assert AuditEvent.objects.get(action="project.created").data == {"name": "Radium 1911"}
    too_long = client_of(alice).post("/projects/new", {"do": "start", "name": "x" * 81})
    assert '<details class="own-name" open>' in too_long.content.decode()


def test_without_one_it_goes_by_the_person(sandbox: RunningSandbox, alice: User) -> None:
    project = creation.create_project(alice, "Q7186", [Place("category", "Curie family")])
    assert (project.name, str(project)) == ("", "Marie Curie")


def test_it_is_shown_escaped_wherever_the_project_is_named_with_the_person_beside(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    add_photo(project, [Cast().face("marie")])
    ask_about(project, list(Region.objects.exclude(origin=Region.Origin.PHOTO)), number=0)
    Learner.objects.update_or_create(project=project, defaults={"worth": 1.0})  # on the first page
    browser, here = client_of(alice), project.get_absolute_url()
    browser.post(f"{here}settings", GOOD | {"name": EVIL})
    assert AuditEvent.objects.get(action="project.renamed").data == {"name": EVIL}
    assert "name" not in AuditEvent.objects.get(action="project.settings").data
    own = ("", "settings", "members", "sources/", "batches", "export", "set-aside/", "second-looks")
    for path in (*(here + each for each in own), "/projects", "/account", "/"):
        page = browser.get(path).content.decode()
        assert SAFE in page, path
        assert EVIL not in page, path
    page = browser.get(here).content.decode()
    assert f"<h1><bdi>{SAFE}</bdi></h1>" in page
    assert "<b><bdi>Marie Curie</bdi></b>" in page
    assert "gave the project another name" in page
    browser.post(f"{here}settings", GOOD | {"name": ""})
    assert "<h1><bdi>Marie Curie</bdi></h1>" in browser.get(here).content.decode()


def test_search_finds_it_and_so_do_moderators(
    alice: User, mona: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    make_project(alice, name="Nobel laureates")
    make_project(alice, "Q76")
    for browser, path in (
        (client_of(None), "/projects"),
        (client_of(make_moderator(mona)), reverse("admin:projects_project_changelist")),
    ):
        page = browser.get(path, {"q": "nobel"}).content.decode()
        assert "Nobel laureates" in page, path
        assert "Marie Curie" in page, "the person beside it"
        assert "Barack Obama" not in page


def test_exports_name_the_person(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, name="Radium 1911")
    for name in ("export-labels-json", "export-claims", "export-quickstatements"):
        file = client_of(alice).get(reverse(name, args=[project.public_id]))
        sent = b"".join(file.streaming_content).decode()  # type: ignore[attr-defined]
        assert "Radium" not in file["Content-Disposition"] + sent, name
        assert "Marie%20Curie" in file["Content-Disposition"]
