"""What fails now: the groups of errors of the latest minutes, by their counts for each minute."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, select

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.clock import MINUTE
from pooldeck_server.domain.failures.error_groups import (
    FAILING_MINUTES,
    FailingGroup,
    GroupState,
    StoredErrorGroup,
)
from pooldeck_server.store.bulk import fetch, fetch_all, json_rows
from pooldeck_server.store.queries.incidents import death_of
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

    Those whose tasks were only beside a culprit come after the others, however many they are, and
    name what took them along. Those that somebody has muted are left out. `pool` narrows it to what
    fails in one pool.
    """
    present = now // MINUTE
    chosen, number = _most(connection, present, pool, limit)
    first = present - _LOOKED_BACK + 1
    minutes: defaultdict[str, list[int]] = defaultdict(lambda: [0] * _LOOKED_BACK)
    pools: defaultdict[str, Counter[str]] = defaultdict(Counter)
    columns = (by_minute.c.minute, by_minute.c.id, by_minute.c.pool, by_minute.c.n)
    rows = select(json_rows(columns)).where(
        by_minute.c.id.in_([group.id for group in chosen]), *_since(first, present, pool)
    )
    for row in fetch(connection, rows, list[_Minute]):
        minutes[row.id][row.minute - first] += row.n
        pools[row.id][row.pool] += row.n
    found = [
        FailingGroup(
            group,
            tuple(minutes[group.id]),
            tuple(name for name, _ in pools[group.id].most_common()),
            death_of(connection, group.last_task, group.last_seen) if _is_beside(group) else None,
        )
        for group in chosen
    ]
    return found, max(0, number - limit)


def _most(
    connection: Connection, present: int, pool: str | None, limit: int
) -> tuple[list[StoredErrorGroup], int]:
    """Return the groups that failed most in the latest minutes, and how many did at all."""
    lately = (
        select(by_minute.c.id, func.sum(by_minute.c.n).label("n"))
        .where(*_since(present - FAILING_MINUTES + 1, present, pool))
        .group_by(by_minute.c.id)
        .subquery()
    )
    looked_at = kept.join(lately, lately.c.id == kept.c.id)
    is_told = kept.c.state != GroupState.MUTED
    number = select(func.count()).select_from(looked_at).where(is_told)
    groups = (
        select(kept)
        .select_from(looked_at)
        .where(is_told)
        .order_by(kept.c.kind == ErrorKind.BYSTANDER, lately.c.n.desc(), kept.c.last_seen.desc())
        .limit(limit)
    )
    found = fetch_all(connection, groups, StoredErrorGroup)
    return found, connection.execute(number).scalar_one()


def _is_beside(group: StoredErrorGroup) -> bool:
    return group.kind == ErrorKind.BYSTANDER


def _since(first: int, present: int, pool: str | None) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of minutes up to now: a clock that was put back has a future."""
    yield by_minute.c.minute.between(first, present)
    if pool is not None:
        yield by_minute.c.pool == pool
