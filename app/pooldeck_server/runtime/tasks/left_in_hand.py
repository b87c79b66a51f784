"""What becomes of a task that an earlier server left in hand, by what is known of it.

It may have had effects if it had begun and not ended, and nobody can know how far it got: it is run
again if its function is idempotent, and lost if not.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from pooldeck.functions import RunOptions
from pooldeck.outcome import Error, ErrorKind
from pooldeck.pools.listener import RunningCall
from pooldeck.protocol import Finished
from pooldeck_server.domain.clock import span
from pooldeck_server.domain.failures.error_groups import group_of
from pooldeck_server.domain.tasks.changes import Claim, End, Rerun
from pooldeck_server.domain.tasks.reruns import rerun_at
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import QueuedTask
from pooldeck_server.runtime.tasks.attempts import RunningAttempt
from pooldeck_server.runtime.tasks.running import with_json
from pooldeck_server.store.records.interruption import LeftInHand

_TYPES: Final = {ErrorKind.INTERRUPTED: "Interrupted", ErrorKind.HOST_LOST: "HostLost"}

Decide: TypeAlias = Callable[[LeftInHand], End | Rerun | Claim]
"""Says what a task becomes; a claim is taken back."""


def found_end(
    task: LeftInHand,
    end: Finished,
    now: int,
    *,
    worker: str,
    pid: int,
    since: float,
    thread: int | None,
) -> End | Rerun:
    """Return the end of a task that had ended before that was on record.

    Args:
        task: The task.
        end: What its worker has noted of the end.
        now: Microseconds since the epoch.
        worker: The worker's id.
        pid: Its process.
        since: Seconds since the call began.
        thread: The number of its thread, where threads are numbered.
    """
    queued = QueuedTask(
        seq=task.seq,
        id=task.id,
        function=task.function,
        pool=task.pool,
        priority=task.priority,
        created_at=task.created_at,
        args="",  # it is not run by this
        kwargs="",
        run_at=task.run_at,
        options=task.options,
        attempt=task.attempt - 1,
        reruns=task.reruns,
    )
    attempt = RunningAttempt.next_of(queued)
    attempt.started_at = now - span(since)
    outcome = with_json(end.outcome)
    seconds = since if outcome.measurement is None else min(since, outcome.measurement.run)
    run = RunningCall(
        call=attempt.call(),
        worker=worker,
        pid=pid,
        posted_at=0.0,
        started_at=0.0,  # what the attempt has counts
        thread=thread,
        is_asked=False,
        is_abandoned=False,
    )
    ended = attempt.end(run, outcome, seconds, attempt.started_at + span(seconds))
    return attempt.rerun(ended, outcome.error) or ended


def what_becomes(
    task: LeftInHand, now: int, story: str = "", kind: ErrorKind = ErrorKind.INTERRUPTED
) -> End | Rerun:
    """Return the end of a task that was cut off: it is lost, or run again if it is idempotent."""
    options = RunOptions.from_json(task.options)
    story = story or (
        f"The server stopped while this task {was(task)}, so nobody can know how far it got. "
    )
    if rerun_at(options, task.reruns, kind, now, jitter=1.0) is None:
        return lost(task, now, f"{story}It was not run again.", kind)
    return Rerun(lost(task, now, f"{story}It is idempotent, so it is run again.", kind), now)


def was(task: LeftInHand) -> str:
    """Say what was with a task: "ran" or "was handed to a worker"."""
    return "ran" if task.state is State.RUNNING else "was handed to a worker"


def lost(task: LeftInHand, now: int, words: str, kind: ErrorKind = ErrorKind.INTERRUPTED) -> End:
    """Return the end of a task of which nobody can know how far it got."""
    error = Error(kind, _TYPES[kind], words)
    return End(
        task.seq,
        task.attempt,
        State.LOST,
        now,
        error_kind=error.kind,
        error=msgspec.json.encode(error).decode(),
        error_group=group_of(error, task.function).id,
    )
