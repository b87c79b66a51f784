"""The timeline: what ran in which slot over a stretch of time.

Times are microseconds since the epoch, durations seconds.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from pooldeck.kinds import KINDS
from pooldeck_server.domain.clock import seconds, span
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth
from pooldeck_server.domain.tasks.states import State

ABANDONED = "abandoned"
"""What a bar is that shows a thread which runs on after its task was given up."""


class Slot(Struct, frozen=True, array_like=True):
    """Where an attempt ran: a worker, and in a thread worker the number of the thread."""

    pool: str
    worker: str
    thread: int | None = None


class Overhead(Struct, frozen=True):
    """What of an attempt's time was not spent in the function, as its worker measured it."""

    decode: float = 0.0
    encode: float = 0.0


class Bar(Struct, frozen=True, array_like=True, kw_only=True):
    """An attempt of a task in its slot; `finished_at` is None while it runs.

    `state` is a word of `pooldeck_server.domain.tasks.states`, or `ABANDONED`.
    """

    task: str
    attempt: int
    function: str
    pool: str
    worker: str
    thread: int | None
    state: str
    error_kind: str | None
    started_at: int
    finished_at: int | None
    recorded_at: int | None
    queued_seconds: float | None
    cpu_seconds: float | None
    overhead: Overhead | None

    @property
    def slot(self) -> Slot:
        return Slot(self.pool, self.worker, self.thread)

    def seconds(self, now: int) -> float:
        """Return how long it ran, or has run at the time `now`."""
        return seconds(max(0, (self.finished_at or now) - self.started_at))


class TimelineRequest(Struct, frozen=True):
    """What a timeline shows: from `since` to `until`, of all pools and functions or of one."""

    since: int
    until: int
    pool: str | None = None
    function: str | None = None


class Timeline(Struct, frozen=True):
    """The attempts of a stretch of time, the last to end first, those that run before them.

    All that ended from `complete_from` on are there; of what ended before, only some may be.
    `ended` is the number of attempts of any pool and function that ended in the stretch.
    """

    bars: tuple[Bar, ...]
    complete_from: int
    ended: int


def slots_of(pools: Iterable[PoolHealth]) -> Iterator[tuple[Slot, SlotHealth]]:
    """Yield each slot that there is at this moment, and what is in it.

    An abandoned thread is a slot no more: it comes with the number that it would have behind them.
    """
    for pool in pools:
        is_shared = not KINDS[pool.kind].is_alone
        for worker in pool.workers:
            for number, slot in enumerate(worker.slots, 1):
                yield Slot(pool.name, worker.id, number if is_shared else None), slot


def unstored(
    bars: Iterable[Bar], pools: Iterable[PoolHealth], wanted: TimelineRequest, now: int
) -> Iterator[Bar]:
    """Yield what runs now and is in no stored bar: fresh starts and abandoned threads."""
    stored = {bar.task: bar for bar in bars}
    for slot, inside in slots_of(pools):
        if inside.task is None or inside.elapsed is None or not _fits(slot, inside, wanted):
            continue
        bar = stored.get(inside.task)
        if bar is None and not inside.abandoned:
            yield _begun(slot, inside, now)
        elif bar is not None and inside.abandoned and bar.finished_at is not None:
            yield replace(
                bar, state=ABANDONED, started_at=bar.finished_at, finished_at=None, overhead=None
            )


def _fits(slot: Slot, inside: SlotHealth, wanted: TimelineRequest) -> bool:
    return wanted.pool in {None, slot.pool} and wanted.function in {None, inside.function}


def _begun(slot: Slot, inside: SlotHealth, now: int) -> Bar:
    return Bar(
        task=inside.task or "",
        attempt=0,  # not known yet
        function=inside.function or "",
        pool=slot.pool,
        worker=slot.worker,
        thread=slot.thread,
        state=State.RUNNING,
        error_kind=None,
        started_at=now - span(inside.elapsed or 0.0),
        finished_at=None,
        recorded_at=None,
        queued_seconds=None,
        cpu_seconds=None,
        overhead=None,
    )
