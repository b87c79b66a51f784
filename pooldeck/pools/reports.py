"""What the workers of a pool report, and what their ends mean: passed on to the pool's listener."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from pooldeck.outcome import Outcome
from pooldeck.pools.blame import assign_blame
from pooldeck.pools.deadlines import Deadlines
from pooldeck.pools.exit_cause import ExitCauses, take_files, why_not_ready
from pooldeck.pools.launcher import WorkerExit
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import WorkerState
from pooldeck.pools.roster import Roster
from pooldeck.pools.stacks import StackRequests
from pooldeck.pools.sweeper import Sweeper
from pooldeck.pools.worker import EndReason, Running, Worker
from pooldeck.protocol import (
    Abandoned,
    Exiting,
    Finished,
    FromWorker,
    Log,
    Observed,
    Progress,
    Ready,
    Returned,
    Stack,
    Started,
    Unready,
)


@dataclass
class Reports:
    """Keeps a pool's picture of its workers up to date."""

    staff: Roster
    listener: PoolListener
    deadlines: Deadlines
    looks: StackRequests
    causes: ExitCauses
    sweeper: Sweeper  # ends what workers leave behind
    _wounds: dict[str, float] = field(default_factory=dict)  # when workers died, slots missing

    # Frames.

    def receive(self, worker: Worker, message: FromWorker) -> None:
        """Take a frame of a worker; the frequent ones come first."""
        match message:
            case Finished():
                self._finished(worker, message)
            case Started():
                self._started(worker, message)
            case Log():
                self.listener.logged(message.task, message.lines)
            case Progress():
                self.listener.progressed(message)
            case Returned():
                self._returned(worker, message.tasks)
            case _:
                self._receive_seldom(worker, message)

    def _receive_seldom(
        self, worker: Worker, message: Observed | Abandoned | Stack | Exiting | Ready | Unready
    ) -> None:
        match message:
            case Observed():
                self.listener.observed(message.observations)
            case Abandoned():
                self._left(worker, message.task)
            case Stack():
                self.looks.answer(message)
            case Exiting():
                worker.exiting = message.task
            case Ready():
                self._ready(worker, message)
            case Unready():
                worker.refusal = message

    def _started(self, worker: Worker, message: Started) -> None:
        running = worker.running.get(message.task)
        if running is None:
            return
        _note_start(running, message)
        if running.is_killed:
            why = f"task {message.task}, which began in it, was to be killed"
            self.staff.end(worker, EndReason.KILLED, message.task, why)
        self.listener.started(worker.seen(running))

    def _finished(self, worker: Worker, message: Finished) -> None:
        if message.is_abandoned or message.task in worker.leaving:
            self._ended_late(worker, message)
            return
        running = worker.running.pop(message.task, None)
        if running is None:
            return
        if message.started is not None:
            _note_start(running, message.started)
        worker.tasks_done += 1
        if not worker.is_proven:
            self.staff.boots.confirm_start(worker)
        if worker.state is WorkerState.BUSY:
            self._free_slot(worker)
        self.listener.finished(worker.seen(running), message.outcome)
        if worker.state is WorkerState.STOPPING:
            self.staff.done(worker)
        elif 0 < self.staff.spec.max_tasks_per_worker <= worker.tasks_done:
            self.staff.retire_when_replaced(worker)

    def _free_slot(self, worker: Worker) -> None:
        """Use a slot again at once: the next call is on its way before this end is noted."""
        if worker.running:
            worker.turned_at = time.monotonic()
        else:
            worker.state = WorkerState.IDLE
            if self.staff.is_over:
                self.staff.reconcile()
        if worker.is_open:
            self.staff.account.give_back(worker)
            self.listener.has_room()

    def _ended_late(self, worker: Worker, message: Finished) -> None:
        """Note the end of a call that was abandoned; nobody waits for it."""
        running = worker.take_abandoned(message.task)
        if running is not None:
            self.listener.abandoned_ended(worker.seen(running), message.outcome)
        self._left(worker, message.task)

    def _left(self, worker: Worker, task: str) -> None:
        """Use the slot of an abandoned call again, which the worker has given up."""
        if task not in worker.leaving:
            return
        worker.leaving.discard(task)
        self._leave_slot(worker)

    def _leave_slot(self, worker: Worker) -> None:
        if worker.is_open:
            self._free_slot(worker)
        else:
            self.staff.done(worker)

    def _returned(self, worker: Worker, tasks: Iterable[str]) -> None:
        """Return to the listener what a worker gives back unstarted."""
        returned = []
        for task in tasks:
            if task in worker.leaving:  # it had been given up before it could start
                worker.take_abandoned(task)
                self._left(worker, task)
            elif running := worker.running.pop(task, None):
                returned.append(running)
        freed = int(not worker.running) if worker.kind.is_alone else len(returned)
        for _ in returned[:freed]:
            self._leave_slot(worker)
        self._give_back(worker, returned)

    def _give_back(self, worker: Worker, returned: Iterable[Running]) -> None:
        """Return calls to the listener; those that were killed meanwhile have ended."""
        calls = []
        for running in returned:
            if running.is_killed:
                self.listener.finished(worker.seen(running), Outcome(cancelled=True))
            else:
                calls.append(running.call)
        if calls:
            self.listener.returned(calls)

    def _ready(self, worker: Worker, message: Ready) -> None:
        if worker.state is WorkerState.STARTING and worker.verdict is None:
            self.listener.described(message.functions)
            self.staff.ready(worker)

    # Ends.

    def ended(self, worker: Worker, end: WorkerExit) -> None:
        """Account for a worker that is gone: its calls, and its place in the pool."""
        was_starting = worker.state is WorkerState.STARTING
        self.staff.gone(worker)
        self.deadlines.forget(worker)
        fault = take_files(worker.process.setup, self.staff.spec.limits.traceback_bytes)
        if was_starting:
            self.staff.not_ready(why_not_ready(worker, end))
        else:
            self._account_for(worker, end, fault)
        self.staff.reconcile()
        self.sweeper.after(worker.id)

    def _account_for(self, worker: Worker, end: WorkerExit, fault: str | None) -> None:
        now = time.monotonic()
        is_stillborn = not (worker.is_proven or worker.has_worked)
        reckoning = assign_blame(worker, end, self.causes.of(end), fault, now)
        worker.running.clear()
        self._give_back(worker, reckoning.returned)
        for running, outcome in reckoning.outcomes:
            self.listener.finished(worker.seen(running), outcome)
        if reckoning.death is not None:
            self._wounds[worker.id] = now
            self.listener.died(reckoning.death)
            if is_stillborn:
                self.staff.not_ready(f"worker {worker.id} {end.sentence} when it had just started")

    def note_recovery(self) -> None:
        """Report for each death that the pool is whole again, if it is."""
        if self._wounds and self.staff.is_whole:
            wounds, self._wounds = self._wounds, {}
            for worker, died_at in wounds.items():
                self.listener.recovered(worker, time.monotonic() - died_at)


def _note_start(running: Running, start: Started) -> None:
    running.started_at = start.started_at
    running.thread = start.thread
    running.ident = start.ident
    running.native_id = start.native_id
