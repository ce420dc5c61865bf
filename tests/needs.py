"""Marks say what a test needs; `--unmarked` runs the tests without any, and checks them.

So that `make test` stays quick, a test fails there that starts a process, sleeps, uses a face
engine or takes more than MAX_CPU_SECONDS; those above LISTED_CPU_SECONDS are listed at the end.
Processor seconds are counted, never the clock, so that a busy machine changes nothing.

The tests in a browser run in one worker with one Chromium, those with an engine in one that loads
it once; of the others each file stays together, for the sake of its module fixtures.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

from crawler.engines import dlib_engine, opencv_engine

NEEDS = {
    "browser": "drives Chromium",
    "engine": "looks for faces in real pixels",
    "process": "starts another process",
    "long": "plays a long story, or asks every page as everybody",
    "waits": "lets real time pass",
    "mariadb": "asks for what only MariaDB does; left out on another database",
}
ONE_WORKER = ("browser", "engine")  # of these needs each has one worker for all of its tests
WHOLE_SYSTEMS = ("tests/system/", "tests/e2e/")
MAX_SLEEP_SECONDS = 0.05
MAX_CPU_SECONDS = 3.0
LISTED_CPU_SECONDS = 0.5


@dataclass
class Usage:
    """What the running test has used: processor seconds, sleeps in seconds, processes."""

    started_at: float = 0.0
    shared_cpu: float = 0.0  # of fixtures that later tests use, too
    slept: float = 0.0
    slept_at: str = ""
    processes: list[str] = field(default_factory=list)
    engine_loads: int = 0
    shared_depth: int = 0

    def cpu_seconds(self) -> float:
        return _cpu_seconds() - self.started_at - self.shared_cpu

    def find_need(self) -> str:
        """Return what the test needed, and the mark for it; nothing where it needed none."""
        if self.processes:
            return f"It starts a process ({self.processes[0]}): mark it `process`."
        if self.slept:
            return f"It sleeps {self.slept:.2f} s ({self.slept_at}): mark it `waits`."
        if _count_engine_loads() > self.engine_loads:
            return "It uses a face engine: mark it `engine`."
        if (seconds := self.cpu_seconds()) > MAX_CPU_SECONDS:
            return f"It takes {seconds:.1f} processor seconds: mark it `long`."
        return ""


def _cpu_seconds() -> float:
    """Processor seconds of this process, its threads and the children that ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _count_engine_loads() -> int:
    loads = [engine.load.cache_info() for engine in (dlib_engine, opencv_engine)]
    return sum(info.hits + info.misses for info in loads)


_sleep: Callable[[float], None] = time.sleep


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--unmarked", action="store_true", help="run tests that need nothing more")


def pytest_configure(config: pytest.Config) -> None:
    for name, need in NEEDS.items():
        config.addinivalue_line("markers", f"{name}: {need}")
    if config.getoption("unmarked"):
        config.pluginmanager.register(UnmarkedTests())


def _deselect(config: pytest.Config, items: list[pytest.Item], *needs: str) -> None:
    marked = {item for item in items if any(map(item.get_closest_marker, needs))}
    config.hook.pytest_deselected(items=list(marked))
    items[:] = [item for item in items if item not in marked]


@pytest.hookimpl(tryfirst=True)  # before xdist writes the groups into the names of the tests
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this database can't; group what needs one worker; start the longest first."""
    if connection.vendor != "mysql":
        _deselect(config, items, "mariadb")
    for item in items:
        for need in filter(item.get_closest_marker, ONE_WORKER):
            item.add_marker(pytest.mark.xdist_group(need))
            break
    items.sort(key=lambda item: not any(map(item.get_closest_marker, NEEDS)))
    items.sort(key=lambda item: not item.nodeid.startswith(WHOLE_SYSTEMS))


class GroupsAndFiles(LoadGroupScheduling):
    """Gives a worker a whole group of tests, or all other tests of a file."""

    def _split_scope(self, nodeid: str) -> str:
        group: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if group == nodeid else group


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupsAndFiles | None:
    """Schedule `--dist loadgroup` by groups and files."""
    return GroupsAndFiles(config, log) if config.getvalue("dist") == "loadgroup" else None


class UnmarkedTests:
    """A plugin that leaves out the marked tests, and measures the others."""

    def __init__(self) -> None:
        self.usage = Usage()
        sys.addaudithook(self._note_process)
        time.sleep = self._note_sleep  # type: ignore[assignment]  # typeshed lets it take more

    def _note_process(self, event: str, args: tuple[Any, ...]) -> None:
        if event in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
            program = str(args[0]) if args else event
            if program != "git":  # pywikibot asks it for a version, once in each process
                self.usage.processes.append(program)

    def _note_sleep(self, seconds: float) -> None:
        if seconds > MAX_SLEEP_SECONDS:  # the pace of edits and reads sleeps some milliseconds
            caller = sys._getframe(1)
            self.usage.slept += seconds
            self.usage.slept_at = f"{caller.f_code.co_filename}:{caller.f_lineno}"
        _sleep(seconds)

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        _deselect(config, items, *NEEDS)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function" or self.usage.shared_depth:
            return (yield)
        before = _cpu_seconds()
        self.usage.shared_depth += 1
        try:
            return (yield)
        finally:
            self.usage.shared_depth -= 1
            self.usage.shared_cpu += _cpu_seconds() - before

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        self.usage = Usage(started_at=_cpu_seconds(), engine_loads=_count_engine_loads())
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        result = yield
        seconds = self.usage.cpu_seconds()
        if seconds > LISTED_CPU_SECONDS:
            item.user_properties.append(("cpu_seconds", round(seconds, 1)))
        if need := self.usage.find_need():
            pytest.fail(need, pytrace=False)
        return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the unmarked tests that take the most processor time."""
    slow = {
        report.nodeid: dict(report.user_properties)["cpu_seconds"]
        for reports in terminalreporter.stats.values()
        for report in reports
        if "cpu_seconds" in dict(getattr(report, "user_properties", ()))
    }
    if not slow:
        return
    terminalreporter.section(f"above {LISTED_CPU_SECONDS} processor seconds")
    for nodeid, seconds in sorted(slow.items(), key=lambda row: -row[1]):
        terminalreporter.write_line(f"{seconds:5.1f} s  {nodeid}")
