"""What is set by hand for pools: kept first, then done, and done again after a restart."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from pooldeck.pools.port import PoolPort
from pooldeck_server.domain.pools.annotations import Kind
from pooldeck_server.domain.pools.controls import ControlState, PoolControl
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import records

_KINDS: Final[Mapping[ControlState, Kind]] = {
    "paused": "pause",
    "stopped": "drain",
    "running": "resume",
}


class Controls:
    """The settings by hand of all pools.

    A size counts for as long as the configuration gives the size that it gave then: who changes
    that has the last word.

    Args:
        recorder: Where they are kept.
        annotations: Notes what is done by hand.
        configured: The size of each pool as the configuration gives it.
        kept: What the store has kept; also of pools that there are no more.
    """

    def __init__(
        self,
        recorder: Recorder,
        annotations: Annotations,
        configured: Mapping[str, int],
        kept: Iterable[PoolControl],
    ) -> None:
        self._recorder = recorder
        self._annotations = annotations
        known = {control.name: control for control in kept}
        self._controls = {
            name: _as_configured(known.get(name) or PoolControl(name, None, size), size)
            for name, size in configured.items()
        }

    def of(self, pool: str) -> PoolControl | None:
        """Return what is set by hand for a pool, None if nothing is."""
        control = self._controls[pool]
        return None if control.size is None and control.state == "running" else control

    def size(self, pool: str) -> int:
        """Return the size that a pool has, set by hand or configured."""
        control = self._controls[pool]
        return control.configured if control.size is None else control.size

    def apply(self, pool: PoolPort) -> None:
        """Let a new pool hand nothing out if it was told so before the restart."""
        state = self._controls[pool.spec.name].state
        if state != "running":
            self._act(pool, state)

    async def set_size(self, pool: PoolPort, size: int) -> None:
        """Give a pool another size, live.

        Raises:
            StorageUnavailable: If it could not be kept; the pool stays as it is.
        """
        control = self._controls[pool.spec.name]
        await self._keep(replace(control, size=None if size == control.configured else size))
        self._annotations.annotate("resize", pool.spec.name, before=pool.size, after=size)
        pool.resize(size)

    async def set_state(
        self, pool: PoolPort, state: ControlState, reason: str | None = None
    ) -> None:
        """Pause a pool, let it drain until it has stopped, or let it run on.

        Args:
            pool: The pool.
            state: What it is to do.
            reason: Why, as far as it was said.

        Raises:
            StorageUnavailable: If it could not be kept; the pool stays as it is.
        """
        await self._keep(replace(self._controls[pool.spec.name], state=state))
        self._annotations.annotate(_KINDS[state], pool.spec.name, reason=reason)
        self._act(pool, state)

    def restart(self, pool: PoolPort, reason: str | None = None) -> None:
        """Replace a pool's workers one by one; `reason` says why, as far as it was said."""
        self._annotations.annotate("restart", pool.spec.name, reason=reason)
        pool.restart()

    def kill_worker(self, pool: PoolPort, worker_id: str, reason: str | None = None) -> bool:
        """End a worker of a pool; return whether the pool had it."""
        if not pool.kill_worker(worker_id):
            return False
        self._annotations.annotate("kill_worker", pool.spec.name, worker_id, reason)
        return True

    async def _keep(self, control: PoolControl) -> None:
        await self._recorder.perform(lambda tx: records.save_control(tx, control))
        self._controls[control.name] = control

    @staticmethod
    def _act(pool: PoolPort, state: ControlState) -> None:
        match state:
            case "paused":
                pool.pause()
            case "stopped":
                pool.drain()
            case "running":
                pool.resume()


def _as_configured(control: PoolControl, configured: int) -> PoolControl:
    """Return a control for the size that is configured now, which ends one set for another."""
    if control.configured == configured:
        return control
    return replace(control, size=None, configured=configured)
