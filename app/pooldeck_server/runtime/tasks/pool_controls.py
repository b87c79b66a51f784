"""What is set by hand for pools: kept first, then done, and done again after a restart."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import InitVar, dataclass
from typing import Any, Final, Protocol

from msgspec.structs import replace

from pooldeck.pools.hosted import HostedPool
from pooldeck.pools.port import PoolPort
from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, NotFound, no_pool
from pooldeck_server.domain.pools.annotations import Kind
from pooldeck_server.domain.pools.controls import ControlState, PoolControl
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.deployed_code import DeployedCode
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.restored import Restored
from pooldeck_server.store import records
from pooldeck_server.store.transaction import Transaction

_KINDS: Final[Mapping[ControlState, Kind]] = {
    "paused": "pause",
    "stopped": "drain",
    "running": "resume",
}
_DEEDS: Final[Mapping[ControlState, Deed]] = {
    "paused": Deed.PAUSE,
    "stopped": Deed.DRAIN,
    "running": Deed.RESUME,
}


@dataclass(kw_only=True, eq=False)
class KeptControls:
    """The settings by hand of all pools.

    A size counts for as long as the configuration gives the size that it gave then: who changes
    that has the last word. `StorageUnavailable` is raised if one could not be kept.
    """

    recorder: Recorder
    configured: InitVar[Mapping[str, int]]  # the size of each pool as the configuration gives it
    configured_hosts: InitVar[Mapping[str, int]]  # the same of hosts that an engine places
    kept: InitVar[Iterable[PoolControl]]  # by the store; also of pools that there are no more

    def __post_init__(
        self,
        configured: Mapping[str, int],
        configured_hosts: Mapping[str, int],
        kept: Iterable[PoolControl],
    ) -> None:
        known = {control.name: control for control in kept}
        self._controls = {
            name: _as_configured(
                known.get(name) or PoolControl(name, None, size), size, configured_hosts.get(name)
            )
            for name, size in configured.items()
        }

    def of(self, pool: str) -> PoolControl | None:
        control = self._controls[pool]
        is_as_configured = control.size is None and control.hosts is None
        return None if is_as_configured and control.state == "running" else control

    def state(self, pool: str) -> ControlState:
        return self._controls[pool].state

    def size(self, pool: str) -> int:
        control = self._controls[pool]
        return control.configured if control.size is None else control.size

    def hosts(self, pool: str) -> int | None:
        """Return how many hosts an engine is asked for; None where none places them."""
        control = self._controls[pool]
        return control.configured_hosts if control.hosts is None else control.hosts

    def apply(self, pool: PoolPort, *, is_held: bool = False) -> None:
        """Let a new pool hand nothing out if it was told so before the restart, or if all are."""
        state = self._controls[pool.spec.name].state
        if is_held:
            pool.pause()
        elif state != "running":
            turn(pool, state)

    def let_go(self, pool: PoolPort) -> None:
        """Let a pool that was held be as it was set by hand."""
        turn(pool, self._controls[pool.spec.name].state)

    async def keep_size(self, pool: str, size: int, action: Action) -> None:
        control = self._controls[pool]
        size_by_hand = None if size == control.configured else size
        await self._keep(replace(control, size=size_by_hand), action)

    async def keep_hosts(self, pool: str, hosts: int, action: Action) -> None:
        control = self._controls[pool]
        hosts_by_hand = None if hosts == control.configured_hosts else hosts
        await self._keep(replace(control, hosts=hosts_by_hand), action)

    async def keep_state(self, pool: str, state: ControlState, action: Action) -> None:
        await self._keep(replace(self._controls[pool], state=state), action)

    async def _keep(self, control: PoolControl, action: Action) -> None:
        def write(transaction: Transaction) -> None:
            records.save_control(transaction, control)
            records.act(transaction, action)

        await self.recorder.perform(write)
        self._controls[control.name] = control


class HostPlaces(Protocol):
    """Who has engines place the hosts of pools."""

    def want(self, pool: str, hosts: int) -> None:
        """Have another number of hosts for a pool; those too many finish what they run first."""


@dataclass(kw_only=True, eq=False)
class PoolControls:
    """Changes pools by hand; what outlives a restart is kept before it is done.

    Each change returns the health of its pool after it. All raise `NotFound` if there is no such
    pool or worker, and `StorageUnavailable` if the change could not be kept.
    """

    kept: KeptControls
    restored: Restored
    queues: Mapping[str, Dispatcher]
    recorder: Recorder
    clock: Clock
    annotations: Annotations
    changes: LiveChanges
    code: DeployedCode
    places: HostPlaces
    health: Callable[[str], PoolHealth]  # gives that of one pool

    async def resize(self, name: str, size: int, reason: str | None = None) -> PoolHealth:
        """Give a pool another number of slots, live."""
        pool = self._pool(name)
        before, after = {"size": pool.size}, {"size": size}
        action = self._action(Deed.RESIZE, name, before=before, after=after, reason=reason)
        await self.kept.keep_size(name, size, action)
        self.annotations.annotate("resize", name, reason=reason, before=pool.size, after=size)
        pool.resize(size)
        return self._changed(name)

    async def want_hosts(self, name: str, hosts: int, reason: str | None = None) -> PoolHealth:
        """Have the engine of a pool place another number of hosts.

        `Conflict` if no engine places them.
        """
        self._hosted(name)
        before = self.kept.hosts(name)
        if before is None:
            raise Conflict(
                f"the hosts of the pool {name} are started by hand: `pooldeck host --pool {name}` "
                "on a machine adds one, and draining a host lets it go"
            )
        action = self._action(
            Deed.RESIZE, name, before={"hosts": before}, after={"hosts": hosts}, reason=reason
        )
        await self.kept.keep_hosts(name, hosts, action)
        self.annotations.annotate(
            "resize", name, reason=reason, of="hosts", before=before, after=hosts
        )
        self.places.want(name, hosts)
        return self._changed(name)

    async def pause(self, name: str, reason: str | None = None) -> PoolHealth:
        return await self._turn(name, "paused", reason)

    async def resume(self, name: str, reason: str | None = None) -> PoolHealth:
        self.restored.check()
        return await self._turn(name, "running", reason)

    async def drain(self, name: str, reason: str | None = None) -> PoolHealth:
        """Let a pool finish what runs and then stop; `reason` says why, for the record."""
        return await self._turn(name, "stopped", reason)

    async def restart(self, name: str, reason: str | None = None) -> PoolHealth:
        """Replace a pool's workers one by one, which loads the user's code anew.

        Which modules and commands those are is read again from the settings: `Conflict` if they
        cannot be used as they are now.
        """
        pool = self._pool(name)
        code = self.code.read_anew()
        self.recorder.record_action(self._action(Deed.RESTART, name, reason=reason))
        self.annotations.annotate("restart", name, reason=reason)
        pool.restart(code)
        return self._changed(name)

    async def kill_worker(self, worker_id: str, reason: str | None = None) -> PoolHealth:
        """End a worker; its tasks are cancelled."""
        for name, queue in self.queues.items():
            if queue.pool.kill_worker(worker_id):
                killed = acting.action(
                    self.clock.now(), Deed.KILL_WORKER, "worker", worker_id, reason=reason
                )
                self.recorder.record_action(killed)
                self.annotations.annotate("kill_worker", name, worker_id, reason)
                return self._changed(name)
        raise NotFound(f"there is no worker {worker_id}; it may have ended")

    async def drain_host(self, name: str, host: str, reason: str | None = None) -> PoolHealth:
        """Hand a host of a pool nothing new, and let it go when nothing runs there any more."""
        if not self._hosted(name).drain_host(host):
            raise _no_host(name, host)
        return self._done_to_host(Deed.DRAIN_HOST, "drain_host", name, host, reason)

    async def end_host(self, name: str, host: str, reason: str | None = None) -> PoolHealth:
        """End a host of a pool at once; what runs there is cut off."""
        why = f"it was ended by hand: {reason}" if reason else "it was ended by hand"
        if not self._hosted(name).end_host(host, why):
            raise _no_host(name, host)
        return self._done_to_host(Deed.END_HOST, "end_host", name, host, reason)

    def _done_to_host(
        self, deed: Deed, kind: Kind, name: str, host: str, reason: str | None
    ) -> PoolHealth:
        done = acting.action(self.clock.now(), deed, "host", f"{name}/{host}", reason=reason)
        self.recorder.record_action(done)
        self.annotations.annotate(kind, name, host, reason)
        return self._changed(name)

    def _hosted(self, name: str) -> HostedPool:
        pool = self._pool(name)
        if not isinstance(pool, HostedPool):
            raise NotFound(f"the pool {name} has no hosts: it lives on the server's own machine")
        return pool

    async def _turn(self, name: str, state: ControlState, reason: str | None = None) -> PoolHealth:
        pool = self._pool(name)
        before, after = {"state": self.kept.state(name)}, {"state": state}
        action = self._action(_DEEDS[state], name, before=before, after=after, reason=reason)
        await self.kept.keep_state(name, state, action)
        self.annotations.annotate(_KINDS[state], name, reason=reason)
        turn(pool, state)
        return self._changed(name)

    def _action(self, deed: Deed, pool: str, **what: Any) -> Action:
        return acting.action(self.clock.now(), deed, "pool", pool, **what)

    def _pool(self, name: str) -> PoolPort:
        if name not in self.queues:
            raise NotFound(no_pool(name, self.queues))
        return self.queues[name].pool

    def _changed(self, name: str) -> PoolHealth:
        self.changes.invalidate()
        return self.health(name)


def _no_host(pool: str, host: str) -> NotFound:
    return NotFound(f"the pool {pool} has no host {host[:100]}; it may be gone")


def turn(pool: PoolPort, state: ControlState) -> None:
    """Pause a pool, let it drain until it has stopped, or let it run on."""
    match state:
        case "paused":
            pool.pause()
        case "stopped":
            pool.drain()
        case "running":
            pool.resume()


def _as_configured(control: PoolControl, configured: int, hosts: int | None) -> PoolControl:
    """Return a control for what is configured now, which ends what was set for something else."""
    if control.configured != configured:
        control = replace(control, size=None, configured=configured)
    if control.configured_hosts != hosts:
        control = replace(control, hosts=None, configured_hosts=hosts)
    return control
