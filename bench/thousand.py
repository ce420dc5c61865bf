"""Many files on the sandbox wiki, made and looked at in its own store rather than over HTTP.

What they have before differs: nothing, captions, other persons (one of them preferred), other
properties; so that a write that touches what is not its own is seen.
"""

from __future__ import annotations

import io
import uuid
from pathlib import Path
from typing import Any

from PIL import Image

from sandbox import files, seed
from sandbox.oauth import store as oauth
from sandbox.records import Page
from sandbox.world import World

FIRST_PAGE = 500_000  # page ids of ours begin here
KINDS = 5  # what files have before, in turn
DEPICTS = "P180"
Entity = dict[str, Any]


class Wiki:
    """The store of the sandbox, opened beside its own process."""

    def __init__(self, folder: Path, url: str) -> None:
        self.world = World(folder / "sandbox")
        self.world.base_url = url
        self.pictures = folder / "pictures"

    def fill(self, count: int) -> None:
        """The sandbox's own world, and `count` files more."""
        seed.seed(self.world)
        self.pictures.mkdir()
        paper = io.BytesIO()
        Image.new("RGB", (64, 48), "white").save(paper, "JPEG")
        with self.world.store.transaction():
            for number in range(count):
                self._upload(number, paper.getvalue())

    def _upload(self, number: int, jpeg: bytes) -> None:
        path = self.pictures / f"{number}.jpg"
        path.write_bytes(jpeg + str(number).encode())  # after its end: another sha1, the same look
        page_id = FIRST_PAGE + number
        self.world.upload(
            f"File:Bench {number:04}.jpg",
            path,
            files.describe(path),
            user="Picture Desk",
            text="== {{int:filedesc}} ==",
            page_id=page_id,
            entity=_entity(page_id, number % KINDS),
        )

    def page_ids(self, count: int) -> list[int]:
        return [FIRST_PAGE + number for number in range(count)]

    def page(self, page_id: int) -> Page:
        found = self.world.page_by_id("commons", page_id)
        assert found
        return found

    def sha1(self, page_id: int) -> str:
        found = self.world.file(self.page(page_id))
        assert found
        return str(found.sha1)

    def entities(self, page_ids: list[int]) -> dict[int, Entity]:
        """The structured data of the pages as they stand; {} where there is none."""
        return {each: self.world.current(self.page(each)).entity or {} for each in page_ids}

    def edits(self, mark: str) -> list[int]:
        """The page of each revision whose summary holds the mark."""
        sql = "SELECT page_id FROM revision WHERE wiki = 'commons' AND instr(comment, ?) > 0"
        return [row["page_id"] for row in self.world.store.rows(sql, (mark,))]

    def guids_added(self, page_id: int) -> dict[int, set[str]]:
        """The GUIDs that each revision of a page added."""
        found: dict[int, set[str]] = {}
        before: set[str] = set()
        for revision in reversed(self.world.history(self.page(page_id))):
            groups = statements(revision.entity or {}).values()
            after = {str(row["id"]) for rows in groups for row in rows}
            found[revision.id] = after - before
            before = after
        return found

    def sub(self, name: str) -> str:
        account = self.world.users.by_name(name)
        assert account
        return account.sub

    def tokens(self, name: str, client_id: str) -> tuple[str, str]:
        """An access and a refresh token of a user, as after a login."""
        account, client = self.world.users.by_name(name), oauth.client(self.world, client_id)
        assert account
        assert client
        token = oauth.issue(self.world, client.id, account, client.grants)
        return token.access, token.refresh


def statements(entity: Entity) -> dict[str, list[Entity]]:
    """By property; the wiki says [] where there are none."""
    return dict(entity.get("statements") or {})


def without(entity: Entity, guids: set[str]) -> Entity:
    """What is left of an entity when the statements with these GUIDs are taken out."""
    left = {
        name: kept
        for name, rows in statements(entity).items()
        if (kept := [row for row in rows if row["id"] not in guids])
    }
    return {
        "labels": entity.get("labels") or {},
        "descriptions": entity.get("descriptions") or {},
        "statements": left,
    }


def _entity(page_id: int, kind: int) -> Entity | None:
    """What a file has before: five sorts, the first of which has no structured data."""
    if kind == 0:
        return None
    captions = {"en": {"language": "en", "value": f"Caption of {page_id}"}} if kind == 1 else {}
    rows: dict[str, list[Entity]] = {}
    if kind in (2, 4):
        rows[DEPICTS] = [_statement(page_id, DEPICTS, "Q42", "preferred")]
    if kind in (3, 4):
        rows.setdefault(DEPICTS, []).append(_statement(page_id, DEPICTS, "Q5", "normal"))
        rows["P6216"] = [_statement(page_id, "P6216", "Q19652", "normal")]
    return {
        "type": "mediainfo",
        "id": f"M{page_id}",
        "labels": captions,
        "descriptions": {},
        "statements": rows,
    }


def _statement(page_id: int, name: str, qid: str, rank: str) -> Entity:
    value = {"entity-type": "item", "numeric-id": int(qid[1:]), "id": qid}
    return {
        "type": "statement",
        "mainsnak": {
            "snaktype": "value",
            "property": name,
            "datavalue": {"type": "wikibase-entityid", "value": value},
        },
        "rank": rank,
        "id": f"M{page_id}${str(uuid.uuid4()).upper()}",
    }
