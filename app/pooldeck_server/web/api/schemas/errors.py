"""Groups of errors as the API shows them, and the errors of tasks with the group of each."""

from typing import Annotated, Self

from msgspec import Meta, Raw, Struct

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.failures.error_groups import (
    FunctionCount,
    GroupReport,
    GroupState,
)
from pooldeck_server.web.api.schemas.types import (
    TaskId,
    Timestamp,
    optional_timestamp,
    shown,
    timestamp,
)


class TaskError(Error, frozen=True, omit_defaults=True):
    """Why an attempt ended without a result. `group` is the group of errors that it belongs to."""

    group: str | None = None


def task_error(error: str | None, group: str | None) -> Raw | None:
    """Return the JSON text of an error with its group added; None for None."""
    if error is None or group is None:
        return None if error is None else Raw(error)
    return Raw(f'{error[:-1]},"group":"{group}"}}')


class ErrorGroup(Struct, frozen=True):
    """Failures that are alike: of one kind and type, raised in one place, with alike messages.

    What varies in their messages is masked: numbers and ids by `#`, quoted strings by `'…'`, paths
    by `/…`. `place` is empty for what hits functions from outside, such as the end of the server.
    """

    id: Annotated[str, Meta(examples=["8f14e45fceea167a"])]
    kind: ErrorKind
    type: str
    place: Annotated[str, Meta(examples=["acme/jobs.py:thumbnail"])]
    message: str
    state: GroupState
    changed_at: Annotated[
        Timestamp | None, Meta(description="Since when it has been in this state; null: always.")
    ]
    count: Annotated[int, Meta(description="Failed attempts in all.")]
    hours: Annotated[
        tuple[int, ...],
        Meta(description="Failed attempts in each of the last 24 hours, the present one last."),
    ]
    functions: Annotated[
        tuple[FunctionCount, ...],
        Meta(description="Those that failed so in the 24 hours up to the last failure."),
    ]
    first_seen: Timestamp
    last_seen: Timestamp
    last_task: TaskId

    @classmethod
    def of(cls, report: GroupReport) -> Self:
        group = report.group
        return shown(
            cls,
            group,
            changed_at=optional_timestamp(group.changed_at),
            count=group.n,
            hours=report.hours,
            functions=report.functions,
            first_seen=timestamp(group.first_seen),
            last_seen=timestamp(group.last_seen),
        )


class ErrorGroupList(Struct, frozen=True):
    """A page of groups; `next_cursor` continues it, null at the end."""

    items: list[ErrorGroup]
    next_cursor: str | None
