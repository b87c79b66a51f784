"""Whole batches in few statements, whole answers in one row.

Python's sqlite3 gives up the GIL at each row that it binds or steps over, and takes it back
against whatever else runs. With a busy event loop, `executemany` of 1,000 rows cost 281 µs a row.
So a batch goes in as the rows of one `VALUES` list, and what a query found comes out as one JSON
array. (Rows as one JSON text, read by `json_each`, free the GIL as well; but SQLite then parses
the text of a row once for each of its columns, which took 32 µs a row against 12.)

A list of values has a fixed length, so a batch is filled up with empty rows to a power of two: few
different texts of SQL, which the driver keeps prepared, and one statement for most batches. An
empty row meets no row of a table; where rows are inserted, `is_given` leaves it out.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Final, TypeAlias, TypeVar, cast, get_origin

import msgspec
from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Executable,
    Select,
    TableClause,
    column,
    func,
    literal_column,
    select,
    table,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from pooldeck_server.store.connections import driver

T = TypeVar("T")
S = TypeVar("S", bound=Struct)
_Row: TypeAlias = tuple[Any, ...]

_MOST_ROWS: Final = 1024  # of one statement; SQLite allows 32,766 values
_MOST_TEXT: Final = 16 * 1024 * 1024  # characters of one statement's values
_DIALECT: Final = sqlite.dialect(paramstyle="qmark")


class Rows:
    """A batch as SQL sees it: a table named `new` whose columns are called as in Python."""

    def __init__(self, *names: str, long: Collection[str] = ()) -> None:
        """Name the values of a row in their order, and those among them that are long texts."""
        self.table: TableClause = table("new", *(column(name) for name in names))
        self._names = names
        self._empty = (None,) * len(names)
        self._long = tuple(place for place, name in enumerate(names) if name in long)

    @property
    def is_given(self) -> ColumnElement[bool]:
        """Return the condition that a row is one of the batch; its first value is never null."""
        return self.table.c[self._names[0]].is_not(None)

    @classmethod
    def of(cls, struct: type[Struct], *, long: Collection[str] = ()) -> "Rows":
        """Return the rows that values of `struct` become: its fields, in their order."""
        return cls(*struct.__struct_fields__, long=long)

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return self.table.c[name]

    def columns(self, *names: str) -> dict[str, ColumnElement[Any]]:
        return {name: self.table.c[name] for name in names or self._names}

    def insert_into(self, target: TableClause) -> Insert:
        """Return the statement that inserts these into `target`, whose columns they are."""
        columns = self.columns()
        return insert(target).from_select(
            list(columns), select(*columns.values()).where(self.is_given)
        )

    def execute(self, connection: Connection, statement: Executable, rows: Iterable[Any]) -> None:
        """Run `statement`, which reads these, for all `rows` (structs or tuples)."""
        for sql, values in self._calls(statement, rows):
            driver(connection).execute(sql, values).close()

    def fetch(
        self, connection: Connection, query: Executable, item: type[T], rows: Iterable[Any]
    ) -> list[T]:
        """Run a query, which reads these and answers with a JSON array, for all `rows`."""
        found: list[T] = []
        for sql, values in self._calls(query, rows):
            ((answer,),) = driver(connection).execute(sql, values).fetchall()
            found += msgspec.json.decode(answer, type=list[item])  # type: ignore[valid-type]
        return found

    def _calls(
        self, statement: Executable, rows: Iterable[Any]
    ) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield the SQL and the values of each call that `rows` need."""
        for chunk in self._chunks(_plain(list(rows))):
            size = 1 << (len(chunk) - 1).bit_length()
            filling = self._empty * (size - len(chunk))
            sql = _text(statement, self._names, size)
            yield sql, (*chain.from_iterable(chunk), *filling)

    def _chunks(self, rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
        start = 0
        while start < len(rows):
            size = min(_MOST_ROWS, len(rows) - start)
            while self._long and size > 1 and self._length(rows[start : start + size]) > _MOST_TEXT:
                size //= 2
            yield rows[start : start + size]
            start += size

    def _length(self, rows: Iterable[_Row]) -> int:
        return sum(len(row[place] or "") for row in rows for place in self._long)


def fetch(connection: Connection, query: Executable, into: type[T], **parameters: Any) -> T:
    """Run a query that answers with one JSON text, and return it as a value of type `into`."""
    answer = connection.execute(query, parameters).scalar_one()
    return msgspec.json.decode(answer, type=into)


def fetch_text(connection: Connection, query: Select[Any], **given: Any) -> str | None:
    """Return the one text that a short query finds, None if it finds nothing.

    For those that are asked often: SQLAlchemy adds more to them than they take.
    """
    found = execute(connection, query, **given).fetchall()
    return found[0][0] if found else None


def execute(connection: Connection, statement: ClauseElement, **given: Any) -> sqlite3.Cursor:
    """Run a statement that is made once and lives as long as the program."""
    sql, names, values = _prepared(statement)
    known = {**values, **given}
    return driver(connection).execute(sql, [known[name] for name in names])


@lru_cache(maxsize=64)
def _prepared(statement: ClauseElement) -> tuple[str, Sequence[str], Mapping[str, Any]]:
    """Return the SQL of it, and the names of its values in their order with those it has."""
    compiled = cast(SQLCompiler, statement.compile(dialect=_DIALECT))
    return str(compiled), compiled.positiontup or (), compiled.params


def fetch_all(
    connection: Connection,
    query: Select[Any] | CompoundSelect[Any],
    item: type[S],
    *,
    json: Collection[str] = (),
) -> list[S]:
    """Return what `query` finds, in its order, as values of `item`, whose fields it names.

    Columns that hold JSON texts are named by `json`.
    """
    return fetch(connection, in_one_text(query, item, json=json), list[item])  # type: ignore[valid-type]


def in_one_text(
    query: Select[Any] | CompoundSelect[Any], item: type[S], *, json: Collection[str] = ()
) -> Select[Any]:
    """Return the query that finds the same as `fetch_all` in one JSON text: a list of items."""
    found = query.subquery()
    names = item.__struct_fields__
    fields = {name: func.json(found.c[name]) if name in json else found.c[name] for name in names}
    is_array = item.__struct_config__.array_like
    row = func.json_array(*fields.values()) if is_array else json_object(fields)
    return select(func.json_group_array(row))


def json_object(fields: Mapping[str, ColumnElement[Any]]) -> ColumnElement[str]:
    """Return the SQL of `fields` as a JSON object."""
    return func.json_object(
        *chain.from_iterable((literal_column(f"'{name}'"), each) for name, each in fields.items())
    )


def json_rows(columns: Iterable[ColumnElement[Any]]) -> ColumnElement[str]:
    return func.json_group_array(func.json_array(*columns))


@lru_cache(maxsize=256)
def _text(statement: ClauseElement, columns: tuple[str, ...], rows: int) -> str:
    """Return the SQL of `statement` for so many rows.

    Its own values are written out: SQLite prepares a statement anew at each run if the value of a
    parameter could change its plan, and for so many rows that takes longer than running it.
    """
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True})
    row = f"({', '.join('?' * len(columns))})"
    values = ", ".join([row] * rows)
    return f"WITH new ({', '.join(columns)}) AS (VALUES {values}) {compiled}"


def _plain(rows: Sequence[Any]) -> Sequence[_Row]:
    """Return the values of rows, all of one type; tuples among them (tags) as JSON texts."""
    if not rows or not isinstance(rows[0], Struct):
        return rows
    values: list[_Row] = list(map(msgspec.structs.astuple, rows))
    for place in _tuples_in(type(rows[0])):
        values = [(*row[:place], _array(row[place]), *row[place + 1 :]) for row in values]
    return values


def _array(values: tuple[Any, ...]) -> str:
    return msgspec.json.encode(values).decode() if values else "[]"


@cache
def _tuples_in(struct: type[Struct]) -> tuple[int, ...]:
    fields = msgspec.structs.fields(struct)
    return tuple(place for place, field in enumerate(fields) if get_origin(field.type) is tuple)
