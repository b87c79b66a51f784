"""Which tasks are meant: filters as they stand in a query and in a body."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta
from msgspec.structs import asdict

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.tasks.filter import MAX_CHOSEN, Sort, TaskConditions, TaskFilter
from pooldeck_server.web.api.queries import Cursor, PageSize, moment
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT

Moment: TypeAlias = Annotated[datetime, Meta(tz=True, description="A time of submission.")]


class Filter(TaskConditions[Moment], frozen=True, forbid_unknown_fields=True):
    """Which tasks a change is for. Values of one field add up, different fields narrow.

    `since` and `until` bound the time of submission; `until` is exclusive.
    """

    errors: Annotated[tuple[ErrorKind, ...], Meta(max_length=MAX_CHOSEN)] = ()

    def as_filter(self) -> TaskFilter:
        times = {"since": moment(self.since), "until": moment(self.until)}
        wanted = asdict(self) | times | {"text": self.text or None}
        return TaskFilter(**{name: wanted[name] for name in TaskFilter.__struct_fields__})


class SortedQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Which tasks are shown, and in which order."""

    sort: Annotated[
        Sort, Meta(description="The newest, what ended last, or what ran longest first.")
    ] = Sort.CREATED


class TaskExportQuery(SortedQuery, frozen=True, forbid_unknown_fields=True):
    """Tasks as a file, in a format."""

    format: Literal["csv", "jsonl"] = "csv"


class TaskQuery(SortedQuery, frozen=True, forbid_unknown_fields=True):
    """Which tasks a list shows, and in which order."""

    limit: PageSize = DEFAULT_LIMIT
    cursor: Cursor | None = None
