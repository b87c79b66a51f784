"""How tasks have ended, as those are told who watch many of them."""

from msgspec import Struct

from pooldeck_server.domain.tasks.states import State


class TaskEnd(Struct, frozen=True, gc=False, array_like=True):
    """A task as far as its end tells of it; one that has not ended has neither of the texts.

    `result` and `error` are JSON texts. With `is_long` both are left out, whatever there is.
    """

    id: str
    function: str
    pool: str
    state: State
    attempt: int
    error_kind: str | None
    error_group: str | None
    result: str | None
    error: str | None
    is_long: int


class WatchNews(Struct, frozen=True):
    """What somebody who watches tasks is told at once; nothing: that the watch is still there.

    `starts` are ids of tasks that a worker has started, `unknown` ids of what is no task, or none
    that is for them.
    """

    ends: tuple[TaskEnd, ...] = ()
    starts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ends or self.starts or self.unknown)
