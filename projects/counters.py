"""What all processes count together: see `projects.limits`.

Whole numbers only. A Redis may be shared with others, who could put anything under our keys, so
that nothing is unpickled that comes from there.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.redis import RedisCache


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
        number = int(self.get(first, 0)) + 1
        self.set(first, number, seconds)
        found = self.get_many(others)
        return [number, *(int(found.get(key, 0)) for key in others)]

    def uncount(self, key: str, seconds: int) -> None:
        """Take one off a number again."""
        self.set(key, int(self.get(key, 0)) - 1, seconds)


class RedisCounters(RedisCache):
    """Django's cache in Redis, which empties what is ours alone: the broker may be beside it."""

    def count(self, keys: Sequence[str], seconds: int) -> list[int]:
        """Add one to the first number, which is forgotten after so many seconds; return all. It
        takes one way to Redis and back, since every answer waits for it."""
        first, *others = [self.make_and_validate_key(key) for key in keys]
        with self._cache.get_client(None, write=True).pipeline(transaction=False) as pipe:
            pipe.incr(first)
            pipe.expire(first, seconds)
            pipe.mget(others)
            number, _expires, found = pipe.execute()
        return [int(each or 0) for each in (number, *found)]

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
