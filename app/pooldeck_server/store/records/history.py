"""What is kept of history: stretches as they end, longer ones made from them, and annotations.

Charts need no more than stretches as long as their step, so that old ones are kept as parts of
longer ones only.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec.structs import asdict
from sqlalchemy import (
    Connection,
    Delete,
    Select,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.dialects.sqlite import Insert

from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.history import (
    KEPT,
    Flow,
    PoolSample,
    Stretch,
    merged_flows,
    merged_samples,
)
from pooldeck_server.store.bulk import Rows, execute, fetch_text, in_one_text
from pooldeck_server.store.tables import annotations, flows, samples
from pooldeck_server.store.transaction import Transaction

_DELETED_AT_ONCE: Final = 1000
_last = select(func.max(samples.c.at)).where(
    samples.c.seconds == bindparam("seconds"), samples.c.at < bindparam("before")
)

R = TypeVar("R", PoolSample, Flow)


def annotate(transaction: Transaction, batch: Sequence[StoredAnnotation]) -> None:
    rows = [asdict(one) | {"data": msgspec.json.encode(one.data).decode()} for one in batch]
    transaction.connection.execute(insert(annotations), rows)


def save_stretches(transaction: Transaction, stretches: Iterable[Stretch]) -> None:
    """Keep stretches; what is kept already of the same ones is added to."""
    for stretch in stretches:
        _samples.add(transaction.connection, stretch.samples)
        _flows.add(transaction.connection, stretch.flows)


def roll_up(transaction: Transaction, now: int) -> None:
    """Make longer stretches from the shorter ones of each that has ended and is not made yet.

    The shorter ones are kept already; `now` is seconds since the epoch.
    """
    connection = transaction.connection
    for shorter, longer in pairwise(KEPT):
        ended = now // longer * longer
        made = _end_of_last(connection, longer, now)
        if made < ended:
            for kind in _KINDS:
                parts = kind.between(connection, shorter, range(made, ended))
                kind.save(connection, kind.merged(parts, longer))


def trim_history(transaction: Transaction, now: int) -> int:
    """Delete some of the stretches that are older than they are kept; return how many rows.

    `now` is seconds since the epoch.
    """
    return sum(
        kind.delete_before(transaction.connection, seconds, now - kept)
        for seconds, kept in KEPT.items()
        for kind in _KINDS
    )


def _end_of_last(connection: Connection, seconds: int, now: int) -> int:
    """Return where the last stretch of a length ends; what a clock put into the future is none."""
    ((found,),) = execute(connection, _last, seconds=seconds, before=now).fetchall()
    return 0 if found is None else found + seconds


@dataclass(frozen=True)
class _Kind(Generic[R]):
    """Rows of a table of stretches, and how several become one that is longer."""

    table: Table
    row: type[R]
    merge: Callable[[Sequence[R], int, int], R]

    def add(self, connection: Connection, rows: Sequence[R]) -> None:
        """Keep rows of one stretch, together with what is kept of it already."""
        if rows:
            seconds, at = rows[0].seconds, rows[0].at
            before = self.between(connection, seconds, range(at, at + 1))
            self.save(connection, self.merged(chain(before, rows), seconds))

    def between(self, connection: Connection, seconds: int, at: range) -> list[R]:
        """Return the rows of the stretches of a length that begin within `at`."""
        found = fetch_text(
            connection, self._wanted, seconds=seconds, start=at.start, before=at.stop
        )
        return msgspec.json.decode(found or "[]", type=list[self.row])  # type: ignore[name-defined]

    def merged(self, parts: Iterable[R], seconds: int) -> list[R]:
        """Return the stretches of a length that `parts` make up."""
        groups: defaultdict[Hashable, list[R]] = defaultdict(list)
        for part in parts:
            at = part.at // seconds * seconds
            groups[at, part.pool, getattr(part, "function", None)].append(part)
        return [
            self.merge(group, seconds, group[0].at // seconds * seconds)
            for group in groups.values()
        ]

    def save(self, connection: Connection, rows: Sequence[R]) -> None:
        """Keep rows in place of those of the same keys."""
        if rows:
            self._new.execute(connection, self._replace, rows)

    def delete_before(self, connection: Connection, seconds: int, at: int) -> int:
        """Delete some of the rows of the stretches that began before `at`; return how many."""
        return execute(connection, self._delete, seconds=seconds, before=at).rowcount

    # Statements, made once: to make them takes many times as long as to run them.

    @cached_property
    def _wanted(self) -> Select[Any]:
        is_within = (
            self.table.c.seconds == bindparam("seconds"),
            self.table.c.at >= bindparam("start"),
            self.table.c.at < bindparam("before"),
        )
        return in_one_text(select(self.table).where(*is_within), self.row)

    @cached_property
    def _new(self) -> Rows:
        return Rows.of(self.row)

    @cached_property
    def _replace(self) -> Insert:
        added = self._new.insert_into(self.table)
        values = {column.name: added.excluded[column.name] for column in self.table.c}
        return added.on_conflict_do_update(index_elements=list(self.table.primary_key), set_=values)

    @cached_property
    def _delete(self) -> Delete:
        is_old = (
            self.table.c.seconds == bindparam("seconds"),
            self.table.c.at < bindparam("before"),
        )
        old = select(*self.table.primary_key).where(*is_old).limit(_DELETED_AT_ONCE)
        return delete(self.table).where(tuple_(*self.table.primary_key).in_(old))


_samples: Final = _Kind(samples, PoolSample, merged_samples)
_flows: Final = _Kind(flows, Flow, merged_flows)
_KINDS: Final[tuple[_Kind[Any], ...]] = (_samples, _flows)
