"""What the pools are made of, by the settings; and the folder of their workers' files."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from pooldeck.access import Access
from pooldeck.pools.model import PoolSpec
from pooldeck.protocol import Limits
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.settings import Settings
from pooldeck_server.store import records

_WORKER_FILES: Final = "workers"


def pool_spec(name: str, settings: Settings, size: int, shared: Access) -> PoolSpec:
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
        shared=shared,
    )


def worker_numbers(recorder: Recorder, pool: str) -> Callable[[], Awaitable[int]]:
    """Return what gives the next worker of a pool its number, which no other has had."""
    return lambda: recorder.perform(lambda tx: records.next_worker_number(tx, pool))


def clear_worker_files(settings: Settings) -> None:
    """Make the folder of the workers' files, and remove what an earlier server left there."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        left.unlink()


def _folder(settings: Settings) -> Path:
    return settings.data.resolve() / _WORKER_FILES
