"""Marks say what a test needs; with `--check-needs` a test without the mark that it needs fails.

`make test` runs the tests without any of these marks, and checks them. So that it stays quick, a
test that starts a process or sleeps without the mark fails, as does one that takes more than
MAX_CPU_SECONDS; those above LISTED_CPU_SECONDS are listed at the end. Processor seconds are
counted, never the clock, so that a busy machine changes nothing.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import pytest

from crawler.engines import dlib_engine, opencv_engine

NEEDS = {
    "browser": "drives Chromium",
    "engine": "looks for faces in real pixels",
    "process": "starts another process",
    "long": "plays a long story, or asks every page as everybody",
    "waits": "lets real time pass",
}
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

    def begin(self) -> None:
        self.__dict__.update(
            vars(Usage(started_at=_cpu_seconds(), engine_loads=_count_engine_loads()))
        )

    def cpu_seconds(self) -> float:
        return _cpu_seconds() - self.started_at - self.shared_cpu


usage = Usage()


def _cpu_seconds() -> float:
    """Processor seconds of this process, its threads and the children that ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _count_engine_loads() -> int:
    loads = [engine.load.cache_info() for engine in (dlib_engine, opencv_engine)]
    return sum(info.hits + info.misses for info in loads)


def _note_process(event: str, args: tuple[Any, ...]) -> None:
    if event in ("subprocess.Popen", "os.fork", "os.posix_spawn"):
        program = str(args[0]) if args else event
        if program != "git":  # pywikibot asks it for a version, once in each process
            usage.processes.append(program)


def _note_sleep(seconds: float) -> None:
    if seconds > MAX_SLEEP_SECONDS:  # the pace of edits and reads sleeps some milliseconds
        usage.slept += seconds
        caller = sys._getframe(1)
        usage.slept_at = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    _sleep(seconds)


# This module is loaded before the product is, so that `from time import sleep` finds this one.
_sleep: Callable[[float], None] = time.sleep
time.sleep = _note_sleep  # type: ignore[assignment]  # of its argument as typeshed has it
sys.addaudithook(_note_process)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--check-needs", action="store_true", help="fail tests that lack a mark")


def pytest_configure(config: pytest.Config) -> None:
    for name, need in NEEDS.items():
        config.addinivalue_line("markers", f"{name}: {need}")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any],
) -> Generator[None, object, object]:
    if fixturedef.scope == "function" or usage.shared_depth:
        return (yield)
    before = _cpu_seconds()
    usage.shared_depth += 1
    try:
        return (yield)
    finally:
        usage.shared_depth -= 1
        usage.shared_cpu += _cpu_seconds() - before


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    usage.begin()
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    result = yield
    marked = any(mark.name in NEEDS for mark in item.iter_markers())
    if item.config.getoption("check_needs") and not marked:
        seconds = usage.cpu_seconds()
        if seconds > LISTED_CPU_SECONDS:
            item.user_properties.append(("cpu_seconds", round(seconds, 1)))
        if unmet := _find_need(seconds):
            pytest.fail(unmet, pytrace=False)
    return result


def _find_need(cpu_seconds: float) -> str:
    """Return what an unmarked test needed, and the mark for it; nothing where it needed none."""
    if usage.processes:
        return f"It starts a process ({usage.processes[0]}): mark it `process`."
    if usage.slept:
        return f"It sleeps {usage.slept:.2f} s ({usage.slept_at}): mark it `waits`."
    if _count_engine_loads() > usage.engine_loads:
        return "It uses a face engine: mark it `engine`."
    if cpu_seconds > MAX_CPU_SECONDS:
        return f"It takes {cpu_seconds:.1f} processor seconds: mark it `long`."
    return ""


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
