"""Failures counted in their groups, in the transaction that records them; and groups decided on."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec
from msgspec.structs import asdict
from sqlalchemy import and_, case, func, literal_column, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck.outcome import Error
from pooldeck_server.domain.alerts.rules import AlertFact, AlertRule
from pooldeck_server.domain.clock import HOUR, MINUTE
from pooldeck_server.domain.failures.error_groups import (
    CHANGES,
    GroupChange,
    GroupKey,
    GroupState,
    group_of,
)
from pooldeck_server.domain.tasks.changes import End
from pooldeck_server.store.bulk import Rows
from pooldeck_server.store.records.alerts import end_alert, raise_alerts
from pooldeck_server.store.records.fence import Held
from pooldeck_server.store.tables import error_counts, error_groups, error_minutes
from pooldeck_server.store.transaction import Transaction

_Failed: TypeAlias = tuple[End, Held]


class _Seen(GroupKey, frozen=True):
    """What the failures of a batch say of a group."""

    n: int
    first_seen: int
    last_seen: int
    last_task: str
    last_start: int


_seen = Rows.of(_Seen)
_columns = _seen.columns(*(name for name in _Seen.__struct_fields__ if name != "last_start"))
_insert_seen = insert(error_groups).from_select(
    [*_columns, "state"],
    select(*_columns.values(), literal_column(f"'{GroupState.OPEN}'")).where(_seen.is_given),
)
_add_seen = _insert_seen.on_conflict_do_update(
    index_elements=[error_groups.c.id],
    set_={
        "n": error_groups.c.n + _insert_seen.excluded.n,
        "first_seen": func.min(error_groups.c.first_seen, _insert_seen.excluded.first_seen),
        "last_seen": func.max(error_groups.c.last_seen, _insert_seen.excluded.last_seen),
        "last_task": case(
            (
                _insert_seen.excluded.last_seen >= error_groups.c.last_seen,
                _insert_seen.excluded.last_task,
            ),
            else_=error_groups.c.last_task,
        ),
    },
)
_return_fixed = (
    update(error_groups)
    .where(
        error_groups.c.id == _seen["id"],
        error_groups.c.state == GroupState.FIXED,
        error_groups.c.changed_at < _seen["last_start"],
    )
    .values(state=GroupState.RETURNED, changed_at=_seen["last_seen"])
)

_is_new = and_(error_groups.c.state == GroupState.OPEN, error_groups.c.n == _seen["n"])
_is_back = and_(
    error_groups.c.state == GroupState.RETURNED,
    error_groups.c.changed_at == _seen["last_seen"],
)
_news = select(
    func.json_group_array(func.json_array(error_groups.c.id, error_groups.c.state))
).where(error_groups.c.id == _seen["id"], or_(_is_new, _is_back))

_count = Rows("id", "hour", "function", "n")
_insert_counts = _count.insert_into(error_counts)
_add_counts = _insert_counts.on_conflict_do_update(
    index_elements=list(error_counts.primary_key),
    set_={"n": error_counts.c.n + _insert_counts.excluded.n},
)

_minute = Rows("minute", "id", "pool", "n")
_insert_minutes = _minute.insert_into(error_minutes)
_add_minutes = _insert_minutes.on_conflict_do_update(
    index_elements=list(error_minutes.primary_key),
    set_={"n": error_minutes.c.n + _insert_minutes.excluded.n},
)


def count_errors(transaction: Transaction, ended: Iterable[_Failed]) -> None:
    """Count those attempts among `ended` (with their tasks) that failed, each in its group.

    A group that was fixed has returned if one of them started after that. Where its start is not
    known, which is so of what dies at once, its end stands for it.
    """
    failed = [(end, task) for end, task in ended if end.error_group is not None]
    if failed:
        seen = _groups(failed)
        _seen.execute(transaction.connection, _add_seen, seen)
        _count.execute(transaction.connection, _add_counts, _counts(failed))
        _minute.execute(transaction.connection, _add_minutes, _minutes(failed))
        _seen.execute(transaction.connection, _return_fixed, seen)
        _raise_alerts(transaction, seen)


def _raise_alerts(transaction: Transaction, seen: Sequence[_Seen]) -> None:
    """Note for the alerts which of these groups are new, and which have just returned."""
    news = set(_seen.fetch(transaction.connection, _news, tuple[str, str], seen))
    states = dict(news)
    raise_alerts(transaction, (_fact(each, states[each.id]) for each in seen if each.id in states))


def _fact(seen: _Seen, state: str) -> AlertFact:
    has_returned = state == GroupState.RETURNED
    return AlertFact(
        rule=AlertRule.RETURNED_ERROR if has_returned else AlertRule.NEW_ERROR,
        subject=_subject(seen.type, seen.place, seen.id),
        at=seen.last_seen,
        text=f"task {seen.last_task} failed so last",
        path=f"/errors/{seen.id}",
    )


def _subject(type_: str, place: str, group_id: str) -> str:
    return f"{type_} in {place} ({group_id})" if place else f"{type_} ({group_id})"


def _groups(failed: Iterable[_Failed]) -> list[_Seen]:
    groups: defaultdict[str | None, list[_Failed]] = defaultdict(list)
    for end, task in failed:
        groups[end.error_group].append((end, task))
    return [_one(alike) for alike in groups.values()]


def _one(alike: Sequence[_Failed]) -> _Seen:
    last, task = max(alike, key=lambda pair: pair[0].finished_at)
    key = group_of(msgspec.json.decode(last.error or "", type=Error), task.function)
    return _Seen(
        **asdict(key) | {"id": last.error_group},
        n=len(alike),
        first_seen=min(end.finished_at for end, _ in alike),
        last_seen=last.finished_at,
        last_task=task.id,
        last_start=max(end.started_at or end.finished_at for end, _ in alike),
    )


def _minutes(failed: Iterable[_Failed]) -> list[tuple[int, str, str, int]]:
    counter = Counter(
        (end.finished_at // MINUTE, end.error_group or "", task.pool) for end, task in failed
    )
    return [(*key, n) for key, n in counter.items()]


def _counts(failed: Iterable[_Failed]) -> list[tuple[str, int, str, int]]:
    counter = Counter(
        (end.error_group or "", end.finished_at // HOUR, task.function) for end, task in failed
    )
    return [(*key, n) for key, n in counter.items()]


def change_error_group(
    transaction: Transaction, group_id: str, change: GroupChange, now: int
) -> bool:
    """Decide about a group, at `now` (microseconds since the epoch); return whether it could be.

    It cannot where the group is in none of the states that the change starts from.
    """
    before, state = CHANGES[change]
    changed = transaction.connection.execute(
        update(error_groups)
        .where(error_groups.c.id == group_id, error_groups.c.state.in_(sorted(before)))
        .values(state=state, changed_at=now)
    )
    if changed.rowcount:
        _end_alert(transaction, group_id, now)
    return changed.rowcount > 0


def _end_alert(transaction: Transaction, group_id: str, now: int) -> None:
    named = select(error_groups.c.type, error_groups.c.place).where(error_groups.c.id == group_id)
    type_, place = transaction.connection.execute(named).one()
    subject = _subject(type_, place, group_id)
    end_alert(transaction, AlertRule.RETURNED_ERROR, subject, now)
