"""Temporary pools: like a function's own pool, but of another kind and size."""

from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck.pools.launcher import SubprocessLauncher
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.memory import MemoryWatch
from pooldeck.pools.model import PoolSpec
from pooldeck.pools.pool import Pool
from pooldeck.pools.port import PoolPort
from pooldeck_server.runtime.lifecycle.ground import Ground
from pooldeck_server.runtime.lifecycle.pool_making import pool_spec
from pooldeck_server.store import records


class TemporaryPools:
    """Makes them, not started.

    Args:
        ground: Knows what the server's own pools are made of, and keeps the numbers of workers.
        boot: The mark of this run of the server.
    """

    def __init__(self, ground: Ground, boot: str) -> None:
        self._ground = ground
        self._boot = boot

    def make(self, home: str, kind: PoolKind, size: int, listener: PoolListener) -> PoolPort:
        """Return a pool.

        Args:
            home: The function's own pool, whose modules and initializer it has.
            kind: Of the temporary pool.
            size: Its slots.
            listener: Who feeds it.
        """
        spec = self._spec(home, kind, size)

        async def number() -> int:
            recorder = self._ground.recorder
            return await recorder.perform(lambda tx: records.next_worker_number(tx, spec.name))

        return Pool(
            spec,
            self._boot,
            number,
            listener,
            memory=MemoryWatch(),
            launcher=self._ground.shared.launcher(SubprocessLauncher()),
        )

    def _spec(self, home: str, kind: PoolKind, size: int) -> PoolSpec:
        return replace(
            pool_spec(home, self._ground.settings, size),
            name=f"experiment.{kind}",  # names in the settings have no dot
            kind=kind,
            shared=self._ground.shared.access,
            spare=0,
            max_tasks_per_worker=0,
            max_memory_bytes=0,
            probes=False,  # what is measured should not be watched as well
        )
