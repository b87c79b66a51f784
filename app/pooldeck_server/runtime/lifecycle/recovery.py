"""Sorts what an earlier server left behind, before anything is handed out, and tells the story.

A queued task runs. Of one that was claimed or running the black boxes of the workers tell whether
it had begun, and whether it had ended. It may have had effects if it had begun and not ended, and
nobody can know how far it got: it is run again if its function is idempotent, and lost if not. So
it is where the boxes cannot be believed.
"""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from pooldeck.black_box import LongEnd
from pooldeck.outcome import ErrorKind
from pooldeck.protocol import Finished, LogLine
from pooldeck_server.domain.clock import Clock, span
from pooldeck_server.domain.pools.controls import CutOff, CutOffTask, ServerRun, StartReport
from pooldeck_server.domain.pools.starts import in_words
from pooldeck_server.domain.tasks.changes import Claim, End, Rerun
from pooldeck_server.domain.tasks.log import LogEntry
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.lifecycle.boxes import BoxesLeft
from pooldeck_server.runtime.lifecycle.runs import Beginning
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.counts import Counts
from pooldeck_server.runtime.tasks.left_in_hand import Decide, found_end, lost, was, what_becomes
from pooldeck_server.store import records
from pooldeck_server.store.records.interruption import Interruption, LeftInHand
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)


class Recovered(Struct, frozen=True):
    """What became of the tasks in hand: cut off, not begun, or ended before that was on record.

    `on_hosts` are not decided on yet: hosts may run them.
    """

    cut_off: CutOff = CutOff()
    not_begun: int = 0
    found: int = 0
    on_hosts: int = 0


async def recover(
    recorder: Recorder,
    clock: Clock,
    boxes: BoxesLeft,
    *,
    is_copy: bool = False,
    left_on_hosts: Collection[LeftInHand] = (),
) -> Recovered:
    """Record what became of every task that was in hand; return how many that were, of each kind.

    In a copy that waits for a word nothing is run again by itself.

    Args:
        recorder: Who records it.
        clock: What time it is.
        boxes: What the workers of the earlier server have noted.
        is_copy: Whether it is such a copy.
        left_on_hosts: Those that hosts may run still: nothing is decided on them.
    """
    if is_copy:  # what had not begun waits with the others
        await recorder.perform(records.release_all)
    now = clock.now()
    decide = partial(in_a_copy, now=now) if is_copy else Decision(boxes, now)
    cut_off: list[CutOffTask] = []
    not_begun = found = 0
    on_hosts = {task.pool for task in left_on_hosts}
    write = partial(_interrupt, decide=decide, boxes=boxes, on_hosts=on_hosts)
    while interruption := await recorder.perform(write):
        not_begun += interruption.released
        for move in interruption.moves:
            if move.error_kind == ErrorKind.INTERRUPTED:
                cut_off.append(CutOffTask(move.id, move.function, move.state))
            else:
                found += 1
    return Recovered(CutOff.of(cut_off), not_begun, found, len(left_on_hosts))


def _interrupt(
    transaction: Transaction,
    decide: Decide,
    boxes: BoxesLeft,
    on_hosts: Collection[str],
) -> Interruption:
    """Record what some of the tasks become, and what they had said that had not arrived.

    What those say that have sensitive arguments is masked by nobody here, and left out.
    """
    interruption = records.interrupt(transaction, decide, apart_from=on_hosts)
    entries = [
        _entry(task, line)
        for task in interruption.tasks
        if not task.has_secrets
        for line in boxes.lines.get((task.id, task.attempt), ())
    ]
    records.log(transaction, entries)
    return interruption


def _entry(task: LeftInHand, line: LogLine) -> LogEntry:
    return LogEntry(
        seq=task.seq,
        attempt=task.attempt,
        n=line.n,
        at=span(line.at),
        level=line.level,
        source=line.source,
        message=line.message,
    )


@dataclass(frozen=True)
class Decision:
    """Says of a task that was in hand what it becomes, by what its worker has noted."""

    boxes: BoxesLeft
    now: int  # microseconds since the epoch

    def __call__(self, task: LeftInHand) -> End | Rerun | Claim:
        boxed = self.boxes.find(task.id, task.attempt)
        if boxed is not None and isinstance(boxed.end, Finished):
            begun = boxed.begun
            since = max(0.0, time.monotonic() - begun.at)  # the machine was not started since
            return found_end(
                task,
                boxed.end,
                self.now,
                worker=boxed.worker,
                pid=boxed.pid,
                since=since,
                thread=begun.thread,
            )
        if boxed is not None and isinstance(boxed.end, LongEnd):
            what = "well" if boxed.end.what == "result" else f"with {boxed.end.what}"
            words = f"it had ended {what}; what came out ({boxed.end.size:,} bytes) went with it. "
            return what_becomes(task, self.now, f"The server stopped when {words}")
        is_queued = task.state is State.QUEUED
        if boxed is None and is_queued and self.boxes.has_all(task.pool):
            return Claim(task.seq, task.attempt)
        return what_becomes(task, self.now)


def in_a_copy(task: LeftInHand, now: int) -> End:
    """Return the end of a task that was in hand when the database was copied: it is lost."""
    words = f"This task {was(task)} when the backup was made, and may have ended since."
    return lost(task, now, words)


async def report(
    beginning: Beginning,
    recovered: Recovered,
    counts: Counts,
    held: int,
    recorder: Recorder,
) -> ServerRun:
    """Log and keep what the start found; return this run with it.

    Tasks that were cut off by an end in none have just been recovered; of those that one in good
    order cut off, it has kept the names.
    """
    kept = counts.counts()
    cut_off = recovered.cut_off
    if not cut_off.number and beginning.before is not None:
        cut_off = beginning.before.cut_off or cut_off
    before = beginning.before.cut_off if beginning.before else None
    found = StartReport(
        was_clean=beginning.was_clean,
        down_seconds=beginning.down_seconds,
        queued=kept[State.QUEUED] - cut_off.rerun - recovered.not_begun,
        scheduled=kept[State.SCHEDULED],
        rerun=cut_off.rerun,
        lost=cut_off.lost,
        reaped=beginning.reaped,
        held=held,
        cut_off=cut_off.tasks,
        drained=before.drained if before else None,
        not_begun=recovered.not_begun,
        found=recovered.found,
        on_hosts=recovered.on_hosts,
    )
    if beginning.before is not None:
        is_fine = found.was_clean and not cut_off.number
        _log.log(logging.INFO if is_fine else logging.WARNING, in_words(found))
    boot = beginning.run.boot
    await recorder.try_perform(lambda tx: records.save_report(tx, boot, found), "this start")
    return replace(beginning.run, report=found)
