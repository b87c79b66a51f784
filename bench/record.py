"""Reads a running server's database: what is committed there has happened, and nothing else has.

One short read of one row on a read-only connection disturbs the server less than any request, and
it depends on nothing that the server says.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Record:
    """The database of a server at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def number(self, state: str, function: str) -> int:
        """Return how many tasks of `function` are in `state`, by the server's own counters."""
        return self._number(
            "SELECT coalesce(sum(n), 0) FROM counters WHERE state = ? AND function = ?",
            state,
            function,
        )

    def last(self) -> int:
        """Return the number of the task that was submitted last, 0 if there is none."""
        return self._number("SELECT coalesce(max(seq), 0) FROM tasks")

    def not_succeeded_since(self, seq: int) -> int:
        """Count the tasks submitted after `seq` that did not succeed (yet)."""
        return self._number(
            "SELECT count(*) FROM tasks WHERE seq > ? AND state <> 'succeeded'", seq
        )

    def _number(self, query: str, *parameters: Any) -> int:
        with self._reading() as connection:
            number: int = connection.execute(query, parameters).fetchone()[0]
            return number

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        # Read-only: it must never write a checkpoint, which only the server's writer does.
        connection = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)
        with contextlib.closing(connection):
            yield connection
