"""What people and wikis write is text, on every page, in the admin, in files and in summaries.

The pages are held to more than wikis let through. A title on Commons has none of `#<>[]|{}`, no
control characters, and no marks of direction (MediaWiki strips U+200E, 200F and 202A to 202E); a
user's name is a title, too; a label on Wikidata is one line of at most 250 letters; no API of
theirs gives half characters. None of that is relied on here.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString
from django.conf import settings
from django.db import transaction
from playwright.sync_api import Browser

from bench.browser import DESK, Window
from core.text import plain
from projects.models import Person
from sandbox import RunningSandbox
from sdc import export
from sdc.files import statements
from tests.hostile.rules import Access
from tests.hostile.test_matrix import URLS, Site, Url, browser, knowing, rule_of
from tests.hostile.world import Made, Texts, Who, make_cast
from wiki.json_tree import parse

MARKUP = "<zz-a zz-b=1>\"'><script>zz()</script><img src=x onerror=zz()></title></textarea>"
BREAKOUTS = f"{MARKUP}]]>--><!--</script><a href=javascript:zz()>zz{{{{7*7}}}}{{% now %}}zz"
TURNED = "\u202eevil\u2066\u2069\u2069\u202c\u200f\u061c\u200b\ufeff"
WIKITEXT = "]] [[Category:Zz]] {{delete}} ~~~~ <nowiki> '''b''' /* section */ | a\nb\r\x07"
WORST = f"=1+1 {TURNED}{BREAKOUTS}{WIKITEXT}"
LONG = WORST + "Ж" * 10_000
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")

SUMMARIES = {
    "a link": "Zz]] [[Category:Zz]] [[User:Zz|zz]]",
    "a template": "{{delete}} {{{1}}} {| zz |}",
    "a tag": "<nowiki> <!-- zz --> <ref>",
    "a signature": "~~~~ '''zz''' __NOTOC__",
    "what the wiki did": "/* wbremoveclaims-remove:1| */ */ /* zz /*/ */",
    "put together": "[/[*{~}~] <[[> *]/ ~~[~]~",
    "lines": "zz\r\nzz\n== zz ==\u2028zz\u0085zz\x00\x07\x1b[0m",
    "directions": TURNED,
    "half characters": "zz\ud83d zz\udc00",
    "long": "Ж" * 10_000,
    "longer": "👩‍👩‍👧" * 2000,
    "a placeholder": "{batch} {person} %s",
    "nothing else": "[[]]{{}}\u202e",
}


@pytest.mark.parametrize("label", SUMMARIES.values(), ids=SUMMARIES)
@pytest.mark.parametrize("template", ["EDIT_SUMMARY", "UNDO_SUMMARY"])
def test_a_name_cant_break_out_of_a_summary(label: str, template: str) -> None:
    code = "0123456789ab"
    person = Person(qid="Q7186", labels={"en": label})
    how = settings.SUMMARY_SUGGESTED
    summary = statements.summary(getattr(settings, template), person, code, how)
    mark = statements.batch_mark(code)
    assert summary.count(mark) == 1
    assert summary.endswith(f"({mark})"), "the wiki cuts at the end"
    words = summary.replace(mark, "")
    assert not re.search(r"[\[\]{}|<>]|/\*|\*/|~~|''|__", words), "nothing that wikis read"
    assert summary == plain(summary)
    # what the wiki puts before it: /* wbsetclaim-create:2||1 */ [[…/P180]]: [[…/Q1234567890]],
    assert len(summary.encode()) <= 500 - 120
    assert summary.encode().decode() == summary, "cut between letters"


FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\u200b=1", "\u202e=1", "\n-1", "＝1+1",
    "＋1", "－1", "＠SUM(A1)", " \u3000＝1", "a;=1+1", "a; @b", "a\t=1", "a;＝1",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    """With a comma between cells, as written, and with what other countries' programs put there."""
    line = "".join(export.as_csv(["x"], [{"x": f"{text}, and more"}])).split("\r\n", 1)[1]
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(line, newline=""), delimiter=separator):
            for cell in row:
                first = unicodedata.normalize("NFKC", plain(cell)[:1])
                assert not cell.startswith(export.FORMULA), (separator, cell)
                assert not first.startswith(("=", "+", "-", "@")), (separator, cell)
    assert text.strip().lstrip("'")[-2:] in line, "and it is still to be read"


def test_ordinary_cells_stay_as_they_are() -> None:
    cells = ["Curie; -x.jpg"[:6], "Łódź 居里夫人 😀", "a = b + c", "It's"]
    for cell in cells:
        assert "".join(export.as_csv(["x"], [{"x": cell}])).split("\r\n")[1] == cell


def test_half_characters_of_an_answer_become_question_marks() -> None:
    body = parse(b'{"a\\udc00": ["\\ud83d\\ude00", "\\uD83D", {"b": "\\\\ud83d"}], "n": 1.5}').value
    assert body == {"a?": ["😀", "?", {"b": "\\ud83d"}], "n": 1.5}
    json.dumps(body, ensure_ascii=False).encode()


def test_a_name_in_a_sentence_turns_nothing_else() -> None:
    assert plain(f"zz{TURNED}") == "zzevil"
    assert plain("می\u200cخواهم") == "می\u200cخواهم", "joiners are part of how it is spelt"


@pytest.fixture
def site(db: None, sandbox: RunningSandbox) -> Site:
    return hostile_site()


def hostile_site() -> Site:
    texts = Texts(
        user=f"{{}} {WORST}"[:255],
        label=LONG,
        labels=dict.fromkeys(("mul", "fr", "ar"), LONG),
        description=WORST,
        title=f"File:{{}}{WORST}"[:240],
        category=WORST[:255],
        project=f"{TURNED}{BREAKOUTS}"[:80],
        note=WORST[:200],
        comment=WORST[:255],
    )
    cast = make_cast(texts)
    made = Made(cast, "Q7186", 700_000, texts)
    return Site(cast, made, made, {who: browser(cast, who) for who in (Who.OWNER, Who.MODERATOR)})


def read_by(site: Site) -> Iterator[tuple[Url, Who]]:
    for url in URLS:
        access = rule_of(url).get
        if access and url.key != "account_logout":
            yield url, knowing(url)
            if knowing(url) != Who.MODERATOR and differs(access):
                yield url, Who.MODERATOR


def differs(access: Access) -> bool:
    return access.of(list(Who).index(Who.MODERATOR)) == "ok" and bool(access.private)


@pytest.mark.long
def test_text_is_text_wherever_it_stands(site: Site) -> None:
    faults, told = [], 0
    for url, who in read_by(site):
        address, sent = site.address(url, site.public, who), site.sent(url, site.public, who)
        with transaction.atomic():
            answer = site.clients[who].get(address, sent)
            body = read(answer).decode()
            transaction.set_rollback(True)
        kind = answer.headers.get("Content-Type", "")
        assert answer.status_code < 500, url.key
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        told += "zz" in body
        if kind.startswith("text/html"):
            faults += [f"{url.key} as {who}: {fault}" for fault in faults_of(body)]
        elif "json" in kind:
            json.loads(body)
        elif kind.startswith("text/csv"):
            for row in csv.reader(io.StringIO(body, newline="")):
                assert not any(cell.startswith(export.FORMULA) for cell in row)
        elif url.key == "export-quickstatements":
            assert re.fullmatch(r'(M\d+\|P\d+\|Q\d+(\|P\d+\|"pct:[\d.,]+")?\n)*', body)
    assert faults == []
    assert told > 50, "the texts are on these pages"


def faults_of(html: str) -> list[str]:
    """What text has become of a page, that is no text."""
    soup = BeautifulSoup(html, "lxml")
    faults = ["a template in a template"] * ("zz49zz" in html)
    for tag in soup.find_all(True):
        faults += list(faults_of_tag(tag))
    for text in soup.find_all(string=TURNING):
        if not held_apart(text):
            parent = text.parent
            around = f"<{parent.name} class={parent.get('class')}>" if parent else ""
            faults.append(f"turns what is beside it: {around} {str(text).strip()[:30]!r}")
    return faults


def held_apart(text: NavigableString) -> bool:
    """Whether its direction ends where it ends. In the admin a cell holds one text, and browsers
    keep the direction of a cell to itself."""
    admin = text.find_parent(["td", "th"]) or text.find_parent(class_="readonly")
    in_admin = text.find_parent("body", class_=re.compile("model-|dashboard|change-"))
    by_markup = text.find_parent(["bdi", "textarea", "option"]) or text.find_parent(dir="auto")
    return bool(by_markup or (admin and in_admin))


def faults_of_tag(tag: Tag) -> Iterator[str]:
    if tag.name.startswith("zz") or tag.name in ("iframe", "object", "embed", "base"):
        yield f"<{tag.name}>"
    if tag.name == "script" and not tag.get("src"):
        if tag.get("type") not in ("application/json", "text/template"):
            yield "a script"
        else:
            json.loads(tag.string or "null")
    for name, value in tag.attrs.items():
        if name.startswith(("zz", "on")) or name == "style":
            yield f"<{tag.name} {name}>"
        if name in ("href", "src", "action", "formaction", "xlink:href"):
            if urlsplit(str(value)).scheme not in ("", "http", "https"):
                yield f"<{tag.name} {name}={str(value)[:20]}>"
            if re.search(r"[\s<>\"]", str(value)):
                yield f"<{tag.name} {name}> with {str(value)[-30:]!r}"


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_browser_finds_nothing_to_run(
    web: str,
    sandbox: RunningSandbox,
    chromium: Browser,
    settings: Any,
) -> None:
    """With all scripts and headers. The sandbox's pictures of no such files are not needed."""
    settings.ALLOWED_HOSTS = ["*"]
    site = hostile_site()
    window = Window(chromium, DESK)
    page, name = window.page, settings.SESSION_COOKIE_NAME
    session = site.clients[Who.OWNER].cookies[name].value
    page.context.add_cookies([{"name": name, "value": session, "url": web}])
    page.on("dialog", lambda dialog: window.complaints.append(f"dialog: {dialog.message}"))
    page.route(f"{sandbox.url}/**", lambda route: route.fulfill(content_type="image/png", body=""))
    for url in URLS:
        if url.key in ("project", "members", "grid", "review"):
            page.goto(f"{web}{site.address(url, site.public, Who.OWNER)}", wait_until="load")
            assert page.locator("zz-a, [zz-b], img[src=x]").count() == 0
            assert "<zz-a zz-b=1>" in page.inner_text("body")
    assert window.complaints == []
    window.close()


def read(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)
