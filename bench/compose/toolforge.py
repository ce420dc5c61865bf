"""A Compose override with the limits of Toolforge, from the very files that are deployed there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from bench.system import ROOT

USER = 52503  # tools have numbers of their own above 50,000, for user and group
GRACE = "15s"  # the platform gives a job no more before it ends it by force
HOME = "/data"  # where the tool's home is mounted here
DEPLOY = ROOT / "deploy/toolforge"


def write_override(folder: Path, home: Path) -> None:
    """Write docker-compose.override.yml: each process as `Procfile` and jobs.yaml start it.

    `home` is a folder of this machine that stands for the tool's home on NFS.
    """
    home.mkdir()
    (home / "replica.my.cnf").touch()  # a folder that is not empty keeps its owner
    for path in (home, *home.iterdir()):
        os.chown(path, USER, USER)
    options = {"type": "none", "o": "bind", "device": str(home)}
    override = {
        "services": get_services(),
        "volumes": {"data": {"driver": "local", "driver_opts": options}},
    }
    (folder / "docker-compose.override.yml").write_text(yaml.safe_dump(override))


def get_services() -> dict[str, Any]:
    commands = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    jobs = yaml.safe_load((DEPLOY / "jobs.yaml").read_text())
    web = yaml.safe_load((DEPLOY / "service.template").read_text())
    services = {"web": limit(commands["web"], web["mem"])}
    for job in jobs:
        if job.get("continuous"):
            services[job["name"]] = limit(commands[job["command"]], job["mem"])
            if check := job.get("health-check-script"):
                services[job["name"]]["healthcheck"] = {"test": ["CMD-SHELL", check]}
    services["migrate"] = {"user": f"{USER}:{USER}"}
    services["default"] = {"scale": 0}  # `write` serves that queue, too
    return services


def limit(command: str, memory: str) -> dict[str, Any]:
    return {
        "command": command,
        "user": f"{USER}:{USER}",
        "read_only": True,
        "shm_size": "64m",
        "stop_grace_period": GRACE,
        "mem_limit": memory.replace("i", "").lower(),
        "environment": {"TOOL_DATA_DIR": HOME, "HOME": HOME, "PORT": "8000"},
        "volumes": ["./deploy/toolforge:/app/deploy/toolforge:ro"],
    }
