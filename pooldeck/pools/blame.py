"""What becomes of the calls of a worker that is gone, and who is to blame.

A worker that the server ended has a verdict, which says it. For any other death the culprit is
looked for; nobody is accused who may be innocent.
"""

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.pools.launcher import WorkerExit
from pooldeck.pools.listener import Death
from pooldeck.pools.worker import EndReason, Left, Running, Worker
from pooldeck.protocol import Call

_BROKEN: Final = "BrokenProcessPool"
_MOST_NAMED: Final = 3  # tasks that left something behind
_BY_TIMERS: Final = frozenset({signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF})
_CURRENT_THREAD: Final = re.compile(r"^Current thread 0x([0-9a-f]+)", re.MULTILINE)


class Blame(Struct, frozen=True):
    """What became of a worker's calls. `death` is None if the server itself ended the worker."""

    outcomes: Sequence[tuple[Running, Outcome]]
    returned: Sequence[Running]  # they waited behind another and were not started
    death: Death | None = None


def assign_blame(
    worker: Worker, end: WorkerExit, cause: str, fault: str | None, now: float
) -> Blame:
    """Account for the calls that a worker had when it ended, for `cause` in words.

    `fault` is what faulthandler wrote, if anything: after a segfault, where each thread was. `now`
    is when the end was noticed, in seconds of the monotonic clock.
    """
    cut_off, behind = _split(worker)
    if worker.verdict is not None:
        judge = _SENTENCES[worker.verdict]
        outcomes = [(running, judge(worker, running, len(cut_off))) for running in cut_off]
        return Blame(outcomes, behind)
    is_clear = not (end.is_by_request or _is_by_timer(worker, end))
    culprit = _culprit(worker, fault) if is_clear else None
    death = Death(
        worker=worker.id,
        pid=worker.pid,
        detected_at=now,
        cause=cause,
        signal=end.signal,
        exit_code=end.code,
        culprit=culprit,
        suspects=() if culprit else tuple(_suspects(worker)),
        bystanders=tuple(running.call for running in cut_off if running.call is not culprit),
        traceback=fault,
        peak_rss_bytes=worker.peak_at_end(end.peak_rss_bytes),
    )
    return Blame([(one, _crashed(worker, one, death)) for one in cut_off], behind, death)


def _split(worker: Worker) -> tuple[list[Running], list[Running]]:
    """Return the calls that ran or may have run, and those that waited behind another."""
    calls = list(worker.running.values())
    at_risk = list(worker.kind.at_risk(calls))
    return at_risk, calls[len(at_risk) :]


def _is_by_timer(worker: Worker, end: WorkerExit) -> bool:
    """Tell whether any call that ran there may have set what ended a worker.

    Timers that a call leaves are ended after it, but not where others run beside it.
    """
    return end.signal in _BY_TIMERS and not worker.kind.is_alone


def _culprit(worker: Worker, fault: str | None) -> Call | None:
    """Return the call that brought its worker down, None if that cannot be known.

    A trace of what happened in the process itself names it: `os._exit`, or the thread that
    faulthandler found. Without one, a call is only accused if nothing else ran in its worker, and
    if its start was reported: it may not have begun when somebody else killed the worker.
    """
    if worker.exiting is not None:
        return next((call for call in _suspects(worker) if call.task == worker.exiting), None)
    current = _CURRENT_THREAD.search(fault or "")
    if current is not None and (call := _call_of(int(current[1], 16), worker)) is not None:
        return call
    ran = worker.at_risk
    if len(ran) == 1 and not worker.left and (ran[0].started_at is not None or current is not None):
        return ran[0].call
    return None


def _call_of(thread: int, worker: Worker) -> Call | None:
    """Return the call that runs on a thread, or that has left it behind."""
    for running in worker.at_risk:
        if thread == (worker.ident if worker.kind.is_alone else running.ident):
            return running.call
    return next((left.call for left in worker.left.values() if thread in left.threads), None)


def _suspects(worker: Worker) -> Iterator[Call]:
    """Yield the calls that ran, then those that had ended and left something behind."""
    ran = [running.call for running in worker.at_risk]
    yield from ran
    yield from (left.call for left in worker.left.values() if left.call not in ran)


def _crashed(worker: Worker, running: Running, death: Death) -> Outcome:
    message = f"worker {worker.id} (pid {worker.pid}) {_past_tense(death)}"
    kind = ErrorKind.BYSTANDER
    if running.call is death.culprit:
        kind = ErrorKind.CRASHED
        message += " while it ran this task"
    elif death.culprit is not None:
        call = death.culprit
        message += f"; task {call.task} ({call.function}) caused it, and this one ran beside it"
    else:
        message += _when_unclear(running, death, list(worker.left.values()))
    return Outcome(error=Error(kind, _BROKEN, message, death.traceback))


def _when_unclear(running: Running, death: Death, left: Sequence[Left]) -> str:
    """Say what a worker was doing when it died of nobody knows what."""
    if running.started_at is None:
        return " when it had this task in hand; whether it had begun is not known"
    if left:
        names = ", ".join(f"{each.call.task} ({each.call.function})" for each in left[:_MOST_NAMED])
        return f" while it ran this task; it may have been what task {names} had left behind"
    if death.signal in _BY_TIMERS:
        return " while it ran this task; whichever task had run there may have set the timer"
    if others := len(death.suspects) - 1:
        return f" while it ran this task and {others} more; which of them did it is not known"
    return " while it ran this task; it seems that this came from outside"


def _past_tense(death: Death) -> str:
    return f"was {death.cause}" if death.signal is not None else death.cause


# Sentences: what a verdict on a worker means for one of the calls that it cut off. They are given
# the worker, the call, and the number of the calls that were cut off.


def _timed_out(worker: Worker, running: Running, _: int) -> Outcome:
    if running.call.task != worker.doomed:
        return _hit(worker)
    timeout = running.call.timeout or 0.0
    return timed_out(f"it had not ended {timeout:g} s after its start, and its worker was killed")


def _killed(worker: Worker, running: Running, _: int) -> Outcome:
    if worker.doomed in {None, running.call.task}:
        return Outcome(cancelled=True)
    return _hit(worker)


def _over_memory(worker: Worker, _: Running, cut_off: int) -> Outcome:
    if cut_off > 1:
        return _hit(worker)
    return Outcome(error=Error(ErrorKind.CRASHED, "MemoryError", worker.why))


def _stopped(_worker: Worker, _running: Running, _: int) -> Outcome:
    message = "the server was stopped while this task ran"
    return Outcome(error=Error(ErrorKind.INTERRUPTED, "Interrupted", message))


def _hit(worker: Worker) -> Outcome:
    """Return the outcome of a call that only shared the worker with the one it was ended for."""
    message = f"worker {worker.id} was killed while it ran this task: {worker.why}"
    return Outcome(error=Error(ErrorKind.BYSTANDER, _BROKEN, message))


def timed_out(message: str) -> Outcome:
    return Outcome(error=Error(ErrorKind.TIMEOUT, "TimeoutError", message))


_SENTENCES: Final[dict[EndReason, Callable[[Worker, Running, int], Outcome]]] = {
    EndReason.TIMEOUT: _timed_out,
    EndReason.KILLED: _killed,
    EndReason.MEMORY: _over_memory,
    EndReason.STOPPED: _stopped,
    EndReason.UNSTARTED: _stopped,  # it has no calls, but may be sent away before it is gone
}
