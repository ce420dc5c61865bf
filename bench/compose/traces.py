"""What a run leaves on the machine: a folder, and bridges and iptables rules of Docker."""

from __future__ import annotations

import fcntl
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = "made-by-make-test-compose"
BRIDGE = re.compile(r"docker0|br-[0-9a-f]{12}")
DOCKERS = re.compile(rf"\bDOCKER\b|\b({BRIDGE.pattern})\b")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


@contextmanager
def own_folder(folder: Path, *, keep: bool) -> Iterator[None]:
    """Make a folder, or take one that an earlier run kept; lock it, and delete it at the end.

    A folder that no run made is refused, even an empty one, and so is one that is in use.
    """
    mark = folder / MARK
    try:
        folder.mkdir(mode=0o700, parents=True)
        mark.touch()
    except FileExistsError:
        if not mark.is_file():
            raise SystemExit(
                f"{folder} is there, and not from an earlier run: "
                "name one in COMPOSE_TEST_FOLDER that isn't there yet."
            ) from None
    with mark.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"Another run uses {folder}.") from None
        try:
            yield
        finally:
            if not keep:
                shutil.rmtree(folder)


@contextmanager
def network_as_before() -> Iterator[None]:
    """Remove at the end the bridges and rules that Docker leaves behind, and reset forwarding."""
    forwarding, bridges = FORWARDING.read_text(), find_bridges()
    rules = {tables: save(tables) for tables in ("iptables", "ip6tables")}
    try:
        yield
    finally:
        if FORWARDING.read_text() != forwarding:
            FORWARDING.write_text(forwarding)  # first: without Docker's rules anything is forwarded
        for tables, before in rules.items():
            commands = undo(before, save(tables)).encode()
            subprocess.run([f"{tables}-restore", "--noflush"], input=commands, check=True)
        for name in find_bridges() - bridges:
            subprocess.run(["ip", "link", "delete", name], check=True)


def find_bridges() -> set[str]:
    return {name for _, name in socket.if_nameindex() if BRIDGE.fullmatch(name)}


def save(tables: str) -> str:
    done = subprocess.run([f"{tables}-save"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def undo(before: str, after: str) -> str:
    """Return the input of `iptables-restore --noflush` that removes Docker's new rules.

    Both arguments are what `iptables-save` prints. The policy of FORWARD, which Docker sets to
    DROP, is set back, too. Rules of others stay, even those added meanwhile.
    """
    known, commands = read_tables(before), []
    for table, lines in read_tables(after).items():
        new = [line for line in lines if line not in known.get(table, [])]
        dockers = [line for line in new if DOCKERS.search(line)]
        commands.append(f"*{table}")
        commands += [":FORWARD ACCEPT [0:0]"] if ":FORWARD DROP" in new else []
        commands += [f"-D{line[2:]}" for line in dockers if line.startswith("-A")]
        commands += [f"-X {line.split()[0][1:]}" for line in dockers if line.startswith(":")]
        commands.append("COMMIT")
    return "\n".join([*commands, ""])


def read_tables(saved: str) -> dict[str, list[str]]:
    """Return the lines of each table, without counters."""
    tables: dict[str, list[str]] = {}
    for line in saved.splitlines():
        if line.startswith("*"):
            lines = tables.setdefault(line[1:], [])
        elif line.startswith((":", "-A")):
            lines.append(re.sub(r" \[\d+:\d+\]$", "", line))
    return tables
