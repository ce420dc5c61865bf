"""What the templates of histories, diffs, contributions and recent changes are given."""

from __future__ import annotations

import difflib
from typing import Any

from sandbox.pages.text import lines
from sandbox.records import Page, Revision, User, Wiki
from sandbox.world import World

Context = dict[str, Any]
_LIMIT = 200


def page_history(world: World, page: Page) -> Context:
    """Revisions of a page, newest first."""
    return {"page": page, "wiki": page.wiki, "revisions": world.history(page)}


def diff(world: World, revision: Revision) -> Context:
    """What one revision changed: captions and statements, then the text."""
    parent = world.revision(revision.wiki, revision.parent) if revision.parent else None
    before = lines(world, parent.entity) if parent else []
    after = lines(world, revision.entity)
    old_text = parent.wikitext.splitlines() if parent else []
    changed = difflib.ndiff(old_text, revision.wikitext.splitlines())
    return {
        "revision": revision,
        "parent": parent,
        "page": world.page_by_id(revision.wiki, revision.page_id, deleted=True),
        "removed": [line for line in before if line not in after],
        "added": [line for line in after if line not in before],
        "text": [(line[0], line[2:]) for line in changed if line[0] in "+-"],
    }


def contributions(world: World, wiki: Wiki, user: User) -> Context:
    """An account and its last edits on a wiki."""
    rows = world.store.rows(
        "SELECT id FROM revision WHERE wiki = ? AND user = ? ORDER BY timestamp DESC, id DESC"
        " LIMIT ?",
        (wiki, user.name, _LIMIT),
    )
    revisions = [world.revision(wiki, row["id"]) for row in rows]
    return {"user": user, "wiki": wiki, "edits": _with_pages(world, revisions)}


def recent(world: World, wiki: Wiki) -> Context:
    """The last edits of everybody."""
    rows = world.store.rows(
        "SELECT id FROM revision WHERE wiki = ? ORDER BY timestamp DESC, id DESC LIMIT ?",
        (wiki, _LIMIT),
    )
    revisions = [world.revision(wiki, row["id"]) for row in rows]
    return {"wiki": wiki, "edits": _with_pages(world, revisions)}


def _with_pages(
    world: World, revisions: list[Revision | None]
) -> list[tuple[Revision, Page | None]]:
    return [
        (one, world.page_by_id(one.wiki, one.page_id, deleted=True)) for one in revisions if one
    ]
