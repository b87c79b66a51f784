"""Sorts what an earlier server left behind, before anything is handed out, and tells the story.

A queued task runs. A task that was claimed or running may have had effects, and nobody can know how
far it got: it is run again if its function is idempotent, and lost if not.
"""

import logging
from collections import Counter
from functools import partial

import msgspec
from msgspec.structs import replace

from pooldeck.functions import RunOptions
from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.failures.error_groups import group_of
from pooldeck_server.domain.pools.controls import ServerRun, StartReport
from pooldeck_server.domain.pools.starts import in_words
from pooldeck_server.domain.tasks.changes import End, Rerun
from pooldeck_server.domain.tasks.reruns import rerun_at
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.lifecycle.runs import Beginning
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.store import records
from pooldeck_server.store.records.interruption import LeftInHand

_log = logging.getLogger(__name__)


async def recover(recorder: Recorder, clock: Clock) -> "Counter[State]":
    """Record what became of every task that was in hand; return how many came to each state."""
    became: Counter[State] = Counter()
    decide = partial(what_becomes, now=clock.now())
    while moves := await recorder.perform(lambda tx: records.interrupt(tx, decide)):
        became.update(move.state for move in moves)
    return became


def what_becomes(task: LeftInHand, now: int) -> End | Rerun:
    """Return the end of a task that was in hand: it is lost, or run again if it is idempotent."""
    options = RunOptions.from_json(task.options)
    if rerun_at(options, task.reruns, ErrorKind.INTERRUPTED, now, jitter=1.0) is None:
        return _interrupted(task, now, "It was not run again.")
    return Rerun(_interrupted(task, now, "It is idempotent, so it is run again."), now)


def _interrupted(task: LeftInHand, now: int, consequence: str) -> End:
    what = "ran" if task.state is State.RUNNING else "was handed to a worker"
    error = Error(
        ErrorKind.INTERRUPTED,
        "Interrupted",
        f"The server stopped while this task {what}, so nobody can know how far it got. "
        + consequence,
    )
    return End(
        task.seq,
        task.attempt,
        State.LOST,
        now,
        error_kind=error.kind,
        error=msgspec.json.encode(error).decode(),
        error_group=group_of(error, task.function).id,
    )


async def report(
    beginning: Beginning, became: "Counter[State]", counts: Counts, held: int, recorder: Recorder
) -> ServerRun:
    """Log and keep what the start found; return this run with it."""
    kept = counts.counts()
    found = StartReport(
        was_clean=beginning.was_clean,
        down_seconds=beginning.down_seconds,
        queued=kept[State.QUEUED] - became[State.QUEUED],
        scheduled=kept[State.SCHEDULED],
        rerun=became[State.QUEUED],
        lost=became[State.LOST],
        reaped=beginning.reaped,
        held=held,
    )
    if beginning.before is not None:
        _log.log(logging.INFO if found.was_clean else logging.WARNING, in_words(found))
    boot = beginning.run.boot
    await recorder.try_perform(lambda tx: records.save_report(tx, boot, found), "this start")
    return replace(beginning.run, report=found)
