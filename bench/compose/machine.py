"""A machine on which somebody runs Compose: commands in a shell, and what is seen of containers."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from bench.compose.engine import Engine
from bench.volunteer import wait

SITE, WIKI = "http://127.0.0.1:8000", "http://sandbox.localhost:8001"
HEALTHY_SECONDS, READY_SECONDS = 240, 150


class Machine:
    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.origin, self.checkout = folder / "origin.git", folder / "wikivisage"
        self.environment = engine.environment | {
            # the address in the page leads to this repository
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{self.origin}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://your.git.host/wikivisage",
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
        }
        self.figures: dict[str, Any] = {"storage": engine.driver}

    def show_logs(self) -> None:
        print(self.shell("docker compose logs --tail 30 || true"), flush=True)

    def shell(self, commands: str, *, folder: Path | None = None, quiet: bool = False) -> str:
        """Run commands as they are; return what they printed."""
        if not quiet:
            print("".join(f"$ {line}\n" for line in commands.splitlines()), end="", flush=True)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=folder or self.checkout,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert not done.returncode, f"{commands}\nended with {done.returncode}:\n{done.stdout}"
        return done.stdout.strip()

    def compose(self, *arguments: str) -> str:
        return self.shell(f"docker compose {' '.join(arguments)}")

    def state(self) -> list[dict[str, Any]]:
        said = self.shell("docker compose ps --all --format json", quiet=True)
        return [json.loads(line) for line in said.splitlines()]

    def wait_until_healthy(self) -> None:
        begun = time.monotonic()
        wait(self.is_healthy, HEALTHY_SECONDS, "all containers' health")
        self.figures.setdefault("healthy_seconds", round(time.monotonic() - begun))

    def is_healthy(self) -> bool:
        state = {each["Name"]: each for each in self.state()}
        once = [each for each in state.values() if each["Service"] == "migrate"]
        rest = [each for each in state.values() if each["Service"] != "migrate"]
        return bool(rest) and all(
            [each["State"] == "exited" and not each["ExitCode"] for each in once]
            + [each["Health"] == "healthy" for each in rest]
        )

    def wait_until_ready(self) -> None:
        """Until each part is well, workers as well, of whose failures it speaks for a minute."""
        until = time.monotonic() + READY_SECONDS
        while (parts := self.get_faults()) and time.monotonic() < until:
            time.sleep(1)
        assert not parts, parts

    def get_faults(self) -> dict[str, str]:
        """Return what /health/ready says of the parts that are not well."""
        try:
            answer = requests.get(f"{SITE}/health/ready", timeout=20).json()
        except (OSError, ValueError) as error:
            return {"web": type(error).__name__}
        parts = answer["parts"].items()
        return {name: part["says"] for name, part in parts if part["status"] != "ok"}

    def container(self, service: str) -> str:
        return self.shell(f"docker compose ps --all --quiet {service}", quiet=True).split()[0]

    def app_containers(self) -> Iterator[str]:
        for each in self.state():
            if each["Service"] not in ("migrate", "mariadb", "redis", "sandbox"):
                yield each["Name"]

    def inspect(self, container: str, what: str) -> str:
        return self.engine.docker("inspect", container, "--format", what)

    def in_container(self, container: str, command: str) -> str:
        return self.engine.docker("exec", container, "sh", "-c", command)

    def in_image(self, command: str) -> str:
        return self.engine.docker("run", "--rm", "wikivisage", "sh", "-c", command)

    def image(self) -> str:
        return self.inspect(self.container("web"), "{{.Image}}")

    def memory(self) -> dict[str, int]:
        """MB that each service's containers hold, as `docker stats` shows them."""
        found: dict[str, int] = {}
        for each in self.state():
            if each["State"] != "running":
                continue
            said = self.engine.docker(
                "stats", "--no-stream", "--format", "{{.MemUsage}}", each["Name"]
            )
            number, unit = re.match(r"([\d.]+)(\w+)", said).groups()  # type: ignore[union-attr]
            held = float(number) * {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}[unit]
            found[each["Service"]] = found.get(each["Service"], 0) + round(held)
        return found


def git(*arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.strip()


@contextmanager
def localhost_as_in_browsers() -> Iterator[None]:
    """Browsers take every name below .localhost for their own machine; Python asks the resolver."""
    resolve: Callable[..., Any] = socket.getaddrinfo

    def resolve_localhost(host: Any, *arguments: Any, **options: Any) -> Any:
        name = "127.0.0.1" if str(host).endswith(".localhost") else host
        return resolve(name, *arguments, **options)

    socket.getaddrinfo = resolve_localhost
    try:
        yield
    finally:
        socket.getaddrinfo = resolve
