"""Finding people on Wikidata, and refusing what is no person to look for."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from core.user_errors import Refused
from projects.creation import person_lookup
from projects.models import DenyEntry, Person
from sandbox import RunningSandbox
from wiki import http, wikidata
from wiki.http import WikiError

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text",
    [
        "Q7186",
        " q7186 ",
        "https://www.wikidata.org/wiki/Q7186",
        "http://www.wikidata.org/entity/Q7186",
        "https://m.wikidata.org/wiki/Q7186#P18",
        "https://www.wikidata.org/wiki/Q7186?uselang=de",
        "https://www.wikidata.org/wiki/Special:EntityPage/Q7186",
        "https://www.wikidata.org/wiki/Special:EntityData/Q7186.json",
        "https://www.wikidata.org/w/index.php?title=Q7186&action=history",
        "www.wikidata.org/wiki/Q7186",
        "[[d:Q7186|Marie Curie]]",
        "d:Q7186",
        "wd:Q7186",
    ],
)
def test_a_q_id_is_found_in_what_people_paste(text: str) -> None:
    assert wikidata.find_qid(text) == "Q7186"


@pytest.mark.parametrize("text", ["curie", "Q", "Q0", "Q7186 and more", "IQ7186", "P18", ""])
def test_other_text_is_no_q_id(text: str) -> None:
    assert wikidata.find_qid(text) is None


def test_a_name_finds_only_humans(sandbox: RunningSandbox) -> None:
    assert "Q7186" in [person.qid for person in person_lookup.search_people("Marie", "en")]
    assert person_lookup.search_people("London", "en") == []
    assert person_lookup.search_people("", "en") == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("curie", {"Marie Curie", "Pierre Curie", "Irène Joliot-Curie"}),
        ("einstein", {"Albert Einstein"}),
        ('-"einstein": albert?', {"Albert Einstein"}),  # words, not a language of searching
    ],
)
def test_a_family_name_is_enough(sandbox: RunningSandbox, text: str, names: set[str]) -> None:
    found = {person.label("en") for person in person_lookup.search_people(text, "en")}
    assert names <= found


def test_a_person_comes_with_what_the_page_shows(sandbox: RunningSandbox) -> None:
    found = {person.qid: person for person in person_lookup.search_people("albert einstein", "de")}
    einstein = Person.from_wikidata(found["Q937"])
    assert einstein.label("de") == "Albert Einstein"
    assert einstein.years == "1879–1955"
    assert einstein.description("de") == "theoretischer Physiker (1879–1955)"
    assert einstein.portrait == "File:Albert Einstein 1921 (re-cropped).jpg"
    namesake = found["Q990000002"]
    assert namesake.born
    assert (namesake.born.start, namesake.born.end) == (date(1890, 1, 1), date(1899, 12, 31))
    assert namesake.portrait == ""


def test_years_are_told_once() -> None:
    said = {"en": "physicist (1879–1955)", "de": "Physiker"}
    person = Person(
        descriptions=said, born_from=date(1879, 3, 14), died_from=date(1955, 4, 18), qid="Q937"
    )
    assert person.about("en") == "physicist (1879–1955)"
    assert person.about("de") == "Physiker · 1879–1955"
    person.descriptions = {}
    assert person.about("en") == "1879–1955"


def test_no_value_is_no_portrait_and_no_category(sandbox: RunningSandbox) -> None:
    erika = person_lookup.read_person("Q990000001")
    assert erika.portrait == ""
    assert erika.commons_category == ""


def test_a_redirect_leads_to_the_item(sandbox: RunningSandbox) -> None:
    old = next(
        row["title"]
        for row in sandbox.world.store.rows(
            "SELECT title FROM page WHERE wiki = 'wikidata' AND redirect_to IS NOT NULL"
        )
    )
    assert person_lookup.search_people(old, "en")[0].qid != old


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("Q84", "not-human", "capital and largest city"),
        ("Q99999999", "missing", "Q99999999"),
        ("Q999999999999", "missing", "Q999999999999"),
        ("https://www.wikidata.org/wiki/Property:P18", "not-an-item", "Q7186"),
        ("https://en.wikipedia.org/wiki/Marie_Curie", "not-an-item", "Q7186"),
    ],
)
def test_what_is_no_person_is_refused_in_a_sentence(
    sandbox: RunningSandbox, text: str, code: str, says: str
) -> None:
    with pytest.raises(Refused) as refused:
        person_lookup.search_people(text, "en")
    assert refused.value.code == code
    assert says in refused.value.sentence


def test_people_on_the_deny_list_are_neither_found_nor_read(sandbox: RunningSandbox) -> None:
    DenyEntry.objects.create(wiki=settings.WIKI.code, kind="person", value="Q7186")
    assert "Q7186" not in [
        person.qid for person in person_lookup.search_people("Marie Curie", "en")
    ]
    with pytest.raises(Refused, match="denied"):
        person_lookup.read_person("Q7186")


def time_claim(pid: str, day: date, precision: int = 11) -> dict[str, Any]:
    return {
        "mainsnak": {
            "snaktype": "value",
            "property": pid,
            "datavalue": {
                "value": {
                    "time": f"+{day}T00:00:00Z",
                    "timezone": 0,
                    "before": 0,
                    "after": 0,
                    "precision": precision,
                    "calendarmodel": "http://www.wikidata.org/entity/Q1985727",
                },
                "type": "time",
            },
            "datatype": "time",
        },
        "type": "statement",
        "rank": "normal",
        "id": f"Q76${pid}",
    }


@pytest.mark.parametrize(
    ("days", "precision", "refused"),
    [(17 * 365, 11, True), (19 * 365, 11, False), (18 * 365 + 30, 9, True)],
)
def test_living_minors_are_refused(
    fresh_sandbox: RunningSandbox, days: int, precision: int, refused: bool
) -> None:
    world = fresh_sandbox.world
    page = world.page("wikidata", "Q76")
    entity = world.entity("wikidata", "Q76")
    assert page
    assert entity
    born = timezone.now().date() - timedelta(days=days)
    if precision == 9:
        born = born.replace(month=1, day=1)
    entity["claims"]["P569"] = [time_claim("P569", born, precision)]
    world.save_entity(page, entity, user="Admin")
    if not refused:
        assert person_lookup.read_person("Q76").qid == "Q76"
        return
    with pytest.raises(Refused, match="minor"):
        person_lookup.read_person("Q76")


@pytest.mark.waits
def test_a_silent_wiki_is_an_error_of_its_own(sandbox: RunningSandbox) -> None:
    sandbox.faults.add("http", {"action": "wbsearchentities"}, status=503)
    with pytest.raises(WikiError):
        person_lookup.search_people("Marie", "en")


def test_wikis_with_a_page_are_counted_as_the_wiki_lists_them(sandbox: RunningSandbox) -> None:
    assert person_lookup.read_person("Q7186").sitelinks == 8
    asked = {"action": "wbgetentities", "ids": "Q7186", "props": "sitelinks/urls"}
    answer = http.api(settings.WIKI.wikidata_api, **asked, sitefilter="enwiki|dewiki")
    assert answer["entities"]["Q7186"]["sitelinks"].value == {
        site: {"site": site, "title": "Marie Curie", "badges": [], "url": url}
        for site, url in (
            ("enwiki", "https://en.wikipedia.org/wiki/Marie_Curie"),
            ("dewiki", "https://de.wikipedia.org/wiki/Marie_Curie"),
        )
    }
