"""What becomes of the calls of a worker that is gone, and who is to blame.

A worker that the server ended has a verdict, which says it. For any other death the culprit is
looked for; nobody is accused who may be innocent.
"""

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from pooldeck.outcome import Error, ErrorKind, Outcome
from pooldeck.pools.launcher import WorkerExit
from pooldeck.pools.listener import Death
from pooldeck.pools.worker import EndReason, Running, Worker

_BROKEN: Final = "BrokenProcessPool"
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
    culprit = _culprit(worker, fault)
    death = Death(
        worker=worker.id,
        pid=worker.pid,
        detected_at=now,
        cause=cause,
        signal=end.signal,
        exit_code=end.code,
        culprit=culprit.call if culprit else None,
        suspects=()
        if culprit
        else tuple(one.call for one in (*cut_off, *worker.abandoned.values())),
        bystanders=tuple(running.call for running in cut_off if running is not culprit),
        traceback=fault,
        peak_rss_bytes=end.peak_rss_bytes,
    )
    return Blame([(one, _crashed(worker, one, death)) for one in cut_off], behind, death)


def _split(worker: Worker) -> tuple[list[Running], list[Running]]:
    """Return the calls that ran or may have run, and those that waited behind another."""
    calls = list(worker.running.values())
    at_risk = list(worker.kind.at_risk(calls))
    return at_risk, calls[len(at_risk) :]


def _culprit(worker: Worker, fault: str | None) -> Running | None:
    """Return the call that brought its worker down, None if that cannot be known.

    A call whose start was not reported may not have begun when somebody else killed the worker: it
    is accused only where there is a trace of what happened in the process itself.
    """
    suspects = [*_split(worker)[0], *worker.abandoned.values()]
    if worker.exiting is not None:
        return next((one for one in suspects if one.call.task == worker.exiting), None)
    current = _CURRENT_THREAD.search(fault or "")
    if current is not None and not worker.kind.is_alone:
        ident = int(current[1], 16)
        for one in suspects:
            if one.ident == ident:
                return one
    if len(suspects) == 1 and (suspects[0].started_at is not None or current is not None):
        return suspects[0]
    return None


def _crashed(worker: Worker, running: Running, death: Death) -> Outcome:
    message = f"worker {worker.id} (pid {worker.pid}) {_past_tense(death)}"
    kind = ErrorKind.BYSTANDER
    if running.call is death.culprit:
        kind = ErrorKind.CRASHED
        message += " while it ran this task"
    elif death.culprit is not None:
        call = death.culprit
        message += f"; task {call.task} ({call.function}) caused it, and this one ran beside it"
    elif running.started_at is None:
        message += " when it had this task in hand; whether it had begun is not known"
    else:
        others = len(death.suspects) - 1
        message += f" while it ran this task and {others} more; which of them did it is not known"
    return Outcome(error=Error(kind, _BROKEN, message, death.traceback))


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


def _unstarted(worker: Worker, running: Running, _: int) -> Outcome:
    if running.call.task != worker.doomed:
        return _hit(worker)
    return Outcome(error=Error(ErrorKind.CRASHED, _BROKEN, worker.why))


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
    EndReason.UNSTARTED: _unstarted,
    EndReason.STOPPED: _stopped,
}
