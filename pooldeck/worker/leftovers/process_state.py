"""The process state of a worker: prepared before its tasks, restored after each of them."""

import _signal  # type: ignore[import-not-found]  # `signal` makes enums of all that it returns
import contextlib
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pooldeck.end_signals import END_SIGNALS
from pooldeck.protocol import STACK_SIGNAL
from pooldeck.worker.descriptors import lift
from pooldeck.worker.end_signals import EndSignals
from pooldeck.worker.leftovers.empty_input import EmptyInput
from pooldeck.worker.leftovers.resource_limits import ResourceLimits
from pooldeck.worker.logs import capture
from pooldeck.worker.signal_changes import SignalChanges

_SIGNALS = tuple(
    number
    for number in signal.valid_signals() - END_SIGNALS - {signal.SIGKILL, signal.SIGSTOP}
    if number < getattr(signal, "SIGRTMIN", signal.NSIG)
)
_environment = os.environb  # kept, since the user's code may put something else in its place
_variables: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]  # noqa: SLF001 - to compare that takes a tenth of the time
_OOM_SCORE = "500"  # of 1000: the kernel takes a worker before the server
_cpus: Callable[[int], set[int]] = getattr(os, "sched_getaffinity", lambda _: set())
_policy: Callable[[int], int] = getattr(os, "sched_getscheduler", lambda _: 0)
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY)  # where it exists, it needs no right to read


def prepare(fault_path: str | None, stack_path: str | None) -> int | None:
    """Prepare crash reports, the stack signal, and the kernel's choice when memory runs out.

    Called before any thread is started: threads inherit which signals are blocked. Crashes write
    their Python traceback to `fault_path`, `STACK_SIGNAL` the stacks of all threads to
    `stack_path`.

    Returns:
        The descriptor of the file at `fault_path`, if there is to be one.
    """
    fault = None if fault_path is None else _opened(fault_path)
    report_crashes(fault)
    signal.pthread_sigmask(signal.SIG_BLOCK, {STACK_SIGNAL})
    faulthandler.register(STACK_SIGNAL, _opened(stack_path or os.devnull))
    with contextlib.suppress(OSError):  # other systems than Linux have no such file
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)
    _yield_to_server()
    return fault


def report_crashes(fault: int | None) -> None:
    """Have crashes reported to the descriptor `fault`, whatever the user's code has made of it."""
    if fault is not None:
        faulthandler.enable(fault)


def _opened(path: str) -> int:
    return lift(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600))


def _yield_to_server() -> None:
    """Make this a batch process, where the kernel knows such.

    It gets its share of the CPU as before, but does not push the server off it at the very moment
    that the server wakes it with a call.
    """
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def open_import_path() -> None:
    """Let the user's modules be found: first in the working directory, then on PYTHONPATH.

    Only after Pooldeck's own imports, so that nothing there can take their place.
    """
    pythonpath = os.environ.get("PYTHONPATH")
    named = pythonpath.split(os.pathsep) if pythonpath else []
    theirs = [os.path.abspath(entry) for entry in named]  # noqa: PTH100 - as `site` does
    sys.path[:] = dict.fromkeys([str(Path.cwd()), *theirs, *sys.path])


class ProcessState:
    """What a task may change of its process and the next one must not meet.

    That is what belongs to the operating system, and how the process speaks to the outside. What
    belongs to Python (modules, hooks, its limit of recursion, warnings) stays: libraries set it up
    at their first use, for good.
    """

    def __init__(
        self,
        signals: EndSignals,
        changes: SignalChanges,
        standard_input: EmptyInput,
        limits: ResourceLimits,
        fault: int | None,
        *,
        with_environment: bool,
    ) -> None:
        self._signals = signals
        self._changes = changes
        self._input = standard_input
        self._fault = fault
        self._directory = lift(os.open(".", _DIRECTORY))
        self._mask = os.umask(0o077)
        os.umask(self._mask)
        self._mappings = os.environ, os.environb
        self._variables = dict(_variables) if with_environment else None
        self._zone = time.tzname  # another object after each `tzset`
        self._limits = limits
        limits.keep()
        self._priority = os.getpriority(os.PRIO_PROCESS, 0)
        self._cpus = _cpus(0)
        self._policy = _policy(0)
        self._blocked = _signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._handlers = {
            number: handler
            for number in _SIGNALS
            if (handler := _signal.getsignal(number)) is not None  # else it is none of Python's
        }
        changes.may_differ = False

    def restore(self) -> list[str]:
        """Put back what a task has changed; return the names of what could not be."""
        limits = self._limits.restore()  # first: they may forbid the rest
        self._restore_signals()
        if self._variables is not None:
            self._restore_environment(self._variables)
        capture.restore_streams()
        self._input.restore()
        os.umask(self._mask)
        try:  # noqa: SIM105 - this is after each call, and takes a tenth of the time
            os.fchdir(self._directory)
        except OSError:
            pass
        report_crashes(self._fault)
        return limits + self._restore_scheduling()

    def _restore_signals(self) -> None:
        """Give signals their handlers back."""
        _signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)
        if not self._changes.may_differ:
            return
        for number, handler in self._handlers.items():
            if _signal.getsignal(number) is not handler:
                _signal.signal(number, handler)
        self._signals.take()
        self._changes.may_differ = False  # last: what puts them back changes them, too

    def _restore_environment(self, variables: dict[bytes, bytes]) -> None:
        os.environ, os.environb = self._mappings
        if is_changed := _variables != variables:
            for name in _variables.keys() - variables.keys():
                del _environment[name]
            _environment.update(variables)
        if is_changed or time.tzname is not self._zone:
            time.tzset()
            self._zone = time.tzname

    def _restore_scheduling(self) -> list[str]:
        """Put the priority and the CPUs back; a low priority is for good for who has no rights."""
        if (cpus := self._cpus) and _cpus(0) != cpus:
            with contextlib.suppress(OSError):  # some have been taken from the machine meanwhile
                os.sched_setaffinity(0, cpus)
        remains = []
        if _policy(0) != self._policy:
            try:
                os.sched_setscheduler(0, self._policy, os.sched_param(0))
            except OSError:
                remains.append("the scheduling policy")
        if (now := os.getpriority(os.PRIO_PROCESS, 0)) != self._priority:
            try:
                os.setpriority(os.PRIO_PROCESS, 0, self._priority)
            except OSError:
                remains.append(f"the priority (nice {now})")
        return remains
