"""What fails now: the groups of errors of the latest minutes, by their counts for each minute."""

from collections import Counter, defaultdict

from msgspec import Struct
from sqlalchemy import Connection, select

from pooldeck_server.domain.clock import MINUTE
from pooldeck_server.domain.failures.error_groups import (
    FAILING_MINUTES,
    FailingGroup,
    GroupState,
    StoredErrorGroup,
)
from pooldeck_server.store.bulk import fetch, fetch_all, json_rows
from pooldeck_server.store.tables import error_groups as kept
from pooldeck_server.store.tables import error_minutes as by_minute

_LOOKED_BACK = 2 * FAILING_MINUTES


class _Minute(Struct, frozen=True, array_like=True):
    """The failures of a group in one minute and pool."""

    minute: int
    id: str
    pool: str
    n: int


def failing(
    connection: Connection, now: int, pool: str | None = None, limit: int = 8
) -> tuple[list[FailingGroup], int]:
    """Return the groups that fail most at `now` (microseconds), and how many more there are.

    Those that somebody has muted are left out. `pool` narrows it to what fails in one pool.
    """
    present = now // MINUTE
    first = present - _LOOKED_BACK + 1
    columns = (by_minute.c.minute, by_minute.c.id, by_minute.c.pool, by_minute.c.n)
    query = select(json_rows(columns)).where(by_minute.c.minute >= first)
    if pool is not None:
        query = query.where(by_minute.c.pool == pool)
    minutes: defaultdict[str, list[int]] = defaultdict(lambda: [0] * _LOOKED_BACK)
    pools: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in fetch(connection, query, list[_Minute]):
        if row.minute <= present:  # a clock that was put back has a future
            minutes[row.id][row.minute - first] += row.n
            pools[row.id][row.pool] += row.n
    now_failing = {key: each for key, each in minutes.items() if any(each[FAILING_MINUTES:])}
    groups = fetch_all(
        connection,
        select(kept).where(kept.c.id.in_(now_failing), kept.c.state != GroupState.MUTED),
        StoredErrorGroup,
    )
    found = [
        FailingGroup(
            group,
            tuple(minutes[group.id]),
            tuple(name for name, _ in pools[group.id].most_common()),
        )
        for group in groups
    ]
    found.sort(key=lambda each: (each.number, each.group.last_seen), reverse=True)
    return found[:limit], max(0, len(found) - limit)
