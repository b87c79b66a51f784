"""The order of submission: each task gets the next number and an id that sorts after all others."""

from dataclasses import dataclass

from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.task import TaskKey


@dataclass(kw_only=True, eq=False)
class TaskKeys:
    """Gives each new task its number and its id."""

    ids: TaskIds
    last_seq: int  # the number of the newest task

    def next(self) -> TaskKey:
        self.last_seq += 1
        return TaskKey(self.last_seq, self.ids.next())
