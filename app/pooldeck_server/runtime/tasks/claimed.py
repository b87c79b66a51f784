"""Tasks of one pool whose claim is committed and that wait for a free slot."""

from collections import deque
from collections.abc import Iterator

from pooldeck_server.domain.tasks.task import QueuedTask


class Claimed:
    """Claimed tasks in their order, and the work that they are together.

    Some may be held back behind others whose claim is still on its way to the disk.
    """

    def __init__(self) -> None:
        self._tasks: deque[tuple[QueuedTask, float]] = deque()
        self._held: list[tuple[QueuedTask, float]] = []
        self.seconds = 0.0  # of slots that they are expected to take

    def __len__(self) -> int:
        return len(self._tasks) + len(self._held)

    def __iter__(self) -> Iterator[QueuedTask]:
        return (task for task, _ in (*self._tasks, *self._held))

    def add(self, task: QueuedTask, seconds: float) -> None:
        """Add a task that is expected to keep a slot for `seconds`."""
        self._tasks.append((task, seconds))
        self.seconds += seconds

    def hold(self, task: QueuedTask, seconds: float) -> None:
        """Add a task that comes after those whose claim is on its way."""
        self._held.append((task, seconds))
        self.seconds += seconds

    def let_go(self) -> None:
        """Let those that are held back come after what has been added."""
        self._tasks.extend(self._held)
        self._held.clear()

    @property
    def first(self) -> QueuedTask | None:
        return self._tasks[0][0] if self._tasks else None

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
        self.seconds = self.seconds - seconds if self else 0.0
        return task

    def remove(self, seq: int) -> tuple[QueuedTask, float] | None:
        """Take one out wherever it stands, with its seconds; None if it is not here."""
        for entries in (self._tasks, self._held):
            for entry in entries:
                if entry[0].seq == seq:
                    entries.remove(entry)
                    self.seconds -= entry[1]
                    return entry
        return None
