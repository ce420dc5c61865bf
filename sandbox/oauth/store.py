"""OAuth clients, codes and tokens of the sandbox: what is stored and for how long."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import time
from dataclasses import dataclass

import jwt

from sandbox.records import User
from sandbox.world import World

CODE_SECONDS = 10 * 60
ACCESS_SECONDS = 4 * 3600
REFRESH_SECONDS = 365 * 24 * 3600
# RFC 7636: how a verifier, and so a challenge, may look.
CODE_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
KNOWN_GRANTS = frozenset(
    [
        "basic",
        "highvolume",
        "import",
        "editpage",
        "editprotected",
        "editmycssjs",
        "editmyoptions",
        "editinterface",
        "editsiteconfig",
        "createeditmovepage",
        "uploadfile",
        "uploadeditmovefile",
        "patrol",
        "rollback",
        "blockusers",
        "viewdeleted",
        "viewrestrictedlogs",
        "delete",
        "oversight",
        "protect",
        "viewmywatchlist",
        "editmywatchlist",
        "sendemail",
        "createaccount",
        "privateinfo",
        "mergehistory",
        "mwoauth-authonly",
        "mwoauth-authonlyprivate",
    ]
)


@dataclass(frozen=True, slots=True)
class Client:
    """A registered consumer. `grants` are in the order of its registration."""

    id: str
    secret: str
    name: str
    confidential: bool
    redirect_uris: list[str]
    grants: list[str]
    approved: bool
    owner_only: bool

    def allows(self, redirect_uri: str) -> bool:
        """Whether the URI is one of the client's own, letter by letter.

        A registered port "*" stands for any port of that loopback host; the real wiki has none.
        """
        return any(_matches(known, redirect_uri) for known in self.redirect_uris)


def _matches(known: str, given: str) -> bool:
    if ":*/" not in known:
        return known == given
    host, path = known.split(":*", 1)
    return re.fullmatch(re.escape(host) + r"(:\d{1,5})?" + re.escape(path), given) is not None


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code stands for. An empty `redirect_uri` was left out."""

    code: str
    client_id: str
    user_id: int
    redirect_uri: str
    scopes: list[str]
    challenge: str
    challenge_method: str
    expires: float
    used: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A pair of access and refresh token; `refresh` is empty for an owner-only client."""

    id: str
    client_id: str
    user_id: int
    access: str
    refresh: str
    scopes: list[str]
    access_expires: float
    refresh_expires: float
    revoked: bool


def client(world: World, client_id: str) -> Client | None:
    """The client of that id."""
    row = world.store.row("SELECT * FROM oauth_client WHERE id = ?", (client_id,))
    if row is None:
        return None
    return Client(
        row["id"], row["secret"], row["name"], bool(row["confidential"]),
        json.loads(row["redirect_uris"]), json.loads(row["grants"]), bool(row["approved"]),
        bool(row["owner_only"]),
    )  # fmt: skip


def add_client(world: World, added: Client) -> None:
    """Registers a client, or replaces the one of that id."""
    with world.store.transaction() as db:
        number = 1 + (world.store.value("SELECT max(number) FROM oauth_client") or 0)
        db.execute(
            "INSERT OR REPLACE INTO oauth_client (id, secret, name, confidential, redirect_uris,"
            " grants, approved, owner_only, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                added.id, added.secret, added.name, added.confidential,
                json.dumps(added.redirect_uris), json.dumps(added.grants), added.approved,
                added.owner_only, number,
            ),
        )  # fmt: skip


def issue_code(
    world: World, client_id: str, user: User, redirect_uri: str, scopes: list[str],
    challenge: str, challenge_method: str,
) -> str:  # fmt: skip
    """A new authorization code, good for ten minutes and one use."""
    code = "def50200" + secrets.token_hex(60)
    with world.store.transaction() as db:
        db.execute(
            "INSERT INTO oauth_code (code, client_id, user_id, redirect_uri, scopes, challenge,"
            " challenge_method, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                code, client_id, user.id, redirect_uri, json.dumps(scopes), challenge,
                challenge_method, time.time() + CODE_SECONDS,
            ),
        )  # fmt: skip
    return code


def code(world: World, text: str) -> Code | None:
    """The code as it was issued, used or not."""
    row = world.store.row("SELECT * FROM oauth_code WHERE code = ?", (text,))
    if row is None:
        return None
    return Code(
        row["code"], row["client_id"], row["user_id"], row["redirect_uri"],
        json.loads(row["scopes"]), row["challenge"], row["challenge_method"], row["expires"],
        bool(row["used"]),
    )  # fmt: skip


def spend_code(world: World, text: str) -> bool:
    """Marks a code as used; False when somebody else did so first."""
    with world.store.transaction() as db:
        done = db.execute("UPDATE oauth_code SET used = 1 WHERE code = ? AND used = 0", (text,))
        return done.rowcount == 1


def issue(
    world: World, client_id: str, user: User, scopes: list[str], *, refreshable: bool = True
) -> Token:
    """A new access token and, unless the client is owner-only, its refresh token."""
    now = time.time()
    lifetime = float(world.setting("access_token_seconds", str(ACCESS_SECONDS)))
    token = Token(
        id=secrets.token_hex(40),
        client_id=client_id,
        user_id=user.id,
        access="",
        refresh="def50200" + secrets.token_hex(80) if refreshable else "",
        scopes=scopes,
        access_expires=now + lifetime,
        refresh_expires=now + REFRESH_SECONDS,
        revoked=False,
    )
    access = _signed(world, token, user, now)
    with world.store.transaction() as db:
        db.execute(
            "INSERT INTO oauth_token (id, client_id, user_id, access, refresh, scopes, issued,"
            " access_expires, refresh_expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                token.id, client_id, user.id, access, token.refresh or None, json.dumps(scopes),
                now, token.access_expires, token.refresh_expires,
            ),
        )  # fmt: skip
    found = by_access(world, access)
    assert found
    return found


def _signed(world: World, token: Token, user: User, now: float) -> str:
    claims = {
        "aud": token.client_id,
        "jti": token.id,
        "iat": now,
        "nbf": now,
        "exp": token.access_expires,
        "sub": user.sub,
        "iss": f"{world.base_url}/commons",
        "ratelimit": {"requests_per_unit": 5000, "unit": "HOUR"},
        "scopes": token.scopes,
    }
    return jwt.encode(claims, signing_key(world), algorithm="HS256")


def signing_key(world: World) -> str:
    """The key of this sandbox, made once."""
    key = world.setting("oauth_key", "")
    if not key:
        with world.store.transaction():
            key = world.setting("oauth_key", "") or secrets.token_hex(32)
            world.set("oauth_key", key)
    return key


def by_access(world: World, access: str) -> Token | None:
    """The token pair of an access token, whatever its state."""
    return _token(world.store.row("SELECT * FROM oauth_token WHERE access = ?", (access,)))


def by_refresh(world: World, refresh: str) -> Token | None:
    """The token pair of a refresh token, whatever its state."""
    return _token(world.store.row("SELECT * FROM oauth_token WHERE refresh = ?", (refresh,)))


def _token(row: sqlite3.Row | None) -> Token | None:
    if row is None:
        return None
    return Token(
        row["id"], row["client_id"], row["user_id"], row["access"], row["refresh"] or "",
        json.loads(row["scopes"]), row["access_expires"], row["refresh_expires"],
        bool(row["revoked"]),
    )  # fmt: skip


def revoke(world: World, token: Token) -> bool:
    """Kills both tokens of a pair; False when they were dead already."""
    with world.store.transaction() as db:
        done = db.execute(
            "UPDATE oauth_token SET revoked = 1 WHERE id = ? AND revoked = 0", (token.id,)
        )
        return done.rowcount == 1


def revoke_all(world: World, user: User, client_id: str) -> None:
    """The user takes the permission back: every token of that client dies."""
    with world.store.transaction() as db:
        db.execute(
            "UPDATE oauth_token SET revoked = 1 WHERE user_id = ? AND client_id = ?",
            (user.id, client_id),
        )
