"""Which tasks are meant: filters as they stand in a query and in a body."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.tasks.filter import Sort, TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Name
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, Limit

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FILTERS_AT_ONCE: Final = 50
_LONGEST_TEXT: Final = 200
_SEARCHED: Final = "Looked for in ids, functions, and the first 4,096 characters of arguments."
_Names = Annotated[list[str], Field(max_length=_FILTERS_AT_ONCE)]

_LISTED: Final = Meta(max_length=_FILTERS_AT_ONCE)
Names: TypeAlias = Annotated[tuple[Name, ...], _LISTED]
States: TypeAlias = Annotated[tuple[State, ...], _LISTED]
Kinds: TypeAlias = Annotated[tuple[ErrorKind, ...], _LISTED]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True, description="A time of submission.")]
Text: TypeAlias = Annotated[
    str,
    Meta(max_length=_LONGEST_TEXT, description=_SEARCHED),
]


class TaskQuery(BaseModel):
    """Filters of the same name add up, different ones narrow."""

    model_config = ConfigDict(extra="forbid")

    state: list[State] = Field(default=[], max_length=len(State))
    function: _Names = []
    pool: _Names = []
    tag: _Names = []
    error: list[ErrorKind] = Field(default=[], max_length=len(ErrorKind))
    group: _Names = Field(default=[], description="Ids of groups of errors.")
    pipeline: _Names = Field(default=[], description="Ids of pipelines.")
    q: str | None = Field(
        default=None,
        max_length=_LONGEST_TEXT,
        description=_SEARCHED,
    )
    since: AwareDatetime | None = Field(default=None, description="Submitted then or later.")
    until: AwareDatetime | None = Field(default=None, description="Submitted before then.")
    sort: Sort = Field(
        default=Sort.CREATED, description="The newest, what ended last, or what ran longest first."
    )
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = Field(
        default=None, max_length=200, description="`next_cursor` of the page before."
    )

    def filter(self) -> TaskFilter:
        """Return what the store looks for."""
        wanted = Filter(
            state=tuple(self.state),
            function=tuple(self.function),
            pool=tuple(self.pool),
            tag=tuple(self.tag),
            error=tuple(self.error),
            group=tuple(self.group),
            pipeline=tuple(self.pipeline),
            q=self.q,
            since=self.since,
            until=self.until,
        )
        return wanted.as_filter()


class Filter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which tasks a change is for. Values of one field add up, different fields narrow.

    `since` and `until` bound the time of submission; `until` is exclusive.
    """

    state: States = ()
    function: Names = ()
    pool: Names = ()
    tag: Names = ()
    error: Kinds = ()
    group: Names = ()
    pipeline: Names = ()
    q: Text | None = None
    since: Moment | None = None
    until: Moment | None = None

    def as_filter(self) -> TaskFilter:
        """Return what the store looks for."""
        return TaskFilter(
            states=self.state,
            functions=self.function,
            pools=self.pool,
            tags=self.tag,
            errors=self.error,
            groups=self.group,
            pipelines=self.pipeline,
            text=self.q or None,
            since=_microseconds(self.since),
            until=_microseconds(self.until),
        )


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
