"""Runners, which own the execution of calls: start, run, log, end, report."""

import contextvars
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Thread
from time import monotonic
from typing import ClassVar, Final

from pooldeck.black_box import Begun
from pooldeck.context import CurrentTask, current_task, enter
from pooldeck.masking import Mask, sensitive_of
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
from pooldeck.worker import exits, stacks, tracing
from pooldeck.worker.black_box import BlackBox
from pooldeck.worker.calls import Caller
from pooldeck.worker.channel import Channel
from pooldeck.worker.end_signals import EndSignals
from pooldeck.worker.functions.discovery import Function
from pooldeck.worker.leftovers.child_processes import runs
from pooldeck.worker.leftovers.empty_input import EmptyInput
from pooldeck.worker.leftovers.left_behind import Leftovers
from pooldeck.worker.leftovers.process_state import ProcessState
from pooldeck.worker.leftovers.resource_limits import ResourceLimits
from pooldeck.worker.leftovers.timers import Timers
from pooldeck.worker.logs import capture
from pooldeck.worker.logs.flusher import Flusher
from pooldeck.worker.logs.gathered_log import GatheredLog, Outlet
from pooldeck.worker.logs.last_words import LastWords
from pooldeck.worker.logs.logging_state import LoggingState
from pooldeck.worker.logs.output import OutputFile
from pooldeck.worker.logs.task_log import OwnLog, TaskLog
from pooldeck.worker.measure.probe import Probe
from pooldeck.worker.runs import Run, Runs, Slot
from pooldeck.worker.signal_changes import SignalChanges

_QUICK_SECONDS: Final = 0.001


@dataclass(frozen=True)
class Equipment:
    """What a worker has when it is ready to run calls."""

    channel: Channel
    setup: Setup
    words: LastWords
    box: BlackBox
    output: OutputFile | None  # None if descriptors 1 and 2 were left alone
    functions: Mapping[str, Function]
    signals: EndSignals
    signal_changes: SignalChanges
    standard_input: EmptyInput
    limits: ResourceLimits
    timers: Timers
    fault: int | None  # the descriptor that crash reports go to


class Runner(ABC):
    """Runs calls and reports each of them, however it ends."""

    runs_alone: ClassVar[bool]

    def __init__(self, equipment: Equipment) -> None:
        self._channel = equipment.channel
        self._setup = equipment.setup
        self._output = equipment.output
        self._box = equipment.box
        self._words = equipment.words
        self._runs = Runs()
        self._caller = Caller(
            equipment.functions,
            self._setup.limits,
            self._runs,
            sole=self.runs_alone,
            timers=equipment.timers,
        )
        self._context = contextvars.copy_context()  # with what the initializer has set
        self._quick: set[str] = set()  # functions whose latest run was short
        self._logging = LoggingState()
        self._hooks = capture.hooks()
        self._flusher = Flusher()
        self._secrets = self._runs.secrets
        self._sensitive = sensitive_of(each.spec for each in equipment.functions.values())
        self._outlet = Outlet(
            self._channel.send, self._setup.limits, equipment.words, self._secrets
        )
        self._own_log = OwnLog(self._outlet, self._flusher.wake)
        capture.send_rest_to(self._own_log, self._output)
        self._turn_output(self._own_log)
        self._flusher.start(self._own_log, self._on_tick)
        self._leftovers = Leftovers(self._channel.send)
        self._probe = Probe(self._runs, self._channel.send)
        if self._setup.probes:
            self._probe.start()
        exits.on_os_exit(self._report_exit)

    # What the supervisor asks for.

    @abstractmethod
    def dispatch(self, call: Call) -> None:
        """Run a call, here or on a thread of its own."""

    @abstractmethod
    def close(self) -> Collection[Thread]:
        """Wait for the calls that run; return the threads that have been left to themselves."""

    def send_rest(self) -> None:
        """Send what the worker itself has said, and what was written past Python."""
        capture.flush()
        self._move_output()
        self._own_log.flush()

    def cancel(self, task: str) -> None:
        self._runs.cancel(task)

    def commit(self, ends: int) -> None:
        """Forget what is on record: the first so many ends that were sent, and what led to them."""
        self._box.commit(ends)
        if ends == self._channel.ends:
            self._words.commit()

    def abandon(self, task: str) -> None:
        """Leave a call's thread to itself, where calls have threads of their own."""
        raise ProtocolError(f"{task} is to be abandoned in a worker that runs calls one at a time")

    def report_stack(self, task: str) -> None:
        run = self._runs.find(task)
        text = None if run is None else stacks.where(run, self._setup.limits)
        if text is not None and self._secrets.mask is not None:
            text = self._secrets.mask(text)
        self._channel.send(Stack(task, text))

    # The execution of a call.

    def _perform(self, call: Call, slot: Slot) -> None:
        run = self._new_run(call, slot)
        if not self._runs.enter(run):
            self._forget_secrets(run)
            self._free_slot(run)
            self._channel.send(Returned([call.task]))
            return
        slot.region.begin(Begun(call.task, call.attempt, run.started_at, slot.number or None))
        self._leftovers.review()
        self._probe.wake(call.function)
        self._report_start(run)
        self._begin_output(run)
        outcome = self._context.copy().run(self._run_as_current, run)
        is_quick = self._remember_pace(run, outcome)
        start = self._close_log(run)
        self._logging.restore(was_quick=is_quick)
        capture.restore_hooks(self._hooks)
        self._runs.leave(run)
        if run.mask is not None:
            self._forget_secrets(run)
        self._free_slot(run)
        self._channel.finish(Finished(call.task, outcome, start, run.is_abandoned), slot.region)

    def _new_run(self, call: Call, slot: Slot) -> Run:
        mask = self._mask_of(call) if call.function in self._sensitive else None
        started_at = monotonic()
        log = TaskLog(call, self._outlet, self._own_log, mask)
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
        return Run(call, task, log, slot, started_at, is_quick=is_quick, mask=mask)

    def _mask_of(self, call: Call) -> Mask | None:
        """Return what masks the sensitive arguments of a call, and begin to mask them in all."""
        mask = self._sensitive[call.function].mask(call.args, call.kwargs)
        if mask is not None:
            self._secrets.enter(mask)
        return mask

    def _forget_secrets(self, run: Run) -> None:
        """Mask a call's arguments no longer, but in what it has left running says in its name."""
        if run.mask is not None:
            self._own_log.forget(run.mask)
            self._secrets.leave(run.mask)

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
        if run.call.trace is not None:
            tracing.enter(run.call.trace)
        outcome = self._caller.run(run)
        run.task.end()
        capture.flush_strange()  # here, where what it holds back is known to be the call's
        return outcome

    def _remember_pace(self, run: Run, outcome: Outcome) -> bool:
        """Remember whether a function was quick, and return it."""
        measured = outcome.measurement
        is_quick = measured is not None and measured.run < _QUICK_SECONDS
        if is_quick:
            self._quick.add(run.call.function)
        else:
            self._quick.discard(run.call.function)
        return is_quick

    def _close_log(self, run: Run) -> Started | None:
        """Send the rest of a call's log; return its start if that was not sent."""
        self._flusher.discard(run.log)
        self._end_output(run)
        children = self._leftovers.note(run, self._put_in_order())
        start = run.log.close()
        if children and self._output is not None:
            is_alone = len(self._runs.running()) == 1  # else others may write to the file, too
            owner = run.log if is_alone else self._own_log
            self._output.leave_to(owner, lambda: any(map(runs, children)))
        return start

    @abstractmethod
    def _on_tick(self, logs: Collection[TaskLog]) -> None:
        """Do what is due at the flusher's tick, before it sends the open logs."""

    def _move_output(self) -> None:
        """Move what C code and children have written to the log that it belongs to."""
        if self._output is not None:
            self._output.move()

    def _turn_output(self, owner: GatheredLog) -> None:
        """Let what C code and children write from now on be of a log."""
        if self._output is not None:
            self._output.turn_to(owner)

    def _report_exit(self, code: int) -> None:
        """Report that a call ends the process, or what one has left behind.

        Not for a forked child of it, which reports nowhere.
        """
        task = current_task()
        log = task.reporter
        if isinstance(log, TaskLog):
            if not log.is_closed:
                if self._output is not None:
                    self._output.catch_up()  # a signal may have come while this thread moved it
                log.close()
            self._channel.send(Exiting(task.id, code))

    @abstractmethod
    def _begin_output(self, run: Run) -> None:
        """Note that a call begins, and what C code and children write may be its."""

    @abstractmethod
    def _end_output(self, run: Run) -> None:
        """Move what they have written by the end of a call to the log that it belongs to."""

    def _put_in_order(self) -> list[str]:
        """Put back what a call has changed of its process; return what could not be."""
        return []

    @abstractmethod
    def _free_slot(self, run: Run) -> None:
        """Make room for the next call."""


class SerialRunner(Runner):
    """Runs calls one at a time: whatever the process writes or changes is the call's."""

    runs_alone = True

    def __init__(self, equipment: Equipment) -> None:
        super().__init__(equipment)
        self._process_state = ProcessState(
            equipment.signals,
            equipment.signal_changes,
            equipment.standard_input,
            equipment.limits,
            equipment.fault,
            with_environment=self._setup.restores_environment,
        )
        self._slot = Slot(0, self._box.region())
        self._slot.bind_thread()

    def dispatch(self, call: Call) -> None:
        """Run a call to its end, and put the process in order for the next one.

        One that waited behind a call that has spoilt the process is returned: others can run it.
        """
        if self._leftovers.is_spoilt:
            self._channel.send(Returned([call.task]))
            return
        self._perform(call, self._slot)
        if self._output is not None:
            self._output.redirect()

    def close(self) -> Collection[Thread]:
        """Return: nothing runs any more."""
        return ()

    def _on_tick(self, logs: Collection[TaskLog]) -> None:
        self._move_output()
        if logs:
            self._return_waiting()

    def _return_waiting(self) -> None:
        if tasks := [call.task for call in self._channel.take_back()]:
            self._runs.forget(tasks)
            self._channel.send(Returned(tasks))

    def _begin_output(self, run: Run) -> None:
        if self._output is not None:
            self._output.turn_to(run.log)

    def _end_output(self, _run: Run) -> None:
        if self._output is not None:
            self._output.turn_to(self._own_log)

    def _put_in_order(self) -> list[str]:
        return self._process_state.restore()

    def _free_slot(self, run: Run) -> None:
        """Do nothing: the next call is taken when this one's end has been reported."""
