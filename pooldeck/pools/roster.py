"""The workers of a pool: how many there are, and which of them has how many of its slots.

Whatever happens (a worker is ready, gone, worn out; another size is wanted), `reconcile` looks at
who is there and brings that nearer to what should be:

    starting ──ready──▶ spare ──gets slots──▶ idle, busy ──retired──▶ stopping ──▶ gone
                          └────────── waits until another is gone or worn out

The size of the pool is what runs at a time: a retired worker keeps its slots for as long as it uses
them, and its successor gets them one by one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from pooldeck.kinds import KINDS
from pooldeck.loaded_code import LoadedCode, ModuleFailure
from pooldeck.pools.model import CodeSpec, PoolSpec, WorkerState
from pooldeck.pools.next_worker import FreeSlots
from pooldeck.pools.rolling_restart import RollingRestart
from pooldeck.pools.start_backoff import StartBackoff
from pooldeck.pools.worker import EndReason, Worker
from pooldeck.protocol import Stop


@dataclass(eq=False)
class Roster:
    """Keeps the workers of a pool at their number."""

    spec: PoolSpec  # its size changes with `resize`
    hire: Callable[[], Awaitable[Worker]]  # makes a worker whose process is yet to be started
    settled: Callable[[], None]  # told when something about the workers has changed
    workers: dict[str, Worker] = field(default_factory=dict, init=False)
    account: FreeSlots = field(default_factory=FreeSlots, init=False)
    is_over: bool = field(default=False, init=False)  # too much runs: who is done next has to go
    _is_in_use: bool = field(default=False, init=False)
    _is_open: bool = field(default=False, init=False)
    _hiring: int = field(default=0, init=False)
    _launches: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _restart: RollingRestart = field(default_factory=RollingRestart, init=False)

    def __post_init__(self) -> None:
        self.boots = StartBackoff(self.spec, self.reconcile)

    # What is wanted.

    def open(self) -> None:
        self._is_open = True
        self.reconcile()

    def disband(self) -> None:
        """Have no more workers: those that run nothing leave now, the others when they are done."""
        self._is_open = False
        self._restart.end(self._here())
        for worker in self.workers.values():
            self._let_go(worker)
        self.settled()

    def expel_leaving(self) -> None:
        for worker in self.workers.values():
            if worker.ultimatum is not None and worker.verdict is EndReason.STOPPED:
                _expel(worker)

    def note_use(self) -> None:
        """Have spare workers from the first call on: until then a crash costs no call its start.

        They are started after the call is on its way.
        """
        if not self._is_in_use:
            self._is_in_use = True
            asyncio.get_running_loop().call_soon(self.reconcile)

    def resize(self, size: int) -> None:
        self.spec = replace(self.spec, size=size)
        self.boots.spec = self.spec
        self.reconcile()

    def restart(self, code: CodeSpec | None) -> None:
        if code is not None:
            self.spec = replace(self.spec, modules=code.modules, commands=code.commands)
        self.boots.begin_anew()
        for worker in self._lasting():
            if worker.state is WorkerState.STARTING:
                self._let_go(worker)
        self._restart.begin(self._lasting())
        self.reconcile()

    def retire_when_replaced(self, worker: Worker) -> None:
        if not worker.is_worn:
            worker.is_worn = True
            self.reconcile()

    def retire_after_calls(self, worker: Worker) -> None:
        """Give a worker no more calls than it has; it leaves when it is done.

        Nobody is told before the next turn of the event loop: calls are just being handed out.
        """
        self._let_go(worker)
        asyncio.get_running_loop().call_soon(self.reconcile)

    def end(
        self, worker: Worker, verdict: EndReason, doomed: str | None = None, why: str = ""
    ) -> None:
        """End a worker now, whatever it runs; `why` says in words what the verdict does.

        `doomed` is the task that it is ended for, if it is for one.
        """
        self._kill(worker, verdict, doomed, why)
        self.reconcile()

    def condemn(self, worker: Worker, misdeed: str, detail: str) -> None:
        """End a worker that cannot go on, for what `WorkerProcess.condemn` is told: an incident."""
        if worker.verdict is None:
            worker.process.condemn(misdeed, detail)
            self.account.close(worker)

    # What is.

    @property
    def is_whole(self) -> bool:
        return sum(worker.held for worker in self.workers.values()) >= self.spec.size

    @property
    def is_empty(self) -> bool:
        """Tell whether there is no worker, and none on its way."""
        return not self.workers and not self._hiring

    @property
    def is_broken(self) -> bool:
        """Tell whether there is no worker that got ready, and the latest one could not."""
        return self.boots.reason is not None and not any(
            one.is_ready for one in self.workers.values()
        )

    @property
    def _has_any(self) -> bool:
        return any(worker.is_ready for worker in self.workers.values())

    def _here(self) -> list[Worker]:
        return [one for one in self.workers.values() if one.state is not WorkerState.STOPPING]

    def _lasting(self) -> list[Worker]:
        return [worker for worker in self._here() if not worker.is_worn]

    def _with_slots(self) -> list[Worker]:
        return [worker for worker in self.workers.values() if worker.is_open]

    # News of workers.

    def loaded(self, worker: Worker, code: LoadedCode) -> None:
        """Take a worker that has loaded its code, unless too much of that is missing."""
        worker.lacks = frozenset(failure.module for failure in code.failures)
        failure = self._fatal(code)
        if failure is None:
            self._ready(worker)
        else:
            worker.refusal = failure
            worker.verdict, worker.why = EndReason.UNSTARTED, "a module could not be loaded"
            worker.process.kill()

    def _fatal(self, code: LoadedCode) -> ModuleFailure | None:
        """Return a failure for which a worker is refused; None if it can be of use.

        It is not if it can run nothing. And a restart replaces no worker by one that lacks a module
        which workers have: whoever broke it has time to mend it.
        """
        if code.failures and not code.functions:
            return code.failures[0]
        if not self._restart.is_under_way:
            return None
        others = [one for one in self._here() if one.is_ready]
        return next((one for one in code.failures if _is_had(one.module, others)), None)

    def _ready(self, worker: Worker) -> None:
        self.boots.succeeded(worker)
        worker.state = WorkerState.SPARE
        self.reconcile()

    def not_ready(self, why: str) -> None:
        """Note that a worker did not get ready. During a restart, the old ones go on then."""
        if self._restart.is_under_way and self._has_any:
            self._restart.end(self._here())
            self.boots.reason = f"the restart was ended, and workers go on as they were: {why}"
        else:
            self.boots.failed(why)

    def gone(self, worker: Worker) -> None:
        worker.state = WorkerState.STOPPING
        worker.lift_ultimatum()
        self.workers.pop(worker.id, None)
        self.account.close(worker)

    def done(self, worker: Worker) -> None:
        """Note that a stopping worker has one call less: its slot goes to another."""
        if not worker.busy:
            self._dismiss(worker)
        self.reconcile()

    # Towards what is wanted.

    def reconcile(self) -> None:
        """Bring the workers nearer to what is wanted, without waiting for anything."""
        if self._is_open:
            self._relieve()
            if self._restart.is_under_way and not self._hiring:
                self._restart.go_on(self._here())
            self._share_slots()
            self._send_away()
            self._fill_up()
        self.settled()

    def _relieve(self) -> None:
        """Retire worn workers for whom a fresh one is ready that no missing one needs more."""
        fresh = [one for one in self._spares() if not one.is_worn]
        free = len(fresh) - max(0, self.spec.workers - len(self._with_slots()))
        worn = [worker for worker in self._here() if worker.is_worn]
        for worker in sorted(worn, key=lambda one: one.busy)[: max(0, free)]:
            self._let_go(worker)

    def _share_slots(self) -> None:
        """Have as many slots with the workers as the pool has."""
        if KINDS[self.spec.kind].is_alone:
            over = sum(worker.held for worker in self.workers.values()) - self.spec.size
            self._take_slots(over)
            self._give_slots(-over)
        elif takers := self._with_slots() or self._spares():
            taker = takers[0]
            held = sum(one.held for one in self.workers.values() if one is not taker)
            share = max(0, self.spec.size - held)
            if share != taker.slots:
                self.account.set_share(taker, share)

    def _take_slots(self, over: int) -> None:
        """Let go of idle workers that are too many; of busy ones those that are first done."""
        idle = [worker for worker in self._with_slots() if not worker.busy]
        idle = sorted(idle, key=lambda one: not one.is_worn)[: max(0, over)]
        for worker in idle:
            self._let_go(worker)
        self.is_over = over > len(idle)

    def _give_slots(self, room: int) -> None:
        for worker in self._spares()[: max(0, room)]:
            self.account.set_share(worker, 1)

    def _spares(self) -> list[Worker]:
        """Return the workers that are ready and have no slots, fresh ones first."""
        spares = [one for one in self.workers.values() if one.state is WorkerState.SPARE]
        return sorted(spares, key=lambda one: one.is_worn)

    def _send_away(self) -> None:
        """Let go of workers without slots that are more than wanted."""
        lasting = self._lasting()
        over = len(lasting) + self._hiring - self._wanted
        starting = [worker for worker in lasting if worker.state is WorkerState.STARTING]
        spares = [worker for worker in lasting if worker.state is WorkerState.SPARE]
        for worker in (*starting, *spares)[: max(0, over)]:
            self._let_go(worker)

    @property
    def _wanted(self) -> int:
        return self.spec.workers + (self.spec.spare if self._is_in_use else 0)

    def _fill_up(self) -> None:
        """Start the workers that are missing, unless starting them fails."""
        if not self.boots.may_start:
            return
        for _ in range(self._wanted - len(self._lasting()) - self._hiring):
            self._hiring += 1
            launch = asyncio.ensure_future(self._launch())
            self._launches.add(launch)
            launch.add_done_callback(self._launches.discard)

    # One worker.

    async def launched(self) -> None:
        """Wait until the processes that are being started are there, or cannot be."""
        await asyncio.gather(*self._launches)

    async def _launch(self) -> None:
        try:
            worker = await self.hire()
        except Exception as error:  # noqa: BLE001 - the numbers come from whoever has the pool
            self.boots.pause(f"a worker could not be started: {error}")
            worker = None
        self._hiring -= 1
        if worker is not None and self._is_open:
            self.workers[worker.id] = worker
            await self._start(worker)
        self.settled()

    async def _start(self, worker: Worker) -> None:
        try:
            await worker.process.start()
        except OSError as error:
            self.gone(worker)
            self.not_ready(f"worker {worker.id} could not be started: {error}")
            return
        if worker.state is WorkerState.STOPPING:  # it is not wanted any more
            self._kill(worker, EndReason.STOPPED)
        else:
            self.boots.watch(worker)

    def _let_go(self, worker: Worker) -> None:
        if worker.state is WorkerState.STARTING:
            self._kill(worker, EndReason.STOPPED)
        elif worker.state is not WorkerState.STOPPING:
            self.account.close(worker)
            worker.state = WorkerState.STOPPING
            if not worker.busy:
                self._dismiss(worker)

    def _dismiss(self, worker: Worker) -> None:
        """Send a worker away that has nothing more to do; if it does not go, end it."""
        if worker.verdict is None:
            worker.verdict = EndReason.STOPPED
            worker.process.send(Stop())
            worker.left_at = time.monotonic()
            loop = asyncio.get_running_loop()
            worker.ultimatum = loop.call_later(self.spec.leave_seconds, _expel, worker)

    def _kill(
        self, worker: Worker, verdict: EndReason, doomed: str | None = None, why: str = ""
    ) -> None:
        if worker.verdict is None:
            worker.verdict, worker.doomed, worker.why = verdict, doomed, why
        worker.state = WorkerState.STOPPING
        self.account.close(worker)
        worker.process.kill()


def _expel(worker: Worker) -> None:
    """End a worker that has not left by itself."""
    worker.is_expelled = True
    worker.process.kill()


def _is_had(module: str, workers: Iterable[Worker]) -> bool:
    """Tell whether any of the workers has loaded a module."""
    return any(module in one.process.setup.modules and module not in one.lacks for one in workers)
