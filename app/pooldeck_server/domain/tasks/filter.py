"""Lists of tasks: the filter, the order, and the pages."""

from enum import StrEnum
from typing import Annotated, Final, Generic, TypeAlias, TypeVar

from msgspec import Meta, Struct

from pooldeck_server.domain.tasks.names import Name
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask

MAX_CHOSEN: Final = 50
"""Values of one condition."""

MAX_TEXT: Final = 200
"""Characters that are searched for."""

PARAMETERS: Final = {
    "states": "state",
    "functions": "function",
    "pools": "pool",
    "tags": "tag",
    "errors": "error",
    "groups": "group",
    "pipelines": "pipeline",
    "text": "q",
}
"""The conditions on tasks that addresses, forms and bodies give another name."""

_SEARCHED: Final = "Looked for in ids, functions, and the first 4,096 characters of arguments."
_Names: TypeAlias = Annotated[tuple[Name, ...], Meta(max_length=MAX_CHOSEN)]
_Time = TypeVar("_Time")


class TaskConditions(Struct, Generic[_Time], frozen=True, rename=PARAMETERS):
    """Conditions on tasks. Values of one field add up, different fields narrow.

    `since` and `until` bound the time of submission; until is exclusive. `text` is looked for in
    ids, function names and shown arguments.
    """

    states: Annotated[tuple[State, ...], Meta(max_length=MAX_CHOSEN)] = ()
    functions: _Names = ()
    pools: _Names = ()
    tags: _Names = ()
    errors: tuple[str, ...] = ()
    groups: Annotated[_Names, Meta(description="Ids of groups of errors.")] = ()
    pipelines: Annotated[_Names, Meta(description="Ids of pipelines.")] = ()
    text: Annotated[str, Meta(max_length=MAX_TEXT, description=_SEARCHED)] | None = None
    since: _Time | None = None
    until: _Time | None = None


class TaskFilter(TaskConditions[int], frozen=True):
    """Which tasks are meant, with times in microseconds since the epoch."""


class Sort(StrEnum):
    """What a list begins with: the newest, what ended last, or what ran longest.

    Only tasks that have ended are in the lists by end and by run time, and in the latter only those
    that ran 10 ms or longer.
    """

    CREATED = "created"
    FINISHED = "finished"
    RUN = "run"


class TaskPage(Struct, frozen=True):
    """One page of a list; `next_cursor` continues it, None at the end."""

    items: tuple[StoredTask, ...]
    next_cursor: str | None


class TaskRef(Struct, frozen=True, array_like=True):
    """A task that a filter fits, and where it is."""

    seq: int
    id: str
    function: str
    pool: str
    state: State


class Matching(Struct, frozen=True):
    """Some of the tasks that fit a filter, newest first.

    `next` is the number before which to go on; None at the end.
    """

    found: tuple[TaskRef, ...]
    next: int | None


class Total(Struct, frozen=True):
    """How many tasks fit a filter: exactly `number`, or so many and perhaps more."""

    number: int
    is_exact: bool


class StateCounts(Struct, frozen=True):
    """How many tasks of each state fit a filter: exactly so many, or so many and perhaps more."""

    numbers: dict[State, int]
    is_exact: bool


def is_counted(wanted: TaskFilter) -> bool:
    """Tell whether counters know how many tasks fit a filter."""
    return wanted == TaskFilter(wanted.states, wanted.functions, wanted.pools)
