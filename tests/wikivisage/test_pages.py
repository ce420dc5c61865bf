"""Plain pages, error pages, and what holds for every page of the site."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse
from django.utils.html import escape

from crawler.models import Region
from projects.help.topics import TOPICS
from projects.models import Project, User
from tests.conftest import ClientOf
from wikivisage.pages import about

TEMPLATES = sorted(Path(settings.BASE_DIR / "templates").rglob("*.html"))
SPRITE = (settings.BASE_DIR / "static" / "icons.svg").read_text()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/", "/how", "/help", "/about", "/privacy", "/style", "/projects", "/leaderboard", "/login/"],
)
def test_every_public_page_has_title_language_skip_link_and_one_heading(
    path: str, client_of: ClientOf
) -> None:
    page = client_of(None).get(path).content.decode()
    assert re.search(r"<title>\s*\S.*</title>", page, re.S)
    assert '<html lang="en" dir="ltr"' in page
    assert 'class="skip-link" href="#main"' in page
    assert 'id="main"' in page
    assert len(re.findall(r"<h1\b", page)) == 1


@pytest.mark.django_db
def test_a_page_in_a_right_to_left_language_says_so(client_of: ClientOf) -> None:
    client = client_of(None)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ar-xb"
    page = client.get("/how").content.decode()
    assert '<html lang="ar-xb" dir="rtl"' in page


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_breaks_the_content_security_policy(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=", text), "inline styles are refused"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "inline handlers are refused"
    assert not re.search(r"<style\b", text)
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_icon_is_drawn(template: Path) -> None:
    for name in re.findall(r'{% icon "([\w-]+)"', template.read_text()):
        assert f'id="{name}"' in SPRITE, name


def test_no_two_addresses_share_a_name() -> None:
    addresses = get_resolver().reverse_dict
    names = {name for name in addresses if isinstance(name, str)}
    assert "project-state" in names
    shared = {name for name in names if len({way[1] for way in addresses.getlist(name)}) > 1}
    assert not shared


@pytest.mark.django_db
def test_what_is_not_there_gets_a_page(client_of: ClientOf) -> None:
    answer = client_of(None).get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_what_is_not_allowed_says_what_to_do(
    project: Project, bob: User, charlie: User, client_of: ClientOf
) -> None:
    assert (
        "Only the owner" in client_of(bob).get(f"/p/{project.public_id}/settings").content.decode()
    )
    answer = client_of(charlie).post(f"/p/{project.public_id}/leave")
    assert answer.status_code == 403
    assert "Join this project first" in answer.content.decode()
    assert f'href="{project.get_absolute_url()}"' in answer.content.decode()


def test_who_only_has_to_join_is_told_how_and_gets_no_number_to_report(
    project: Project, charlie: User, client_of: ClientOf
) -> None:
    here, browser = project.get_absolute_url(), client_of(charlie)
    for path in ("tray", "settings"):
        answer = browser.get(f"{here}{path}")
        assert answer.status_code == 403
        assert "If you report it" not in answer.content.decode()
    assert f'href="{here}ask-to-join"' in browser.get(f"{here}tray").content.decode()
    Project.objects.update(joining=Project.Joining.OPEN)
    page = browser.get(f"{here}settings").content.decode()
    assert "Only the owner" in page, "joining would not help"
    assert f'action="{here}join"' not in page
    page = browser.get(f"{here}tray").content.decode()
    assert "Join this project first" in page
    assert f'action="{here}join"' in page
    led = browser.post(f"{here}join", {"next": f"{here}tray"})
    assert (led.status_code, led["Location"]) == (302, f"{here}tray")
    assert browser.get(f"{here}tray").status_code == 200


def test_a_fault_of_ours_has_a_number_to_report(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.correlation_id = "abc123"  # type: ignore[attr-defined]
    assert "<code>abc123</code>" in about.server_error(request).content.decode()


def test_a_form_without_its_token_says_that_the_page_is_old(alice: User) -> None:
    browser = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    answer = browser.post("/account/visibility", {"show": "on"})
    assert answer.status_code == 403
    assert "This page is too old" in answer.content.decode()
    background = browser.post("/account/visibility", {"show": "on"}, headers={"HX-Request": "true"})
    assert background.status_code == 403
    assert "<html" not in background.content.decode()


def test_the_page_for_our_own_mistakes_needs_no_database(rf: RequestFactory) -> None:
    # no `db` fixture here: pytest-django refuses every query
    answer = about.server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


@pytest.mark.django_db
def test_health_and_robots(client_of: ClientOf) -> None:
    browser = client_of(None)
    assert browser.get("/health").json()["parts"]["database"]["status"] == "ok"
    robots = browser.get("/robots.txt")
    assert robots["Content-Type"] == "text/plain"
    assert "Disallow: /p/" in robots.content.decode()
    sitemap = browser.get("/sitemap.xml")
    assert sitemap.status_code == 200
    assert "/leaderboard</loc>" in sitemap.content.decode()


@pytest.mark.django_db
def test_browsers_find_the_icon_where_they_look_by_themselves(client_of: ClientOf) -> None:
    led = client_of(None).get("/favicon.ico")
    assert led.status_code == 302
    assert finders.find(led["Location"].removeprefix(settings.STATIC_URL))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["home", "projects", "answer-now", "how", "style", "robots", "favicon"]
)
def test_pages_to_read_take_no_posts(name: str, client_of: ClientOf) -> None:
    assert client_of(None).post(reverse(name)).status_code == 405


@pytest.mark.django_db
def test_policies_stand_in_the_headers(client_of: ClientOf) -> None:
    answer = client_of(None).get("/")
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_boxes_fit_the_photo(project: Project, faces: list[Region]) -> None:
    from projects.templatetags.ui import boxed_photo, windowed_photo

    region = faces[0]
    photo = region.picture.photos.get()
    drawn = boxed_photo(photo, region, others=[region])
    assert (drawn["width"], drawn["height"]) == (1000, 800)
    assert drawn["box"]["x"] == f"{region.x * 1000:.1f}"
    assert drawn["box"]["h"] == f"{region.h * 800:.1f}"
    assert drawn["others"] == [], "the face in question is not drawn twice"
    x, y, w, h = map(float, windowed_photo(photo, region)["view"].split())
    assert x >= 0
    assert y >= 0
    assert x + w <= 1000.1
    assert y + h <= 800.1
    assert w / h == pytest.approx(1.55, rel=0.01)
    region.x, region.y, region.w, region.h = 0.2, 0.05, 0.6, 0.9  # higher than such a part
    x, y, w, h = map(float, windowed_photo(photo, region)["view"].split())
    assert (y, h) == (0, 800)
    assert (x + w / 2, w / h) == pytest.approx((500, 1.55), rel=0.01)
    region.origin = Region.Origin.PHOTO
    assert boxed_photo(photo, region)["box"] is None


def test_a_stacked_bar_is_full_where_all_is_done() -> None:
    from projects.templatetags.ui import stacked_bar

    [whole] = stacked_bar([("Written", 10, "yes"), ("To come", 0, "none")])["drawn"]
    assert (whole["x"], whole["w"]) == ("0.0", "1000.0")
    first, second = stacked_bar([("Written", 5, "yes"), ("Refused", 5, "bad")])["drawn"]
    assert (first["w"], second["x"], second["w"]) == ("498.0", "500.0", "500.0")
    [part] = stacked_bar([("Written", 5, "yes")], 10)["drawn"]
    assert part["w"] == "498.0"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (5399, "90 minutes"),
        (5400, "2 hours"),
        (None, ""),
    ],
)
def test_durations_are_said_in_words(seconds: float | None, words: str) -> None:
    from projects.templatetags.ui import duration

    assert duration(seconds) == words


HELP = re.compile(r'{% help "([\w-]+)" %}')
ASKED_FOR = {name for path in TEMPLATES for name in HELP.findall(path.read_text())}


@pytest.mark.django_db
def test_the_help_has_each_thing_that_a_page_asks_it_about_once(client_of: ClientOf) -> None:
    page = client_of(None).get("/help").content.decode()
    assert TOPICS.keys() >= ASKED_FOR
    assert len(ASKED_FOR) > 8
    for name, topic in TOPICS.items():
        assert page.count(f'id="{name}"') == 1, name
        assert page.count(f'href="#{name}"') == 1, name
        assert escape(str(topic.sentence)) in page, name
