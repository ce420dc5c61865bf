"""What all processes count together: see `projects.limits`.

Whole numbers only. A Redis may be shared with others, who could put anything under our keys, so
that nothing is unpickled that comes from there.
"""

from __future__ import annotations

from django.core.cache.backends.redis import RedisCache


class WholeNumbers:
    """A serializer for Django's cache in Redis. Raises ValueError for anything else."""

    def dumps(self, number: int) -> int:
        return int(number)

    def loads(self, data: bytes) -> int:
        return int(data)


class RedisCounters(RedisCache):
    """Django's cache in Redis, which empties what is ours alone: the broker may be beside it."""

    def clear(self) -> None:
        client = self._cache.get_client(None, write=True)
        for key in client.scan_iter(f"{self.make_key('')}*"):
            client.delete(key)
