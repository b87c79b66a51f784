"""Whether the server can do its work at this moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pooldeck.pools.model import PoolState
from pooldeck_server.domain.readiness import Readiness
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door


@dataclass(kw_only=True, eq=False)
class ReadinessProbe:
    """Looks at the pools and at the store."""

    queues: Mapping[str, Dispatcher]
    door: Door
    recorder: Recorder
    _had_workers: bool = field(init=False, default=False)

    def look(self) -> Readiness:
        """Return what holds now.

        One pool with a worker is enough. A pool that somebody has stopped counts as well: it takes
        tasks, and is to be reached for the order to go on. Once there was a worker, a moment
        without any is none of starting.
        """
        if self.door.is_closing() or self.door.drain.is_on:
            return Readiness.DRAINING
        if not self.door.is_open or self.recorder.trouble is not None:
            return Readiness.STORAGE_UNAVAILABLE
        pools = [queue.pool for queue in self.queues.values()]
        if any(pool.staffed for pool in pools):
            self._had_workers = True
            return Readiness.READY
        states = {pool.state for pool in pools}
        if not self._had_workers and states & {PoolState.RUNNING, PoolState.PAUSED}:
            return Readiness.STARTING
        return Readiness.BROKEN if PoolState.BROKEN in states else Readiness.READY
