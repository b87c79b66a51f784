"""What ran in which slot over a stretch of time, with bounded work however much that was.

An attempt is found by its end, along the indexes on `finished_at`, from the newest back. One that
ended after the stretch may have run in it: it is looked for among those that ended next, and among
the longest of all.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select, true

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.timeline import Bar, Timeline, TimelineRequest
from pooldeck_server.store.bulk import fetch, json_rows
from pooldeck_server.store.queries.index_plan import unindexed
from pooldeck_server.store.tables import attempts, is_slow, tasks

MOST_BARS: Final = 2_000
"""Attempts that one answer holds, beside those that go on at the end of its stretch."""

MOST_COUNTED: Final = 20_000
"""Ends of tasks, and of earlier attempts, that are counted: `Timeline.ended` goes no further."""

_SCANNED: Final = 7_000  # ends that are looked at where a filter passes over some of them
_LOOKED_BEYOND: Final = 1_000  # ends after the stretch, and longest runs, that may reach into it

_Condition = ColumnElement[bool]


class _Lane(NamedTuple):
    """Ends from `low` up to `high`, along the index of `table`."""

    table: Table
    low: int
    high: int

    @property
    def conditions(self) -> tuple[_Condition, ...]:
        column = self.table.c.finished_at
        return column >= self.low, column <= self.high

    def ends(self) -> Select[int]:
        return select(self.table.c.finished_at).where(*self.conditions)


def timeline(
    connection: Connection,
    wanted: TimelineRequest,
    pools: Sequence[str],
    most: int = MOST_BARS,
    scanned: int = _SCANNED,
) -> Timeline:
    """Return the attempts of a stretch of time: of those that ended in it, the `most` latest.

    In `pools` tasks may run at this moment; so many ends are `scanned` where only some are wanted.
    """
    is_narrowed = wanted.pool is not None or wanted.function is not None
    whole = [_Lane(table, wanted.since, wanted.until) for table in (tasks, attempts)]
    lanes = [_newest(connection, lane, scanned if is_narrowed else most) for lane in whole]
    ended = [
        bar
        for lane in lanes
        for bar in _bars(connection, wanted, lane.table, lane.conditions, most + 1)
    ]
    ended.sort(key=_end, reverse=True)
    return Timeline(
        bars=(*_going_on(connection, wanted, pools), *ended[:most]),
        complete_from=max(*(lane.low for lane in lanes), *(_end(bar) + 1 for bar in ended[most:])),
        ended=sum(_number(connection, lane) for lane in whole),
    )


def _end(bar: Bar) -> int:
    return bar.finished_at or 0


def _newest(connection: Connection, lane: _Lane, scanned: int) -> _Lane:
    """Return the part of a lane that holds its `scanned` newest ends."""
    beyond = lane.ends().order_by(lane.table.c.finished_at.desc()).offset(scanned).limit(1)
    found = connection.scalar(beyond)
    return lane if found is None else _Lane(lane.table, found + 1, lane.high)


def _number(connection: Connection, lane: _Lane) -> int:
    counted = lane.ends().limit(MOST_COUNTED).subquery()
    return connection.execute(select(func.count()).select_from(counted)).scalar_one()


def _going_on(connection: Connection, wanted: TimelineRequest, pools: Sequence[str]) -> list[Bar]:
    """Return what began before the end of the stretch and runs, or ended after it."""
    runs = (tasks.c.state == State.RUNNING, tasks.c.pool.in_(pools))
    found = _bars(connection, wanted, tasks, runs)
    for table in (tasks, attempts):
        column = table.c.finished_at
        later = select(column).where(column > wanted.until).order_by(column)
        last = connection.scalar(later.offset(_LOOKED_BEYOND).limit(1))
        looked_at = (column > wanted.until, true() if last is None else column <= last)
        found += _bars(connection, wanted, table, looked_at)
        if last is not None and table is tasks:  # earlier attempts have no index of the longest
            found += _longest(connection, wanted, last)
    return found


def _longest(connection: Connection, wanted: TimelineRequest, after: int) -> list[Bar]:
    """Return those of the longest runs that ended after `after`."""
    longest = select(tasks.c.seq).where(is_slow).order_by(tasks.c.run_seconds.desc())
    among = tasks.c.seq.in_(longest.limit(_LOOKED_BEYOND))
    return _bars(connection, wanted, tasks, (among, tasks.c.finished_at > after))


def _bars(
    connection: Connection,
    wanted: TimelineRequest,
    table: Table,
    conditions: Sequence[_Condition],
    most: int = MOST_BARS,
) -> list[Bar]:
    """Return up to `most` wanted attempts of `table` that meet `conditions`, the last to end."""
    given = {"pool": wanted.pool, "function": wanted.function}
    newest = (
        _attempts_in(table)
        .where(*conditions, table.c.started_at < wanted.until, table.c.worker.is_not(None))
        .where(*(unindexed(tasks.c[name]) == value for name, value in given.items() if value))
        .order_by(table.c.finished_at.desc())
        .limit(most)
        .subquery()
    )
    columns: dict[str, ColumnElement[Any]] = dict(newest.c.items())
    columns["measurement"] = func.json(func.coalesce(newest.c.measurement, "null"))
    return fetch(connection, select(json_rows(columns.values())), list[Bar])


def _attempts_in(table: Table) -> Select[Any]:
    """Return the fields of `Bar`, in their order, of the attempts in `table`."""
    whose = tasks.c.id, table.c.attempt, tasks.c.function, tasks.c.pool
    names = ("worker", "thread", "state", "error_kind", "started_at", "finished_at", "recorded_at")
    costs = ("queued_seconds", "cpu_seconds", "measurement")
    found = select(*whose, *(table.c[name] for name in (*names, *costs)))
    return found if table is tasks else found.join(tasks, tasks.c.seq == table.c.seq)
