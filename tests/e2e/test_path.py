"""From the first page to the statements on the wiki, clicking as a person would.

In real Chromium, at the width of a desk and of a phone, on the running system: nothing is read
but pages, and the truth about who is on a face comes from the photos' manifest. At a desk with
the default engine and rule; on a phone with the engine that misses faces, so that there are some
to draw, and by the centroid rule, so that asking does not end before these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from bench import stranger, truth
from bench.browser import DESK, PHONE, Screen
from bench.system import System
from bench.visitor import Row, Visitor
from bench.wikipage import FilePage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]  # 75 s alone; it bounds a hang

PHOTOS = truth.photos()
AT_MOST = 50  # questions answered one by one; events bring crowds
MISSING = "dlib"  # the engine that misses some faces
FEW = 3  # edits of the first batch that are looked at when they are taken back


@dataclass(frozen=True)
class Part:
    """Who does it on which screen, with which engine, and for which person."""

    engine: str
    screen: Screen
    user: str
    typed: str
    person: str
    qid: str
    tagged: str  # a file that depicts the person from the start
    enough: int  # faces confirmed one by one before the rest is reviewed


PERSON = ("einstein", "Albert Einstein", "Q937", "Albert Einstein (Nobel).png")
PARTS = [
    Part("sface", DESK, "Ingrid S.", *PERSON, enough=2),
    Part("dlib", PHONE, "Tomás R.", *PERSON, enough=5),
]


@pytest.fixture
def visitor(chromium: Browser, system: System, part: Part) -> Iterator[Visitor]:
    visitor = Visitor(chromium, part.screen, system.url, part.user, part.qid, PHOTOS)
    yield visitor
    visitor.close()


@pytest.mark.parametrize(
    ("system", "part"),
    [(part.engine, part) for part in PARTS],
    indirect=["system"],
    ids=[f"{part.screen.name}-{part.engine}" for part in PARTS],
)
def test_from_the_first_page_to_the_statements(
    visitor: Visitor, part: Part, system: System
) -> None:
    visitor.log_in()
    offered = visitor.start_project(part.typed, part.person)
    assert offered["files"] > offered["lacking"] > 0
    if part.engine == MISSING:
        visitor.choose_rule("centroid")

    visitor.open_questions()
    answer_some(visitor, part.enough, draws=part.engine == MISSING)
    visitor.open_project()
    visitor.wait_until_looked()
    if part.engine == MISSING:
        visitor.go_through_tray()
        visitor.open_project()
    visitor.wait_until_looked()
    visitor.review()
    visitor.open_project()
    visitor.wait_until_looked()

    sent, left_out = send_all(visitor)

    deeds = visitor.deeds
    assert deeds.yes >= part.enough
    if part.engine == MISSING:
        assert deeds.drawn
        assert deeds.no_usable_face
    assert deeds.approved
    assert deeds.skipped
    assert deeds.undone == 2
    summaries = visitor.summaries()
    for number, row in enumerate(sent):
        page = visitor.open_edit(row) if number == 0 else visitor.open_file(row.address)
        check_sent(page, row, part, summaries)
    page = visitor.open_file(left_out.address)
    assert page.of(part.qid) == []
    assert not any(part.qid in edit.comment for edit in page.history)
    tagged = visitor.open_file(f"{system.wiki}/commons/wiki/File:{part.tagged}")
    assert len(tagged.of(part.qid)) == 1
    assert part.tagged not in [row.photo for row in sent]
    taken_out = sent[0]
    stranger.remove_statement(system.wiki, f"File:{taken_out.photo}", part.qid, "not for this file")
    visitor.check_now(taken_out)
    assert "not for this file" in visitor.page.content()
    visitor.look_again(taken_out, "no")
    page = visitor.open_file(taken_out.address)
    assert page.of(part.qid) == []  # and nobody adds it again
    placeless = {row.photo for row in [*sent, left_out] if not row.place}
    assert placeless == set(deeds.no_usable_face)
    undo(visitor, sent, part)
    assert visitor.complaints == []


def undo(visitor: Visitor, sent: list[Row], part: Part) -> None:
    """One edit of the first batch, then what else stands of it; the other batch stands."""
    first_batch, *_others = visitor.batches
    *rest, one = sent[-FEW:]
    visitor.take_back(one, first_batch)
    page = visitor.open_file(one.address)
    assert page.of(part.qid) == []
    assert [edit.user for edit in page.history if part.qid in edit.comment] == [part.user] * 2
    assert len(visitor.open_file(rest[0].address).of(part.qid)) == 1
    visitor.take_back_the_rest(first_batch)
    for row in (rest[0], rest[-1]):
        assert visitor.open_file(row.address).of(part.qid) == []


def answer_some(visitor: Visitor, enough: int, draws: bool) -> None:
    """Until enough are confirmed and one was drawn; one is skipped, one answered wrong first."""
    for number in range(AT_MOST):
        asked = visitor.question()
        assert asked, "the questions ended early"
        missed = visitor.missed_face(asked)
        if draws and missed and not visitor.deeds.drawn:
            visitor.draw(asked, missed)
        if number == 1:
            visitor.skip(asked)
            continue
        if number == 2:
            visitor.answer_wrongly_and_undo(asked)
        visitor.answer(asked)
        if visitor.deeds.yes >= enough and (visitor.deeds.drawn or not draws):
            return


def send_all(visitor: Visitor) -> tuple[list[Row], Row]:
    """The small first batch, without one row; its edits are looked at; then the rest, in a batch
    whose page is open at the end. What that batch wrote comes first in the list."""
    *first, left_out = visitor.preview()
    visitor.leave_out(left_out)
    visitor.send()
    rest = visitor.look_at_first_edits()
    assert rest, "the first batch is to be smaller than all there is to send"
    assert left_out not in rest
    visitor.send()
    return [*rest, *first], left_out


def check_sent(page: FilePage, row: Row, part: Part, summaries: list[str]) -> None:
    """The wiki's own page has the statement once, at the place shown, edited by that user."""
    assert page.title == f"File:{row.photo}"
    photo = PHOTOS[row.photo]
    assert part.qid in photo.persons
    [statement] = page.of(part.qid)
    assert statement.rank == "normal"
    assert statement.place == row.place
    if row.place:
        assert photo.person_at(page.box(row.place)) == part.qid
    [edit] = [edit for edit in page.history if part.qid in edit.comment]
    assert edit.user == part.user
    words = [summary.partition(" ([[")[0] for summary in summaries]  # a link shows by its words
    assert any(each in edit.comment for each in words)
