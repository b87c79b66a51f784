"""Where one call is run and reported: started, what it says, how it ended."""

import contextvars
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar, Final

from pooldeck.context import CurrentTask, current_task, enter
from pooldeck.outcome import Outcome
from pooldeck.protocol import (
    Call,
    Exiting,
    Finished,
    ProtocolError,
    Returned,
    Setup,
    Stack,
    Started,
)
from pooldeck.worker import capture, exits, stacks
from pooldeck.worker.calls import Caller
from pooldeck.worker.channel import Channel
from pooldeck.worker.discovery import Function
from pooldeck.worker.flusher import Flusher
from pooldeck.worker.measure.probe import Probe
from pooldeck.worker.output import OutputFile
from pooldeck.worker.process_state import ProcessState
from pooldeck.worker.runs import Run, Runs, Slot
from pooldeck.worker.task_log import TaskLog

_QUICK_SECONDS: Final = 0.001


@dataclass(frozen=True)
class Equipment:
    """What a worker has when it is ready to run calls.

    Attributes:
        channel: Where to report.
        setup: What this worker is.
        output: Where descriptors 1 and 2 lead; None if they were left alone.
        functions: What can be called, by name.
    """

    channel: Channel
    setup: Setup
    output: OutputFile | None
    functions: Mapping[str, Function]


class Runner(ABC):
    """Takes calls and runs each to its end, whatever becomes of it."""

    runs_alone: ClassVar[bool]

    def __init__(self, equipment: Equipment) -> None:
        self._channel = equipment.channel
        self._setup = equipment.setup
        self._output = equipment.output
        self._runs = Runs()
        self._caller = Caller(
            equipment.functions, self._setup.limits, self._runs, sole=self.runs_alone
        )
        self._context = contextvars.copy_context()  # with what the initializer has set
        self._quick: set[str] = set()  # functions whose latest run was short
        self._flusher = Flusher(self._tend)
        self._flusher.start()
        self._probe = Probe(self._runs, self._channel.send)
        if self._setup.probes:
            self._probe.start()
        exits.on_os_exit(self._exiting)

    # What the supervisor says.

    @abstractmethod
    def dispatch(self, call: Call) -> None:
        """Run a call."""

    @abstractmethod
    def close(self) -> None:
        """Wait for the calls that run."""

    def cancel(self, task: str) -> None:
        """Ask a call to end itself; if it has not started, it is given back instead."""
        self._runs.cancel(task)

    def abandon(self, task: str) -> None:
        """Leave a call's thread to itself.

        Raises:
            ProtocolError: If calls have no threads of their own here.
        """
        raise ProtocolError(f"{task} is to be abandoned in a worker that runs calls one at a time")

    def report_stack(self, task: str) -> None:
        """Report where a call is."""
        run = self._runs.find(task)
        text = None if run is None else stacks.where(run, self._setup.limits)
        self._channel.send(Stack(task, text))

    # The way of a call.

    def _perform(self, call: Call, slot: Slot) -> None:
        journal = TaskLog(call.task, self._setup.limits, self._channel.send)
        run = self._begun(call, slot, journal)
        if not self._runs.enter(run):
            self._vacate(run)
            self._channel.send(Returned([call.task]))
            return
        if self._probe.is_resting:
            self._probe.wake()
        self._announce(run)
        self._flusher.add(journal)
        outcome = self._context.copy().run(self._run, run)
        self._note_pace(call.function, outcome)
        self._flusher.discard(journal)
        self._collect(journal)
        start = journal.close()
        self._runs.leave(run)
        self._vacate(run)
        self._channel.send(Finished(call.task, outcome, start, run.is_abandoned))

    def _begun(self, call: Call, slot: Slot, journal: TaskLog) -> Run:
        started_at = monotonic()
        task = CurrentTask(
            journal,
            task_id=call.task,
            attempt=call.attempt,
            function=call.function,
            pool=self._setup.pool,
            worker=self._setup.worker,
            deadline=None if call.timeout is None else started_at + call.timeout,
        )
        is_quick = call.function in self._quick
        return Run(call, task, journal, slot, started_at, is_quick=is_quick)

    def _announce(self, run: Run) -> None:
        """Report a start: at once, or with the end where that usually follows within a moment.

        If it does not follow this time, the flusher's next tick reports the start. That tick needs
        the GIL; if a call with a timeout keeps it, the supervisor must know its thread already.
        """
        slot = run.slot
        thread = slot.number or None
        started = Started(run.call.task, run.started_at, thread, slot.ident, slot.native_id)
        may_wait = self.runs_alone or run.call.timeout is None
        if may_wait and run.is_quick:
            run.journal.keep_start(started)
        else:
            self._channel.send(started)

    def _run(self, run: Run) -> Outcome:
        enter(run.task)
        outcome = self._caller.run(run)
        run.task.end()
        return outcome

    def _note_pace(self, function: str, outcome: Outcome) -> None:
        measured = outcome.measurement
        if measured is not None and measured.run < _QUICK_SECONDS:
            self._quick.add(function)
        else:
            self._quick.discard(function)

    def _tend(self, _journals: tuple[TaskLog, ...]) -> None:
        """Look after the output file at the flusher's tick: nobody knows which call wrote to it."""
        if self._output is not None:
            self._output.keep_small()

    def _exiting(self, code: int) -> None:
        """Report that the call that runs here ends the process.

        Not for a forked child of it, which reports nowhere, and not for what an earlier call has
        left behind.
        """
        task = current_task()
        journal = task.reporter
        if isinstance(journal, TaskLog) and not journal.is_closed:
            self._collect(journal)
            journal.close()
            self._channel.send(Exiting(task.id, code))

    @abstractmethod
    def _collect(self, journal: TaskLog) -> None:
        """Gather what a call wrote elsewhere than in its journal."""

    @abstractmethod
    def _vacate(self, run: Run) -> None:
        """Make room for the next call."""


class SerialRunner(Runner):
    """Runs calls one at a time: whatever the process writes or changes is the call's."""

    runs_alone = True

    def __init__(self, equipment: Equipment) -> None:
        super().__init__(equipment)
        self._surroundings = ProcessState()
        self._slot = Slot(0)
        self._slot.bind_thread()

    def dispatch(self, call: Call) -> None:
        """Run a call to its end, and put the process in order for the next one."""
        if self._output is not None:
            self._output.clear()
        self._perform(call, self._slot)
        self._surroundings.restore()
        if self._output is not None:
            self._output.redirect()

    def close(self) -> None:
        """Return: nothing runs any more."""

    def _tend(self, journals: tuple[TaskLog, ...]) -> None:
        for journal in journals:
            self._collect_file(journal)
        super()._tend(journals)
        if journals:
            self._give_back()

    def _give_back(self) -> None:
        """Give back what waits behind the call that runs."""
        if tasks := [call.task for call in self._channel.take_back()]:
            self._runs.forget(tasks)
            self._channel.send(Returned(tasks))

    def _collect(self, journal: TaskLog) -> None:
        capture.flush()
        self._collect_file(journal)

    def _vacate(self, run: Run) -> None:
        """Do nothing: the next call is taken when this one's end has been reported."""

    def _collect_file(self, journal: TaskLog) -> None:
        if self._output is not None:
            self._output.move_to(journal)
