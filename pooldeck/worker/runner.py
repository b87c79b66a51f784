"""Runners, which own the execution of calls: start, run, log, end, report."""

import contextvars
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
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
from pooldeck.worker.measure.probe import Probe
from pooldeck.worker.output import OutputFile
from pooldeck.worker.process_state import ProcessState
from pooldeck.worker.runs import Run, Runs, Slot
from pooldeck.worker.task_log import Flusher, TaskLog

_QUICK_SECONDS: Final = 0.001


@dataclass(frozen=True)
class Equipment:
    """What a worker has when it is ready to run calls."""

    channel: Channel
    setup: Setup
    output: OutputFile | None  # None if descriptors 1 and 2 were left alone
    functions: Mapping[str, Function]


class Runner(ABC):
    """Runs calls and reports each of them, however it ends."""

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
        self._flusher = Flusher(self._on_tick)
        self._flusher.start()
        self._probe = Probe(self._runs, self._channel.send)
        if self._setup.probes:
            self._probe.start()
        exits.on_os_exit(self._report_exit)

    # What the supervisor asks for.

    @abstractmethod
    def dispatch(self, call: Call) -> None:
        """Run a call, here or on a thread of its own."""

    @abstractmethod
    def close(self) -> None:
        """Wait for the calls that run."""

    def cancel(self, task: str) -> None:
        self._runs.cancel(task)

    def abandon(self, task: str) -> None:
        """Leave a call's thread to itself, where calls have threads of their own."""
        raise ProtocolError(f"{task} is to be abandoned in a worker that runs calls one at a time")

    def report_stack(self, task: str) -> None:
        run = self._runs.find(task)
        text = None if run is None else stacks.where(run, self._setup.limits)
        self._channel.send(Stack(task, text))

    # The execution of a call.

    def _perform(self, call: Call, slot: Slot) -> None:
        run = self._new_run(call, slot)
        if not self._runs.enter(run):
            self._free_slot(run)
            self._channel.send(Returned([call.task]))
            return
        self._probe.wake()
        self._report_start(run)
        outcome = self._context.copy().run(self._run_as_current, run)
        self._remember_pace(run, outcome)
        start = self._close_log(run)
        self._runs.leave(run)
        self._free_slot(run)
        self._channel.send(Finished(call.task, outcome, start, run.is_abandoned))

    def _new_run(self, call: Call, slot: Slot) -> Run:
        started_at = monotonic()
        log = TaskLog(call.task, self._setup.limits, self._channel.send)
        task = CurrentTask(
            log,
            id=call.task,
            attempt=call.attempt,
            function=call.function,
            pool=self._setup.pool,
            worker=self._setup.worker,
            deadline=None if call.timeout is None else started_at + call.timeout,
        )
        is_quick = call.function in self._quick
        return Run(call, task, log, slot, started_at, is_quick=is_quick)

    def _report_start(self, run: Run) -> None:
        """Report a start: at once, or with the end where that usually follows within a moment.

        If it does not follow this time, the flusher's next tick reports the start. That tick needs
        the GIL; if a call with a timeout keeps it, the supervisor must know its thread already.
        """
        slot = run.slot
        thread = slot.number or None
        started = Started(run.call.task, run.started_at, thread, slot.ident, slot.native_id)
        may_wait = self.runs_alone or run.call.timeout is None
        if may_wait and run.is_quick:
            run.log.keep_start(started)
        else:
            self._channel.send(started)
        self._flusher.add(run.log)

    def _run_as_current(self, run: Run) -> Outcome:
        enter(run.task)
        outcome = self._caller.run(run)
        run.task.end()
        return outcome

    def _remember_pace(self, run: Run, outcome: Outcome) -> None:
        measured = outcome.measurement
        if measured is not None and measured.run < _QUICK_SECONDS:
            self._quick.add(run.call.function)
        else:
            self._quick.discard(run.call.function)

    def _close_log(self, run: Run) -> Started | None:
        """Send the rest of a call's log; return its start if that was not sent."""
        self._flusher.discard(run.log)
        self._collect_output(run.log)
        return run.log.close()

    def _on_tick(self, _logs: Collection[TaskLog]) -> None:
        """Keep the output file small at the flusher's tick: no call can be named as its writer."""
        if self._output is not None:
            self._output.keep_small()

    def _report_exit(self, code: int) -> None:
        """Report that the call that runs here ends the process.

        Not for a forked child of it, which reports nowhere, and not for what an earlier call has
        left behind.
        """
        task = current_task()
        log = task.reporter
        if isinstance(log, TaskLog) and not log.is_closed:
            self._collect_output(log)
            log.close()
            self._channel.send(Exiting(task.id, code))

    @abstractmethod
    def _collect_output(self, log: TaskLog) -> None:
        """Add to a call's log what it wrote past Python's streams."""

    @abstractmethod
    def _free_slot(self, run: Run) -> None:
        """Make room for the next call."""


class SerialRunner(Runner):
    """Runs calls one at a time: whatever the process writes or changes is the call's."""

    runs_alone = True

    def __init__(self, equipment: Equipment) -> None:
        super().__init__(equipment)
        self._process_state = ProcessState()
        self._slot = Slot(0)
        self._slot.bind_thread()

    def dispatch(self, call: Call) -> None:
        """Run a call to its end, and put the process in order for the next one."""
        if self._output is not None:
            self._output.clear()
        self._perform(call, self._slot)
        self._process_state.restore()
        if self._output is not None:
            self._output.redirect()

    def close(self) -> None:
        """Return: nothing runs any more."""

    def _on_tick(self, logs: Collection[TaskLog]) -> None:
        for log in logs:
            self._move_output(log)
        super()._on_tick(logs)
        if logs:
            self._return_waiting()

    def _return_waiting(self) -> None:
        if tasks := [call.task for call in self._channel.take_back()]:
            self._runs.forget(tasks)
            self._channel.send(Returned(tasks))

    def _collect_output(self, log: TaskLog) -> None:
        capture.flush()
        self._move_output(log)

    def _free_slot(self, run: Run) -> None:
        """Do nothing: the next call is taken when this one's end has been reported."""

    def _move_output(self, log: TaskLog) -> None:
        if self._output is not None:
            self._output.move_to(log)
