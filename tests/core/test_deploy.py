"""What `deploy/` promises: each file that an operator starts from names things that exist."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.signals import heartbeat_sent
from django.conf import settings

import celery_app  # noqa: F401 - hears its signals
from wikivisage.settings import _database

ROOT = settings.BASE_DIR
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
JOBS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/toolforge/jobs.yaml").read_text())
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
QUEUES = {queue.name for queue in settings.CELERY_TASK_QUEUES}
ON_TOOLFORGE = {
    "TOOL_DATA_DIR": "/nowhere",
    "TOOL_TOOLSDB_USER": "s1",
    "TOOL_TOOLSDB_PASSWORD": "secret",
    "PORT": "8123",
}


def queues_of(command: str) -> set[str]:
    worker = re.search(r"worker (\S+)", command)
    return set(worker[1].split(",")) if worker else set()


def test_compose_has_a_worker_for_each_queue() -> None:
    services = COMPOSE["services"].values()
    named = [queue for each in services if (queue := each.get("environment", {}).get("QUEUE"))]
    assert sorted(named) == sorted(QUEUES)
    assert all("mem_limit" in service for service in services)


def test_toolforge_has_one_worker_for_each_queue() -> None:
    named = [queue for job in JOBS for queue in queues_of(PROCFILE[job["command"].split()[0]])]
    assert sorted(named) == sorted(QUEUES)
    assert [job["name"] for job in JOBS if job["command"] == "beat"] == ["beat"]
    for job in JOBS:
        assert job["command"] in PROCFILE  # arguments behind a name would not arrive
        assert job["mount"] == "all"  # DATA_DIR is there, which the settings make
        if queues_of(PROCFILE[job["command"]]):
            assert job["health-check-script"] == "deploy/toolforge/start alive"


def test_toolforge_makes_what_must_happen_each_day() -> None:
    """In the file, since `toolforge jobs load` ends what is not in it."""
    daily = {job["name"] for job in JOBS if job.get("schedule") == "@daily"}
    assert daily == {"backup", "reconcile"}
    page = (ROOT / "docs/backup.md").read_text()
    assert "--schedule" not in page
    stopped = re.search(r"for job in (.+); do toolforge jobs delete", page)
    assert stopped
    assert set(stopped[1].split()) == {job["name"] for job in JOBS}


def test_a_restore_is_reconciled_before_anything_starts() -> None:
    """In the lines that an operator copies, with Compose and on Toolforge."""
    page = (ROOT / "docs/backup.md").read_text()
    compose = ("restore /data", "reconcile --repair\n", "up --detach web ", "up --detach\n")
    toolforge = ("manage restore", "manage reconcile", "webservice start", "jobs load ~")
    restore, _, rest = page.partition("### With Compose")[2].partition("### On Toolforge")
    for block, steps in ((restore, compose), (rest, toolforge)):
        at = [block.index(step) for step in steps]
        assert at == sorted(at)


def test_a_restore_with_compose_names_what_is_there() -> None:
    page = (ROOT / "docs/backup.md").read_text()
    apps = {
        name
        for name, each in COMPOSE["services"].items()
        if each["image"] == "wikivisage" and "profiles" not in each
    }
    [stopped] = re.findall(r"^docker compose stop (.+)$", page, re.M)
    assert set(stopped.split()) == apps - {"migrate"}
    restore = page.partition("### With Compose")[2].partition("### On Toolforge")[0]
    for block in re.findall(r"```sh\n(.*?)```", restore, re.S)[:2]:
        started = block.index("up --detach --wait mariadb redis")
        assert all(
            started < block.index(use) for use in ("exec mariadb", "run --rm") if use in block
        )
    assert all("--no-deps" in line for line in restore.split("\n") if "compose run" in line)


def test_compose_hardens_each_container_and_bounds_its_log() -> None:
    for name, service in COMPOSE["services"].items():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert service["security_opt"] == ["no-new-privileges:true"]
        if service["image"] != "wikivisage":
            continue
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["init"] is True  # a process that is still starting hears SIGTERM by it
        assert service["environment"]["HOME"] == "/tmp"
        assert [each.partition(":")[0] for each in service["tmpfs"]] == ["/tmp"]
    built = [name for name, service in COMPOSE["services"].items() if "build" in service]
    assert built == ["migrate"], "each would export an image of its own, and leave the last one"


@pytest.mark.process
def test_compose_sees_a_worker_alive_by_its_heartbeat(tmp_path: Path) -> None:
    services = [
        each for each in COMPOSE["services"].values() if "QUEUE" in each.get("environment", {})
    ]
    [check] = {each["healthcheck"]["test"][1] for each in services}
    [sign] = {each["environment"]["ALIVE_FILE"] for each in services}
    assert sign.startswith("/tmp/")
    script = check.replace("$$", "$")
    environment = os.environ | {"ALIVE_FILE": str(tmp_path / "alive")}

    def alive() -> bool:
        return not subprocess.run(["sh", "-c", script], env=environment, check=False).returncode

    assert not alive()
    (tmp_path / "alive").touch()
    assert alive()
    os.utime(tmp_path / "alive", (0, 0))
    assert not alive()


def test_compose_tells_everybody_how_many_processes_detect() -> None:
    """In each container the settings would else reckon with the cores of the machine."""
    started = COMPOSE["services"]["detect"]["environment"]["PROCESSES"]
    for name in ("web", "default", "beat"):
        assert COMPOSE["services"][name]["environment"]["DETECT_PROCESSES"] == started


def test_a_database_that_is_silent_is_given_up_before_prometheus_gives_us_up() -> None:
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    assert "scrape_timeout" not in prometheus["global"] | prometheus["scrape_configs"][0]
    options = _database("mysql://wv@mariadb/wv")["OPTIONS"]
    assert isinstance(options, dict)
    assert 2 * options["connect_timeout"] < 10  # what Prometheus waits for, unless told otherwise


def megabytes(limit: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(m|g|Mi|Gi)", limit).groups()  # type: ignore[union-attr]
    return int(number) * (1024 if unit in ("g", "Gi") else 1)


def test_a_container_is_larger_than_its_worker_may_grow() -> None:
    """A process is replaced after a task at the cap, before the system kills it in the middle."""
    cap, leader = settings.CELERY_WORKER_MAX_MEMORY_PER_CHILD // 1000, 200
    services = [
        each for each in COMPOSE["services"].values() if "QUEUE" in each.get("environment", {})
    ]
    sizes = [(each["environment"]["PROCESSES"], each["mem_limit"]) for each in services]
    for job in JOBS:
        if worker := re.search(r"worker \S+ (\d+)", PROCFILE[job["command"]]):
            sizes.append((int(worker[1]), job["mem"]))
    assert len(sizes) == len(QUEUES) + 4
    for processes, limit in sizes:
        assert megabytes(limit) >= processes * cap + leader, (processes, limit)


def test_toolforge_s_parts_leave_room_in_its_quota_also_while_they_are_replaced() -> None:
    """As its page adds them up; a job that is started by hand has half a GiB."""
    page = (ROOT / "deploy/toolforge/README.md").read_text().partition("## Memory")[2]
    service = yaml.safe_load((ROOT / "deploy/toolforge/service.template").read_text())
    sizes = {job["name"]: megabytes(job["mem"]) * job.get("replicas", 1) for job in JOBS}
    sizes["web"] = megabytes(service["mem"])
    for size in sizes.values():
        assert f"{size:,} MiB" in page
    together = sum(sizes.values())
    assert f"**{together:,} MiB**" in page
    at_most = together + max(sizes.values()) + 512
    assert f"**{at_most:,} MiB**" in page
    left = 8 * 1024 - at_most
    assert f"**{left:,} MiB**" in page
    assert left >= 512
    # set aside by the platform, which may have a quota of half as much for it
    reserved = {name: size if size <= 512 else size // 2 for name, size in sizes.items()}
    aside = sum(reserved.values())
    at_most_aside = aside + max(reserved.values())
    assert f"{aside:,} MiB in all, and {at_most_aside:,} with the largest part twice" in page
    assert at_most_aside <= 4 * 1024


def test_toolforge_s_parts_leave_connections_for_a_new_version() -> None:
    """Its database gives 20. Web is there twice for a moment; a job is ended before it starts."""
    page = (ROOT / "deploy/toolforge/README.md").read_text().partition("## Connections")[2]
    start = (ROOT / "deploy/toolforge/start").read_text()
    web = int(re.search(r"WEB_THREADS:-(\d+)", start)[1])  # type: ignore[index]
    workers = re.findall(r"worker \S+ (\d+)", (ROOT / "Procfile").read_text())
    daily = sum("schedule" in job for job in JOBS)
    together = web + sum(map(int, workers)) + daily
    assert f"**{together}**" in page
    assert f"{web} more, {together + web} in all" in page
    assert together + web <= 20


def test_a_new_version_on_toolforge_replaces_every_part_one_after_the_other() -> None:
    """Loading jobs.yaml leaves those on the old image that did not change in it."""
    page = (ROOT / "deploy/toolforge/README.md").read_text()
    [block] = re.findall(r"```sh\n(.*?)```", page.partition("## 6. A new version")[2], re.S)[:1]
    steps = ("jobs run migrate", "--wait", "webservice restart", "jobs load ~", "for job in ")
    at = [block.index(step) for step in steps]
    assert at == sorted(at)
    restarted = re.search(r"for job in (.+); do toolforge jobs restart \$job; sleep \d+", block)
    assert restarted
    assert set(restarted[1].split()) == {job["name"] for job in JOBS if job.get("continuous")}


def test_the_page_says_what_the_limits_come_to() -> None:
    """All at their limits, and all at what is reckoned with: workers at the cap."""
    cap, leader = settings.CELERY_WORKER_MAX_MEMORY_PER_CHILD // 1000, 200
    ceiling = reckoned = 0
    for name, service in COMPOSE["services"].items():
        if name == "migrate" or "profiles" in service:  # none of which stay
            continue
        limit = megabytes(service["mem_limit"])
        processes = service.get("environment", {}).get("PROCESSES", 0)
        ceiling += limit
        reckoned += processes * cap + leader if processes else limit
    page = (ROOT / "deploy/compose/README.md").read_text()
    assert f"({ceiling / 1024:.1f} GB without monitoring)" in page
    assert f"that would be {reckoned / 1000:.1f} GB" in page


def test_alerts_find_their_way_to_a_person(tmp_path: Path) -> None:
    """With the files that deploy/compose/README.md has one make, read by the programs' own tools
    where they are installed."""
    folder = tmp_path / "prometheus"
    shutil.copytree(ROOT / "deploy/prometheus", folder)
    page = (ROOT / "deploy/compose/README.md").read_text()
    prometheus = yaml.safe_load((folder / "prometheus.yml").read_text())
    alertmanager = yaml.safe_load((folder / "alertmanager.example.yml").read_text())
    secret_files = {
        prometheus["scrape_configs"][0]["authorization"]["credentials_file"],
        alertmanager["global"]["smtp_auth_password_file"],
    }
    for name in secret_files:
        (folder / name).write_text("secret")
        assert f" {name}" in page
    made = secret_files | {"alertmanager.yml"}
    ignored = {Path(line) for line in (ROOT / ".gitignore").read_text().splitlines()}
    assert {Path("deploy/prometheus") / name for name in made} <= ignored

    [[target]] = [
        each["targets"]
        for manager in prometheus["alerting"]["alertmanagers"]
        for each in manager["static_configs"]
    ]
    services = COMPOSE["services"]
    assert services[target.partition(":")[0]]["profiles"] == ["monitoring"]
    assert services["prometheus"]["profiles"] == ["monitoring"]
    assert prometheus["scrape_configs"][0]["static_configs"][0]["targets"] == ["web:8000"]

    for command in (
        "promtool check config prometheus.yml",
        "promtool test rules alerts.test.yml",
        "amtool check-config alertmanager.example.yml",
    ):
        program, *arguments = command.split()
        if shutil.which(program):
            said = subprocess.run(
                [program, *arguments], cwd=folder, capture_output=True, text=True, check=False
            )
            assert said.returncode == 0, said.stdout + said.stderr


def test_images_can_make_backups() -> None:
    for name in ("Aptfile", "deploy/Dockerfile"):
        assert "mariadb-client" in (ROOT / name).read_text().split()


@pytest.mark.process
def test_a_worker_is_alive_while_its_heart_beats(tmp_path: Path) -> None:
    sign = tmp_path / "alive"
    check = ["deploy/toolforge/start", "alive"]
    environment = ON_TOOLFORGE | {"PATH": os.environ["PATH"], "ALIVE_FILE": str(sign)}

    def alive() -> bool:
        return subprocess.run(check, cwd=ROOT, env=environment, check=False).returncode == 0

    assert not alive()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALIVE_FILE", str(sign))
        heartbeat_sent.send(sender=None)
    assert alive()
    os.utime(sign, (0, 0))
    assert not alive()


@pytest.mark.process
def test_compose_sees_beat_alive_whatever_files_it_keeps(tmp_path: Path) -> None:
    check = COMPOSE["services"]["beat"]["healthcheck"]["test"][1]
    check = check.replace("$$", "$").replace("/tmp", str(tmp_path))

    def alive() -> bool:
        return subprocess.run(["sh", "-c", check], check=False).returncode == 0

    assert not alive()
    for name in ("beat", "beat-wal", "beat-shm"):
        (tmp_path / name).touch()
    assert alive()
    for file in tmp_path.iterdir():
        os.utime(file, (0, 0))
    assert not alive()


def test_every_setting_that_is_named_exists() -> None:
    known = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    wanted = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert wanted <= known
    page = (ROOT / "deploy/toolforge/README.md").read_text()
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \|", page, re.M)
    named = set(re.findall(r"[A-Z_]{4,}", " ".join(rows)))
    assert named - known == {"TOOLSDB_NAME"}  # of deploy/toolforge/start


@pytest.mark.process
@pytest.mark.parametrize("entry", sorted(PROCFILE))
def test_starts_what_the_procfile_names(entry: str, tmp_path: Path) -> None:
    """With programs that print what they were started with, in an environment as on Toolforge."""
    for program in ("python", "gunicorn", "celery"):
        fake = tmp_path / program
        fake.write_text('#!/bin/sh\necho "$0 $*"; env\n')
        fake.chmod(0o755)
    environment = ON_TOOLFORGE | {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "TOOL_DATA_DIR": str(tmp_path),
    }
    said = subprocess.run(
        shlex.split(PROCFILE[entry]),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "DATABASE_URL=mysql://s1:secret@tools.db.svc.wikimedia.cloud:3306/s1__wikivisage" in said
    assert f"DATA_DIR={tmp_path}/wikivisage" in said
    queues = re.search(r"worker (\S+)", PROCFILE[entry])
    expected = {
        "web": "gunicorn wikivisage.wsgi --bind 0.0.0.0:8123 ",
        "beat": "celery --quiet -A celery_app beat ",
        "migrate": "python manage.py migrate --noinput\n",
        "doctor": "python manage.py doctor\n",
        "reconcile": "python manage.py reconcile\n",
        "backup": "python manage.py backup --keep 7\n",
    }.get(entry, f"celery --quiet -A celery_app worker -Q {queues and queues[1]} ")
    assert expected in said
