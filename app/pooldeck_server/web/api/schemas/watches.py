"""What watches tell, line by line."""

from typing import Annotated, Literal, Self

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from pooldeck_server.domain.tasks.ends import TaskEnd
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.api.schemas.errors import task_error
from pooldeck_server.web.api.schemas.types import ErrorText, TaskId, raw


class WatchedEnd(Struct, frozen=True):
    """The end of a task: its fields are those of the task.

    With `fetch` its result or its error is too long to be told; `GET /api/v1/tasks/{id}` has it.
    """

    id: TaskId
    state: State
    attempt: int
    result: Raw | UnsetType | None = UNSET
    error: ErrorText | UnsetType | None = UNSET
    fetch: Literal[True] | UnsetType = UNSET

    @classmethod
    def of(cls, end: TaskEnd, longest: int) -> Self:
        """Return an end as it is told; a result or an error of more than `longest` bytes is not."""
        result, error = raw(end.result), task_error(end.error, end.error_group)
        if end.is_long or len(result or b"") + len(error or b"") > longest:
            return cls(end.id, end.state, end.attempt, fetch=True)
        return cls(end.id, end.state, end.attempt, result, error)


class WatchLine(Struct, frozen=True, omit_defaults=True):
    """A line of a watch. An empty one is a sign of life."""

    watch: Annotated[
        str, Meta(description="The id of the watch; it stands in the first line only.")
    ] = ""
    ends: tuple[WatchedEnd, ...] = ()
    starts: Annotated[
        tuple[TaskId, ...], Meta(description="A worker has started these; only if asked for.")
    ] = ()
    unknown: Annotated[
        tuple[str, ...], Meta(description="These are no tasks, or none that the principal may see.")
    ] = ()
    over: Annotated[
        str, Meta(description="Why nothing more comes: `draining`, the server ends.")
    ] = ""


class Watching(Struct, frozen=True):
    """How many tasks a watch has not told the ends of."""

    watching: int
