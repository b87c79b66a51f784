"""What becomes of a task when those before it have ended: it is released, stopped, or refused.

Times are microseconds since the epoch.
"""

from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from pooldeck_server.domain.tasks.dependencies import DependentTask, NeedState
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask, SubmittedTask, TaskKey


class Awaiting(SubmittedTask, frozen=True):
    """A task that waits for others, with all that it takes to release it.

    `args` and `kwargs` have references in them; `run_at` and the rest are those of `DependentTask`.
    """

    pipeline: str | None = None
    step: str | None = None
    each: str | None = None
    lists: tuple[str, ...] = ()
    delay: float | None = None
    edits: int = 0

    def sibling(self, release: "Release", key: TaskKey) -> NewTask:
        """Return the task of a further item of its list: as it is, with what its release sets."""
        submitted = {name: getattr(self, name) for name in SubmittedTask.__struct_fields__}
        released = {name: getattr(release, name) for name in _SET_BY_RELEASE}
        own = {"seq": key.seq, "id": key.id, "created_at": release.released_at}
        return NewTask(**submitted | released | own)

    def place_of(self, release: "Release", seq: int) -> DependentTask:
        """Return the place in the pipeline of the task of a further item, which is released."""
        return DependentTask(
            seq,
            pipeline=self.pipeline,
            step=self.step,
            item=release.item,
            items=release.items,
            released_at=release.released_at,
        )


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
    edits: int = 0  # of the task that this was decided for


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
    edits: int = 0  # of the task that this was decided for


class FanOut(Struct, frozen=True):
    """A task that stood for all items is spread over them: it is the first, `others` the rest."""

    head: Release | Stop
    others: tuple[NewTask, ...] = ()
    places: tuple[DependentTask, ...] = ()


Decision: TypeAlias = Release | Stop | Refusal | FanOut


def stopper(needs: Iterable[NeedState]) -> NeedState | None:
    """Return the first of those before a task that has it cancelled; None if it may go on."""
    return next((need for need in needs if need.stops), None)


_SET_BY_RELEASE = ("state", "run_at", "args", "kwargs", "shown_args", "shown_kwargs")
