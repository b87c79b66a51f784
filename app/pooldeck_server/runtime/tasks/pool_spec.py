"""What the pools are made of, by the settings; and the folder of their workers' files."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from pooldeck.access import Access
from pooldeck.pools.model import CodeSpec, PoolSpec
from pooldeck.protocol import Limits
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.settings import Settings, wanted_tracing
from pooldeck_server.store import records

_WORKER_FILES: Final = "workers"


def pool_spec(name: str, settings: Settings, code: CodeSpec, size: int, shared: Access) -> PoolSpec:
    """Return what the pool called `name` is made of, in the size that it is to have."""
    pool, limits = settings.pools[name], settings.limits
    return PoolSpec(
        name=name,
        kind=pool.kind,
        size=size,
        modules=code.modules,
        initializer=pool.initializer,
        limits=Limits(
            result_bytes=limits.result_bytes,
            message_bytes=limits.error_message_bytes,
            traceback_bytes=limits.traceback_bytes,
            log_lines=limits.log_lines,
            log_bytes=limits.log_bytes,
            log_errors=limits.log_errors,
            depth=limits.depth,
        ),
        boot_seconds=settings.boot_seconds,
        folder=worker_folder(settings),
        spare=pool.spares,
        max_tasks_per_worker=pool.max_tasks_per_worker,
        max_memory_bytes=pool.max_memory_bytes,
        start_seconds=pool.start_seconds,
        leave_seconds=pool.leave_seconds,
        restores_environment=pool.restore_environment,
        probes=True,
        tracing=wanted_tracing(settings.tracing),
        commands=code.commands,
        shared=shared,
        native_threads=pool.threads_per_task,
    )


def worker_numbers(recorder: Recorder, pool: str) -> Callable[[], Awaitable[int]]:
    """Return what gives the next worker of a pool its number, which no other has had."""
    return lambda: recorder.perform(lambda tx: records.next_worker_number(tx, pool))


def clear_worker_files(settings: Settings) -> None:
    """Make the folder of the workers' files, and remove what an earlier server left there."""
    folder = worker_folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():  # a task may have made it
            shutil.rmtree(left)
        else:
            left.unlink()


def worker_folder(settings: Settings) -> Path:
    """Return where the files of all workers lie."""
    return settings.data.resolve() / _WORKER_FILES
