"""The log of actions: pages of it, the newest first, and what was done to one task."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, or_, select

from pooldeck_server.domain.actions import Action, ActionFilter, ActionPage
from pooldeck_server.store.bulk import fetch_all
from pooldeck_server.store.queries.cursors import read_cursor, write_cursor
from pooldeck_server.store.tables import action_tasks, tasks
from pooldeck_server.store.tables import actions as log

_SEARCHED: Final = (log.c.actor, log.c.target, log.c.address, log.c.reason)


class _Numbered(Action, frozen=True, kw_only=True):
    """An action with its place in the log."""

    n: int


class _Name(Struct, frozen=True):
    actor: str


def actions(
    connection: Connection, wanted: ActionFilter, limit: int = 50, cursor: str | None = None
) -> ActionPage:
    """Return up to `limit` of the actions that a filter fits, the newest first, from `cursor` on.

    Raises:
        InvalidRequest: If `cursor` is none that a page gave.
    """
    query = select(log).where(log.c.n < read_cursor(cursor), *_conditions(wanted))
    found = fetch_all(
        connection,
        query.order_by(log.c.n.desc()).limit(limit + 1),
        _Numbered,
        json={"before", "after"},
    )
    following = found[limit - 1].n if len(found) > limit else None
    return ActionPage(tuple(found[:limit]), write_cursor(following))


def actions_on_task(connection: Connection, seq: int, limit: int) -> list[Action]:
    """Return the latest actions that were done to a task, alone or among others; newest first."""
    query = select(log).join(action_tasks, action_tasks.c.action == log.c.n)
    return _latest(connection, query.where(action_tasks.c.seq == seq), limit)


def actors(connection: Connection, since: int, limit: int = 12) -> list[str]:
    """Return the names of those who have done something since `since` (microseconds)."""
    names = select(log.c.actor).where(log.c.at >= since).distinct().order_by(log.c.actor)
    return [each.actor for each in fetch_all(connection, names.limit(limit), _Name)]


def _latest(connection: Connection, query: Select[tuple[object, ...]], limit: int) -> list[Action]:
    newest = query.order_by(log.c.n.desc()).limit(limit)
    return fetch_all(connection, newest, Action, json={"before", "after"})


def _conditions(wanted: ActionFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.actor is not None:
        yield log.c.actor == wanted.actor
    if wanted.deeds:
        yield log.c.deed.in_(wanted.deeds)
    if wanted.target_kind is not None:
        yield log.c.target_kind == wanted.target_kind
    if wanted.target is not None:
        yield or_(log.c.target == wanted.target, log.c.n.in_(_on_named(wanted.target)))
    if wanted.since is not None:
        yield log.c.at >= wanted.since
    if wanted.until is not None:
        yield log.c.at < wanted.until
    if wanted.text:
        yield or_(*(column.icontains(wanted.text, autoescape=True) for column in _SEARCHED))


def _on_named(task_id: str) -> Select[tuple[int]]:
    """Return what selects the actions on a task of that id, alone or among others."""
    named = select(tasks.c.seq).where(tasks.c.id == task_id).scalar_subquery()
    return select(action_tasks.c.action).where(action_tasks.c.seq == named)
