"""pywikibot, the product's way to the wiki, works with the sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox as sandbox_package
from sandbox import RunningSandbox

pytestmark = pytest.mark.process

SCRIPT = Path(__file__).parent / "pywikibot_script.py"
CATEGORY = "Category:Albert Einstein"


@pytest.fixture
def seeded(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A sandbox of its own with the usual world."""
    with sandbox_package.serve(tmp_path) as running:
        yield running


def test_pywikibot_reads_a_category_and_writes_a_statement(seeded: RunningSandbox) -> None:
    alice = seeded.world.users.by_name("Alice")
    assert alice
    bearer = seeded.world.users.issue_token(alice)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), seeded.url, bearer, CATEGORY],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    rows = seeded.world.store.rows(
        "SELECT title FROM page JOIN category_member ON page_id = page.id AND type = 2"
        " WHERE page.wiki = 'commons' AND category_title = ?",
        (CATEGORY,),
    )
    assert sorted(told["titles"]) == sorted(row["title"] for row in rows)
    assert told["answers"][0]["success"] == 1
    assert "wbsetclaim" in told["answers"][1]["warnings"]
    entity = seeded.world.entity("commons", f"M{told['pageid']}")
    assert entity
    assert [one["id"] for one in entity["statements"]["P180"]] == [told["guid"]]
