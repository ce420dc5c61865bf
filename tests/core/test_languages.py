"""Which language a page is in, names in the reader's language, and the two made-up languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, pgettext

from core import i18n
from projects.models import Person
from tests.conftest import ClientOf
from tests.factories import make_user
from wikivisage.messages.pseudo import accented, mirrored

COOKIE = settings.LANGUAGE_COOKIE_NAME
TEMPLATES = settings.BASE_DIR / "templates"


def language_of(page: str) -> str:
    found = re.search(r'<html lang="([\w-]+)"', page)
    assert found
    return found[1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", "en"),
        ("nb-NO,nb;q=0.9,en;q=0.8", "nb"),
        ("no", "nb"),
        ("nn-NO,en;q=0.5", "nb"),
        ("es-AR", "es"),
        ("de,fr-CA;q=0.7,en;q=0.3", "fr"),
        ("de, ja", "en"),
        ("ar-XB", "en"),  # nobody gets a made-up one without asking for it here
        ("*;q=x,,;", "en"),
    ],
)
def test_a_browser_gets_the_best_language_there_is(
    asked: str, given: str, client_of: ClientOf
) -> None:
    answer = client_of(None).get("/how", headers={"accept-language": asked})
    assert language_of(answer.content.decode()) == given
    assert answer["Content-Language"] == given
    assert "Accept-Language" in answer["Vary"]


def test_a_cache_keeps_a_page_apart_for_each_language_chosen_by_cookie() -> None:
    answer = i18n.LanguageMiddleware(lambda _request: HttpResponse())(RequestFactory().get("/"))
    assert answer["Vary"] == "Accept-Language, Cookie"


@pytest.mark.django_db
def test_a_visitor_changes_the_language_with_one_click(client_of: ClientOf) -> None:
    client = client_of(None)
    page = client.get("/how?a=1").content.decode()
    assert 'value="nb" lang="nb">norsk bokmål</button>' in page
    answer = client.post("/language", {"language": "nb", "next": "/how?a=1"})
    assert answer["Location"] == "/how?a=1"
    assert language_of(client.get("/how").content.decode()) == "nb"
    # what the browser says is then no longer asked
    french = client.get("/how", headers={"accept-language": "fr"}).content.decode()
    assert language_of(french) == "nb"
    client.post("/language", {"language": "", "next": "//elsewhere.example"})
    assert COOKIE not in client.cookies or not client.cookies[COOKIE].value
    french = client.get("/how", headers={"accept-language": "fr"}).content.decode()
    assert language_of(french) == "fr"


@pytest.mark.django_db
def test_an_account_keeps_its_language_on_every_device(client_of: ClientOf) -> None:
    user = make_user("Bob")
    client_of(user).post("/language", {"language": "es"})
    user.refresh_from_db()
    assert user.language == "es"
    other = client_of(user)
    other.cookies[COOKIE] = "fr"
    assert language_of(other.get("/how").content.decode()) == "es"
    other.post("/language", {"language": "tlh"})  # none of ours: as the browser says
    user.refresh_from_db()
    assert user.language == ""


@pytest.mark.django_db
def test_a_request_leaves_no_language_behind(client_of: ClientOf) -> None:
    client_of(None).get("/how", headers={"accept-language": "fr"})
    assert translation.get_language() == "en"


@pytest.mark.parametrize(
    ("labels", "language", "label", "of"),
    [
        ({"en": "Curie", "nb": "Curie (nb)", "no": "C (no)"}, "nb", "Curie (nb)", ""),
        ({"en": "Curie", "no": "C (no)"}, "nb", "C (no)", "no"),
        ({"en": "Curie", "sv": "C (sv)", "da": "C (da)"}, "nb", "C (da)", "da"),
        ({"en": "Curie", "es-419": "C (419)"}, "es", "C (419)", "es-419"),
        ({"en": "Curie", "de": "C (de)"}, "es", "Curie", "en"),
        ({"mul": "Curie", "de": "C (de)"}, "fr", "Curie", ""),
        ({"ja": "キュリー"}, "fr", "キュリー", "ja"),
        ({"en": "", "ja": "キュリー"}, "en", "キュリー", "ja"),
        ({}, "fr", "Q7186", ""),
        ({"en": "Curie", "ar": "كوري"}, "ar-xb", "Curie", "en"),
    ],
)
def test_names_are_in_the_readers_language_or_the_next_best(
    labels: dict[str, str], language: str, label: str, of: str
) -> None:
    person = Person(qid="Q7186", labels=labels)
    assert person.label(language) == label
    assert person.label_language(language) == of


@pytest.mark.parametrize(("page", "asked"), [("nb", "nb"), ("en-xa", "en"), ("ar-xb", "en")])
def test_the_wikis_are_asked_in_a_language_that_they_know(page: str, asked: str) -> None:
    with translation.override(page):
        assert i18n.of_wikis() == asked


def test_a_name_in_another_language_says_so_to_screen_readers() -> None:
    person = Person(qid="Q1", labels={"da": "Hans", "en": "John & Co"})
    template = Template("{% load ui %}{{ person|named }}")
    with translation.override("nb"):
        assert template.render(Context({"person": person})) == '<bdi lang="da">Hans</bdi>'
    with translation.override("en"):
        assert template.render(Context({"person": person})) == "<bdi>John &amp; Co</bdi>"


def test_made_up_english_is_longer_accented_and_whole() -> None:
    said = accented("Keep all <b>%(n)s faces</b> of {name} &amp; co, 5 %%")
    for kept in ("<b>%(n)s ", "</b>", "{name}", "&amp;", "5 %%"):
        assert kept in said
    assert said[0] + said[-1] == "[]"
    assert "Ķéép" not in accented("Q7186")
    assert not re.search("faces|Keep|all", said)
    assert len(accented("Every face is seen by a person")) == pytest.approx(1.4 * 30, abs=4)
    assert accented(" · ") == " · "


@pytest.mark.parametrize(("code", "change"), [("en-xa", accented), ("ar-xb", mirrored)])
def test_made_up_languages_change_every_kind_of_message(
    code: str, change: Callable[[str], str]
) -> None:
    with translation.override(code):
        assert gettext("Projects") == change("Projects")
        assert pgettext("a button", "Send") == change("Send")
        counted = ngettext("%(n)s face", "%(n)s faces", 2)
        assert counted % {"n": 2} == change("{n} faces").format(n=2)
        assert translation.get_language_bidi() is (code == "ar-xb")
        assert str(gettext("")) == ""


@pytest.mark.parametrize(
    ("language", "day", "number"),
    [
        ("en", "7 November 1867", "12,345.5"),
        ("nb", "7. november 1867", "12\xa0345,5"),
        ("es", "7 de noviembre de 1867", "12\xa0345,5"),
        ("fr", "7 novembre 1867", "12\xa0345,5"),
    ],
)
def test_dates_and_numbers_are_written_as_in_the_language(
    language: str, day: str, number: str
) -> None:
    template = Template("{% load humanize l10n %}{{ n|intcomma }}")
    with translation.override(language):
        assert date_format(date(1867, 11, 7), "DATE_FORMAT") == day
        shown = template.render(Context({"n": 12345.5}))
        assert re.sub(r"[\u202f\xa0]", "\xa0", shown) == number


# A counter that is shown raw: "100000 faces" where the language writes "100,000".
COUNTED = re.compile(
    r"\{% blocktranslate[^%]* count (?P<name>\w+)=(?P<of>\S+)[^%]*%\}"
    r"(?P<body>.*?)\{% endblocktranslate %\}",
    re.S,
)
FEW = {"n", "n|add:1", "level", "steps|length", "tiles|length"}  # never a thousand


def test_every_count_that_is_read_is_grouped_as_the_language_does() -> None:
    raw = [
        f"{path.relative_to(TEMPLATES)}: {match['of']}"
        for path in sorted(TEMPLATES.rglob("*.html"))
        for match in COUNTED.finditer(path.read_text())
        if f"{{{{ {match['name']} }}}}" in match["body"] and match["of"] not in FEW
    ]
    assert raw == []
