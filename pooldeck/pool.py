"""A pool: slots over supervised workers.

A pool hands calls to free slots, replaces workers that die, and says what each slot does. It knows
no tasks table and no HTTP: whoever owns it listens through `PoolListener`. A process worker has one
slot; a thread pool is one worker with as many slots as the pool has threads.

Everything runs on one event loop; nothing here blocks.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from pooldeck.crew import PoolListener, PoolSpec, PoolState, Running, Worker, WorkerState
from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.protocol import (
    Call,
    Finished,
    FromWorker,
    Log,
    Progress,
    Ready,
    Returned,
    Setup,
    Started,
    Stop,
    Unready,
)
from pooldeck.supervisor import WorkerExit, WorkerProcess

BOOT_ROUNDS: Final = 4
_FIRST_PAUSE: Final = 0.25  # seconds before a worker that did not get ready is started again
_STOP_SECONDS: Final = 2.0  # for an idle worker to end by itself


class Pool:
    """A named set of workers of one kind.

    Args:
        spec: What the pool is made of.
        boot: The mark that all processes of this server carry.
        next_number: Gives each worker a number that is never used again.
        listener: Who is told what happens.
    """

    def __init__(
        self,
        spec: PoolSpec,
        boot: str,
        next_number: Callable[[], Awaitable[int]],
        listener: PoolListener,
    ) -> None:
        self.spec = spec
        self.state = PoolState.RUNNING
        self.reason: str | None = None
        self.incidents = 0
        self.workers: dict[str, Worker] = {}
        self._boot = boot
        self._next_number = next_number
        self._listener = listener
        self._free: list[Worker] = []  # a worker stands here once for each of its free slots
        self._failed_boots = 0
        self._launches: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()  # no worker is left

    # The account of slots.

    @property
    def free(self) -> int:
        """Return how many calls may be posted now."""
        return len(self._free)

    @property
    def busy(self) -> int:
        """Return how many slots have a call."""
        return sum(min(len(worker.running), worker.slots) for worker in self.workers.values())

    def post(self, call: Call, *, is_quick: bool = False) -> bool:
        """Hand a call to a free slot, or a quick one to a worker behind its quick calls.

        Returns:
            Whether there was room for it.
        """
        worker = self._free.pop() if self._free else None
        if worker is None and is_quick:
            worker = self._with_room_behind()
        if worker is None:
            return False
        worker.running[call.task] = Running(call, is_quick)
        worker.state = WorkerState.BUSY
        worker.process.send(call)
        return True

    def _with_room_behind(self) -> Worker | None:
        takers = [worker for worker in self.workers.values() if worker.takes_more]
        return min(takers, key=lambda worker: len(worker.running), default=None)

    # Starting and stopping.

    async def start(self) -> None:
        """Start all workers; they report when they are ready."""
        await asyncio.gather(*(self._launch() for _ in range(self.spec.workers)))

    async def stop(self, grace: float) -> None:
        """Take no more calls, let what runs end for `grace` seconds, then end every worker.

        Calls that are still running then are reported as finished with kind `interrupted`.
        """
        self.state = PoolState.STOPPED
        self._free.clear()
        await asyncio.gather(*self._launches)
        for worker in self.workers.values():
            self._ask_to_stop(worker)
        self._note_empty()
        try:
            await asyncio.wait_for(self._empty.wait(), max(grace, _STOP_SECONDS))
        except TimeoutError:
            for worker in self.workers.values():
                worker.process.kill()
            await self._empty.wait()

    def _ask_to_stop(self, worker: Worker) -> None:
        if worker.state is WorkerState.STARTING:
            worker.process.kill()
        else:
            worker.process.send(Stop())
        worker.state = WorkerState.STOPPING

    def _note_empty(self) -> None:
        if not self.workers:
            self._empty.set()

    def _launch_soon(self) -> None:
        if self.state is PoolState.RUNNING:
            launch = asyncio.ensure_future(self._launch())
            self._launches.add(launch)
            launch.add_done_callback(self._launches.discard)

    async def _launch(self) -> None:
        number = await self._next_number()
        worker_id = f"{self.spec.name}-{number}"
        worker = Worker(
            id=worker_id,
            process=WorkerProcess(
                self._setup(worker_id),
                self._boot,
                receive=lambda message: self._receive(worker, message),
                ended=lambda end: self._ended(worker, end),
            ),
            slots=self.spec.slots_per_worker,
            started_at=time.monotonic(),
        )
        self.workers[worker_id] = worker
        try:
            await worker.process.start()
        except OSError as error:
            del self.workers[worker_id]
            self._boot_failed(f"worker {worker_id} could not be started: {error}")
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(self.spec.boot_seconds, self._give_up_on_boot, worker)
        self._listener.changed()

    def _setup(self, worker_id: str) -> Setup:
        folder = self.spec.folder
        return Setup(
            worker=worker_id,
            pool=self.spec.name,
            kind=self.spec.kind,
            slots=self.spec.slots_per_worker,
            modules=list(self.spec.modules),
            initializer=self.spec.initializer,
            limits=self.spec.limits,
            fault_path=None if folder is None else str(folder / f"{worker_id}.fault"),
            output_path=None if folder is None else str(folder / f"{worker_id}.out"),
        )

    def _give_up_on_boot(self, worker: Worker) -> None:
        if worker.state is WorkerState.STARTING and worker.id in self.workers:
            seconds = f"{self.spec.boot_seconds:g} seconds"
            worker.refusal = Unready(
                Error(ErrorKind.EXCEPTION, "TimeoutError", f"it was not ready after {seconds}"), ""
            )
            worker.process.kill()

    # What workers report.

    def _receive(self, worker: Worker, message: FromWorker) -> None:
        match message:
            case Started():
                self._started(worker, message)
            case Finished():
                self._finished(worker, message)
            case Returned():
                self._take_back(worker, message.tasks)
            case Progress():
                self._listener.progressed(message)
            case Log():
                self._listener.logged(message.task, message.lines)
            case Ready():
                self._ready(worker, message)
            case Unready():
                worker.refusal = message

    def _started(self, worker: Worker, message: Started) -> None:
        running = worker.running.get(message.task)
        if running is not None:
            running.started_at = message.started_at
            running.thread = message.thread
            self._listener.started(worker, running)

    def _finished(self, worker: Worker, message: Finished) -> None:
        running = worker.running.pop(message.task, None)
        if running is None:
            return
        if message.started is not None:
            running.started_at = message.started.started_at
            running.thread = message.started.thread
        worker.tasks_done += 1
        if worker.state is WorkerState.BUSY:
            if not worker.running:
                worker.state = WorkerState.IDLE
            if len(worker.running) < worker.slots:
                self._free.append(worker)
            self._listener.has_room()  # the next call is on its way before this end is noted
        self._listener.finished(worker, running, message.outcome)

    def _take_back(self, worker: Worker, tasks: Iterable[str]) -> None:
        """Return to the listener what a worker gives back or has left unstarted."""
        returned = [running for task in tasks if (running := worker.running.pop(task, None))]
        self._listener.returned([running.call for running in returned])

    def _ready(self, worker: Worker, message: Ready) -> None:
        if worker.state is not WorkerState.STARTING:
            return
        self._failed_boots = 0
        worker.state = WorkerState.IDLE
        self._free.extend([worker] * worker.slots)
        self._listener.described(message.functions)
        self._listener.changed()
        self._listener.has_room()

    # Deaths.

    def _ended(self, worker: Worker, end: WorkerExit) -> None:
        """Account for a worker that is gone: its calls, and its place in the pool."""
        self.workers.pop(worker.id, None)
        self._free = [free for free in self._free if free is not worker]
        fault = _take_files(worker, self.spec.limits.traceback_bytes)
        if self.state is PoolState.STOPPED:
            self._interrupt(worker)
            self._note_empty()
        elif worker.state is WorkerState.STARTING:
            self._boot_failed(_why_not_ready(worker, end))
        else:
            self.incidents += 1
            self._launch_soon()
            self._fail_calls(worker, end, fault)
        self._listener.changed()

    def _interrupt(self, worker: Worker) -> None:
        self._take_back(worker, list(worker.running)[worker.slots :])
        error = Error(
            ErrorKind.INTERRUPTED, "Interrupted", "the server was stopped while this task ran"
        )
        self._end_calls(worker, Outcome(error=error))

    def _fail_calls(self, worker: Worker, end: WorkerExit, fault: str | None) -> None:
        """Blame the only call in the worker's hands; of several, accuse nobody.

        `fault` is what faulthandler wrote: after a segfault, where each thread was.
        """
        self._take_back(worker, list(worker.running)[worker.slots :])  # it takes them in order
        alone = len(worker.running) == 1
        message = f"worker {worker.id} (pid {worker.pid}) {end.cause} while it ran this task"
        if not alone:
            message += f" and {len(worker.running) - 1} more; which of them did it is not known"
        kind = ErrorKind.CRASHED if alone else ErrorKind.BYSTANDER
        error = Error(kind, "BrokenProcessPool", message, fault)
        self._end_calls(worker, Outcome(error=error))

    def _end_calls(self, worker: Worker, outcome: Outcome) -> None:
        while worker.running:
            _, running = worker.running.popitem()
            self._listener.finished(worker, running, outcome)

    def _boot_failed(self, why: str) -> None:
        """Start another worker after a pause that grows by the round; in the end stop trying."""
        rounds = self._failed_boots // self.spec.workers
        self._failed_boots += 1
        if self._failed_boots >= BOOT_ROUNDS * self.spec.workers:
            self.state = PoolState.BROKEN
            self.reason = why
        else:
            pause = _FIRST_PAUSE * 2**rounds
            asyncio.get_running_loop().call_later(pause, self._launch_soon)


def _take_files(worker: Worker, limit: int) -> str | None:
    """Remove the files of a worker that is gone; return what faulthandler left, up to `limit`."""
    setup = worker.process.setup
    fault = b""
    with suppress(OSError):
        fault = Path(setup.fault_path or "").read_bytes()[:limit]
    for path in (setup.fault_path, setup.output_path):
        if path is not None:
            Path(path).unlink(missing_ok=True)
    return fault.decode(errors="replace").strip() or None


def _why_not_ready(worker: Worker, end: WorkerExit) -> str:
    """Say in words why a worker never got ready, with what it printed."""
    if worker.refusal is None:
        return f"worker {worker.id} {end.cause} before it was ready"
    error = worker.refusal.error
    parts = [
        f"worker {worker.id} could not start: {error.type}: {error.message}",
        error.traceback or "",
        worker.refusal.output,
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip())
