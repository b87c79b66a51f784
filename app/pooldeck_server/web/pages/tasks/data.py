"""The data of the list of tasks, read in one transaction."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.tasks.filter import StateCounts, TaskFilter, TaskPage, Total, is_counted
from pooldeck_server.store import queries
from pooldeck_server.web.pages.tasks.address import TaskListQuery

_PAGE_SIZE: Final = 50


class TaskListData(Struct, frozen=True):
    """A page of tasks.

    `total` is how many fit altogether, `counts` how many tasks there are, by pool, function and
    state; `states` how many of each state fit what else is asked for, where `counts` cannot tell.
    So many as are `not_indexed` a search looks at one by one, if more than a page of them.
    """

    page: TaskPage
    total: Total
    counts: Sequence[Count]
    not_indexed: int
    states: StateCounts | None = None


def nothing(counts: Sequence[Count]) -> TaskListData:
    """Return what a list shows whose conditions mean nothing."""
    return TaskListData(TaskPage((), None), Total(0, is_exact=True), counts, 0)


def read(
    connection: Connection,
    view: TaskListQuery,
    wanted: TaskFilter,
    cursor: str | None,
    *,
    counts_all: bool,
) -> TaskListData:
    """Read what fits `wanted`, in the order of `view`, with the numbers of all tasks if asked."""
    later = 0 if wanted.text is None else queries.not_indexed(connection)
    return TaskListData(
        page=queries.tasks(connection, wanted, _PAGE_SIZE, cursor, sort=view.sort),
        total=queries.total(connection, wanted),
        counts=queries.counts(connection) if counts_all else _own(connection, wanted),
        not_indexed=later if later > queries.SCAN_LIMIT else 0,
        states=None if is_counted(wanted) else queries.state_counts(connection, wanted),
    )


def _own(connection: Connection, wanted: TaskFilter) -> list[Count]:
    """Return the numbers of what is in the functions and pools of a filter, and of nothing else."""
    return [
        each
        for each in queries.counts(connection)
        if each.function in wanted.functions and each.pool in wanted.pools
    ]
