"""Tasks of one pool whose claim is committed and that wait for a free slot."""

from collections import deque
from collections.abc import Iterator

from app.domain.tasks import QueuedTask


class Claimed:
    """Claimed tasks in their order, and the work that they are together."""

    def __init__(self) -> None:
        self._tasks: deque[tuple[QueuedTask, float]] = deque()
        self.seconds = 0.0  # of slots that they are expected to take

    def __len__(self) -> int:
        return len(self._tasks)

    def __iter__(self) -> Iterator[QueuedTask]:
        return (task for task, _ in self._tasks)

    def add(self, task: QueuedTask, seconds: float) -> None:
        """Add a task that is expected to keep a slot for `seconds`."""
        self._tasks.append((task, seconds))
        self.seconds += seconds

    @property
    def first(self) -> QueuedTask:
        """Return the one whose turn it is.

        Raises:
            IndexError: If there is none.
        """
        return self._tasks[0][0]

    def put_back(self, task: QueuedTask, seconds: float) -> None:
        """Put one that came back before all others."""
        self._tasks.appendleft((task, seconds))
        self.seconds += seconds

    def take(self) -> QueuedTask:
        """Take the first one out.

        Raises:
            IndexError: If there is none.
        """
        task, seconds = self._tasks.popleft()
        self.seconds = self.seconds - seconds if self._tasks else 0.0
        return task

    def remove(self, seq: int) -> tuple[QueuedTask, float] | None:
        """Take one out wherever it stands, with its seconds; None if it is not here."""
        for entry in self._tasks:
            if entry[0].seq == seq:
                self._tasks.remove(entry)
                self.seconds -= entry[1]
                return entry
        return None
