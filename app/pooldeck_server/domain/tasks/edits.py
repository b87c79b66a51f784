"""What may be changed of a task that has not started, and what it is then.

Times are microseconds since the epoch, arguments are JSON texts.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.domain.tasks.names import Name
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.submission import Args, Delay, Kwargs, Moment, Priority


class TaskEdit(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change of a task that has not started; what is left out stays as it is.

    `run_at` null lets it run as soon as a slot is free. `args` and `kwargs` each replace the whole.
    """

    priority: Priority | UnsetType = UNSET
    run_at: Moment | UnsetType | None = UNSET
    delay: Delay | UnsetType = UNSET
    pool: Name | UnsetType = UNSET
    args: Args | UnsetType = UNSET
    kwargs: Kwargs | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=MAX_REASON)] | None = None

    @property
    def sets_time(self) -> bool:
        return self.run_at is not UNSET or self.delay is not UNSET

    @property
    def sets_arguments(self) -> bool:
        return self.args is not UNSET or self.kwargs is not UNSET

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is to be changed."""
        sets_more = self.priority is not UNSET or self.pool is not UNSET
        return not (sets_more or self.sets_time or self.sets_arguments)


class EditableTask(Struct, frozen=True):
    """A task as an edit finds it.

    `needs` are the names by which its arguments may refer to results, and `is_fan` tells that it
    stands for all items of a list: of those that wait for other tasks only.
    """

    seq: int
    id: str
    function: str
    pool: str
    state: State
    attempt: int
    claimed: int
    edits: int
    priority: int
    run_at: int | None
    args: str
    kwargs: str
    shown_args: str | None
    shown_kwargs: str | None
    placed: str | None
    needs: tuple[str, ...] = ()
    is_fan: bool = False

    @property
    def is_awaiting(self) -> bool:
        """Tell whether it comes after tasks that have not ended."""
        return self.state is State.SCHEDULED and self.run_at is None


EDITED = ("pool", "state", "priority", "run_at", "args", "kwargs", "shown_args", "shown_kwargs")
"""What an edit may set, with `placed`."""
