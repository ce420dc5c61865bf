"""Fills an empty world from `data/world.toml`, the manifests and the pictures beside it."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sandbox import entities, files
from sandbox.records import DATA, Block, Json
from sandbox.world import World

PHOTOS = DATA / "photos"
STRUCTURED_DATA_SINCE = "2019-04-23T00:00:00Z"
CATEGORIES_MADE = "2005-01-15T12:00:00Z"
TAGGERS = ("Kari N.", "Ingrid S.", "Tomás R.")
TEMPLATES = {"CC0-1.0": "cc-zero", "CC-BY-2.0": "cc-by-2.0", "CC-BY-SA-2.0": "cc-by-sa-2.0"}

Facts = dict[str, Any]
Step = tuple[str, Callable[[World], object]]


@cache
def manifest() -> dict[str, dict[str, str]]:
    """Rows of both manifests by file name: title, person_qids, faces, author, licence, source."""
    rows: dict[str, dict[str, str]] = {}
    for name in ("manifest.csv", "awkward.csv"):
        with (DATA / name).open(encoding="utf-8", newline="") as lines:
            rows.update({row["file"]: row for row in csv.DictReader(lines)})
    return rows


def truth() -> dict[str, set[str]]:
    """File title → Q-ids of the persons whom it really shows (both manifests)."""
    return {row["title"]: set(filter(None, row["person_qids"].split(";")))
            for row in manifest().values()}  # fmt: skip


def about_users() -> dict[str, str]:
    """User name → the sentence that the approval page shows."""
    return {user["name"]: user["about"] for user in _world_file()["user"]}


def seed(world: World, photos: Path = PHOTOS) -> None:
    """Writes everything in one transaction; the world must be empty.

    `photos` is another folder with the files of the photo set, by the names of `manifest.csv`.
    """
    data = _world_file()
    with world.store.transaction():
        steps = [*_items(data), *_categories(data), *_files(data, photos), *_pages(data)]
        for _, step in sorted(steps, key=lambda step: step[0]):
            step(world)
        _users(world, data)  # last, so that the seed's own edits do not change their counts
        _clients(world, data)


@cache
def _world_file() -> Facts:
    return tomllib.loads((DATA / "world.toml").read_text(encoding="utf-8"))


def _users(world: World, data: Facts) -> None:
    numbers = {user["name"]: user["id"] for user in data["user"]}
    for user in data["user"]:
        world.users.add(
            user["name"], groups=user["groups"], editcount=user["editcount"],
            registered=user["registered"], user_id=user["id"], sub=user["sub"],
        )  # fmt: skip
        if blocked := user.get("blocked"):
            block = Block(1, blocked["by"], numbers[blocked["by"]], blocked["reason"],
                          "2026-11-01T08:00:00Z")  # fmt: skip
            world.users.block(user["name"], block)


def _clients(world: World, data: Facts) -> None:
    with world.store.transaction() as db:
        for number, client in enumerate(data["client"], start=1):
            db.execute(
                "INSERT INTO oauth_client (id, secret, name, redirect_uris, grants, number)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (client["id"], client["secret"], client["name"],
                 json.dumps(client["redirect_uris"]), json.dumps(client["grants"]), number),
            )  # fmt: skip


def _items(data: Facts) -> Iterator[Step]:
    pages: dict[str, Json] = {}
    for pid, (label, datatype) in data["property"].items():
        pages[f"Property:{pid}"] = entities.property_entity(pid, label, datatype)
    for qid, facts in data["item"].items():
        pages[qid] = entities.item(qid, facts)
    for title, entity in pages.items():
        yield _new_page("wikidata", title, "", "2012-11-01T00:00:00Z", entity)
    for old, target in data["redirect"].items():
        text = f"#REDIRECT [[{target}]]"
        yield _new_page("wikidata", old, text, "2014-01-01T00:00:00Z", None)


def _categories(data: Facts) -> Iterator[Step]:
    for title, parents in data["category"].items():
        yield _new_page("commons", f"Category:{title}", _links(parents), CATEGORIES_MADE)
    for title, parents in data["hidden_category"].items():
        text = "__HIDDENCAT__\n" + _links(parents)
        yield _new_page("commons", f"Category:{title}", text, CATEGORIES_MADE)
    for title, redirect in data["category_redirect"].items():
        hard = redirect["how"] == "hard"
        target = redirect["to"]
        text = f"#REDIRECT [[Category:{target}]]" if hard else f"{{{{Category redirect|{target}}}}}"
        yield _new_page("commons", f"Category:{title}", text, CATEGORIES_MADE)


def _pages(data: Facts) -> Iterator[Step]:
    """Pages about the work on the wiki."""
    for page in data["page"]:
        yield _new_page("commons", page["title"], page["text"], page["timestamp"])


def _new_page(wiki: Any, title: str, text: str, timestamp: str, entity: Json | None = None) -> Step:
    def add(world: World) -> None:
        world.add_page(wiki, title, text, entity=entity, user="Admin", timestamp=timestamp)

    return timestamp, add


def _links(categories: list[str]) -> str:
    return "\n".join(f"[[Category:{title}]]" for title in categories)


def _files(data: Facts, photos: Path) -> Iterator[Step]:
    for number, (name, facts) in enumerate(data["file"].items()):
        row = manifest()[name]
        yield facts["uploaded"], _upload(_stored(name, facts, photos), row, facts)
        structured = entities.mediainfo(f"M{facts['page']}", facts)
        if structured:
            when = max(STRUCTURED_DATA_SINCE, facts["uploaded"])
            when = _later(when, hours=5 + 31 * number)
            yield when, _tag(row["title"], structured, TAGGERS[number % len(TAGGERS)], when)
        if "moved_from" in facts:
            text = f"#REDIRECT [[{row['title']}]]"
            yield _new_page("commons", facts["moved_from"], text, "2020-01-01T00:00:00Z")


def _later(timestamp: str, *, hours: int) -> str:
    moment = datetime.fromisoformat(timestamp) + timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _stored(name: str, facts: Facts, photos: Path) -> Path:
    if "stored" in facts:
        return DATA / str(facts["stored"])
    photo = photos / name
    return photo if photo.exists() else DATA / "awkward" / name


def _upload(path: Path, row: dict[str, str], facts: Facts) -> Callable[[World], object]:
    def add(world: World) -> None:
        read = files.describe(path)
        if "size" in facts:
            read["width"], read["height"] = facts["size"]
        world.upload(
            row["title"], path, read, user=facts["by"], text=page_text(row, facts),
            comment="Upload", timestamp=facts["uploaded"], page_id=facts["page"],
        )  # fmt: skip

    return add


def _tag(title: str, structured: Json, user: str, when: str) -> Callable[[World], object]:
    def save(world: World) -> None:
        page = world.page("commons", title)
        assert page, title
        world.save_entity(page, structured, user=user, comment=_summary(structured), timestamp=when)

    return save


def _summary(structured: Json) -> str:
    for prop, (first, *_) in (structured["statements"] or {}).items():
        qid = first["mainsnak"]["datavalue"]["value"]["id"]
        return (f"/* wbsetclaim-create:2||1 */ [[d:Special:EntityPage/{prop}]]: "
                f"[[d:Special:EntityPage/{qid}]]")  # fmt: skip
    return "/* wbeditentity-update:0| */ captions"


def page_text(row: dict[str, str], facts: Facts) -> str:
    """The wikitext of a file page: {{Information}}, licence templates, categories; of a bare one
    the categories alone."""
    if facts.get("bare"):
        return _links(facts["categories"])
    date = facts.get("date", "")
    if facts.get("date_about"):
        date = f"circa {date}"
    licences = [one.split(" (")[0] for one in row["licence"].split(" / ")]
    templates = "\n".join(f"{{{{{TEMPLATES.get(one, one)}}}}}" for one in licences)
    return f"""== {{{{int:filedesc}}}} ==
{{{{Information
|description={{{{en|1={facts["description"]}}}}}
|date={date}
|source={row["source"]}
|author={row["author"]}
|permission=
|other versions=
}}}}

== {{{{int:license-header}}}} ==
{templates}

{_links(facts["categories"])}
"""
