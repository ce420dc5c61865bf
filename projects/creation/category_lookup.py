"""Categories that somebody may choose: those on the deny-list are refused, or left out of lists."""

from __future__ import annotations

from dataclasses import dataclass

from projects.privacy import denylist
from wiki import categories
from wiki.categories import Category, Tree


@dataclass(frozen=True)
class Children:
    """A page of the subcategories of a category, the ones with most files first."""

    found: list[Category]
    total: int


def read(title: str) -> Category:
    """Read one category, a redirect followed. Raises WikiError, and Refused with a guess at what
    was meant when there is neither page nor member."""
    found = categories.read(title)
    denylist.refuse_category(found.title)
    return found


def tree(title: str, depth: int = 0) -> Tree:
    """Read a category with what is below it, as deep as asked for. Raises Refused and WikiError."""
    return categories.tree(read(categories.clean(title)), depth)


def children(title: str, most: int) -> Children:
    """Read the subcategories right below a category. Raises WikiError."""
    found = _without_denied(categories.children(title))
    return Children(found[:most], len(found))


def sizes(titles: list[str]) -> dict[str, Category]:
    """Read those of at most 50 categories that have a page or members; redirects are not followed.
    Raises WikiError."""
    found = _without_denied(list(categories.sizes(titles).values()))
    return {each.title: each for each in found}


def _without_denied(found: list[Category]) -> list[Category]:
    denied = denylist.denied_categories(each.title for each in found)
    return [each for each in found if each.title not in denied]
