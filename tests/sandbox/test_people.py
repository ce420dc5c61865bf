"""Each person of the sandbox is one person: id, name, category, dates, description, faces."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import pytest
from PIL import Image

from sandbox import seed
from sandbox.records import DATA

WORLD: dict[str, Any] = tomllib.loads((DATA / "world.toml").read_text(encoding="utf-8"))
PEOPLE = {qid: item for qid, item in WORLD["item"].items() if item.get("human")}
ROWS = seed.manifest()
MADE_UP = "Q99000"  # ids of items that exist here only begin so
# Who these are on Wikidata.
REAL = {
    "Q76": "Barack Obama", "Q192": "David Cameron", "Q329": "Nicolas Sarkozy",
    "Q567": "Angela Merkel", "Q762": "Leonardo da Vinci", "Q937": "Albert Einstein",
    "Q946": "Donald Tusk", "Q1615": "Neil Armstrong", "Q2252": "Buzz Aldrin",
    "Q5284": "Bill Gates", "Q6279": "Joe Biden", "Q6294": "Hillary Clinton",
    "Q7085": "Niels Bohr", "Q7186": "Marie Curie", "Q7504": "Irène Joliot-Curie",
    "Q9021": "Max Planck", "Q9123": "Ernest Rutherford", "Q9130": "Erwin Schrödinger",
    "Q9588": "Richard Nixon", "Q9960": "Ronald Reagan", "Q10390": "John McCain",
    "Q11641": "Grace Hopper", "Q11860": "Silvio Berlusconi", "Q11903": "Hypatia",
    "Q13133": "Michelle Obama", "Q15029": "Hu Jintao", "Q19837": "Steve Jobs",
    "Q22316": "John Kerry", "Q36970": "Jackie Chan", "Q37463": "Pierre Curie",
    "Q40904": "Werner Heisenberg", "Q47480": "Paul Dirac", "Q57641": "Viktor Orbán",
    "Q65989": "Wolfgang Pauli", "Q68761": "Elsa Einstein", "Q76346": "Mileva Marić",
    "Q104859": "Michael Collins", "Q134549": "Ted Kennedy", "Q170581": "Nancy Pelosi",
    "Q215562": "Frederick Douglass", "Q230733": "Dianne Feinstein", "Q276525": "Paul Rudd",
    "Q359442": "Bernie Sanders", "Q434706": "Elizabeth Warren", "Q503706": "Chris Pratt",
    "Q544387": "Ray Charles",
}  # fmt: skip
YEARS = re.compile(r"\((?:c\. )?(\d{4}s?)[–-](\d{4})\)")
BORN = re.compile(r"\(born (\d{4})\)")


def name_of(qid: str) -> str:
    item = PEOPLE[qid]
    return str(item.get("name") or item["labels"]["en"])


def shown_in(file: str) -> set[str]:
    """The persons whom a file shows, by the manifest."""
    return set(filter(None, ROWS[file]["person_qids"].split(";")))


def faces_of(file: str) -> dict[str, list[int]]:
    """Boxes in pixels, by Q-ID; no one has two."""
    named = [face for face in json.loads(ROWS[file]["faces"]) if face["qid"] != "other"]
    found = {face["qid"]: face["box"] for face in named}
    assert len(found) == len(named), file
    return found


def test_each_real_id_is_the_persons_own() -> None:
    real = {qid: name_of(qid) for qid in PEOPLE if not qid.startswith(MADE_UP)}
    assert real == REAL


@pytest.mark.parametrize("qid", PEOPLE)
def test_category_dates_and_description_are_of_one_person(qid: str) -> None:
    item, name = PEOPLE[qid], name_of(qid)
    if category := item.get("category"):
        assert category.split(" (")[0] == name
        assert category in WORLD["category"]
    born, died = item.get("born", ""), item.get("died", "")
    for text in item.get("descriptions", {}).values():
        for first, last in YEARS.findall(text):
            assert (born[: len(first)], died[:4]) == (first, last), text
        for year in BORN.findall(text):
            assert (born[:4], died) == (year, ""), text
    if re.match(r"\d{4}", born) and re.match(r"\d{4}", died):
        assert born[:4] < died[:4]


@pytest.mark.parametrize("qid", PEOPLE)
def test_the_portraits_show_the_person(qid: str) -> None:
    files = {row["title"]: file for file, row in ROWS.items()}
    for portrait in PEOPLE[qid].get("image", []):
        painted = qid == "Q762"  # no photograph, so no face of the manifest
        assert painted or qid in shown_in(files[f"File:{portrait}"])


@pytest.mark.parametrize("file", ROWS)
def test_the_boxes_are_of_the_persons_of_the_file(file: str) -> None:
    people, faces = shown_in(file), faces_of(file)
    assert people <= PEOPLE.keys()
    assert faces.keys() <= people
    assert not faces or faces.keys() == people
    if faces and file in WORLD["file"]:
        width, height = upright_size(file)
        for left, top, w, h in faces.values():
            assert 0 <= left < left + w <= width
            assert 0 <= top < top + h <= height


@pytest.mark.parametrize("file", WORLD["file"])
def test_what_a_file_page_says_is_who_is_on_it(file: str) -> None:
    facts, people, faces = WORLD["file"][file], shown_in(file), faces_of(file)
    of_category = {item["category"]: qid for qid, item in PEOPLE.items() if "category" in item}
    if faces:
        assert {of_category.get(title) for title in facts["categories"]} <= {None, *people}
    for statement in facts.get("depicts", []):
        qid = statement["item"] if isinstance(statement, dict) else statement
        assert qid not in PEOPLE or qid in people
        if isinstance(statement, dict) and "region" in statement:
            width, height = upright_size(file)
            left, top, w, h = map(float, statement["region"].removeprefix("pct:").split(","))
            x, y, across, down = faces[qid]
            middle = (100 * (x + across / 2) / width, 100 * (y + down / 2) / height)
            assert left < middle[0] < left + w
            assert top < middle[1] < top + h


def upright_size(file: str) -> tuple[int, int]:
    """Width and height in pixels as the picture is shown."""
    path = DATA / "photos" / file
    with Image.open(path if path.exists() else DATA / "awkward" / file) as image:
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        return image.size[::-1] if turned else image.size
