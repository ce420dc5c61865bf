"""What the pages that choose places show of each: its counts, and trees of subcategories."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.user_errors import Refused
from projects.creation import category_lookup, source_lookup
from projects.creation.forms import NewProjectForm, Row, short_id, wiki_problem
from projects.creation.source_lookup import Counts, Kind, Place
from wiki import categories
from wiki.http import WikiError

NODES = 50  # subcategories that are shown at first
COUNTED = 12  # of a tree's, for a browser that does not ask for counts by itself


@dataclass
class Node:
    """A category in a tree: `included` by the depth of one above it, `listed` among the rows of
    the form, or ticked by itself."""

    title: str
    depth: int
    files: int
    subcategories: int
    level: int
    ticked: bool = False
    included: bool = False
    listed: bool = False
    counts: Counts | str | None = None  # a sentence in their place; None: not counted yet
    tree: Tree | None = None  # of one that is unfolded

    @property
    def place(self) -> Place:
        return Place(Kind.CATEGORY, self.title, self.depth)

    @property
    def key(self) -> str:
        return self.place.key

    @property
    def id(self) -> str:
        return short_id(self.key)

    @property
    def fixed(self) -> bool:
        """It is not ticked here."""
        return self.included or self.listed


@dataclass
class Tree:
    """What is below an unfolded category."""

    title: str
    nodes: list[Node] = field(default_factory=list)
    hidden: int = 0  # more of them
    included: int = 0  # levels that the category's own depth brings
    problem: str = ""


@dataclass
class Shown:
    """A row of the form as the page shows it."""

    row: Row
    counts: Counts | str | None
    tree: Tree | None


class Chooser:
    """The rows of a form with what is known of them. Without `lazily` all is counted now; else
    only what was counted some minutes ago, and the page asks for the rest."""

    def __init__(self, form: NewProjectForm, *, lazily: bool) -> None:
        self.form, self.lazily = form, lazily
        self._left = COUNTED

    def rows(self) -> list[Shown]:
        return [
            Shown(row, self._counts(row.place), self._tree(row.value, row.depth * row.use, 1))
            for row in self.form.rows
        ]

    def _counts(self, place: Place) -> Counts | str | None:
        if self.lazily and not source_lookup.is_known(place, self.form.qid):
            return None
        return counted(place, self.form.qid)

    def _tree(self, title: str, included: int, level: int) -> Tree | None:
        if title not in self.form.opened or level > 8:
            return None
        most = categories.MAX_CHILDREN if title in self.form.whole else NODES
        try:
            found = category_lookup.children(title, most)
        except WikiError as error:
            return Tree(title, problem=wiki_problem(error))
        nodes = [self._node(child, included, level) for child in found.found]
        return Tree(title, nodes, found.total - len(nodes), included)

    def _node(self, child: categories.Category, included: int, level: int) -> Node:
        picked = self.form.picked.get(Place(Kind.CATEGORY, child.title).key)
        depth = picked.depth if picked else max(0, included - 1)
        node = Node(child.title, depth, child.files, child.subcategories, level)
        row = next((row for row in self.form.rows if row.key == node.key), None)
        node.ticked = row.use if row else picked is not None
        node.included, node.listed = included > 0, row is not None
        reach = included - 1 if included else depth * node.ticked
        node.tree = self._tree(child.title, reach, level + 1)
        if self.lazily or self._left > 0:
            node.counts = self._counts(node.place)
            self._left -= 1
        return node


def counted(place: Place, qid: str) -> Counts | str:
    """The counts of a place, or the sentence that stands in their place."""
    try:
        return source_lookup.count(place, qid)
    except Refused as refused:
        return refused.sentence
    except WikiError as error:
        return wiki_problem(error)
