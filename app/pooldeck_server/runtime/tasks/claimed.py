"""Tasks of one pool whose claim is committed and that wait for a free slot."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from pooldeck_server.domain.tasks.task import QueuedTask


class Entry(NamedTuple):
    """A claimed task.

    `seconds` is how long it is expected to keep a slot, `since` the moment of the monotonic clock
    from which it waits here.
    """

    task: QueuedTask
    seconds: float
    since: float


class Claimed:
    """Claimed tasks in their order, and the work that they are together.

    Some may be held back behind others whose claim is still on its way to the disk.
    """

    def __init__(self) -> None:
        self._tasks: deque[Entry] = deque()
        self._held: list[Entry] = []
        self.seconds = 0.0  # of slots that they are expected to take

    def __len__(self) -> int:
        return len(self._tasks) + len(self._held)

    def __iter__(self) -> Iterator[QueuedTask]:
        return (entry.task for entry in (*self._tasks, *self._held))

    def add(self, entry: Entry) -> None:
        self._tasks.append(entry)
        self.seconds += entry.seconds

    def hold(self, entry: Entry) -> None:
        """Add a task that comes after those whose claim is on its way."""
        self._held.append(entry)
        self.seconds += entry.seconds

    def let_go(self) -> None:
        """Let those that are held back come after what has been added."""
        self._tasks.extend(self._held)
        self._held.clear()

    @property
    def first(self) -> QueuedTask | None:
        return self._tasks[0].task if self._tasks else None

    def longest_wait(self, now: float) -> float:
        """Return how many seconds the longest waits that could be taken; 0 if none does."""
        return max((now - entry.since for entry in self._tasks), default=0.0)

    def put_back(self, entry: Entry) -> None:
        """Put one that came back before all others."""
        self._tasks.appendleft(entry)
        self.seconds += entry.seconds

    def take(self) -> QueuedTask:
        """Take the first one out.

        Raises:
            IndexError: If there is none.
        """
        entry = self._tasks.popleft()
        self.seconds = self.seconds - entry.seconds if self else 0.0
        return entry.task

    def take_all(self) -> list[QueuedTask]:
        """Take out all that could be taken: without those that are held back."""
        taken = []
        while self._tasks:
            taken.append(self.take())
        return taken

    def remove(self, seq: int) -> Entry | None:
        """Take one out wherever it stands; None if it is not here."""
        for entries in (self._tasks, self._held):
            for entry in entries:
                if entry.task.seq == seq:
                    entries.remove(entry)
                    self.seconds -= entry.seconds
                    return entry
        return None
