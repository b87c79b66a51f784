"""What several tables are made of; times are microseconds, durations seconds."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, MetaData, Text
from sqlalchemy.types import TypeEngine

metadata = MetaData()


def required(kind: type[TypeEngine[Any]], *names: str) -> Iterator[Column[Any]]:
    return (Column(name, kind, nullable=False) for name in names)


def optional(kind: type[TypeEngine[Any]], *names: str) -> Iterator[Column[Any]]:
    return (Column(name, kind) for name in names)


def run_columns() -> Iterator[Column[Any]]:
    """Yield what is known of an attempt once it has begun: in `tasks` of the present one."""
    yield from optional(BigInteger, "started_at", "finished_at")
    yield from optional(Double, "queued_seconds", "run_seconds", "cpu_seconds")
    yield Column("worker", Text)
    yield from optional(Integer, "pid", "thread")


def owner() -> Column[int]:
    """Return the column of a row that goes when its task goes."""
    return Column("seq", Integer, ForeignKey("tasks.seq", ondelete="CASCADE"), nullable=False)
