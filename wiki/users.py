"""What the wiki says of its users."""

from __future__ import annotations

from dataclasses import dataclass

from wiki.json_tree import Node


@dataclass(frozen=True)
class Limit:
    """So many hits are allowed in so many seconds."""

    hits: int
    seconds: int


@dataclass(frozen=True)
class UserInfo:
    """Whom the wiki takes the one who asks for; `id` is 0 for nobody."""

    id: int
    name: str
    edit_count: int = 0
    groups: frozenset[str] = frozenset()
    rights: frozenset[str] = frozenset()
    edit_limits: tuple[Limit, ...] = ()
    blocked: bool = False  # from the whole wiki

    @property
    def autoconfirmed(self) -> bool:
        return "autoconfirmed" in self.groups | self.rights


@dataclass(frozen=True)
class WikiUser:
    """A user that was asked for by name; `id` is 0 where there is none."""

    name: str
    id: int
    groups: frozenset[str]
    rights: frozenset[str] = frozenset()


def read_userinfo(body: Node) -> UserInfo:
    """Of an answer to `meta=userinfo`."""
    info = body["query"]["userinfo"]
    limits = info["ratelimits"]["edit"].fields().values()
    return UserInfo(
        id=info["id"].integer(),
        name=info["name"].text(longest=255),
        edit_count=info["editcount"].integer(0, most=2**31 - 1),
        groups=_texts(info["groups"]),
        rights=_texts(info["rights"]),
        edit_limits=tuple(_read_limit(limit) for limit in limits),
        blocked=not info["blockid"].is_missing and not info["blockpartial"].flag(),
    )


def read_users(body: Node) -> list[WikiUser]:
    """Of an answer to `list=users` or `list=allusers`."""
    return body["query"]["users"].read_items(read_user, required=True)


def read_user(user: Node) -> WikiUser:
    """One of them."""
    return WikiUser(
        user["name"].text(longest=255),
        user["userid"].integer(0),
        _texts(user["groups"]),
        _texts(user["rights"]),
    )


def _read_limit(limit: Node) -> Limit:
    return Limit(limit["hits"].integer(), limit["seconds"].integer(least=1))


def _texts(items: Node) -> frozenset[str]:
    return frozenset(item.text() for item in items.items())
