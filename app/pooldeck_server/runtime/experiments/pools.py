"""Temporary pools: like a function's own pool, but of another kind and size."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck.pools.launcher import Launcher
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck.pools.pool import Pool
from pooldeck.pools.port import PoolPort
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.deployed_code import DeployedCode
from pooldeck_server.runtime.tasks.pool_spec import pool_spec, worker_numbers
from pooldeck_server.runtime.tasks.shared_state import Shared
from pooldeck_server.settings import Settings


@dataclass(kw_only=True, eq=False)
class TemporaryPools:
    """Makes them, not started."""

    settings: Settings
    code: DeployedCode
    recorder: Recorder
    launcher: Launcher
    shared: Shared
    boot: str  # the mark of this run of the server
    is_ending: Callable[[], bool]  # tells whether the server was told to end

    def make(self, home: str, kind: PoolKind, size: int, listener: PoolListener) -> PoolPort:
        """Return a pool with the modules and the initializer of `home`, the function's own."""
        spec = replace(
            pool_spec(home, self.settings, self.code.spec, size, self.shared.access),
            name=f"experiment.{kind}",  # names in the settings have no dot
            kind=kind,
            spare=0,
            max_tasks_per_worker=0,
            max_memory_bytes=0,
            probes=False,  # what is measured should not be watched as well
            tracing=None,  # for the same reason
        )
        return Pool(
            spec,
            self.boot,
            worker_numbers(self.recorder, spec.name),
            listener,
            memory=MemoryWatch(),
            launcher=self.launcher,
            is_ending=self.is_ending,
        )
