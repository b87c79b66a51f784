"""A real database in a test's folder, and tasks to put into it."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from sqlalchemy import Connection, select

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.tasks.changes import Claim, Start
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask, StoredTask
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Database, Reader
from pooldeck_server.store.tables import tasks
from pooldeck_server.store.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")


class Store:
    """A database that one test writes to and reads from."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.reader = Reader(database, threads=1)
        self.clock = ManualClock()
        self.ids = TaskIds(self.clock)
        self.last_seq = 0

    def write(
        self, record: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run one function of `records` in a transaction of its own."""
        with self.database.transaction() as transaction:
            return record(transaction, *args, **kwargs)

    def read(
        self, query: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run one function of `queries`."""
        return self.reader.call(query, *args, **kwargs)

    def new(self, **changes: Any) -> NewTask:
        """Return a submission that is not stored."""
        self.last_seq += 1
        plain = NewTask(
            seq=self.last_seq,
            id=self.ids.next(),
            function="jobs.add",
            pool="cpu",
            state=State.QUEUED,
            priority=0,
            created_at=self.clock.now(),
            args="[1,2]",
            kwargs="{}",
        )
        return msgspec.structs.replace(plain, **changes)

    def add(self, **changes: Any) -> NewTask:
        """Store a submission."""
        task = self.new(**changes)
        self.write(records.insert_tasks, [task])
        return task

    def claimed(self, **changes: Any) -> NewTask:
        """Store a submission and claim its first attempt."""
        task = self.add(**changes)
        assert self.write(records.claim, [Claim(task.seq, 1)]) == {task.seq}
        return task

    def running(self, **changes: Any) -> NewTask:
        """Store a submission, claim it and start it."""
        task = self.claimed(**changes)
        assert self.write(records.start, [self.start_of(task)])
        return task

    def start_of(self, task: NewTask, attempt: int = 1) -> Start:
        """Return the report of a worker that it started `task`."""
        return Start(task.seq, attempt, self.clock.now(), 0.5, "cpu-1", 4242, None)

    def task(self, task: NewTask) -> StoredTask:
        """Return `task` as it is now."""
        found = self.read(queries.task, task.id)
        assert found is not None
        return found

    def found(self, wanted: TaskFilter, **options: Any) -> list[int]:
        """Return the numbers of the tasks on a list's first page."""
        return [item.seq for item in self.read(queries.tasks, wanted, **options).items]

    def counters_and_recount(self) -> tuple[dict[Any, int], dict[Any, int]]:
        """Return the kept counts, and what counting the rows says."""
        kept = {
            (count.pool, count.function, count.state): count.n
            for count in self.read(queries.counts)
        }
        return kept, self.read(_recount)


def _recount(connection: Connection) -> dict[Any, int]:
    counted: dict[Any, int] = {}
    for pool, function, state in connection.execute(
        select(tasks.c.pool, tasks.c.function, tasks.c.state)
    ):
        key = (pool, function, State(state))
        counted[key] = counted.get(key, 0) + 1
    return counted


def make(path: Path) -> None:
    """Make an empty database, if there is nothing of one: ten times faster than to migrate it."""
    if path.parent.is_dir() and not list(path.parent.glob(f"{path.name}*")):
        path.touch(mode=0o600)
        path.write_bytes(_empty())


@cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pooldeck.db"
        Database.open(path, "normal").close()
        return path.read_bytes()


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """Open the database in `folder`, and close it at the end."""
    path = folder / "pooldeck.db"
    make(path)
    store = Store(Database.open(path, "normal"))
    try:
        yield store
    finally:
        store.reader.close()
        store.database.close()
