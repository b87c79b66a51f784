"""What the workers of a pool report, and what their ends mean: passed on to the pool's listener."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from pooldeck.black_box import Box
from pooldeck.end_signals import END_SIGNALS
from pooldeck.masking import sensitive_of
from pooldeck.outcome import Outcome
from pooldeck.pools import clocks, process_signs
from pooldeck.pools.blame import assign_blame
from pooldeck.pools.boxes import Boxes
from pooldeck.pools.deadlines import Deadlines
from pooldeck.pools.exit_cause import (
    ExitCauses,
    not_gone,
    take_files,
    taken_down_by,
    why_not_ready,
)
from pooldeck.pools.last_words import last_words
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
    LeftBehind,
    Loading,
    Log,
    Observed,
    Progress,
    Ready,
    Returned,
    Stack,
    Started,
    Unready,
    WorkerLog,
)

_log = logging.getLogger(__name__)


@dataclass
class Reports:
    """Keeps a pool's picture of its workers up to date."""

    staff: Roster
    listener: PoolListener
    deadlines: Deadlines
    looks: StackRequests
    causes: ExitCauses
    sweeper: Sweeper  # ends what workers leave behind
    boxes: Boxes | None  # what they note of the calls that begin and end
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
                self._logged(worker, message)
            case Progress():
                self.listener.progressed(message)
            case Returned():
                self._returned(worker, message.tasks)
            case _:
                self._receive_seldom(worker, message)

    def _receive_seldom(
        self,
        worker: Worker,
        message: Observed
        | Abandoned
        | Stack
        | Exiting
        | LeftBehind
        | Loading
        | Ready
        | Unready
        | WorkerLog,
    ) -> None:
        match message:
            case WorkerLog():
                worker.heard.note(message.lines)
                self.listener.worker_said(worker.id, clocks.said_at(message.lines, worker))
            case Observed():
                self.listener.observed(message.observations)
            case Abandoned():
                self._left(worker, message.task)
            case Stack():
                self.looks.answer(message)
            case Exiting():
                worker.exiting = message.task
            case LeftBehind():
                self._left_behind(worker, message)
            case Loading():
                worker.loading = message.module
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

    def _logged(self, worker: Worker, message: Log) -> None:
        running = worker.running.get(message.task)
        if running is not None:
            if running.call.attempt != message.attempt:  # an earlier one, which was abandoned
                return
            running.heard.note(message.lines)
        self.listener.logged(message.task, clocks.said_at(message.lines, worker))

    def _finished(self, worker: Worker, message: Finished) -> None:
        if self.boxes is not None:
            self.boxes.note_end(worker.id)
        if message.is_abandoned or message.task in worker.leaving:
            self._ended_late(worker, message)
            return
        running = worker.running.pop(message.task, None)
        if running is None:
            return
        self._note_end(worker, running, message)
        if not worker.is_proven:
            self.staff.boots.confirm_start(worker)
        if worker.state is WorkerState.BUSY:
            self._free_slot(worker)
        self.listener.finished(worker.seen(running), clocks.measured(message.outcome, running))
        if worker.state is WorkerState.STOPPING:
            self.staff.done(worker)
        elif 0 < self.staff.spec.max_tasks_per_worker <= worker.tasks_done:
            self.staff.retire_when_replaced(worker)

    def _note_end(self, worker: Worker, running: Running, message: Finished) -> None:
        if message.started is not None:
            _note_start(running, message.started)
        if (peak := _peak(message.outcome)) is not None:
            worker.note_memory(peak)
        worker.tasks_done += 1

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

    def _left_behind(self, worker: Worker, message: LeftBehind) -> None:
        worker.note_left(message.threads)
        if message.is_spoilt:
            self.staff.retire_after_calls(worker)

    def _returned(self, worker: Worker, tasks: Iterable[str]) -> None:
        """Return to the listener what a worker gives back unstarted."""
        returned = []
        for task in tasks:
            if task in worker.leaving:  # it had been given up before it could start
                worker.take_abandoned(task)
                self._left(worker, task)
            elif running := worker.running.pop(task, None):
                returned.append(running)
        if returned:  # the call before them takes long after all: nothing is to wait behind it
            worker.has_quick_ones = False
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
        worker.ident, worker.inherited_bytes = message.ident, message.inherited_bytes
        worker.peak_rss_bytes = message.peak_rss_bytes
        worker.sensitive = sensitive_of(message.code.functions)
        worker.program = process_signs.program(worker.pid)
        if worker.state is WorkerState.STARTING and worker.verdict is None:
            if self.boxes is not None:
                self.boxes.ready(worker.id)
            self.listener.described(worker.id, message.code)
            self.staff.loaded(worker, message.code)
            if worker.verdict is None:
                _log.debug(
                    "worker %s (pid %d) is ready", worker.id, worker.pid, extra=worker.log_extra
                )

    # Ends.

    def ended(self, worker: Worker, end: WorkerExit) -> None:
        """Account for a worker that is gone: its calls, and its place in the pool."""
        _log.debug(
            "worker %s (pid %d) is gone: it %s",
            *(worker.id, worker.pid, end.sentence),
            extra=worker.log_extra,
        )
        was_starting = worker.state is WorkerState.STARTING
        if end.is_for_all and worker.verdict is None:
            worker.verdict = EndReason.STOPPED
        self.staff.gone(worker)
        self.deadlines.forget(worker)
        self._pass_on_last_words(worker)
        boxed = None if self.boxes is None else self.boxes.read(worker.id)
        if boxed is not None:
            self._take_boxed(worker, boxed)
        fault = take_files(worker.process.setup, self.staff.spec.limits.traceback_bytes)
        if fault is not None and (mask := worker.mask) is not None:
            fault = mask(fault)
        if worker.is_expelled:
            _log.warning("%s", not_gone(worker, fault), extra=worker.log_extra)
        elif worker.left_at and end.code != 0:
            words = "worker %s (pid %d) %s while it ended as it was told to"
            _log.warning(words, worker.id, worker.pid, end.sentence, extra=worker.log_extra)
        if was_starting:
            self._account_for_start(worker, end, fault)
        else:
            self._account_for(worker, end, fault)
        self.staff.reconcile()
        self.sweeper.after(worker.id)

    def _pass_on_last_words(self, worker: Worker) -> None:
        for said in last_words(worker):
            lines = clocks.said_at(said.lines, worker)
            if said.task is None:
                self.listener.worker_said(worker.id, lines)
            else:
                self.listener.logged(said.task, lines)

    def _take_boxed(self, worker: Worker, box: Box) -> None:
        """Take what a worker has noted and not sent: ends, and that calls have not begun."""
        for task, running in [*worker.running.items()]:
            call = box.calls.get((task, running.call.attempt))
            if call is not None and running.started_at is None:
                running.started_at = clocks.started_at(call.begun.at, running)
                running.thread = call.begun.thread
            if call is not None and isinstance(call.end, Finished):
                del worker.running[task]
                self._note_end(worker, running, call.end)
                outcome = clocks.measured(call.end.outcome, running)
                self.listener.finished(worker.seen(running), outcome)
            elif call is None and running.started_at is None and box.is_whole:
                del worker.running[task]
                self._give_back(worker, [running])

    def _account_for_start(self, worker: Worker, end: WorkerExit, fault: str | None) -> None:
        """Account for a worker that never got ready; a module may have taken it down."""
        if end.signal in END_SIGNALS:  # somebody has ended it: the next one is none the worse
            return
        culprit = taken_down_by(worker, end, fault)
        if culprit is not None:
            self.staff.boots.blame(culprit)
        self.staff.not_ready(why_not_ready(worker, end))

    def _account_for(self, worker: Worker, end: WorkerExit, fault: str | None) -> None:
        now = time.monotonic()
        is_stillborn = not (worker.is_proven or worker.has_worked)
        cause = self.causes.of(end, is_own_peak=worker.is_own_peak(end.peak_rss_bytes))
        reckoning = assign_blame(worker, end, cause, fault, now)
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


def _peak(outcome: Outcome) -> int | None:
    return None if outcome.measurement is None else outcome.measurement.peak_rss_bytes


def _note_start(running: Running, start: Started) -> None:
    running.started_at = clocks.started_at(start.started_at, running)
    running.thread = start.thread
    running.ident = start.ident
    running.native_id = start.native_id
