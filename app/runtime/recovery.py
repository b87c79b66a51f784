"""Sorts what an earlier server left behind, before anything is handed out.

A queued task runs. A task that was claimed or running is lost: it may have had effects, and nobody
can know how far it got.
"""

from app.domain.clock import Clock
from app.runtime.recorder import Recorder
from app.store import records


async def recover(recorder: Recorder, clock: Clock) -> int:
    """Record every task that was in hand as lost; return how many there were."""
    lost = 0
    while moves := await recorder.perform(lambda tx: records.interrupt(tx, clock.now())):
        lost += len(moves)
    return lost
