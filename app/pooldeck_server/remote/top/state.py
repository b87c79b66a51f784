"""What the screen is about beside the snapshot: what is selected, asked and said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from msgspec import Struct

from pooldeck_server.remote.top.log import TaskTail
from pooldeck_server.remote.top.snapshot import PoolRow, RunningRow, Snapshot

Row: TypeAlias = PoolRow | RunningRow


class Question(Struct, frozen=True):
    """Something that is done if the next key is y."""

    words: str
    do: Callable[[], None]


@dataclass
class TopState:
    """Changed by keys alone, but for `message`."""

    selected: str | None = None  # the key of a row
    place: int = 0  # where that row was when it was last seen
    question: Question | None = None
    message: str = ""
    has_help: bool = False
    log: TaskTail | None = None
    offset: int = field(default=0)  # lines of the log that are below the screen

    def row(self, snapshot: Snapshot | None) -> Row | None:
        """Return the row that is selected; where it is gone, the one in its place."""
        rows = rows_of(snapshot)
        if not rows:
            return None
        keys = [key_of(row) for row in rows]
        if self.selected in keys:
            self.place = keys.index(self.selected)
        self.place = min(self.place, len(rows) - 1)
        self.selected = keys[self.place]
        return rows[self.place]

    def move(self, snapshot: Snapshot | None, steps: int) -> None:
        """Select the row so many steps below."""
        rows = rows_of(snapshot)
        if rows and self.row(snapshot) is not None:
            self.place = min(max(self.place + steps, 0), len(rows) - 1)
            self.selected = key_of(rows[self.place])


def rows_of(snapshot: Snapshot | None) -> list[Row]:
    """Return what can be selected, from top to bottom."""
    return [] if snapshot is None else [*snapshot.pools, *snapshot.running]


def key_of(row: Row) -> str:
    """Return what names a row for as long as it is there."""
    return f"pool {row.name}" if isinstance(row, PoolRow) else f"task {row.task}"
