"""Makes a pool's workers: their ids, what they are told first, and where their files lie."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pooldeck.kinds import KINDS
from pooldeck.pools.launcher import Launcher, WorkerExit
from pooldeck.pools.model import PoolSpec
from pooldeck.pools.supervisor import WorkerProcess
from pooldeck.pools.worker import Worker
from pooldeck.protocol import FromWorker, Setup


@dataclass(frozen=True)
class WorkerFactory:
    """Makes workers whose processes are yet to be started."""

    boot: str  # the mark that all processes of this server carry
    next_number: Callable[[], Awaitable[int]]  # gives each worker one that is never used again
    launcher: Launcher

    async def hire(
        self,
        spec: PoolSpec,
        receive: Callable[[Worker, FromWorker], None],
        ended: Callable[[Worker, WorkerExit], None],
    ) -> Worker:
        """Return a new worker, whose frames and whose end are passed on as by `WorkerProcess`."""
        worker_id = f"{spec.name}-{await self.next_number()}"
        process = WorkerProcess(
            _setup(spec, worker_id),
            self.boot,
            self.launcher,
            receive=lambda message: receive(worker, message),
            ended=lambda end: ended(worker, end),
        )
        worker = Worker(worker_id, KINDS[spec.kind], process, started_at=time.monotonic())
        return worker


def _setup(spec: PoolSpec, worker_id: str) -> Setup:
    return Setup(
        worker=worker_id,
        pool=spec.name,
        kind=spec.kind,
        slots=KINDS[spec.kind].slots_per_worker(spec.size),
        modules=list(spec.modules),
        initializer=spec.initializer,
        limits=spec.limits,
        fault_path=_file(spec, worker_id, "fault"),
        output_path=_file(spec, worker_id, "out"),
        stack_path=_file(spec, worker_id, "stack"),
        probes=spec.probes,
        commands=spec.commands,
        shared=spec.shared,
    )


def _file(spec: PoolSpec, worker_id: str, suffix: str) -> str | None:
    return None if spec.folder is None else str(spec.folder / f"{worker_id}.{suffix}")
