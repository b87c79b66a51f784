"""The workers of a pool: how many there are, and which of them has how many of its slots.

Whatever happens (a worker is ready, gone, worn out; another size is wanted), `reconcile` looks at
who is there and brings that nearer to what should be:

    starting ──ready──▶ spare ──gets slots──▶ idle, busy ──retired──▶ stopping ──▶ gone
                          └────────── waits until another is gone or worn out

The size of the pool is what runs at a time: a retired worker keeps its slots for as long as it uses
them, and its successor gets them one by one.
"""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from pooldeck.kinds import KINDS
from pooldeck.pools.model import PoolSpec, WorkerState
from pooldeck.pools.next_worker import FreeSlots
from pooldeck.pools.rolling_restart import RollingRestart
from pooldeck.pools.start_backoff import StartBackoff
from pooldeck.pools.worker import EndReason, Worker
from pooldeck.protocol import Stop


class Roster:
    """Keeps the workers of a pool at their number.

    Args:
        spec: What the pool is made of; its size changes with `resize`.
        hire: Makes a worker whose process is yet to be started.
        settled: Told when something about the workers has changed.
    """

    def __init__(
        self,
        spec: PoolSpec,
        hire: Callable[[], Awaitable[Worker]],
        settled: Callable[[], None],
    ) -> None:
        self.spec = spec
        self.workers: dict[str, Worker] = {}
        self.account = FreeSlots()
        self.boots = StartBackoff(spec, self.reconcile)
        self.is_over = False  # more runs than there are slots now: who is done next has to go
        self._hire = hire
        self._settled = settled
        self._is_open = False
        self._hiring = 0
        self._launches: set[asyncio.Task[None]] = set()
        self._restart = RollingRestart()

    # What is wanted.

    def open(self) -> None:
        """Have as many workers as the pool needs."""
        self._is_open = True
        self.reconcile()

    def disband(self) -> None:
        """Have no more workers: those that run nothing leave now, the others when they are done."""
        self._is_open = False
        self._restart.end(self._here())
        for worker in self.workers.values():
            self._let_go(worker)
        self._settled()

    def resize(self, size: int) -> None:
        """Have another number of slots."""
        self.spec = replace(self.spec, size=size)
        self.boots.spec = self.spec
        self.reconcile()

    def restart(self) -> None:
        """Replace all workers one by one, each when another is ready to take its place."""
        self.boots.begin_anew()
        for worker in self._lasting():
            if worker.state is WorkerState.STARTING:
                self._let_go(worker)
        self._restart.begin(self._lasting())
        self.reconcile()

    def retire_when_replaced(self, worker: Worker) -> None:
        """Have a worker replaced; it goes on until another is ready."""
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
        """Tell whether there is no worker and there will be none."""
        return self.boots.are_given_up and not self._lasting()

    def _here(self) -> list[Worker]:
        return [one for one in self.workers.values() if one.state is not WorkerState.STOPPING]

    def _lasting(self) -> list[Worker]:
        return [worker for worker in self._here() if not worker.is_worn]

    def _with_slots(self) -> list[Worker]:
        return [worker for worker in self.workers.values() if worker.is_open]

    # News of workers.

    def ready(self, worker: Worker) -> None:
        """Note that a worker has started."""
        self.boots.succeeded(worker)
        worker.state = WorkerState.SPARE
        self.reconcile()

    def not_ready(self, why: str) -> None:
        """Note that a worker did not get ready. During a restart, the old ones go on then."""
        if self._restart.is_under_way:
            self._restart.end(self._here())
            self.boots.reason = f"the restart was ended, and workers go on as they were: {why}"
        else:
            self.boots.failed(why)

    def gone(self, worker: Worker) -> None:
        """Strike off a worker whose process has ended."""
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
        self._settled()

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
        return self.spec.workers + self.spec.spare

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
            worker = await self._hire()
        except Exception as error:  # noqa: BLE001 - the numbers come from whoever has the pool
            self.boots.pause(f"a worker could not be started: {error}")
            worker = None
        self._hiring -= 1
        if worker is not None and self._is_open:
            self.workers[worker.id] = worker
            await self._start(worker)
        self._settled()

    async def _start(self, worker: Worker) -> None:
        try:
            await worker.process.start()
        except OSError as error:
            self.gone(worker)
            self.not_ready(f"worker {worker.id} could not be started: {error}")
        else:
            self._await_boot(worker)

    def _await_boot(self, worker: Worker) -> None:
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
            loop = asyncio.get_running_loop()
            worker.ultimatum = loop.call_later(self.spec.leave_seconds, worker.process.kill)

    def _kill(
        self, worker: Worker, verdict: EndReason, doomed: str | None = None, why: str = ""
    ) -> None:
        if worker.verdict is None:
            worker.verdict, worker.doomed, worker.why = verdict, doomed, why
        worker.state = WorkerState.STOPPING
        self.account.close(worker)
        worker.process.kill()
