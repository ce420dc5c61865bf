"""Whom the wiki has forgotten logs in again without logging out first."""

from __future__ import annotations

import pytest

from projects.models import User
from tests.conftest import ClientOf


@pytest.mark.django_db
def test_who_is_logged_in_here_may_log_in_at_the_wiki_again(
    alice: User, client_of: ClientOf
) -> None:
    alice.credentials.update(needs_login=True)
    client = client_of(alice)
    assert b'href="/login/' in client.get("/account").content
    page = client.get("/login/?next=/account")
    assert page.status_code == 200, "not sent back to where they came from"
    assert b"mediawiki/login" in page.content
