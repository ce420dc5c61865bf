"""Pages in the languages there are: nothing of the English is left where there is a translation."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.template import Context, Template
from django.utils import translation

from projects.models import Project, User
from tests.conftest import ClientOf, MakeProject
from wikivisage.messages import catalogs, checks

PAGES = ["/", "/how", "/help", "/about", "/privacy", "/projects", "/leaderboard", "/account"]
HERE = ["", "members", "settings", "review", "tray", "ask", "batches", "export"]


def english_of(language: str) -> list[str]:
    """Whole sentences and headings that are something else in this language."""
    return [
        str(message.id)
        for message in catalogs.read(language)
        if isinstance(message.id, str)
        and len(message.id.split()) > 2
        and not catalogs.gaps(message.id)
        and not checks.TAG.search(message.id)
        and message.string not in ("", message.id)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("language", catalogs.LANGUAGES)
def test_pages_say_nothing_in_english(
    language: str, client_of: ClientOf, alice: User, make_project: MakeProject
) -> None:
    project: Project = make_project(alice, "Q7186", [("Marie Curie", 1)])
    english, client = english_of(language), client_of(alice)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    seen = 0
    for path in [*PAGES, *(f"{project.get_absolute_url()}{part}" for part in HERE)]:
        answer = client.get(path)
        assert answer.status_code == 200, path
        page = answer.content.decode()
        assert f'<html lang="{language}" dir="ltr"' in page
        text = " ".join(BeautifulSoup(page, "html.parser").get_text(" ").split())
        assert [said for said in english if said in text] == [], path
        seen += len(text)
    assert seen > 10_000


@pytest.mark.django_db
def test_what_a_form_refuses_is_said_in_the_readers_language(client_of: ClientOf) -> None:
    client = client_of(None)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "nb"
    assert "Det er ingenting her" in client.get("/nowhere").content.decode()


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", ["0 faces", "1 face", "2 faces"]),
        ("nb", ["0 ansikter", "1 ansikt", "2 ansikter"]),
        ("es", ["0 rostros", "1 rostro", "2 rostros"]),
        ("fr", ["0 visage", "1 visage", "2 visages"]),
    ],
)
def test_each_language_counts_in_its_own_way(language: str, forms: list[str]) -> None:
    template = Template(
        "{% load i18n %}{% blocktranslate count n=n %}{{ n }} face found{% plural %}"
        "{{ n }} faces found{% endblocktranslate %}"
    )
    with translation.override(language):
        said = [template.render(Context({"n": n})) for n in (0, 1, 2)]
    assert [each for each, form in zip(said, forms, strict=True) if not each.startswith(form)] == []
