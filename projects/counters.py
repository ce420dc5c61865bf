"""What all processes count together: see `projects.limits`.

Whole numbers only. A Redis may be shared with others, who could put anything under our keys, so
that nothing is unpickled that comes from there.
"""

from __future__ import annotations

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

    def count(self, key: str, seconds: int) -> int:
        """Add one to a number that is forgotten after so many seconds; return it."""
        self.add(key, 0, seconds)
        return int(self.incr(key))


class RedisCounters(RedisCache):
    """Django's cache in Redis, which empties what is ours alone: the broker may be beside it."""

    def count(self, key: str, seconds: int) -> int:
        """Add one to a number that is forgotten after so many seconds; return it. It takes one
        way to Redis and back, since every answer waits for it."""
        name = self.make_and_validate_key(key)
        with self._cache.get_client(key, write=True).pipeline(transaction=False) as pipe:
            pipe.incr(name)
            pipe.expire(name, seconds)
            number, _expires = pipe.execute()
        return int(number)

    def clear(self) -> None:
        client = self._cache.get_client(None, write=True)
        for key in client.scan_iter(f"{self.make_key('')}*"):
            client.delete(key)
