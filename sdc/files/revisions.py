"""Find the revision in which an attempt was written, by its GUID in the entity of that revision.

The mark of a batch in an edit's summary says only that the edit is of that batch. One batch may
write several statements to one file, in an edit each or together, so the mark alone never says
whose edit it is: the revision of an attempt is the first one with the mark in which its GUID
appears, or, for an undo, disappears.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sdc.files import statements
from sdc.files.reading import A_CALL, read_history
from sdc.models import ClaimAttempt
from wiki.http import Read, follow
from wiki.json_tree import Node, parse, unreadable

MAX_CONTINUATIONS = 2 * A_CALL  # an answer holds at least one revision
# The wiki's own words name the item: `/* wbsetclaim-create:2||1 */ [[…/P180]]: [[…/Q42]], …`
_ITEM = re.compile(r"\[\[[^\]|]*\b(Q[1-9][0-9]*)\]\]")


@dataclass(frozen=True)
class Revision:
    """A revision of a page. `parent` is 0 for the first one."""

    id: int
    parent: int
    comment: str


@dataclass(frozen=True)
class Entity:
    """Which statements were there as of a revision. `guids` is None where the wiki hides them."""

    comment: str
    guids: frozenset[str] | None

    def has_guid(self, guid: str) -> bool | None:
        """Return whether the statement was there; None where that is hidden."""
        return None if self.guids is None else guid in self.guids


@dataclass(frozen=True)
class Change:
    """What one revision did to the statements. `before` is None where the wiki no longer has it."""

    id: int
    before: Entity | None
    after: Entity

    def is_of(self, attempt: ClaimAttempt) -> bool:
        """Return whether it wrote the statement of the attempt, or removed it for an undo.

        Where the wiki hides a part of the answer, the item in its automatic summary decides:
        what it hides must not be sent again.
        """
        guid, adds = attempt.statement_guid, attempt.undoes_id is None
        before = self.before.has_guid(guid) if self.before else None
        after = self.after.has_guid(guid)
        if before is adds or after is (not adds):
            return False
        items = _ITEM.findall(self.after.comment)
        is_certain = before is not None and after is not None
        return is_certain or not items or attempt.claim.qid in items


@dataclass
class Changes:
    """The changes of some revisions, each read once, many in one request."""

    read: Read
    _entities: dict[int, Entity] = field(default_factory=dict)

    def get(self, parents: dict[int, int]) -> list[Change]:
        """Return what the revisions changed, oldest first; `parents` has the parent of each.
        Raises WikiError, also where the wiki lacks a revision that it listed just before."""
        wanted = {*parents, *parents.values()} - {0, *self._entities}
        self._entities |= read_entities(self.read, sorted(wanted))
        if lacking := parents.keys() - self._entities.keys():
            raise unreadable(f"revisions that were listed: {sorted(lacking)[:5]}")
        return [
            Change(revision, self._before(parents[revision]), self._entities[revision])
            for revision in sorted(parents)
        ]

    def _before(self, parent: int) -> Entity | None:
        return self._entities.get(parent) if parent else Entity("", frozenset())


def find_revision(read: Read, attempt: ClaimAttempt, since: int) -> int | None:
    """Return the id of the revision in which the attempt was written, after revision `since`.

    Two requests: the history without content, and the content of the revisions that bear the
    batch's mark, and of their parents. Raises WikiError.
    """
    mark = statements.batch_mark(attempt.batch.code)
    marked = list_marked(read, attempt.claim.page_id, mark, since)
    changes = Changes(read).get({each.id: each.parent for each in marked})
    return next((each.id for each in changes if each.is_of(attempt)), None)


def list_marked(read: Read, page_id: int, mark: str, since: int) -> list[Revision]:
    """The revisions of a page after `since` whose summary has the mark, newest first."""
    return [each for each in _list_since(read, page_id, since) if mark in each.comment]


def _list_since(read: Read, page_id: int, since: int) -> Iterator[Revision]:
    for revision in map(read_revision, read_history(read, page_id, rvprop="ids|comment")):
        if revision.id <= since:
            return
        yield revision


def read_entities(read: Read, ids: Iterable[int]) -> dict[int, Entity]:
    """The entities of revisions, by revision; those that the wiki does not have are left out."""
    found: dict[int, Entity] = {}
    wanted = list(ids)
    for start in range(0, len(wanted), A_CALL):
        bodies = follow(
            read,
            MAX_CONTINUATIONS,
            action="query",
            prop="revisions",
            revids=wanted[start : start + A_CALL],
            rvprop="ids|comment|content",
            rvslots="mediainfo",
        )
        for body in bodies:
            found |= read_listed_entities(body)
    return found


def read_listed_entities(body: Node) -> dict[int, Entity]:
    """The entities in one answer, by revision."""
    return {
        row["revid"].integer(): read_entity(row)
        for page in body["query"]["pages"].items()
        for row in page["revisions"].items()
    }


def read_entity(row: Node) -> Entity:
    """Raises WikiError("unreadable")."""
    stored = read_slot(row)
    if stored is None:
        return Entity(row["comment"].text(""), None)
    groups = stored.fields().values()
    guids = (each["id"].text("", longest=255) for group in groups for each in group.items())
    return Entity(row["comment"].text(""), frozenset(guids))


def read_revision(row: Node) -> Revision:
    """Without a comment where the wiki hides it."""
    return Revision(row["revid"].integer(), row["parentid"].integer(0), row["comment"].text(""))


def read_slot(row: Node) -> Node | None:
    """The statements as of a revision, by property: a node without fields before the first
    structured data, None where the wiki hides them. Raises WikiError("unreadable")."""
    slot = row["slots"]["mediainfo"]
    if slot.is_missing:
        return None if "texthidden" in row or "suppressed" in row else Node()
    if slot["content"].is_missing:
        return None
    return parse(slot["content"].text())["statements"]
