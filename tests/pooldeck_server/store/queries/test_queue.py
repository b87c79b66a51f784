"""Work that SQLite does: it depends on the size of the answer, not on how many tasks are kept."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from pooldeck_server.domain.tasks.changes import Claim, End, ProgressMark, Rerun
from pooldeck_server.domain.tasks.filter import Sort, TaskFilter
from pooldeck_server.domain.tasks.log_search import LogSearch
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store import queries, records
from pooldeck_server.store.transaction import Transaction
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000
SMALL, LARGE = 1_000, 8_000

Read = Callable[[Connection], Any]
Write = Callable[[Transaction, Sequence[NewTask]], Any]


def fill(store: Store, number: int) -> list[NewTask]:
    """Store so many tasks, most of them final; return those that wait."""
    batch = [
        store.new(
            pool=("cpu", "io")[n % 2],
            function=f"jobs.f{n % 3}",
            priority=n % 5,
            tags=("nightly",) if n % 10 == 0 else (),
        )
        for n in range(number)
    ]
    store.write(records.insert_tasks, batch)
    done, waiting = batch[: -number // 5], batch[-number // 5 :]
    store.write(records.claim, [Claim(task.seq, 1) for task in done])
    states = sorted(FINAL)
    ends = [
        End(
            task.seq,
            1,
            states[n % 4],
            NOW,
            run_seconds=1 + n / 1000,
            error_kind=(None, "exception")[n % 2],
        )
        for n, task in enumerate(done)
    ]
    store.write(records.end, ends)
    return waiting


def steps(connection: Connection, work: Callable[[], Any]) -> int:
    """Return how many hundreds of instructions SQLite's machine needs for `work`."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(count, 100)
    try:
        work()
    finally:
        driver.set_progress_handler(None, 0)
    return counted


READS: dict[str, Read] = {
    "all": lambda c: queries.tasks(c, TaskFilter()),
    "from the middle": lambda c: queries.tasks(c, TaskFilter(), cursor=f"{500:016x}"),
    "a state": lambda c: queries.tasks(c, TaskFilter(states=(State.FAILED,))),
    "states": lambda c: queries.tasks(c, TaskFilter(states=(State.QUEUED, State.FAILED))),
    "a pool": lambda c: queries.tasks(c, TaskFilter(pools=("io",))),
    "a function": lambda c: queries.tasks(c, TaskFilter(functions=("jobs.f1",))),
    "functions": lambda c: queries.tasks(c, TaskFilter(functions=("jobs.f1", "jobs.f2"))),
    "a function in a pool": lambda c: queries.tasks(
        c, TaskFilter(functions=("jobs.f1",), pools=("cpu",), states=(State.LOST,))
    ),
    "a tag": lambda c: queries.tasks(c, TaskFilter(tags=("nightly",))),
    "an error": lambda c: queries.tasks(c, TaskFilter(errors=("exception",))),
    "a group of errors": lambda c: queries.tasks(c, TaskFilter(groups=("unknown",))),
    "by end": lambda c: queries.tasks(c, TaskFilter(), sort=Sort.FINISHED),
    "the longest runs": lambda c: queries.tasks(c, TaskFilter(), sort=Sort.RUN),
    "the longest runs in a pool": lambda c: queries.tasks(
        c, TaskFilter(pools=("io",)), scan_limit=100, sort=Sort.RUN
    ),
    "how many of a state": lambda c: queries.total(c, TaskFilter(states=(State.FAILED,))),
    "how many with a tag": lambda c: queries.total(c, TaskFilter(tags=("nightly",)), 20),
    "tags": lambda c: queries.tags(c, "n", 5),
    "what is not indexed": queries.not_indexed,
    "a time": lambda c: queries.tasks(c, TaskFilter(since=NOW)),
    "text that nothing has": lambda c: queries.tasks(c, TaskFilter(text="zebra"), scan_limit=100),
    "text in a pool": lambda c: queries.tasks(
        c, TaskFilter(text="zebra", pools=("cpu",)), scan_limit=100
    ),
    "what fails now": lambda c: queries.failing(c, NOW),
    "run times": lambda c: queries.run_times(c, "jobs.f1", "cpu", 3600, NOW),
    "the oldest that waits": lambda c: queries.oldest_waiting(c, "cpu"),
    "text in the logs": lambda c: queries.search_logs(c, LogSearch("zebra")),
    "all to change": lambda c: queries.matching(c, TaskFilter(states=(State.QUEUED,)), limit=20),
    "one": lambda c: queries.task(c, "unknown"),
    "attempts": lambda c: queries.attempts(c, "unknown"),
    "a key": lambda c: queries.task_by_key(c, "unknown"),
    "the queue": lambda c: queries.queued(c, "cpu", 50),
    "counts": queries.counts,
    "activity": lambda c: queries.activity(c, 0),
    "figures": lambda c: queries.function_figures(c, 0),
    "durations": lambda c: queries.durations(c, "jobs.f1", 100),
    "the next due": queries.next_due,
    "the latest": queries.last_seq_and_id,
}

WRITES: dict[str, Write] = {
    "claim": lambda tx, tasks: records.claim(tx, [Claim(task.seq, 1) for task in tasks]),
    "progress": lambda tx, tasks: records.progress(
        tx, [ProgressMark(task.seq, 1, 0.5, "half") for task in tasks]
    ),
    "end": lambda tx, tasks: records.end(
        tx, [End(task.seq, 1, State.SUCCEEDED, NOW) for task in tasks]
    ),
    "rerun": lambda tx, tasks: records.rerun(
        tx, [Rerun(End(task.seq, 1, State.FAILED, NOW), NOW) for task in tasks]
    ),
    "retry": lambda tx, tasks: records.retry(tx, [task.seq for task in tasks], NOW),
    "cancel": lambda tx, tasks: records.cancel(tx, [task.seq for task in tasks], NOW),
    "promote": lambda tx, _: records.promote_due(tx, NOW),
}


def read_work(folder: Path, number: int) -> dict[str, int]:
    with opened(folder) as store:
        fill(store, number)

        def measure(connection: Connection) -> dict[str, int]:
            return {
                name: steps(connection, lambda read=read: read(connection))  # type: ignore[misc]  # binds the loop's value
                for name, read in READS.items()
            }

        return store.reader.call(measure)


def write_work(folder: Path, number: int) -> dict[str, int]:
    found = {}
    with opened(folder) as store:
        waiting = fill(store, number)
        for name, write in WRITES.items():
            with store.database.transaction() as transaction:
                some, waiting = waiting[:20], waiting[20:]
                if name in {"progress", "end", "rerun"}:
                    records.claim(transaction, [Claim(task.seq, 1) for task in some])
                if name == "retry":
                    records.cancel(transaction, [task.seq for task in some], NOW)
                found[name] = steps(
                    transaction.connection,
                    lambda: write(transaction, some),  # noqa: B023 - called at once
                )
    return found


@pytest.mark.parametrize("measure", [read_work, write_work])
def test_eight_times_the_tasks_cost_no_more_work(
    tmp_path: Path, measure: Callable[[Path, int], dict[str, int]]
) -> None:
    small = measure(tmp_path / "small", SMALL)
    large = measure(tmp_path / "large", LARGE)
    grown = {
        name: (small[name], large[name]) for name in small if large[name] > 1.5 * small[name] + 3
    }
    assert grown == {}
