"""Advice on an incident: what its cause suggests to do, and what was lost by it."""

import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pooldeck_server.domain.failures.incidents import StoredIncident, TaskToday
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.text.i18n import _

_NATIVE: Final = {
    signal.SIGSEGV,
    signal.SIGABRT,
    signal.SIGBUS,
    signal.SIGILL,
    signal.SIGFPE,
}
_OF_TIMERS: Final = {signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF}
_MAY_RUN_AGAIN: Final = {State.FAILED, State.LOST}


@dataclass(frozen=True)
class IncidentAdvice:
    """Something to do; `retry` is the task that a button beside it runs again."""

    text: str
    retry: str | None = None


def advice(
    incident: StoredIncident, tasks: Mapping[str, TaskToday], *, may_rerun: bool | None
) -> Iterator[IncidentAdvice]:
    yield IncidentAdvice(_of_cause(incident))
    if incident.left and not incident.culprit:
        yield IncidentAdvice(
            _(
                "Let functions end what they start before they return: join their threads, and"
                " wait for their processes."
            )
        )
    if len(incident.ran) > 1:
        yield IncidentAdvice(
            _(
                "Run such functions in a process pool: there the culprit is always known, and"
                " nobody else is hit."
            )
        )
    if any(task.state is State.LOST for task in tasks.values()):
        yield IncidentAdvice(
            _(
                "How far the lost tasks came cannot be known: decide for each whether it may run"
                " twice. Functions that may are declared idempotent, and run again by themselves."
            )
        )
    yield from _of_culprit(incident, tasks, may_rerun=may_rerun)


def _of_cause(incident: StoredIncident) -> str:
    if incident.signal in _NATIVE:
        return _(
            "This comes from native code, not from Python: look for the C extension at the top of"
            " the traceback, and call it alone with the same arguments."
        )
    if incident.signal == signal.SIGKILL and "out of memory" in incident.cause:
        return _(
            "Give it less at once, make the pool smaller, or set max_memory_mb for the pool, which"
            " replaces large workers in time."
        )
    if incident.signal in _OF_TIMERS:
        return _(
            "A timer rang and had no handler (signal.alarm, signal.setitimer). In a thread pool any"
            " task that had run there may have set it: functions that set timers belong in a"
            " process pool, which ends these after each task."
        )
    if incident.signal is not None:
        return _(
            "Pooldeck did not send this signal: look into the system's log of that time for who"
            " did."
        )
    if incident.exit_code is None:
        return _(
            "Pooldeck ended this worker, since it was of no more use: the server's log says what"
            " was seen. Whoever stops a worker's process for long, or puts another program in its"
            " place, needs a process of their own."
        )
    return _(
        "Something in the process ended it, such as os._exit or a library that exits on an error:"
        " let it raise an exception instead, and only the task fails."
    )


def _of_culprit(
    incident: StoredIncident, tasks: Mapping[str, TaskToday], *, may_rerun: bool | None
) -> Iterator[IncidentAdvice]:
    task = tasks.get(incident.culprit.task) if incident.culprit else None
    if task is None or may_rerun is None or task.state not in _MAY_RUN_AGAIN:
        return
    text = (
        _("When the cause is mended, run the task again.")
        if may_rerun
        else _(
            "When the cause is mended, run the task again: it is not declared idempotent, so this"
            " is not done by itself."
        )
    )
    yield IncidentAdvice(text, retry=task.id)
