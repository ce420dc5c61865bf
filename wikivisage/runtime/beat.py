"""Beat that waits while its broker is away, where Celery's tries on and complains each time."""

import dbm
import logging
from typing import Any

from celery.beat import PersistentScheduler, SchedulingError

log = logging.getLogger(__name__)

LONGEST = 10.0  # seconds between tries: as late as a wake-up may come once the broker is back


class Scheduler(PersistentScheduler):
    wait = 0.0

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """What could not be sent stays due, and is what the next try sends."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            self.wait = min(max(2 * self.wait, 1.0), LONGEST)
            self.schedule[entry.name], self._heap = entry, None
            why = error.__context__
            log.error("%s can't be sent (%s): again in %d s", entry.name, why, self.wait)
        else:
            if self.wait:
                log.warning("%s is sent: the broker is back", entry.name)
            self.wait = 0.0

    def sync(self) -> None:
        """Write down when each was sent last. Without room on the disk it is known from now on
        alone, which costs a wake-up at most."""
        try:
            super().sync()
        except dbm.error as error:
            log.error("what was sent last can't be written down: %s", type(error).__name__)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        return max(super().tick(*args, **kwargs), self.wait)
