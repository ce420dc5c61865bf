"""Keys of one's own: saved with the account, refused where two would be one."""

from __future__ import annotations

import json

import pytest

from classify.asking import hotkeys
from projects.models import Project, User
from tests.conftest import ClientOf

ADDRESS = "/account/keys"


def test_no_two_usual_keys_of_a_page_are_one() -> None:
    usual = {each.name: each.key for each in hotkeys.COMMANDS}
    assert hotkeys.wrong(usual, {name: hotkeys.label(key) for name, key in usual.items()}) == {}


@pytest.mark.parametrize(
    ("pressed", "key"),
    [("J", "j"), (" ", "Space"), ("space", "Space"), ("", ""), ("?", None), ("Tab", None)],
)
def test_one_sign_is_a_key(pressed: str, key: str | None) -> None:
    assert hotkeys.normal(pressed) == key


def test_keys_are_changed_shown_and_put_back(
    project: Project, client_of: ClientOf, bob: User
) -> None:
    browser, page = client_of(bob), f"/p/{project.public_id}/ask"
    browser.post(ADDRESS, {"key-yes": "j", "key-draw": "", "key-no": "N"})
    bob.refresh_from_db()
    assert bob.keys == {"yes": "j", "draw": ""}
    html = browser.get(page).content.decode()
    assert '<kbd data-key="yes">J</kbd>' in html
    assert '<kbd data-key="draw" hidden></kbd>' in html
    answer = browser.post(ADDRESS, {"reset": "1"}, headers={"HX-Request": "true"})
    assert json.loads(answer["HX-Trigger"])["keys"]["keys"]["yes"] == "y"
    bob.refresh_from_db()
    assert bob.keys == {}


def test_two_commands_of_one_page_have_two_keys(client_of: ClientOf, bob: User) -> None:
    html = client_of(bob).post(ADDRESS, {"key-yes": "n"}).content.decode()
    assert "“No” has this key, too." in html
    assert "“Reject”" not in client_of(bob).post(ADDRESS, {"key-zoom": "r"}).content.decode()
    bob.refresh_from_db()
    assert bob.keys == {"zoom": "r"}  # on no page of which R means something else


def test_nobody_has_keys(client_of: ClientOf) -> None:
    assert client_of(None).get(ADDRESS).status_code == 302
