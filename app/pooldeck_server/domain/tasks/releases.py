"""What becomes of a task when those before it have ended: it is released, stopped, or refused.

Times are microseconds since the epoch.
"""

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from pooldeck_server.domain.tasks.dependencies import NeedState, TaskPlacing
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask


class Awaiting(Struct, frozen=True):
    """A task that waits for others, with all that it takes to release it.

    `args` and `kwargs` are JSON texts with references in them; `shown_args` and `shown_kwargs` what
    people see of them, where the function has sensitive arguments.
    """

    seq: int
    id: str
    function: str
    pool: str
    priority: int
    created_at: int
    args: str
    kwargs: str
    tags: tuple[str, ...] = ()
    shown_args: str | None = None
    shown_kwargs: str | None = None
    options: str | None = None
    placed: str | None = None
    pipeline: str | None = None
    step: str | None = None
    each: str | None = None
    lists: tuple[str, ...] = ()
    delay: float | None = None
    run_at: int | None = None


class Release(Struct, frozen=True):
    """A task waits no more: it is queued, or scheduled for `run_at`, with these arguments."""

    seq: int
    released_at: int
    state: State
    run_at: int  # since when it may run
    args: str
    kwargs: str
    shown_args: str | None
    shown_kwargs: str | None
    item: int | None = None
    items: int | None = None


class Stop(Struct, frozen=True):
    """A task is cancelled: because of another, or since the list it goes over is empty."""

    seq: int
    stopped_by: str | None
    items: int | None = None


class Refusal(Struct, frozen=True):
    """A task fails: what came before makes no arguments for it. `error` is JSON."""

    seq: int
    kind: str
    error: str
    group: str


class FanOut(Struct, frozen=True):
    """A task that stood for all items is spread over them: it is the first, `others` the rest."""

    head: Release | Stop
    others: tuple[NewTask, ...] = ()
    links: tuple[TaskPlacing, ...] = ()


Decision: TypeAlias = Release | Stop | Refusal | FanOut


def stopper(needs: Iterable[NeedState]) -> NeedState | None:
    """Return the first of those before a task that has it cancelled; None if it may go on."""
    return next((need for need in needs if need.stops), None)
