"""What has been erased from the database and still stands in its write-ahead log.

The log keeps each page as it once was, until later ones overwrite it: of sensitive arguments that
may be hours after the ends of their tasks. So once some were erased, the log is emptied: as soon as
nothing is to be written, or after a while between two commits. It belongs to the writer thread.
"""

import logging
import time
from collections.abc import Iterable
from typing import Final

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.store.database import Database

_log = logging.getLogger(__name__)
_QUIET_SECONDS: Final = 0.5  # without anything to write
_RETRY_SECONDS: Final = 1.0  # after a reader stood in the way


class Traces:
    """Empties the log of a database when there is something in it that was erased.

    It waits for a quiet moment for `longest` seconds at most.
    """

    def __init__(self, database: Database, longest: float = 30.0) -> None:
        self._database = database
        self._longest = longest
        self._since: float | None = None  # when the oldest was left
        self._not_before = 0.0

    def note(self, moves: Iterable[TaskChanged]) -> None:
        """Take down what a commit has erased, if there is anything sensitive at all."""
        if self._since is None and _erase(moves) and self._database.erases:
            self._since = time.monotonic()

    @property
    def patience(self) -> float | None:
        """For how many seconds there must be nothing to write; None: nothing is to be erased."""
        if self._since is None:
            return None
        return max(_QUIET_SECONDS, self._not_before - time.monotonic())

    @property
    def are_old(self) -> bool:
        """Tell whether they are erased now, though there is more to write."""
        if self._since is None:
            return False
        return time.monotonic() >= max(self._since + self._longest, self._not_before)

    def erase(self) -> None:
        """Empty the log; where that cannot be, it is tried again a moment later."""
        try:
            is_empty = self._database.empty_log()
        except PooldeckError as error:
            _log.debug("what was erased stays in the log for now: %s", error)
            is_empty = False
        if is_empty:
            self._since = None
        self._not_before = time.monotonic() + _RETRY_SECONDS


def _erase(moves: Iterable[TaskChanged]) -> bool:
    return any(move.state in FINAL or move.edited_in is not None for move in moves)
