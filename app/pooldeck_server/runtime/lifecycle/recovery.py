"""Sorts what an earlier server left behind, before anything is handed out, and tells the story.

A queued task runs. A task that was claimed or running may have had effects, and nobody can know how
far it got: it is run again if its function is idempotent, and lost if not.
"""

import logging
from collections import Counter

from msgspec.structs import replace

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.pools.controls import ServerRun, StartReport
from pooldeck_server.domain.pools.starts import in_words
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.lifecycle.run import Beginning
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.store import records

_log = logging.getLogger(__name__)


async def recover(recorder: Recorder, clock: Clock) -> "Counter[State]":
    """Record what became of every task that was in hand; return how many came to each state."""
    became: Counter[State] = Counter()
    while moves := await recorder.perform(lambda tx: records.interrupt(tx, clock.now())):
        became.update(move.state for move in moves)
    return became


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
