"""The data of the list of tasks, read in one transaction."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from sqlalchemy import Connection

from pooldeck_server.domain.measurements.figures import Count
from pooldeck_server.domain.tasks.filter import TaskPage, Total
from pooldeck_server.store import queries
from pooldeck_server.web.pages.tasks.address import TaskListQuery

_PAGE_SIZE: Final = 50


class TaskListData(Struct, frozen=True):
    """A page of tasks.

    `total` is how many fit altogether, `counts` how many tasks there are, by pool, function and
    state. So many as are `not_indexed` a search looks at one by one, if more than a page of them.
    """

    page: TaskPage
    total: Total
    counts: Sequence[Count]
    not_indexed: int


def read(connection: Connection, view: TaskListQuery, cursor: str | None, now: int) -> TaskListData:
    wanted = view.filter(now)
    later = 0 if wanted.text is None else queries.not_indexed(connection)
    return TaskListData(
        page=queries.tasks(connection, wanted, _PAGE_SIZE, cursor, sort=view.sort),
        total=queries.total(connection, wanted),
        counts=queries.counts(connection),
        not_indexed=later if later > queries.SCAN_LIMIT else 0,
    )
