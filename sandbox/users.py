"""Accounts of the sandbox wiki."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict
from typing import Any

from sandbox.records import Block, User
from sandbox.store import Store


def _user(row: Any) -> User:
    return User(
        id=row["id"],
        name=row["name"],
        sub=row["sub"],
        groups=json.loads(row["groups"]),
        editcount=row["editcount"],
        registered=row["registered"],
        blocked=Block(**json.loads(row["blocked"])) if row["blocked"] else None,
        rights=json.loads(row["rights"]),
    )


class Users:
    """Lookup and change of accounts; one set of accounts serves both wikis."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add(
        self,
        name: str,
        *,
        groups: list[str] | None = None,
        editcount: int = 0,
        registered: str = "2020-01-01T00:00:00Z",
        user_id: int | None = None,
        sub: str | None = None,
        rights: list[str] | None = None,
    ) -> User:
        """A new account. `groups` are the explicit ones (`autoconfirmed`, `sysop`, `bot` …)."""
        with self.store.transaction() as db:
            number = user_id or 1 + (self.store.value("SELECT max(id) FROM user") or 0)
            db.execute(
                "INSERT INTO user (id, name, sub, groups, editcount, registered, rights)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    name,
                    sub or str(number),
                    json.dumps(groups or []),
                    editcount,
                    registered,
                    json.dumps(rights or []),
                ),
            )
        found = self.by_id(number)
        assert found
        return found

    def by_name(self, name: str) -> User | None:
        """The account of that exact name."""
        row = self.store.row("SELECT * FROM user WHERE name = ?", (name,))
        return _user(row) if row else None

    def by_id(self, user_id: int) -> User | None:
        """The account of that id."""
        row = self.store.row("SELECT * FROM user WHERE id = ?", (user_id,))
        return _user(row) if row else None

    def all(self) -> list[User]:
        """Every account, oldest first."""
        return [_user(row) for row in self.store.rows("SELECT * FROM user ORDER BY id")]

    def change(
        self,
        name: str,
        *,
        groups: list[str] | None = None,
        editcount: int | None = None,
        rights: list[str] | None = None,
        new_name: str | None = None,
    ) -> None:
        """Sets what is given; a renamed account keeps its id and `sub`."""
        given: dict[str, Any] = {
            "groups": None if groups is None else json.dumps(groups),
            "editcount": editcount,
            "rights": None if rights is None else json.dumps(rights),
            "name": new_name,
        }
        with self.store.transaction() as db:
            for column, value in given.items():
                if value is not None:
                    db.execute(f"UPDATE user SET {column} = ? WHERE name = ?", (value, name))

    def block(self, name: str, block: Block | None) -> None:
        """Blocks an account, or unblocks it with None."""
        text = json.dumps(asdict(block)) if block else None
        with self.store.transaction() as db:
            db.execute("UPDATE user SET blocked = ? WHERE name = ?", (text, name))

    def issue_token(
        self, user: User, *, client_id: str = "sandbox", lifetime: float = 4 * 3600
    ) -> str:
        """A plain access token for tests and scripts, without the OAuth dance.

        Returns the bearer to send as `Authorization: Bearer …`.
        """
        access = secrets.token_urlsafe(32)
        now = time.time()
        with self.store.transaction() as db:
            db.execute(
                "INSERT INTO oauth_token (id, client_id, user_id, access, scopes, issued,"
                " access_expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    secrets.token_hex(16),
                    client_id,
                    user.id,
                    access,
                    json.dumps(["basic", "editpage"]),
                    now,
                    now + lifetime,
                ),
            )
        return access
