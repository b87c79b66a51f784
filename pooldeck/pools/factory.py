"""Makes a pool's workers: their ids, what they are told first, and where their files lie."""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from pooldeck.kinds import KINDS
from pooldeck.loaded_code import ModuleFailure
from pooldeck.pools.boxes import Boxes
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
    is_ending: Callable[[], bool] | None  # as `WorkerProcess` has it
    boxes: Boxes | None = None  # where its workers note what begins and ends

    async def hire(
        self,
        spec: PoolSpec,
        left_out: Iterable[ModuleFailure],
        receive: Callable[[Worker, FromWorker], None],
        ended: Callable[[Worker, WorkerExit], None],
        until: float | None = None,
    ) -> Worker:
        """Return a new worker, whose frames and whose end are passed on as by `WorkerProcess`.

        It does not import the modules that are `left_out`, and ends at `until` if it is not told
        otherwise.
        """
        worker_id = f"{spec.worker_name or spec.name}-{await self.next_number()}"
        process = WorkerProcess(
            replace(self._setup(spec, worker_id, left_out), until=until),
            self.boot,
            self.launcher,
            self.is_ending,
            receive=lambda message: receive(worker, message),
            ended=lambda end: ended(worker, end),
        )
        worker = Worker(worker_id, KINDS[spec.kind], process, started_at=time.monotonic())
        return worker

    def _setup(self, spec: PoolSpec, worker_id: str, left_out: Iterable[ModuleFailure]) -> Setup:
        setup = _setup(spec, worker_id, left_out)
        if self.boxes is None:
            return setup
        path = str(self.boxes.path(worker_id))
        return replace(setup, box_path=path, box_mark=self.boxes.mark)


def _setup(spec: PoolSpec, worker_id: str, left_out: Iterable[ModuleFailure]) -> Setup:
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
        words_path=_file(spec, worker_id, "words"),
        probes=spec.probes,
        tracing=spec.tracing,
        commands=spec.commands,
        shared=spec.shared,
        left_out=tuple(left_out),
        boot_seconds=spec.boot_seconds,
        leave_seconds=spec.leave_seconds,
        restores_environment=spec.restores_environment,
        threads_per_task=spec.threads_per_task,
    )


def _file(spec: PoolSpec, worker_id: str, suffix: str) -> str | None:
    return None if spec.folder is None else str(spec.folder / f"{worker_id}.{suffix}")
