"""Numbers that threads count together without Redis."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.counters import FileCounters


def test_threads_that_count_at_once_lose_no_number(tmp_path: Path) -> None:
    def count(_try: int) -> int:
        return FileCounters(str(tmp_path), {}).count(["posts"], 60)[0]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(count, range(200)))
    assert sorted(found) == list(range(1, 201))
