"""The wiki pages that people open."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

import pytest
import requests

from sandbox import RunningSandbox, seed
from sandbox.pages.text import comment_html, page_url

BARE = "bare.jpg"  # its page has no template


def get(wiki: RunningSandbox, http: requests.Session, path: str, status: int = 200) -> str:
    answer = http.get(f"{wiki.url}{path}")
    assert answer.status_code == status, path
    return html.unescape(answer.text)


def test_a_file_page_shows_credit_categories_and_what_is_depicted(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    page = get(wiki, http, "/commons/wiki/File:Solvay_conference_1927.jpg")
    assert "Benjamin Couprie (1880-1933)" in page
    assert "Public domain" in page
    assert 'href="/commons/wiki/Category:Solvay_Conference_1927"' in page
    assert 'data-property="P180" data-item="Q937"' in page
    assert "Albert Einstein" in page
    assert "relative position within image: pct:" in page
    assert "<rect " in page
    assert "not Wikimedia" in page


def test_every_page_of_a_photo_shows_its_author_and_its_licences(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    for file, row in seed.manifest().items():
        if file == BARE:
            continue  # awkward.csv alone says whose it is
        page = get(wiki, http, page_url("commons", row["title"]))
        assert f"<td>{row['author']}</td>" in page, row["title"]
        assert f"<td>{row['source']}</td>" in page, row["title"]
        cell = page.partition('<th scope="row">Licence</th>')[2].partition("</td>")[0]
        templates = [one.split(" (")[0] for one in row["licence"].split(" / ")]
        assert cell.count("<small>(") == len(templates), row["title"]


def test_a_picture_too_large_for_the_thumbnailer_is_an_icon(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    title = "File:Seating plan of the Solvay Conference (300 megapixels).png"
    page = get(wiki, http, page_url("commons", title))
    assert "This file cannot be shown as a picture." in page
    source = re.search(r'<img src="([^"]+)"', page)
    assert source
    assert http.get(wiki.url + source[1]).headers["Content-Type"] == "image/png"


def test_ranks_are_shown(wiki: RunningSandbox, http: requests.Session) -> None:
    title = "File:Niels Bohr Albert Einstein4 by Ehrenfest cr.jpg"
    page = get(wiki, http, page_url("commons", title))
    assert "preferred rank" in page


@pytest.mark.long
def test_no_link_of_the_wiki_is_dead(wiki: RunningSandbox, http: requests.Session) -> None:
    """Walks from the main page over categories, files and items; thumbnails are left out."""
    waiting: list[str] = ["/"]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        answer = http.get(f"{wiki.url}{path}")
        assert answer.status_code == 200, path
        found = re.findall(r'href="(/(?:commons|wikidata|_sandbox)/[^"#?]*)"', answer.text)
        for link in {html.unescape(one) for one in found} - seen:
            seen.add(link)
            waiting.append(link)
    assert len([path for path in seen if "/File:" in path]) >= len(seed.manifest())


def test_an_edit_shows_in_history_diff_and_contributions(
    scratch: RunningSandbox, http: requests.Session
) -> None:
    world = scratch.world
    page = world.page("commons", "File:Albert Einstein as a child.jpg")
    assert page
    depicts = {
        "mainsnak": {
            "snaktype": "value",
            "property": "P180",
            "datavalue": {
                "value": {"entity-type": "item", "numeric-id": 937, "id": "Q937"},
                "type": "wikibase-entityid",
            },
        },
        "type": "statement",
        "id": f"M{page.id}$b0a3a1f0-0000-4000-8000-000000000001",
        "rank": "normal",
    }
    entity = {
        "type": "mediainfo",
        "id": f"M{page.id}",
        "labels": {},
        "descriptions": {},
        "statements": {"P180": [depicts]},
    }
    comment = (
        "/* wbsetclaim-create:2||1 */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/Q937]]"
        " ([[:toolforge:editgroups-commons/b/WV/0123456789ab|details]])"
    )
    saved = world.save_entity(page, entity, user="Alice", comment=comment, tags=["OAuth CID: 1"])

    shown = get(scratch, http, page_url("commons", page.title))
    assert 'data-item="Q937"' in shown
    history = get(scratch, http, page_url("commons", page.title) + "?action=history")
    assert f'data-revid="{saved.id}" data-user="Alice"' in history
    assert "Created claim: " in history
    assert "OAuth CID: 1" in history
    for path in (
        f"/commons/wiki/Special:Diff/{saved.id}",
        f"/commons/w/index.php?diff={saved.id}&oldid={saved.parent}",
        f"/commons/w/index.php?oldid={saved.id}",
    ):
        assert "+ depicts (P180): Albert Einstein (Q937)" in get(scratch, http, path)
    assert page.title in get(scratch, http, "/commons/wiki/User:Alice")
    assert page.title in get(scratch, http, "/commons/wiki/Special:Contributions/Alice")
    assert page.title in get(scratch, http, "/commons/wiki/Special:RecentChanges")
    assert page.title in get(scratch, http, "/wikidata/wiki/Q937")


def test_moved_and_deleted_files_are_told(scratch: RunningSandbox, http: requests.Session) -> None:
    world = scratch.world
    page = world.page("commons", "File:Paul Rudd 2009.jpg")
    assert page
    world.move(page, "File:Paul Rudd in 2009.jpg", user="Mona")
    moved = http.get(f"{scratch.url}/commons/wiki/File:Paul_Rudd_2009.jpg")
    assert moved.url.split("?")[0].endswith("/File:Paul_Rudd_in_2009.jpg")
    by_id = get(scratch, http, f"/commons/w/index.php?curid={page.id}")
    assert "File:Paul Rudd in 2009.jpg" in by_id
    world.delete(page, user="Mona")
    gone = get(scratch, http, "/commons/wiki/File:Paul_Rudd_in_2009.jpg", 404)
    assert "This page was deleted" in gone


def test_categories_tell_what_they_are(wiki: RunningSandbox, http: requests.Session) -> None:
    empty = get(wiki, http, "/commons/wiki/Category:Albert_Einstein_in_1933")
    assert "holds nothing" in empty
    soft = get(wiki, http, "/commons/wiki/Category:Maria_Skłodowska-Curie")
    assert "This category is at" in soft
    hard = http.get(f"{wiki.url}/commons/wiki/Category:Einstein")
    assert "Category:Albert_Einstein" in hard.url
    unwritten = get(wiki, http, "/commons/wiki/Category:Photographs_by_Benjamin_Couprie")
    assert "no page" in unwritten


def test_entities_have_addresses(wiki: RunningSandbox, http: requests.Session) -> None:
    page = wiki.world.page("commons", "File:Neil Armstrong pose.jpg")
    assert page
    by_mid = http.get(f"{wiki.url}/commons/wiki/Special:EntityPage/M{page.id}")
    assert by_mid.url.endswith("/commons/wiki/File:Neil_Armstrong_pose.jpg")
    assert http.get(f"{wiki.url}/wikidata/entity/Q937").url.endswith("/wikidata/wiki/Q937")
    merged = http.get(f"{wiki.url}/wikidata/wiki/Q990000020")
    assert "/wikidata/wiki/Q937" in merged.url


def test_file_path_leads_to_the_picture(wiki: RunningSandbox, http: requests.Session) -> None:
    path = f"{wiki.url}/commons/wiki/Special:FilePath/"
    whole = http.get(urljoin(path, "Solvay_conference_1927.jpg"))
    assert whole.headers["Content-Type"] == "image/jpeg"
    small = http.get(urljoin(path, "Solvay_conference_1927.jpg"), params={"width": "250"})
    assert "/250px-" in small.url
    gone = http.get(urljoin(path, "No_such_file.jpg"))
    assert gone.status_code == 404
    assert [step.status_code for step in gone.history] == [302]
    assert gone.url.endswith("/Special:Redirect/file/No_such_file.jpg")


@pytest.mark.parametrize(
    "path",
    [
        "/commons/wiki/File:No_such_file.jpg",
        "/commons/wiki/Special:Diff/999999",
        "/wikidata/wiki/Q99999999",
        "/commons/wiki/Special:Nonsense",
        "/commons/wiki/File:%5Bbad%5D.jpg",
        "/nowhere",
    ],
)
def test_what_is_not_there_is_404(wiki: RunningSandbox, http: requests.Session, path: str) -> None:
    assert http.get(f"{wiki.url}{path}").status_code == 404


def test_pages_hold_no_scripts_or_inline_styles(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    for path in ("/commons/wiki/File:Mariecurie.jpg", "/commons/wiki/Category:Marie_Curie"):
        answer = http.get(f"{wiki.url}{path}")
        assert "<script" not in answer.text
        assert "style=" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_summary_cannot_smuggle_html() -> None:
    shown = str(comment_html('/* wbsetclaim-create:2||1 */ <b>x</b> [[File:"><i>.jpg|<u>y</u>]]'))
    assert "<b>" not in shown
    assert "<i>" not in shown
    assert "<u>" not in shown
    assert shown.startswith("Created claim: ")
