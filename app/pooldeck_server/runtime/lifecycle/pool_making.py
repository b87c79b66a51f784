"""Makes the pools, from the settings and from what was set by hand."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from pooldeck.pools.launcher import SubprocessLauncher
from pooldeck.pools.memory import MemoryWatch
from pooldeck.pools.model import PoolSpec
from pooldeck.pools.pool import Pool
from pooldeck.protocol import Limits
from pooldeck_server.runtime.lifecycle.ground import Ground
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.settings import Settings
from pooldeck_server.store import records

_WORKER_FILES: Final = "workers"


def make_pool(name: str, ground: Ground, boot: str, queue: Dispatcher) -> None:
    """Give a queue its pool, not started, in the size and the state that were set by hand.

    Args:
        name: The pool's name in the settings.
        ground: Knows the settings and what was set by hand, and keeps the numbers of workers.
        boot: The mark of this run of the server.
        queue: What feeds the pool.
    """
    spec = pool_spec(name, ground.settings, ground.controls.size(name))
    pool = Pool(
        replace(spec, shared=ground.shared.access),
        boot,
        partial(_number, ground.recorder, name),
        queue.in_hand,
        memory=MemoryWatch(),
        launcher=ground.shared.launcher(SubprocessLauncher()),
    )
    ground.controls.apply(pool)
    queue.attach(pool)


async def _number(recorder: Recorder, pool: str) -> int:
    return await recorder.perform(lambda tx: records.next_worker_number(tx, pool))


def clear_worker_files(settings: Settings) -> None:
    """Make the folder of the workers' files, and remove what an earlier server left there."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        left.unlink()


def worker_pids(queues: Mapping[str, Dispatcher]) -> Iterator[int]:
    """Yield the process ids of all workers."""
    for queue in queues.values():
        yield from queue.pool.pids.values()


def _folder(settings: Settings) -> Path:
    return settings.data.resolve() / _WORKER_FILES


def pool_spec(name: str, settings: Settings, size: int) -> PoolSpec:
    """Return what the pool called `name` is made of, in the size that it is to have."""
    pool, limits = settings.pools[name], settings.limits
    return PoolSpec(
        name=name,
        kind=pool.kind,
        size=size,
        modules=settings.functions,
        initializer=pool.initializer,
        limits=Limits(
            result_bytes=limits.result_bytes,
            message_bytes=limits.error_message_bytes,
            traceback_bytes=limits.traceback_bytes,
            log_lines=limits.log_lines,
            log_bytes=limits.log_bytes,
            depth=limits.depth,
        ),
        boot_seconds=settings.boot_seconds,
        folder=_folder(settings),
        spare=pool.spares,
        max_tasks_per_worker=pool.max_tasks_per_worker,
        max_memory_bytes=pool.max_memory_bytes,
        probes=True,
        commands=settings.declared_commands,
    )
