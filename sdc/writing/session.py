"""One user's standing with the wiki in a write worker: bearer token, edit token, site."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from projects.accounts import tokens
from projects.models import User
from sdc.files.statements import Json
from sdc.writing.responses import Next, Outcome, judge, judge_failure
from wiki import pywikibot_client
from wiki.http import Read, WikiError
from wiki.json_tree import Node
from wiki.users import UserInfo, read_userinfo

MAXLAG = 5  # seconds; what the wiki asks of tools


class Account:
    """Signs requests in the name of one user. Kept between edits, so that who we are and the
    edit token are asked for once; never used by two threads."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.refusals = 0  # of the bearer token, since it last was taken
        self._site: Any = None
        self.token = ""  # the bearer token that the last requests were signed with
        self._csrf = ""
        self.about: UserInfo | None = None  # what the wiki said of the user with the edit token

    @contextmanager
    def signed_in(self) -> Iterator[Session]:
        """Requests within are the user's. Raises NeedsLogin, WikiError."""
        token = tokens.access_token(self.user)
        if token != self.token:
            self._site, self._csrf, self.token = None, "", token
        with pywikibot_client.wiki_site(self.user.wiki_username, token) as fresh:
            self._site = self._site or fresh
            yield Session(self, self._site)

    @contextmanager
    def as_nobody(self) -> Iterator[Session]:
        """For reading alone, where the user's own login must not matter. Raises WikiError."""
        with pywikibot_client.wiki_site() as site:
            yield Session(self, site, signed=False)

    def edit_token(self, read: Read, *, again: bool = False) -> str:
        if again or not self._csrf:
            about_us = {"uiprop": self._site.about_us}  # which pywikibot asks for before it writes
            body = read(action="query", meta="tokens|userinfo", type="csrf", **about_us)
            csrf = read_edit_token(body)
            self.about = read_userinfo(body)
            self._site.know(self.about)
            self._csrf = csrf
        return self._csrf


def read_edit_token(body: Node) -> str:
    """Of an answer to `meta=tokens`."""
    return body["query"]["tokens"]["csrftoken"].text(longest=255)


class Session:
    """What may be done while signed in."""

    def __init__(self, account: Account, site: Any, *, signed: bool = True) -> None:
        self.account = account
        self._site = site
        # the wiki refuses rather than taking us for somebody else, or for nobody
        known = {"assert": "user", "assertuser": account.user.wiki_username}
        self._signed: dict[str, Any] = known if signed else {}
        self.read: Read = partial(pywikibot_client.read, site, **self._signed)
        self.before_call: Callable[[], None] = lambda: None  # asked right before each edit

    def prepare(self) -> UserInfo | None:
        """All that takes time before an edit: its token. Returns what the wiki says of the user.
        Raises WikiError."""
        self.account.edit_token(self.read)
        return self.account.about

    def set_statement(self, statement: Json, summary: str) -> Outcome:
        """One wbsetclaim. The GUID is ours, so that sending it twice edits once; an equal
        statement of anybody makes it a no-op (`ignoreduplicatemainsnak`)."""
        claim = json.dumps(statement, separators=(",", ":"))
        return self._edit("wbsetclaim", claim=claim, summary=summary, ignoreduplicatemainsnak=1)

    def remove_statement(self, guid: str, summary: str) -> Outcome:
        """One wbremoveclaims. The wiki does not look at what it removes: read it right before."""
        return self._edit("wbremoveclaims", claim=guid, summary=summary)

    def _edit(self, action: str, **params: Any) -> Outcome:
        """One edit, sent once, judged by our table; with a new edit token if it must be.

        Never with `bot` or `baserevid`, whose check is worthless: the wiki patches over other
        people's changes.
        """
        outcome = self._submit(action, params)
        if outcome.next is Next.TOKEN:
            outcome = self._submit(action, params, new_token=True)
        return outcome

    def _submit(self, action: str, params: dict[str, Any], *, new_token: bool = False) -> Outcome:
        try:
            csrf = self.account.edit_token(self.read, again=new_token)
        except WikiError as error:  # nothing was sent
            return replace(judge_failure(error), doubtful=False)
        self.before_call()
        try:
            body, wait = pywikibot_client.submit(
                self._site, action=action, maxlag=MAXLAG, token=csrf, **params, **self._signed
            )
        except WikiError as error:
            return judge_failure(error)
        return judge(body, wait, action=action)
