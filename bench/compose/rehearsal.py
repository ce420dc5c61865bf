"""An operator who follows the pages, and looks at what came of each command."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from bench import smoke, truth
from bench.compose import toolforge
from bench.compose.engine import Engine
from bench.compose.machine import SITE, WIKI, Machine, git
from bench.compose.pages import get_blocks
from bench.system import ROOT
from bench.volunteer import Volunteer, wait

PAGE, BACKUP_PAGE = ROOT / "deploy/compose/README.md", ROOT / "docs/backup.md"
USER = "Ingrid S."
BEFORE, AFTER = "Q937", "Q7186"  # whom she names before the backup, and after it
IMAGE_MB = 1200
PACKAGES_MB = 460  # 560 on Toolforge, where the model of 100 MB that is left out here is installed
OWN_DATA = ("answers", "contributions", "batches", "edits")
STRAYS = ("wikivisage-2026-01-01T0000.gz", ".env.old", "backup.sql", "notes.txt")
TOOLS = ("pytest", "mypy", "ruff", "playwright", "gcc", "pip")


class Rehearsal(Machine):
    def __init__(self, engine: Engine, folder: Path, *, on_toolforge: bool) -> None:
        super().__init__(engine, folder)
        self.on_toolforge = on_toolforge
        self.user = toolforge.USER if on_toolforge else 10001
        self.volunteer = Volunteer(SITE, USER, truth.photos())
        self.results: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        self.prepare()
        for step in (
            *(self.settings, self.start, self.look_at_image, self.look_at_containers),
            *(self.use, self.kill, self.stop_while_starting, self.scale),
            *(self.update, self.go_back, self.back_up, self.use_after_backup),
            *(self.restore_here, self.restore_on_a_new_machine, self.clear),
        ):
            begun = time.monotonic()
            print(f"--- {step.__name__.replace('_', ' ')}", flush=True)
            step()
            self.figures[f"{step.__name__}_seconds"] = round(time.monotonic() - begun)
        return self.figures

    # --- the steps, in their order -------------------------------------------------------------

    def prepare(self) -> None:
        """What the page takes for given: a repository, and a machine that can be reached."""
        git("clone", "--quiet", "--bare", str(ROOT), str(self.origin))
        if git("status", "--porcelain", folder=ROOT):
            print("Only what is committed is tried.", flush=True)
        (self.folder / "bin").mkdir()
        ssh = self.folder / "bin/ssh"
        ssh.write_text('#!/bin/sh\nexec sh -c "$2"\n')  # to this very machine
        ssh.chmod(0o755)

    def settings(self) -> None:
        [block] = get_blocks(PAGE, "1. Settings")
        self.shell(block, folder=self.folder)
        [block] = get_blocks(PAGE, "Try it in the sandbox")[:1]
        self.shell(block)
        with (self.checkout / ".env").open("a") as file:
            file.write("EDITS_A_MINUTE=6000\nMODERATORS=Mona\n")
        assert (self.checkout / ".env").stat().st_mode & 0o777 == 0o600
        for name in STRAYS:
            (self.checkout / name).write_text("secret\n")
        if self.on_toolforge:
            toolforge.write_override(self.checkout, self.folder / "home")

    def start(self) -> None:
        up, ps, doctor = get_blocks(PAGE, "2. Start")[0].splitlines()  # then it is of a proxy
        self.shell(up)
        self.wait_until_healthy()
        self.shell(ps)
        self.check_doctor(doctor)
        self.wait_until_ready()

    def look_at_image(self) -> None:
        size = int(self.engine.docker("image", "inspect", "wikivisage", "--format", "{{.Size}}"))
        packages = int(self.in_image("du -sb /venv").split()[0])
        self.figures |= {"image_mb": size // 10**6, "packages_mb": packages // 10**6}
        assert size <= IMAGE_MB * 10**6
        assert packages <= PACKAGES_MB * 10**6
        assert self.in_image("id -u; id -g; stat -c %u:%g /data").split() == [
            *("10001", "10001", "10001:10001")
        ]
        found = self.in_image("ls -A /app /app/*").split()
        assert not {*STRAYS, ".env", ".git", "docs", "tests"} & set(found), found
        tools = self.in_image(
            f"cd /venv/bin; ls {' '.join(TOOLS)} /usr/bin/gcc 2>/dev/null || true"
        )
        assert not tools, tools
        models = self.in_image("ls /venv/lib/python3*/site-packages/face_recognition_models/models")
        assert "5_face" in models
        assert "68_face" not in models  # not free for every use: docs/licences.md
        load = "from crawler.engines.dlib_engine import load; print(load().key)"
        assert self.in_image(f"python -W ignore -c '{load}'") == "dlib"  # goes without it
        history = self.engine.docker("history", "--no-trunc", "wikivisage")
        for line in (self.checkout / ".env").read_text().splitlines():
            name, _, value = line.partition("=")
            assert name not in ("SECRET_KEY", "SEALING_KEYS") or value not in history
        self.check_no_image_is_left()

    def look_at_containers(self) -> None:
        for name in self.app_containers():
            status = self.in_container(name, "cat /proc/1/status")
            fields = dict(re.findall(r"^(\w+):\s+(\S+)", status, re.M))
            assert int(fields["Uid"]) == self.user, (name, fields["Uid"])
            assert int(fields["CapBnd"], 16) == 0, name
            assert fields["NoNewPrivs"] == "1", name
            tried = "touch /app/new 2>&1 || touch /home/new 2>&1 || true"
            assert self.in_container(name, tried).count("Read-only") == 2, name
            shm = self.in_container(name, "df --output=size -m /dev/shm | tail -1")
            assert int(shm) == 64, name
        host = json.loads(
            self.engine.docker("inspect", self.container("web"), "--format", "{{json .HostConfig}}")
        )
        assert host["LogConfig"]["Config"], "its log has no limit"
        assert all(bind[0]["HostIp"] == "127.0.0.1" for bind in host["PortBindings"].values())

    def use(self) -> None:
        self.volunteer.log_in()
        self.name_somebody(BEFORE)
        self.kept = self.get_own_data()
        assert all(self.kept.values())
        self.figures["statement_seconds"] = round(self.results[BEFORE]["seconds"])
        self.figures["memory_mb"] = self.memory()

    def kill(self) -> None:
        """The first process of four containers at once: they come back without help."""
        names = [self.container(each) for each in ("web", "detect", "mariadb", "redis")]
        for name in names:
            os.kill(int(self.inspect(name, "{{.State.Pid}}")), signal.SIGKILL)
        begun = time.monotonic()
        wait(lambda: all(int(self.inspect(name, "{{.RestartCount}}")) for name in names), 60, "all")
        self.wait_until_healthy()
        self.wait_until_ready()
        self.figures["back_after_kill_seconds"] = round(time.monotonic() - begun)
        self.check_nothing_is_lost()

    def stop_while_starting(self) -> None:
        """A worker that still imports hears that it shall end."""
        self.compose("restart", "infer")
        begun = time.monotonic()
        self.compose("stop", "infer")
        took = time.monotonic() - begun
        code = self.inspect(self.container("infer"), "{{.State.ExitCode}}")
        assert code in ("0", "143"), f"exit code {code} after {took:.0f} s"
        self.compose("up", "--detach")
        self.wait_until_healthy()
        begun = time.monotonic()
        self.compose("stop", "web", "crawl", "detect", "infer", "write", "beat")
        self.figures["stop_all_seconds"] = round(time.monotonic() - begun, 1)
        codes = {each["Service"]: each["ExitCode"] for each in self.state() if each["ExitCode"]}
        assert not codes, f"ended by force: {codes}"
        self.compose("up", "--detach")
        self.wait_until_healthy()

    def scale(self) -> None:
        [block] = get_blocks(PAGE, "4. Scaling")
        self.shell(block)
        self.compose("up", "--detach")  # a plain one keeps the number
        self.wait_until_healthy()
        assert sum(each["Service"] == "detect" for each in self.state()) == 2

    def update(self) -> None:
        """A new version, with what people did kept."""
        was = self.image()
        self.publish_new_version()
        self.shell(get_blocks(PAGE, "3. A new version")[0])
        self.wait_until_healthy()
        assert self.image() != was
        assert (
            self.engine.docker("image", "inspect", "wikivisage:before", "--format", "{{.Id}}")
            == was
        )
        assert "9.9.9" in self.in_container(
            self.container("web"), "cat /app/wikivisage/settings.py"
        )
        self.check_no_image_is_left()
        self.check_nothing_is_lost()
        self.check_doctor("docker compose exec web python manage.py doctor")
        assert USER in get_text(self.volunteer, "/"), "the session is still good"

    def go_back(self) -> None:
        self.shell(get_blocks(PAGE, "3. A new version")[1])
        self.wait_until_healthy()
        assert "9.9.9" not in self.in_container(
            self.container("web"), "cat /app/wikivisage/settings.py"
        )
        self.check_nothing_is_lost()

    def back_up(self) -> None:
        [line, copies] = [
            block.replace("/srv/wikivisage", str(self.checkout))
            for block in get_blocks(BACKUP_PAGE, "How often")
        ]
        said = self.shell(line.split(maxsplit=5)[5])  # behind the five fields of cron
        assert re.fullmatch(r"/data/backup/wikivisage-\S+\.gz: [\d,]+ bytes", said), said
        _toolforge, copy, check = copies.splitlines()
        self.shell(f"{copy}\n{check}")
        [self.backup] = sorted(
            path.name for path in self.checkout.glob("wikivisage-*.gz") if path.name not in STRAYS
        )
        listed = self.shell("docker compose exec web ls /data/backup").split()
        self.in_volume = listed[-1]

    def use_after_backup(self) -> None:
        """Edits that the backup does not know of."""
        self.name_somebody(AFTER)
        self.later_edits = len(self.results[AFTER]["new"])

    def restore_here(self) -> None:
        _new, here, both = get_blocks(BACKUP_PAGE, "With Compose")
        self.restore(here, both, self.in_volume)

    def restore_on_a_new_machine(self) -> None:
        """Nothing is left but the repository, its .env and the copy of the backup."""
        self.compose("down")
        self.engine.docker("volume", "rm", "wikivisage_data", "wikivisage_mariadb")
        if self.on_toolforge:  # the volume is a folder of this machine
            subprocess.run(["rm", "-r", str(self.folder / "home")], check=True)
            toolforge.write_override(self.checkout, self.folder / "home")
        self.compose(
            "up", "--detach", "--wait", "sandbox"
        )  # the wiki is elsewhere, and was never away
        new, _here, both = get_blocks(BACKUP_PAGE, "With Compose")
        self.restore(new, both, self.backup)
        assert self.backup not in self.in_image("ls -A /app")

    def clear(self) -> None:
        block = get_blocks(PAGE, "Try it in the sandbox")[1]
        self.shell(block)
        assert not self.engine.docker("volume", "ls", "--quiet")
        assert not self.engine.docker("ps", "--all", "--quiet")

    # --- what the steps are made of ------------------------------------------------------------

    def restore(self, before: str, after: str, backup: str) -> None:
        """The blocks of the page, with the name of this backup. Between them nothing is lost."""
        before = re.sub(r"^backup=\S+.*$", f"backup={backup}", before, flags=re.M)
        restore, reconcile, web, everything, doctor = after.splitlines()
        statements = self.statements()
        said = self.shell(f"{before}\nset +e\n{restore} && {reconcile}\necho ended with $?")
        print(said, flush=True)
        # as the page says: edits of later batches are listed, and that is all that is listed
        assert re.findall(r"^ +open +(\S+)", said, re.M) == ["unknown-batch"] * self.later_edits
        assert said.endswith(f"ended with {int(self.later_edits > 0)}"), said
        self.shell(f"{web}\n{everything}")
        self.wait_until_healthy()
        self.check_doctor(doctor)
        self.volunteer = Volunteer(SITE, USER, truth.photos())
        self.volunteer.log_in()
        self.check_nothing_is_lost()
        time.sleep(20)  # workers look through what was open
        assert self.statements() == statements, "something was sent again, or taken back"

    def name_somebody(self, qid: str) -> None:
        """From a new project to its statements on the wiki, in a browser's way."""
        begun = time.monotonic()
        was = self.statements()
        result = smoke.run(self.volunteer, qid)
        new = self.statements() - was
        true = {(photo.name, qid) for photo in truth.photos().values() for qid in photo.persons}
        assert result["claims_sent"] == len(new) > 0, result
        assert new <= true, new - true
        self.results[qid] = {"new": new, "seconds": time.monotonic() - begun}

    def statements(self) -> set[tuple[str, str]]:
        return smoke.depicted(WIKI)

    def check_nothing_is_lost(self) -> None:
        """Each answer and edit of before the backup is there, and so is each statement."""
        sent = self.results[BEFORE]["new"]
        assert sent <= self.statements()
        now = self.get_own_data()
        for part, rows in self.kept.items():
            assert rows <= now[part], (part, rows - now[part])

    def get_own_data(self) -> dict[str, set[str]]:
        """Return what the account page gives one of one's work, row by row."""
        data = self.volunteer.json("/account/data.json")
        return {part: {json.dumps(row) for row in data[part]} for part in OWN_DATA}

    def check_doctor(self, command: str) -> None:
        said = wait(lambda: self.healthy_doctor(command), 120, "a doctor without a finding")
        print(said, flush=True)

    def healthy_doctor(self, command: str) -> str:
        said = self.shell(command, quiet=True)
        return "" if re.search(r"^(warn|fail) ", said, re.M) else said

    def publish_new_version(self) -> None:
        """A commit in the repository that the operator pulls from."""
        work = self.folder / "developer"
        git("clone", "--quiet", str(self.origin), str(work))
        settings = work / "wikivisage/settings.py"
        settings.write_text(
            re.sub(r'^VERSION = ".+"', 'VERSION = "9.9.9"', settings.read_text(), flags=re.M)
        )
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        git(*who, "commit", "--quiet", "--all", "--message", "New version", folder=work)
        git("push", "--quiet", folder=work)

    def check_no_image_is_left(self) -> None:
        assert not self.engine.docker("image", "ls", "--quiet", "--filter", "dangling=true")


def get_text(volunteer: Volunteer, path: str) -> str:
    volunteer.open(path)
    return volunteer.page.get_text(" ", strip=True)
