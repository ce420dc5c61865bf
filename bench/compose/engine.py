"""A Docker daemon with a data root and a socket of its own, and the base images in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.system import ROOT

NEEDED = ("dockerd", "docker", "iptables", "ip", "git", "curl")
PACKAGES = "docker.io docker-cli docker-compose docker-buildx iptables iproute2 mmdebstrap git curl"
KEPT = re.compile(r"PATH|HOME|LANG|TMPDIR|(https?|no)_proxy", re.IGNORECASE)
STAND_INS = Path(__file__).parent / "standins"
# variable -> where its file goes in an image, and what else an image needs for it
SITE = {
    "COMPOSE_TEST_CA": ("/etc/ssl/certs/ca-certificates.crt", "PIP_CERT"),
    "COMPOSE_TEST_APT": ("/etc/apt/apt.conf.d/99site", ""),
    "COMPOSE_TEST_PIP": ("/etc/pip.conf", ""),
}


class Engine:
    """`with Engine(folder) as engine:` — a daemon that ends with the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        host = f"unix://{folder}/docker.sock"
        # a shell as an operator's, in which nothing of ours is set (make sets WIKI, for example)
        kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
        self.environment = kept | {"DOCKER_HOST": host, "DOCKER_CONFIG": str(folder / "config")}
        # vfs copies whole images: every layer and container takes up to 1.2 GB, and minutes
        has_overlay = "\toverlay\n" in Path("/proc/filesystems").read_text()
        self.driver = "overlay2" if has_overlay else "vfs"

    def __enter__(self) -> Self:
        for name in ("data", "exec", "config"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.terminate()
        self.process.wait(60)
        # dockerd mounts its data root onto itself, and leaves it so
        subprocess.run(["umount", f"{self.folder}/data"], capture_output=True, check=False)

    def _start(self) -> None:
        command = ["dockerd", "--storage-driver", self.driver]
        command += ["--data-root", f"{self.folder}/data", "--exec-root", f"{self.folder}/exec"]
        command += ["-H", self.environment["DOCKER_HOST"]]
        log = self.folder / "dockerd.log"
        with log.open("wb") as file:
            self.process = subprocess.Popen(command, stdout=file, stderr=file)
        while subprocess.run(
            ["docker", "info"], env=self.environment, capture_output=True, check=False
        ).returncode:
            if self.process.poll() is not None:
                raise SystemExit(f"dockerd did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.5)

    def docker(self, *arguments: str, stdin: bytes | None = None, check: bool = True) -> str:
        """Run a command of docker and return what it printed."""
        done = subprocess.run(
            ["docker", *arguments],
            env=self.environment,
            input=stdin,
            stdout=subprocess.PIPE,
            check=check,
        )
        return done.stdout.decode().strip()

    def remove_leftovers(self) -> None:
        """Remove what another run left, or this one, but base images and what builds keep."""
        if names := self.docker("ps", "--all", "--quiet").split():
            self.docker("rm", "--force", "--volumes", *names)
        self.docker("volume", "prune", "--all", "--force")
        self.docker("network", "prune", "--force")
        if images := self.docker("image", "ls", "--quiet", "wikivisage").split():
            self.docker("image", "rm", "--force", *set(images))
        self.docker("image", "prune", "--force")

    def fetch_bases(self) -> None:
        """Get each base image by its public name, or build one in its place from Debian."""
        for name in find_bases():
            if self.docker("image", "ls", "--quiet", name):
                continue
            if os.environ.get("COMPOSE_TEST_STANDINS") != "yes" and self._pull(name):
                kind = "pulled"
            else:
                self._build_stand_in(name)
                kind = "built in its place"
            print(f"  {name} {kind}", flush=True)
        self.docker("image", "prune", "--force")  # bases as they were before the site's files

    def _pull(self, name: str) -> bool:
        command = ["timeout", "300", "docker", "pull", "--quiet", name]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False)
        if not done.returncode and name.startswith("python:"):
            self._add_site_files(name)
        return not done.returncode

    def _build_stand_in(self, name: str) -> None:
        if not self.docker("image", "ls", "--quiet", "trixie"):
            self._build_debian()
        folder = STAND_INS / name.partition(":")[0]
        self.docker("build", "--quiet", "--tag", name, str(folder))

    def _build_debian(self) -> None:
        options = [f"--aptopt={path}" if (path := os.environ.get("COMPOSE_TEST_APT")) else ""]
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=ca-certificates"]
        command += [*filter(None, options), "trixie", "-"]
        made = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        self.docker("import", "-", "trixie", stdin=made.stdout)
        self._add_site_files("trixie")

    def _add_site_files(self, name: str) -> None:
        """Add what builds need on this machine to a base image; none of it is in the repository."""
        lines = [f"FROM {name}"]
        with tempfile.TemporaryDirectory() as context:
            for variable, (target, setting) in SITE.items():
                if source := os.environ.get(variable):
                    shutil.copy(source, Path(context) / variable)
                    lines.append(f"COPY {variable} {target}")
                    lines += [f"ENV {setting}={target}"] if setting else []
            (Path(context) / "Dockerfile").write_text("\n".join(lines) + "\n")
            self.docker("build", "--quiet", "--tag", name, context)


def find_bases() -> list[str]:
    """Names of the images that the Dockerfile and a plain `docker compose up` begin with."""
    built = re.findall(r"^FROM (\S+)", (ROOT / "deploy/Dockerfile").read_text(), re.M)
    compose = (ROOT / "docker-compose.yml").read_text().partition("# Only with the profile")[0]
    started = re.findall(r"^    image: (\S+:\S+)", compose, re.M)
    return sorted({*built, *started})


def refuse_to_disturb(environment: Mapping[str, str] = os.environ) -> None:
    """End where something lacks, or where another daemon's rules of iptables would be changed."""
    if os.geteuid():
        raise SystemExit("It starts a Docker daemon: run it as root, best on a machine to spare.")
    if lacking := [program for program in NEEDED if not shutil.which(program)]:
        raise SystemExit(f"{', '.join(lacking)} not found (Debian: apt install {PACKAGES}).")
    pid = Path("/var/run/docker.pid")
    if pid.exists() and Path(f"/proc/{pid.read_text().strip()}").exists():
        raise SystemExit("Another Docker daemon runs here, and two share the rules of iptables.")
