"""What needs somebody's attention. Pure functions of the picture, and since when each is so."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec.structs import replace

from pooldeck.loaded_code import ModuleFailure
from pooldeck.pools.port import Outgrown
from pooldeck_server.domain.alerts.outbox import UNTOLD_SECONDS, OutboxState
from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.drains import DrainProgress
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.failures.error_groups import StoredErrorGroup
from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.version import said_of
from pooldeck_server.domain.leaps import ClockLeap
from pooldeck_server.domain.notices import BY_SEVERITY, HALTED, HELD, Need, Notice
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.domain.pools.hosts import HostState
from pooldeck_server.domain.retention import DAY
from pooldeck_server.store.standing import Displaced, Displacement

STARVING_SECONDS: Final = 10.0
"""How long all slots of a pool must have been busy, with nothing ended, to speak of starvation."""

OUTGROWN_SECONDS: Final = 600.0
"""How long a worker that was found too large is remembered."""

OUTGROWN_LEAST: Final = 3
"""How many of a pool have to be too large within that time: one in a while may leak."""

SHORT_SECONDS: Final = 60.0
"""How long a task must have waited for a slot to say that there are too few."""

STUCK_SECONDS: Final = 10.0
"""How long a task must have been running to be called stuck."""

STUCK_TIMES: Final = 3.0
"""How many times the usual p95 of its function it must have been running for that."""

_DISPLACED: Final = {
    Displaced.MISSING: Need.MISSING_DATABASE,
    Displaced.REPLACED: Need.REPLACED_DATABASE,
    Displaced.TAKEN: Need.TAKEN_DATABASE,
}
_BUSY: Final = 0.9  # of the slots, in the last minute: hardly any was ever free
_MEBIBYTE: Final = 1024 * 1024
_NAMED: Final = 3  # functions whose tasks no worker can run
_Key: TypeAlias = tuple[Need, str | None, str | None, str | None]
_OVERDUE_SECONDS: Final = 2.0  # past its timeout: by then it should have been ended


def of_access(*, is_open: bool) -> Iterator[Notice]:
    """Yield a notice where everybody of the machine is let in, which nobody is by default."""
    if is_open:
        yield Notice(Need.OPEN)


def of_pool(pool: PoolHealth) -> Iterator[Notice]:
    """Yield what of a pool needs attention; `seconds` is None where its picture does not tell."""
    if pool.state == "broken":
        yield Notice(Need.BROKEN, pool.name, reason=pool.reason)
    elif pool.state in HALTED:
        yield Notice(HALTED[pool.state], pool.name, number=pool.queued)
    elif starving := _starvation(pool):
        yield starving
    has_workers = pool.hosts is None or any(host.stands for host in pool.hosts)
    if pool.reason is not None and pool.state != "broken" and has_workers:
        yield Notice(Need.NO_NEW_WORKERS, pool.name, reason=pool.reason)
    if pool.outgrown >= OUTGROWN_LEAST:
        limit = f"{pool.max_memory_bytes // _MEBIBYTE:,} MiB"
        yield Notice(Need.OUTGROWN, pool.name, number=pool.outgrown, reason=limit)
    yield from _stuck(pool)
    yield from _abandoned(pool)


def lately(outgrown: Iterable[Outgrown], now: float) -> list[Outgrown]:
    """Return the workers that were found too large in the last minutes, by the monotonic clock."""
    return [each for each in outgrown if now - each.at < OUTGROWN_SECONDS]


def _starvation(pool: PoolHealth) -> Notice | None:
    """Return a notice if nothing ends while something waits.

    What runs longest is no sign: the slot that was filled last says since when nothing has ended,
    unless tasks like that one usually take so long.
    """
    busy = [slot for _, slot in _slots(pool) if slot.elapsed is not None]
    last = min(busy, key=lambda slot: slot.elapsed or 0.0, default=SlotHealth())
    seconds, usual = last.elapsed or 0.0, last.usual_p95 or 0.0
    is_full = bool(busy) and len(busy) >= pool.slots
    if not pool.queued or not is_full or seconds < max(STARVING_SECONDS, 2 * usual):
        return None
    return Notice(Need.STARVATION, pool.name, seconds, pool.slots)


def of_backlog(pool: PoolHealth, waited: float | None) -> Iterator[Notice]:
    """Yield a notice if a pool has too few slots for what is queued.

    Args:
        pool: The pool.
        waited: For how many seconds the oldest has waited of those that a slot would be enough for;
            None if there is none.
    """
    is_busy = pool.recent is not None and pool.recent.utilization >= _BUSY
    if waited is None or waited < SHORT_SECONDS or not is_busy:
        return
    if pool.state == "running" and _starvation(pool) is None:  # that says more
        yield Notice(Need.SHORT_OF_SLOTS, pool.name, waited, pool.queued)


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


def of_waiting(
    pool: str, counts: Mapping[str, int], obstacle: Callable[[str], str]
) -> Iterator[Notice]:
    """Yield what of a pool's queue no worker can run: a notice for each function, up to a few.

    `counts` has the number of tasks of each function, `obstacle` says why they wait.
    """
    most = sorted(counts, key=lambda function: -counts[function])
    for function in most[:_NAMED]:
        why = obstacle(function)
        number = counts[function]
        yield Notice(Need.UNSCHEDULABLE, pool, number=number, function=function, reason=why)
    if rest := most[_NAMED:]:
        yield Notice(Need.UNSCHEDULABLE, pool, number=sum(counts[function] for function in rest))


def of_code(pool: PoolHealth, changed: Sequence[str]) -> Iterator[Notice]:
    """Yield a notice if workers have older code than others, or than the `changed` files."""
    number = sum(worker.is_outdated for worker in pool.workers)
    if number:
        file = changed[0] if changed else None
        yield Notice(Need.OUTDATED, pool.name, number=number, file=file)


def of_hosts(pool: PoolHealth, now: int) -> Iterator[Notice]:
    """Yield what of a pool's hosts needs attention; `now` is in microseconds."""
    hosts = pool.hosts
    if hosts is None:
        return
    if not any(host.stands for host in hosts):
        yield Notice(Need.NO_HOST, pool.name, number=pool.queued, reason=pool.engine)
    standing = {host.name for host in hosts if host.stands}
    for host in hosts:
        if host.state is HostState.NO_CONTACT:
            yield Notice(
                Need.LOST_CONTACT,
                pool.name,
                max(0.0, seconds(now - host.last_contact)),
                len(host.tasks),
                until=host.lost_at,
                host=host.name,
            )
        elif host.state is HostState.REFUSED and host.name not in standing:
            yield Notice(
                Need.REFUSED_HOST,
                pool.name,
                max(0.0, seconds(now - host.last_contact)),
                reason=host.reason,
                host=host.name,
            )


def of_modules(failures: Iterable[ModuleFailure]) -> Iterator[Notice]:
    """Yield a notice for each module that cannot be loaded."""
    for failure in failures:
        yield Notice(Need.FAILED_MODULE, module=failure.module, reason=said_of(failure))


def on_hold(hold: Hold, pool: str | None, now: int) -> Notice:
    """Return the notice for a function that is held; `now` is in microseconds."""
    age = max(0.0, seconds(now - hold.since))
    need = Need.HOLD if hold.refuses else Need.PAUSED_FUNCTION
    return Notice(need, pool, age, function=hold.function, reason=hold.reason, hold=hold)


def of_frame(frame: Frame, holds: Iterable[Hold]) -> list[Notice]:
    """Return all notices of a picture, the worst first; also holds of what no pool has."""
    in_pools = [notice for pool in frame.pools for notice in pool.notices]
    said = {each.function for each in in_pools if each.need in HELD}
    homeless = [on_hold(hold, None, frame.at) for hold in holds if hold.function not in said]
    found = (*frame.notices, *in_pools, *homeless)
    return sorted(found, key=lambda notice: BY_SEVERITY[notice.severity])


def of_placements(functions: Iterable[RegisteredFunction]) -> Iterator[Notice]:
    """Yield a notice for each function whose move was undone, until somebody decides about it.

    A decision is a placement by hand, giving it back, or other code.
    """
    for function in functions:
        placement = function.placement
        if placement is not None and placement.is_undone_for(function.spec.code):
            yield Notice(
                Need.UNDONE,
                placement.pool,
                function=function.spec.name,
                reason=placement.error,
                target=placement.before,
            )


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


def of_drain(progress: DrainProgress | None) -> Iterator[Notice]:
    """Yield what is to be said of a drain of the whole server."""
    if progress is None:
        return
    order = progress.order
    yield Notice(
        Need.SERVER_DRAIN,
        number=progress.running,
        waiting=progress.queued,
        usual=progress.about,
        left=progress.left,
        stops=order.stops,
        by=order.by,
        reason=order.reason,
    )


def of_errors(returned: Sequence[StoredErrorGroup], now: int) -> Iterator[Notice]:
    """Yield a notice for the groups that came back after a fix; `now` is in microseconds."""
    if len(returned) == 1:
        (group,) = returned
        age = None if group.changed_at is None else max(0.0, seconds(now - group.changed_at))
        yield Notice(Need.RETURNED, seconds=age, reason=group.type, group=group.id)
    elif returned:
        yield Notice(Need.RETURNED, number=len(returned))


def of_copies(restored: tuple[int, str] | None, no_backup: str | None) -> Iterator[Notice]:
    """Yield what is to be said of copies.

    Args:
        restored: How many tasks of a backup wait for a word, and when it was made.
        no_backup: Why the latest backup could not be made.
    """
    if restored is not None:
        number, made_at = restored
        yield Notice(Need.RESTORED, number=number, reason=made_at)
    if no_backup is not None:
        yield Notice(Need.NO_BACKUP, reason=no_backup)


def of_retention(
    *, is_asked: bool, free_bytes: int | None, leap: ClockLeap | None = None
) -> Iterator[Notice]:
    """Yield what is to be said of room, and of what would make some.

    Args:
        is_asked: Somebody has to say that old tasks may be deleted.
        free_bytes: What the disk of the database has left, where that is little.
        leap: How far the clock is ahead of what is known, where that is far.
    """
    if leap is not None:
        yield Notice(Need.LEAPT_CLOCK, number=max(1, (leap.to - leap.since) // DAY))
    if is_asked:
        yield Notice(Need.UNDELETED)
    if free_bytes is not None:
        mebibytes = 1 << (free_bytes // _MEBIBYTE).bit_length()
        yield Notice(Need.LOW_DISK, reason=f"{mebibytes:,} MiB")


def of_outbox(outbox: OutboxState, now: int) -> Iterator[Notice]:
    """Yield what keeps alerts and callbacks from those who are to be told; `now`: microseconds."""
    both = (outbox.alerts, outbox.callbacks)
    oldest = min((each.since for each in both if each.since is not None), default=now)
    waits = seconds(now - oldest)
    if waits >= UNTOLD_SECONDS:
        yield Notice(Need.UNTOLD, seconds=waits, number=sum(each.number for each in both))
    if outbox.turned_off:
        yield Notice(Need.TURNED_OFF, number=outbox.turned_off)


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
        self._first: dict[str, dict[_Key, float | None]] = {}

    def fill(self, pool: str, notices: Iterable[Notice], now: float) -> tuple[Notice, ...]:
        """Return all `notices` of a pool with their times, and forget those that are gone.

        `now` is seconds of the monotonic clock.
        """
        before = self._first.get(pool)
        otherwise = None if before is None else now
        keyed = [((each.need, each.worker, each.function, each.host), each) for each in notices]
        first = {key: (before or {}).get(key, otherwise) for key, _ in keyed}
        self._first[pool] = first
        return tuple(_timed(notice, first[key], now) for key, notice in keyed)


def _timed(notice: Notice, first: float | None, now: float) -> Notice:
    if notice.seconds is not None or first is None:
        return notice
    return replace(notice, seconds=now - first)
