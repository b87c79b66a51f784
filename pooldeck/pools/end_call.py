"""What happens to a call that is overdue or that nobody wants to wait for any longer.

A process is killed. A thread cannot be: it is abandoned, and its slot is used again. One that waits
for a command is told to end, and ends that first: `pooldeck.kinds` says so. Only where a thread
past its deadline holds the GIL, so that no other thread of its worker can run, the worker is
replaced as a whole. A held GIL alone is no reason to end anything.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Final

from pooldeck.kinds import KINDS, Ending
from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.pools import gil, process_signs
from pooldeck.pools.blame import timed_out
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import WorkerState
from pooldeck.pools.roster import Roster
from pooldeck.pools.worker import EndReason, Running, Worker
from pooldeck.protocol import Abandon, Cancel, Look

_LEAVE_SECONDS: Final = 0.5  # for a worker to give up the slot of an abandoned call
_PAUSE: Final = 1.0  # between two looks at who holds the GIL
_EXCUSES: Final = 6  # looks at a worker that is silent for want of a CPU, perhaps
_DEAF: Final = "did not begin a task that it was given"
_ABANDONED: Final = Outcome(
    error=Error(
        ErrorKind.ABANDONED,
        "Abandoned",
        "it was to be killed, but a thread cannot be: it was abandoned and may run on",
    )
)


class CallEnder:
    """Ends calls, in the way that their kind of worker allows."""

    def __init__(self, staff: Roster, listener: PoolListener) -> None:
        self._staff = staff
        self._listener = listener
        self._kind = KINDS[staff.spec.kind]
        self._watches: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)

    def overdue(self, worker: Worker, running: Running, verdict: EndReason) -> None:
        """Act on a call that is past its timeout, or whose start was not reported in time."""
        task, seconds = running.call.task, running.call.timeout or 0.0
        if verdict is EndReason.UNSTARTED:
            worker.process.tell(Look(task))  # something to do for a thread of the worker
            self._watch(self._judge_silence(worker, running))
        elif self._kind.can_kill:
            why = f"task {task} was past its timeout of {seconds:g} s"
            self._staff.end(worker, verdict, task, why)
        else:
            words = f"it had not ended {seconds:g} s after its start, and its thread was abandoned"
            self.abandon(worker, running, timed_out(words))
            self._watch(self._judge_thread(worker, running))

    def ending_of(self, worker: Worker, running: Running) -> Ending:
        if self._kind.is_alone and running is not worker.head:
            return Ending.NEVER_STARTED
        return self._kind.ending_of(is_command=worker.command(running.call) is not None)

    def kill(self, worker: Worker, running: Running) -> Ending:
        task, ending = running.call.task, self.ending_of(worker, running)
        if ending is Ending.ABANDONED:
            self.abandon(worker, running, _ABANDONED)
        elif ending is Ending.WORKER_ENDED:
            self._staff.end(worker, EndReason.KILLED, task, f"task {task} was killed in it")
        else:
            running.is_killed = ending is Ending.NEVER_STARTED
            worker.process.tell(Cancel(task))
        return ending

    def abandon(self, worker: Worker, running: Running, outcome: Outcome) -> None:
        """Leave a call's thread to itself, and report the call as finished."""
        worker.abandon(running)
        worker.process.tell(Abandon(running.call.task))
        self._listener.finished(worker.seen(running), outcome)
        if len(worker.abandoned) >= max(1, self._staff.spec.size // 2):
            self._staff.retire_when_replaced(worker)
        if worker.state is WorkerState.STOPPING:
            self._staff.done(worker)
        self._listener.changed()

    def _watch(self, watching: Coroutine[Any, Any, None]) -> None:
        watch = asyncio.create_task(watching)
        self._watches.add(watch)
        watch.add_done_callback(self._watches.discard)

    async def _judge_thread(self, worker: Worker, running: Running) -> None:
        """Replace a worker that cannot even abandon this call, since an abandoned one has the GIL.

        It may be this one or an earlier one, which gave up its slot and took the GIL later.
        """
        task = running.call.task
        await asyncio.sleep(_LEAVE_SECONDS)
        while task in worker.leaving and self._is_here(worker):
            condemned = _by_thread(worker.abandoned.values())
            innocent = _by_thread(worker.running.values())
            holders = await asyncio.to_thread(gil.possible_holders, worker.pid, condemned, innocent)
            if holders and self._is_here(worker):
                tasks = " or ".join(_named(condemned[thread]) for thread in sorted(holders))
                why = f"{tasks} held the GIL after it had been given up"
                self._staff.end(worker, EndReason.TIMEOUT, task, why)
                return
            await asyncio.sleep(_PAUSE)

    async def _judge_silence(self, worker: Worker, running: Running) -> None:
        """End a worker that has not reported a start, unless something keeps it from that.

        That may be the GIL, if C code holds it, for however long; or the machine, for a while.
        """
        threads = _by_thread((*worker.running.values(), *worker.abandoned.values()))
        may_be_kept = running.looks < _EXCUSES and (
            not process_signs.HAS_PROC or process_signs.waits_its_turn(worker.pid)
        )
        if may_be_kept or await asyncio.to_thread(gil.is_held, worker.pid, threads):
            return
        is_silent = running.started_at is None and running.call.task in worker.running
        if is_silent and self._is_here(worker):
            self._staff.condemn(worker, _DEAF, _named(running))

    def _is_here(self, worker: Worker) -> bool:
        return worker.id in self._staff.workers and worker.verdict is None


def _by_thread(calls: Iterable[Running]) -> dict[int, Running]:
    """Return calls by the kernel's numbers of their threads."""
    return {running.native_id: running for running in calls if running.native_id}


def _named(running: Running) -> str:
    return f"task {running.call.task} ({running.call.function})"
