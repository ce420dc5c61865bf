"""What `make test-compose` reads is there: it runs rarely, and the pages change often."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from django.conf import settings

from bench.compose import toolforge
from bench.compose.engine import STAND_INS, find_bases
from bench.compose.pages import get_blocks
from bench.compose.rehearsal import BACKUP_PAGE, PAGE

ROOT = settings.BASE_DIR
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.mark.parametrize(
    ("page", "heading", "begins"),
    [
        (PAGE, "1. Settings", ["git clone"]),
        (PAGE, "Try it in the sandbox", ["cat >> .env", "docker compose --profile sandbox down"]),
        (PAGE, "2. Start", ["docker compose up --build", "sudo apt install nginx"]),
        (PAGE, "3. A new version", ["docker tag", "docker tag"]),
        (PAGE, "4. Scaling", ["echo DETECT_CONTAINERS=2"]),
        (BACKUP_PAGE, "How often", ["15 3 * * *", "ssh login.toolforge"]),
        (BACKUP_PAGE, "With Compose", ["backup=", "backup=", "docker compose run"]),
    ],
)
def test_the_pages_have_the_commands(page: Path, heading: str, begins: list[str]) -> None:
    blocks = get_blocks(page, heading)
    assert len(blocks) == len(begins)
    assert all(block.startswith(begin) for block, begin in zip(blocks, begins, strict=True))


def test_a_heading_that_is_gone_is_an_error() -> None:
    with pytest.raises(LookupError):
        get_blocks(PAGE, "7. Nothing")


def test_each_base_image_has_a_stand_in() -> None:
    assert {name.partition(":")[0] for name in find_bases()} == {"python", "redis", "mariadb"}
    assert all(
        (STAND_INS / name.partition(":")[0] / "Dockerfile").exists() for name in find_bases()
    )


def test_the_override_runs_each_process_within_toolforges_limits() -> None:
    services = toolforge.get_services()
    apps = {name for name, each in COMPOSE["services"].items() if each["image"] == "wikivisage"}
    assert services.keys() == apps - {"sandbox"}
    commands = " ".join(each.get("command", "") for each in services.values())
    assert all(
        f"worker {queue}" in commands for queue in ("crawl", "detect", "infer", "write,default")
    )
    jobs = yaml.safe_load((ROOT / "deploy/toolforge/jobs.yaml").read_text())
    for job in jobs:
        if job.get("continuous"):
            limits = services[job["name"]]
            assert f"{limits['mem_limit']}i" == job["mem"].lower()
            assert (limits["user"], limits["shm_size"]) == ("52503:52503", "64m")
            assert limits["read_only"] is True
            assert limits["stop_grace_period"] == "15s"
