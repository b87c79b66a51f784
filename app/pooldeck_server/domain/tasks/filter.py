"""Lists of tasks: the filter, the order, and the pages."""

from enum import StrEnum

from msgspec import Struct

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask


class TaskFilter(Struct, frozen=True):
    """Which tasks a list shows. Values of one field add up, different fields narrow.

    `since` and `until` bound the time of submission (microseconds; until is exclusive). `text` is
    looked for in ids, function names and shown arguments.
    """

    states: tuple[State, ...] = ()
    functions: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # ids of groups of errors
    pipelines: tuple[str, ...] = ()  # ids
    text: str | None = None
    since: int | None = None
    until: int | None = None


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
