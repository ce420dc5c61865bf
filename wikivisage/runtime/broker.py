"""The embedded broker: kombu's broker of files, whose files appear whole or not at all.

kombu 5.7 opens a message's file, and the one that says which queues listen to an exchange, under
its final name and writes afterwards: a worker that looks in between reads an empty file and ends
with a JSON error, and of two that begin an exchange at once one is forgotten.
"""

import fcntl
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.json import dumps, loads

from wikivisage.runtime.wakeups import Unreadable, WakeupsOnly, drop, read_next

LARGEST_MESSAGE = 1_000_000  # bytes; a wake-up has about 1,500


class Channel(filesystem.Channel):
    def _put(  # type: ignore[override]  # as in kombu, whose own two classes disagree
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}"
        folder = Path(self.data_folder_out)
        _write(folder / f"{name}.{queue}.msg", payload, folder / f"{name}.part")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        self._drop_impossible(queue)
        return read_next(self._read, queue)

    def _read(self, queue: str) -> Any:
        """Take the next message. Raises Empty, and Unreadable where its file can't be read."""
        try:
            return super()._get(queue)
        except ChannelError as error:
            if not isinstance(error.__cause__, OSError):
                raise
            # kombu has moved the file out of the queue, so it is not met again
            raise Unreadable("a file that can't be read") from None

    def _drop_impossible(self, queue: str) -> None:
        """Delete what is no wake-up by its kind or size, so that none is opened or read into
        memory: folders, links and devices, and files that are far too large."""
        for file in Path(self.data_folder_in).glob(f"*.{queue}.msg"):
            with suppress(FileNotFoundError):  # taken by another worker
                status = file.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST_MESSAGE:
                    continue
                if stat.S_ISDIR(status.st_mode):
                    shutil.rmtree(file, ignore_errors=True)
                else:
                    file.unlink()
                is_file = stat.S_ISREG(status.st_mode)
                drop(Unreadable("too large" if is_file else "not a file"))

    def get_table(  # type: ignore[override]  # as in kombu
        self, exchange: str
    ) -> list[exchange_queue_t]:
        """Which queues listen. What a crash or kombu's own broker left half written says nothing:
        each worker binds its queues again when it starts."""
        try:
            rows = loads(self._file(exchange).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return []
        return [exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str | None, queue: str) -> None:
        bound = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._changing(exchange) as table:
            if bound not in table:
                table.insert(0, bound)

    def _delete(
        self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any
    ) -> None:
        self._purge(queue)
        bound = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._changing(exchange) as table:
            table[:] = [each for each in table if each != bound]

    def _file(self, exchange: str) -> Path:
        file: Path = self._exchange_file(exchange)  # type: ignore[attr-defined]
        return file

    @contextmanager
    def _changing(self, exchange: str) -> Iterator[list[exchange_queue_t]]:
        """Which queues listen, to be changed by one process at a time."""
        file = self._file(exchange)
        file.parent.mkdir(exist_ok=True)
        with open(f"{file}.lock", "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            table = self.get_table(exchange)
            before = list(table)
            yield table
            if table != before:
                _write(file, table, Path(f"{file}.part"))


class Transport(WakeupsOnly, filesystem.Transport):  # type: ignore[misc]  # a mix-in before it
    Channel = Channel


def _write(file: Path, content: Any, beside: Path) -> None:
    """Write beside, then rename: a rename within a folder is atomic."""
    beside.write_text(dumps(content), encoding="utf-8")
    os.replace(beside, file)
