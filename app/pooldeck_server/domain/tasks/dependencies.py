"""How a task hangs together with others: what it comes after, and its place in a pipeline.

Times are microseconds since the epoch. A task that comes after others is scheduled without a time
until the last of them has ended; then it is released, stopped, or refused.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from pooldeck_server.domain.tasks.states import FINAL, State


class Rule(StrEnum):
    """What becomes of a task when one that it comes after does not succeed."""

    STOP = "stop"  # it is cancelled
    SKIP = "skip"  # it runs: with null for that result, or without that item of a list
    GO_ON = "go_on"  # it runs: the other only had to end, whatever it became


OnFailure: TypeAlias = Annotated[
    Rule,
    Meta(
        description=(
            "When a task that this one comes after fails, is cancelled or lost: `stop` cancels "
            "this one, `skip` runs it with null for that result or without that item of a list, "
            "`go_on` runs it with null."
        )
    ),
]


class Dependency(Struct, frozen=True, gc=False):
    """The task numbered `seq` comes after the one numbered `needs`."""

    needs: int
    seq: int
    name: str  # by which its arguments refer to the result
    rule: Rule


class NeedState(Struct, frozen=True, array_like=True, gc=False):
    """An edge, and where the task is that it comes from."""

    seq: int
    needs: int
    name: str
    rule: Rule
    id: str
    state: State

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing more will come of it, unless somebody runs it again."""
        return self.state in FINAL

    @property
    def stops(self) -> bool:
        """Tell whether it ended in a way that must not be followed."""
        return self.rule is Rule.STOP and self.has_ended and self.state is not State.SUCCEEDED


class DependentTask(Struct, frozen=True, gc=False):
    """What is kept of a task that comes after others, or is one of a pipeline.

    `each` is what a step of a pipeline goes over, as JSON, as long as that list is not known; the
    task then stands for all items, and becomes the first of them. `items` is how many it became.
    `lists` names the references that stand for lists, whatever their number of items.
    """

    seq: int
    pipeline: str | None = None
    step: str | None = None
    item: int | None = None
    items: int | None = None
    each: str | None = None
    lists: tuple[str, ...] = ()
    delay: float | None = None  # seconds to wait after the last of those before
    run_at: int | None = None  # not before then
    released_at: int | None = None  # when nothing was left to wait for
    stopped_by: str | None = None  # the id of the task that had it cancelled
    given_args: str | None = None  # as they were submitted, if references were replaced
    given_kwargs: str | None = None


class StoredDependencies(Struct, frozen=True):
    """What people see of that; `after` are the ids of the first that the task comes after."""

    pipeline: str | None = None
    step: str | None = None
    item: int | None = None
    items: int | None = None
    is_fan: bool = False  # it stands for all items of a list that is not known yet
    needs: int = 0
    after: tuple[str, ...] = ()
    released_at: int | None = None
    stopped_by: str | None = None
    given_args: str | None = None
    given_kwargs: str | None = None


class RelatedTask(Struct, frozen=True, array_like=True):
    """A task right before or after another."""

    id: str
    function: str
    state: State
    rule: Rule


class RelatedTasks(Struct, frozen=True):
    """The tasks right before and after one: the first of them, and how many there are."""

    before: tuple[RelatedTask, ...] = ()
    after: tuple[RelatedTask, ...] = ()
    before_count: int = 0
    after_count: int = 0
