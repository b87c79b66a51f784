"""The figures that are kept rather than counted: written from the moves of a transaction."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sqlalchemy import Connection

from pooldeck_server.domain.clock import MINUTE
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.tables import activity, counters

_count = Rows("pool", "function", "state", "n")
_insert_counts = _count.insert_into(counters)
_add_counts = _insert_counts.on_conflict_do_update(
    index_elements=list(counters.primary_key), set_={"n": counters.c.n + _insert_counts.excluded.n}
)

_end = Rows("minute", "pool", "function", "state", "n", "wait_seconds", "run_seconds")
_insert_ends = _end.insert_into(activity)
_add_ends = _insert_ends.on_conflict_do_update(
    index_elements=list(activity.primary_key),
    set_={
        name: activity.c[name] + _insert_ends.excluded[name]
        for name in ("n", "wait_seconds", "run_seconds")
    },
)


def add_counts(
    connection: Connection,
    moves: Iterable[TaskChanged],
    gone: Mapping[tuple[str, str, State], int] = MappingProxyType({}),
) -> None:
    """Add what moved to the counters and, where tasks ended, to the activity of its minute.

    `gone` is how many tasks of each pool, function and state are not kept any more.
    """
    counts, ends = _counts(moves, gone), _ends(moves)
    if counts:
        _count.execute(connection, _add_counts, counts)
    if ends:
        _end.execute(connection, _add_ends, ends)


def _counts(
    moves: Iterable[TaskChanged], gone: Mapping[tuple[str, str, State], int]
) -> list[tuple[str, str, str, int]]:
    counter: Counter[tuple[str, str, str]] = Counter()
    counter.subtract(gone)
    for move in moves:
        counter[move.pool, move.function, move.state] += 1
        if move.before is not None:
            counter[move.left_pool, move.function, move.before] -= 1
    return [(*key, n) for key, n in counter.items() if n]


def _ends(moves: Iterable[TaskChanged]) -> list[tuple[int, str, str, str, int, float, float]]:
    sums: defaultdict[tuple[int, str, str, str], list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for move in moves:
        if move.finished_at is not None:
            entry = sums[move.finished_at // MINUTE, move.pool, move.function, move.state]
            entry[0] += 1
            entry[1] += move.wait_seconds or 0.0
            entry[2] += move.run_seconds or 0.0
    return [(*key, int(n), wait, run) for key, (n, wait, run) in sums.items()]
