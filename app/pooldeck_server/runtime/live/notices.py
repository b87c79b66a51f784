"""What needs somebody's attention. Pure functions of the picture, and since when each is so."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.failures.error_groups import StoredErrorGroup
from pooldeck_server.domain.notices import HALTED, Need, Notice
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.store.standing import Displaced, Displacement

STARVING_SECONDS: Final = 10.0
"""How long all slots of a pool must have been busy, with nothing ended, to speak of starvation."""

STUCK_SECONDS: Final = 10.0
"""How long a task must have been running to be called stuck."""

STUCK_TIMES: Final = 3.0
"""How many times the usual p95 of its function it must have been running for that."""

_DISPLACED: Final = {
    Displaced.MISSING: Need.MISSING_DATABASE,
    Displaced.REPLACED: Need.REPLACED_DATABASE,
    Displaced.TAKEN: Need.TAKEN_DATABASE,
}
_OVERDUE_SECONDS: Final = 2.0  # past its timeout: by then it should have been ended


def of_pool(pool: PoolHealth) -> Iterator[Notice]:
    """Yield what of a pool needs attention; `seconds` is None where its picture does not tell."""
    if pool.state == "broken":
        yield Notice(Need.BROKEN, pool.name, reason=pool.reason)
    elif pool.state in HALTED:
        yield Notice(HALTED[pool.state], pool.name, number=pool.queued)
    elif starving := _starvation(pool):
        yield starving
    yield from _stuck(pool)
    yield from _abandoned(pool)


def _starvation(pool: PoolHealth) -> Notice | None:
    """Return a notice if nothing ends while something waits.

    What runs longest is no sign: the slot that was filled last says since when nothing has ended.
    """
    busy = [slot.elapsed for _, slot in _slots(pool) if slot.elapsed is not None]
    seconds = min(busy, default=0.0)
    if not pool.queued or len(busy) < pool.size or seconds < STARVING_SECONDS:
        return None
    return Notice(Need.STARVATION, pool.name, seconds, pool.size)


def _stuck(pool: PoolHealth) -> Iterator[Notice]:
    """Yield one notice for the tasks that run far longer than usual, or past their timeout."""
    stuck = [(worker, slot) for worker, slot in _slots(pool) if _is_stuck(slot)]
    if len(stuck) == 1:
        ((worker, slot),) = stuck
        yield Notice(
            Need.STUCK,
            pool.name,
            slot.elapsed,
            worker=worker.id,
            task=slot.task,
            function=slot.function,
            usual=slot.usual_p95,
        )
    elif stuck:
        longest = max(slot.elapsed or 0.0 for _, slot in stuck)
        yield Notice(Need.STUCK, pool.name, longest, len(stuck))


def _is_stuck(slot: SlotHealth) -> bool:
    elapsed = slot.elapsed or 0.0
    if slot.timeout is not None and elapsed > slot.timeout + _OVERDUE_SECONDS:
        return True
    usual = slot.usual_p95
    return usual is not None and elapsed >= max(STUCK_SECONDS, STUCK_TIMES * usual)


def _abandoned(pool: PoolHealth) -> Iterator[Notice]:
    """Yield a notice for each worker with threads that outlived their tasks."""
    for worker in pool.workers:
        number = sum(slot.abandoned for slot in worker.slots)
        if number:
            yield Notice(Need.ABANDONED, pool.name, None, number, worker=worker.id)


def _slots(pool: PoolHealth) -> Iterator[tuple[WorkerHealth, SlotHealth]]:
    for worker in pool.workers:
        yield from ((worker, slot) for slot in worker.slots if not slot.abandoned)


def on_hold(hold: Hold, pool: str, now: int) -> Notice:
    """Return the notice for a function of a pool that is on hold; `now` is in microseconds."""
    age = max(0.0, seconds(now - hold.since))
    return Notice(Need.HOLD, pool, age, function=hold.function, reason=hold.reason)


def of_store(
    displacement: Displacement | None, trouble: PooldeckError | None, lag: float | None
) -> Iterator[Notice]:
    """Yield what of the database needs attention; `lag` is how long a slow commit takes."""
    if displacement is not None:
        need = _DISPLACED[displacement.how]
        yield Notice(need, reason=displacement.holder, file=displacement.file)
    elif trouble is not None:
        yield Notice(Need.REFUSED_WRITES, reason=trouble.detail)
    elif lag is not None:
        yield Notice(Need.SLOW_WRITES, seconds=lag)


def of_errors(returned: Sequence[StoredErrorGroup], now: int) -> Iterator[Notice]:
    """Yield a notice for the groups that came back after a fix; `now` is in microseconds."""
    if len(returned) == 1:
        (group,) = returned
        age = None if group.changed_at is None else max(0.0, seconds(now - group.changed_at))
        yield Notice(Need.RETURNED, seconds=age, reason=group.type, group=group.id)
    elif returned:
        yield Notice(Need.RETURNED, number=len(returned))


def of_log_file(trouble: str | None) -> Iterator[Notice]:
    """Yield a notice if the log file cannot be written; `trouble` says why."""
    if trouble is not None:
        yield Notice(Need.UNLOGGED, reason=trouble)


class Since:
    """Remembers when each notice was first seen, for those whose time nothing else tells.

    What is there at the first look has been so for nobody knows how long: a pool that was paused
    before the server started.
    """

    def __init__(self) -> None:
        self._first: dict[str, dict[tuple[Need, str | None], float | None]] = {}

    def fill(self, pool: str, notices: Iterable[Notice], now: float) -> tuple[Notice, ...]:
        """Return all `notices` of a pool with their times, and forget those that are gone.

        `now` is seconds of the monotonic clock.
        """
        before = self._first.get(pool)
        otherwise = None if before is None else now
        keyed = [((notice.need, notice.worker), notice) for notice in notices]
        first = {key: (before or {}).get(key, otherwise) for key, _ in keyed}
        self._first[pool] = first
        return tuple(_timed(notice, first[key], now) for key, notice in keyed)


def _timed(notice: Notice, first: float | None, now: float) -> Notice:
    if notice.seconds is not None or first is None:
        return notice
    return replace(notice, seconds=now - first)
