"""The broker on Redis: kombu's, which no message or foreign key ends and no silent server holds up.

Whoever reaches Redis can write under our keys. Where one of them holds another type than kombu's,
every command on it fails: all such keys are deleted and counted, and the command is tried once
more. What waited in them is lost, which costs time only, since messages only wake.
"""

# mypy: disable-error-code="attr-defined,misc"
# (the types that are known of kombu lack most of its transport for Redis)

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.conf import settings
from kombu.transport import redis, virtual
from kombu.transport.virtual import Empty
from kombu.utils.json import loads
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import ResponseError
from redis.retry import Retry

from wikivisage.runtime.wakeups import UNDECODED, Unreadable, WakeupsOnly, drop, read_next, rebuild


def is_wrong_type(error: ResponseError) -> bool:
    """Return whether a key holds another type than the command is for; in a pipeline, too."""
    return "WRONGTYPE" in str(error)


def mends_keys(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a method of Channel or QoS: drop keys of another type, and run it once more."""

    @wraps(method)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except ResponseError as error:
            if not is_wrong_type(error):
                raise
        channel: Any = self.channel if isinstance(self, QoS) else self
        channel.drop_foreign_keys()
        return method(self, *args, **kwargs)

    return wrapper


class QoS(redis.QoS):
    append = mends_keys(redis.QoS.append)
    reject = mends_keys(redis.QoS.reject)
    restore_visible = mends_keys(redis.QoS.restore_visible)

    @mends_keys
    def ack(self, delivery_tag: Any) -> None:
        """Confirm a message. kombu would count one that Redis did not hear of as unconfirmed for
        ever, and take no other in its place."""
        try:
            super().ack(delivery_tag)
        except self.channel.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise

    @mends_keys
    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put back what no worker confirmed. kombu would end the worker where it can't be read."""
        with self.channel.conn_or_acquire(client) as connection:
            try:
                if kept := connection.hget(self.unacked_key, tag):
                    message, _exchange, queue = loads(kept)
                    rebuild(message, queue)
            except (*UNDECODED, Unreadable) as error:
                self._remove_from_indices(tag).execute()
                drop(error)
                return
        super().restore_by_tag(tag, client, leftmost)


class Channel(redis.Channel):
    QoS = QoS
    _put = mends_keys(redis.Channel._put)
    _size = mends_keys(redis.Channel._size)
    _queue_bind = mends_keys(redis.Channel._queue_bind)
    _restore = mends_keys(redis.Channel._restore)
    get_table = mends_keys(redis.Channel.get_table)

    def drop_foreign_keys(self) -> None:
        """Delete and count the keys of ours that hold another type than kombu's."""
        with self.conn_or_acquire() as client:
            for key, kind in self._types():
                # kombu's client adds the prefix to the commands that kombu itself uses
                found = client.type(f"{self.global_keyprefix}{key}").decode()
                if found not in (kind, "none") and client.delete(key):
                    drop(Unreadable(f"a key holds a {found}, no {kind}"))

    def _types(self) -> Iterator[tuple[str, str]]:
        """Name each key that kombu uses for our queues, and its type."""
        yield self.unacked_key, "hash"
        yield self.unacked_index_key, "zset"
        for queue in set(settings.PIPELINE_TASKS.values()):  # an exchange has its queue's name
            yield self.keyprefix_queue % (queue,), "set"
            yield self.keyprefix_binding_permanent % (queue,), "set"
            for priority in self.priority_steps:
                yield self._q_for_pri(queue, priority), "list"

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """As kombu's, but without pauses: a dropped connection is made once more, a server that
        stays silent is not asked again."""
        params: dict[str, Any] = super()._connparams(asynchronous=asynchronous)
        return params | {"retry": Retry(NoBackoff(), 1, (Disconnected,))}

    def _brpop_read(self, **options: Any) -> bool | None:
        """Take what BRPOP brought. It has left the queue by then, whatever it is."""
        try:
            return bool(super()._brpop_read(**options))
        except (*self.connection_errors, Empty):
            raise
        except UNDECODED as error:
            drop(error)
            return None
        except ResponseError as error:
            if not is_wrong_type(error):
                raise
            self.drop_foreign_keys()
            return None

    @mends_keys
    def _get(self, queue: str, timeout: float | None = None) -> Any:
        return read_next(super()._get, queue)


class Transport(WakeupsOnly, redis.Transport):
    Channel = Channel
