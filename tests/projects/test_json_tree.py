"""JSON of the wiki is bounded when it is parsed and typed where it is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from wiki.json_tree import MAX_BYTES, Node, WikiError, parse


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", "not JSON"),
        (b"<!DOCTYPE html><title>Error</title>", "not JSON"),
        (b'{"query": {"pages": [', "not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b"[" * 100_000 + b'"\\ud83d"' + b"]" * 100_000, "nested too deeply"),
        (b"9" * 5000, "not JSON"),
        (b"[" + b"[]," * 1_000_001 + b"1]", "more than 1000000 values"),
        (b'"' + b"x" * MAX_BYTES + b'"', "more than 16000000 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value[:20]!r}",
)
def test_what_is_no_answer_says_what_is_wrong(body: bytes, wrong: str) -> None:
    with pytest.raises(WikiError) as raised:
        parse(body)
    assert (raised.value.code, raised.value.text) == ("unreadable", wrong)


def test_bytes_that_are_no_characters_can_be_kept() -> None:
    """Half characters, written out or as bytes, and what is no UTF-8 at all."""
    for body in (b'"\\ud83d"', b'"\xed\xa0\xbd"', b'"\xff"'):
        parse(body).text().encode()
    assert parse(b'\xef\xbb\xbf{"a": "\xc3\xa9"}')["a"].text() == "é"


def test_an_empty_object_may_be_a_list_and_what_is_missing_is_empty() -> None:
    body = Node({"claims": [], "pages": {}, "labels": None})
    assert body["claims"]["P31"].items() == []
    assert body["claims"].fields() == body["labels"].fields() == body["none"].fields() == {}
    assert body["pages"].items() == body["none"].items() == []
    assert body["none"]["of"][0]["it"].text("nothing") == "nothing"
    assert "P31" not in body["claims"]


@pytest.mark.parametrize(
    ("value", "flag"), [(None, False), (False, False), (True, True), ("", True)]
)
def test_a_flag_is_written_in_several_ways(value: Any, flag: bool) -> None:
    assert Node(value).flag() is flag


@pytest.mark.parametrize(
    ("read", "wrong"),
    [
        (lambda node: node["text"]["a"], "answer.text is text, not an object"),
        (lambda node: node["text"].items(), "answer.text is text, not a list"),
        (lambda node: node["list"]["a"], "answer.list is a list, not an object"),
        (lambda node: node["list"][0].text(), "answer.list[0] is a number, not text"),
        (lambda node: node["list"][1].text(), "answer.list[1] is missing, not text"),
        (lambda node: node["text"].text(longest=3), "answer.text is text, not text of at most 3"),
        (lambda node: node["text"].integer(), "answer.text is text, not a number that can be"),
        (lambda node: node["true"].integer(), "answer.true is true or false, not a number"),
        (lambda node: node["minus"].integer(), "answer.minus is a number, not a number that"),
        (lambda node: node["half"].integer(), "answer.half is a number, not a number that can"),
        (lambda node: node["huge"].integer(), "answer.huge is a number, not a number that can"),
        (lambda node: node["none"].integer(), "answer.none is missing, not a number that can"),
        (lambda node: node["text"].flag(), "answer.text is text, not true or false"),
        (lambda node: node["text"].moment(), "answer.text is text, not a time"),
    ],
)
def test_another_shape_is_told_with_the_way_to_it(read: Callable[[Node], Any], wrong: str) -> None:
    body = {"text": "some", "list": [7], "true": True, "minus": -1, "half": 1.5, "huge": 2**60}
    with pytest.raises(WikiError) as raised:
        read(Node(body))
    assert raised.value.code == "unreadable"
    assert raised.value.text.startswith(wrong)


def test_a_time_is_one_of_the_wiki() -> None:
    assert Node("2026-11-24T06:35:42Z").moment() == datetime(2026, 11, 24, 6, 35, 42, tzinfo=UTC)


def test_in_a_list_the_broken_ones_are_left_out_and_told(caplog: Any) -> None:
    body = Node({"pages": [{"id": 1}, {"id": "2"}, None, {"id": 4}, []]})
    assert body["pages"].read_items(lambda page: page["id"].integer()) == [1, 4]
    assert "answer.pages[1].id is text" in caplog.text
    assert "(3 of 5)" in caplog.text
