"""The broker on Redis: kombu's, which no message ends and no silent server holds up."""

# mypy: disable-error-code="attr-defined,misc"
# (the types that are known of kombu lack most of its transport for Redis)

from typing import Any

from kombu.transport import redis, virtual
from kombu.transport.virtual import Empty
from kombu.utils.json import loads
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from wikivisage.wakeups import UNDECODED, Unreadable, WakeupsOnly, drop, read_next, rebuild


class QoS(redis.QoS):
    def ack(self, delivery_tag: Any) -> None:
        """Confirm a message. kombu would count one that Redis did not hear of as unconfirmed for
        ever, and take no other in its place."""
        try:
            super().ack(delivery_tag)
        except self.channel.connection_errors:
            virtual.QoS.ack(self, delivery_tag)
            raise

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

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        return read_next(super()._get, queue)


class Transport(WakeupsOnly, redis.Transport):
    Channel = Channel
