"""Runs it, and ends with a line of figures in JSON. Exit code 1 when something did not hold."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from bench.compose.engine import Engine, refuse_to_disturb
from bench.compose.machine import localhost_as_in_browsers
from bench.compose.rehearsal import Rehearsal
from bench.compose.traces import network_as_before, own_folder


def main() -> int:
    refuse_to_disturb()
    home = Path(os.environ.get("COMPOSE_TEST_FOLDER") or "/var/tmp/wikivisage-compose").resolve()
    keep = os.environ.get("COMPOSE_TEST_KEEP") == "yes"
    on_toolforge = os.environ.get("PLATFORM") == "toolforge"
    with own_folder(home, keep=keep), network_as_before():
        figures = rehearse(home, on_toolforge=on_toolforge)
    if figures:
        print(json.dumps(figures))
    return 0 if figures else 1


def rehearse(home: Path, *, on_toolforge: bool) -> dict[str, Any]:
    """Return the figures, or none when something did not hold."""
    with Engine(home) as engine, tempfile.TemporaryDirectory(dir=home) as folder:
        engine.remove_leftovers()
        engine.fetch_bases()
        rehearsal = Rehearsal(engine, Path(folder), on_toolforge=on_toolforge)
        try:
            with localhost_as_in_browsers():
                return rehearsal.run()
        except (AssertionError, OSError):
            rehearsal.show_logs()
            traceback.print_exc()
            return {}
        finally:
            engine.remove_leftovers()


if __name__ == "__main__":
    sys.exit(main())
