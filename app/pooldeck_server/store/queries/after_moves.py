"""Whether a function failed after a move as it never had before.

A task keeps the placement that it was submitted under, and each move is another placement: so what
is stored tells what ran because of a move, whenever it is asked.
"""

from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.clock import HOUR
from pooldeck_server.domain.failures.after_moves import COUNTED, Failure
from pooldeck_server.domain.functions.placements import Placement
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.tables import attempts, error_counts, error_groups, tasks

_LONGEST: Final = 200  # characters of what a group's errors say


def failures_of_move(connection: Connection, function: str, placement: Placement) -> list[Failure]:
    """Return a failed task of each group of errors that a function has had since a move."""
    query = (
        select(
            tasks.c.function,
            func.min(tasks.c.id).label("task"),
            tasks.c.error_kind.label("kind"),
            tasks.c.error_group.label("group"),
        )
        .where(
            tasks.c.function == function,
            tasks.c.pool == placement.pool,
            tasks.c.state == State.FAILED,
            tasks.c.placed == placement.to_json(),
            tasks.c.error_kind.in_(sorted(COUNTED)),
        )
        .group_by(tasks.c.error_kind, tasks.c.error_group)
    )
    return fetch_all(connection, query, Failure)


def new_error(connection: Connection, failure: Failure, placement: Placement) -> str | None:
    """Return what a failure says, if it is due to a move and of a kind not seen before.

    It is none if the function had errors of its group before the move, or has them elsewhere. One
    that is no exception, such as a crash, says other things in other pools: it is compared by its
    kind alone.
    """
    moved = placement.to_json()
    query = select(error_groups.c.type, error_groups.c.message).where(
        error_groups.c.id == failure.group,
        ~_was_counted(failure, placement.since or 0),
        ~_is_elsewhere(failure, moved),
        ~_was_elsewhere(failure, moved, placement.since or 0),
    )
    found = connection.execute(query).one_or_none()
    return None if found is None else ": ".join(filter(None, found))[:_LONGEST]


def _was_counted(failure: Failure, since: int) -> ColumnElement[bool]:
    """Return the condition that it failed so in an hour before the one of the move."""
    return exists().where(
        error_counts.c.id.in_(_alike(failure)),
        error_counts.c.function == failure.function,
        error_counts.c.hour < since // HOUR,
    )


def _is_elsewhere(failure: Failure, moved: str) -> ColumnElement[bool]:
    """Return the condition that a task that was not moved has ended so."""
    return exists().where(
        tasks.c.error_group.in_(_alike(failure)),
        tasks.c.function == failure.function,
        _is_other(moved),
    )


def _was_elsewhere(failure: Failure, moved: str, since: int) -> ColumnElement[bool]:
    """Return the condition that an attempt of such a task did, within the hour of the move."""
    return exists().where(
        attempts.c.finished_at.is_not(None),
        attempts.c.finished_at >= since // HOUR * HOUR,
        attempts.c.error_group.in_(_alike(failure)),
        tasks.c.seq == attempts.c.seq,
        and_(tasks.c.function == failure.function, _is_other(moved)),
    )


def _is_other(moved: str) -> ColumnElement[bool]:
    return or_(tasks.c.placed.is_(None), tasks.c.placed != moved)


def _alike(failure: Failure) -> Select[tuple[str]]:
    """Return the groups of errors that are of the kind of a failure."""
    if failure.kind == ErrorKind.EXCEPTION:
        return select(error_groups.c.id).where(error_groups.c.id == failure.group)
    return select(error_groups.c.id).where(error_groups.c.kind == failure.kind)
