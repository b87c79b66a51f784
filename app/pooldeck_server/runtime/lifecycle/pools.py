"""Makes each pool with its queue: on this machine, or on hosts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pooldeck.cpus import usable_cpus
from pooldeck.memory import usable_memory
from pooldeck.needs import of_machine
from pooldeck.pools.boxes import Boxes
from pooldeck.pools.launcher import Launcher
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck.pools.pool import Pool
from pooldeck.pools.port import PoolPort
from pooldeck_server.domain.clock import Clock
from pooldeck_server.runtime.hosts.hosted_pools import HostedPools
from pooldeck_server.runtime.lifecycle.loading import Kept
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.spans import Spans
from pooldeck_server.runtime.tasks.deployed_code import DeployedCode
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.logs import Logs
from pooldeck_server.runtime.tasks.pool_spec import pool_spec, worker_numbers
from pooldeck_server.runtime.tasks.server_drain import ServerDrain
from pooldeck_server.runtime.tasks.shared_state import Shared
from pooldeck_server.settings import Settings
from pooldeck_server.store.database import Reader


@dataclass(frozen=True, kw_only=True, eq=False)
class PoolMaker:
    """Has what every pool is made with."""

    settings: Settings
    clock: Clock
    recorder: Recorder
    reader: Reader
    kept: Kept
    code: DeployedCode
    shared: Shared
    hosting: HostedPools
    launcher: Launcher
    boot: str  # the mark of this run
    boxes: Boxes
    logs: Logs
    spans: Spans | None
    door: Door
    drain: ServerDrain
    on_change: Callable[[str], None]  # told of which pool the picture has changed

    def queue(self, name: str) -> Dispatcher:
        """Return the queue of a pool, with the pool, which is not started."""
        settings = self.settings.pools[name]
        return Dispatcher(
            name=name,
            kind=settings.kind,
            make_pool=partial(self._pool, name),
            has=of_machine(usable_cpus(), usable_memory(), settings.has),
            recorder=self.recorder,
            reader=self.reader,
            clock=self.clock,
            durations=self.kept.durations,
            profiles=self.kept.profiles,
            holds=self.kept.holds,
            incidents=self.kept.incidents,
            functions=self.kept.functions,
            logs=self.logs,
            spans=self.spans,
            memory=self.settings.memory_queue,
            is_closing=self.door.is_closing,
            is_halted=lambda: self.drain.holds_queue,
            undecided=self.hosting.earlier,
            on_change=partial(self.on_change, name),
        )

    def _pool(self, name: str, listener: PoolListener) -> PoolPort:
        size = self.kept.controls.size(name)
        spec = pool_spec(name, self.settings, self.code.spec, size, self.shared.access)
        if self.settings.pools[name].hosts is not None:
            return self.hosting.pool(spec, listener, partial(self.on_change, name))
        return Pool(
            spec,
            self.boot,
            worker_numbers(self.recorder, name),
            listener,
            memory=MemoryWatch(),
            launcher=self.launcher,
            is_ending=self.door.is_closing,
            boxes=self.boxes,
        )
