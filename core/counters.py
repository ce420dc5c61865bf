"""What all processes count together: see `core.ratelimit`.

Whole numbers only. A Redis may be shared with others, who could put anything under our keys, so
that nothing is unpickled that comes from there. What is no number is replaced and counted.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache
from redis import ResponseError

from core import metrics

log = logging.getLogger(__name__)


class WholeNumbers:
    """A serializer for Django's cache in Redis. Raises ValueError for anything else."""

    def dumps(self, number: int) -> int:
        return int(number)

    def loads(self, data: bytes) -> int:
        return int(data)


class FileCounters(FileBasedCache):
    """Django's cache in files, for a machine without Redis."""

    def count(self, keys: Sequence[str], seconds: int) -> list[int]:
        """Add one to the first number, which is forgotten after so many seconds; return all."""
        first, *others = keys
        with self._locked():
            number = self._number(first) + 1
            self.set(first, number, seconds)
        return [number, *map(self._number, others)]

    def uncount(self, key: str, seconds: int) -> None:
        """Take one off a number again."""
        with self._locked():
            self.set(key, self._number(key) - 1, seconds)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold a lock of all threads and processes: reading and writing a number are two steps."""
        folder = Path(self._dir)  # type: ignore[attr-defined]  # the stubs lack it
        folder.mkdir(0o700, parents=True, exist_ok=True)
        with (folder / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _number(self, key: str) -> int:
        found = self.get(key, 0)
        if isinstance(found, int):
            return found
        self.delete(key)
        _count_dropped()
        return 0


class RedisCounters(RedisCache):
    """Django's cache in Redis, which empties what is ours alone: the broker may be beside it."""

    def count(self, keys: Sequence[str], seconds: int) -> list[int]:
        """Add one to the first number, which is forgotten after so many seconds; return all. It
        takes one way to Redis and back, since every answer waits for it."""
        first, *others = [self.make_and_validate_key(key) for key in keys]
        client = self._cache.get_client(None, write=True)
        with client.pipeline(transaction=False) as pipe:
            pipe.incr(first)
            pipe.expire(first, seconds)
            pipe.mget(others)  # None for another type
            number, _expires, found = pipe.execute(raise_on_error=False)
        if isinstance(number, ResponseError) and _is_no_number(number):
            _count_dropped()
            client.set(first, 1, ex=seconds)
            number = 1
        for answer in (number, found):
            if isinstance(answer, Exception):
                raise answer
        counts = [number]
        for name, value in zip(others, found, strict=True):
            if value is not None and not value.lstrip(b"-").isdigit():
                _count_dropped()
                client.delete(name)
                value = None
            counts.append(int(value or 0))
        return counts

    def uncount(self, key: str, seconds: int) -> None:
        """Take one off a number again."""
        name = self.make_and_validate_key(key)
        with self._cache.get_client(None, write=True).pipeline(transaction=False) as pipe:
            pipe.decr(name)
            pipe.expire(name, seconds)
            pipe.execute()

    def clear(self) -> None:
        client = self._cache.get_client(None, write=True)
        for key in client.scan_iter(f"{self.make_key('')}*"):
            client.delete(key)


def _is_no_number(error: ResponseError) -> bool:
    """Return whether Redis could not count because of what a key holds."""
    return "WRONGTYPE" in str(error) or "not an integer" in str(error)


def _count_dropped() -> None:
    """Count a value that somebody else put in the place of a number. Nothing of it is logged."""
    metrics.add("counts_dropped")
    metrics.flush()
    log.warning("a count in Redis was no number, and begins again")
