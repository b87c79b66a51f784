"""Which incidents are found, how many there are of what, and what became of their tasks."""

from pathlib import Path

import msgspec

from pooldeck_server.domain.failures.incidents import CulpritCount, StoredIncident, TaskName
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

MINUTE = 60.0


def died(store: Store, pool: str, cause: str, *suspects: str, culprit: str = "") -> StoredIncident:
    """Keep an incident of this moment."""
    incident = StoredIncident(
        id=TaskIds(store.clock).next(),
        pool=pool,
        worker=f"{pool}-1",
        pid=42,
        detected_at=store.clock.now(),
        cause=cause,
        culprit=TaskName("t", culprit) if culprit else None,
        suspects=tuple(TaskName("t", name) for name in suspects),
    )
    store.write(records.save_incident, incident)
    return incident


def test_incidents_are_found_by_pool_function_cause_and_time(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        old = died(store, "cpu", "killed by SIGSEGV", culprit="jobs.a")
        store.clock.advance(10 * MINUTE)
        since = store.clock.now()
        blamed = died(store, "cpu", "killed by SIGKILL", culprit="jobs.a")
        suspected = died(store, "io", "killed by SIGKILL", "jobs.a", "jobs.b")
        died(store, "io", "exited with code 1", culprit="jobs.b")

        def found(**wanted: object) -> set[str]:
            page = store.read(queries.incidents, 10, None, **wanted)  # type: ignore[arg-type]
            return {item.id for item in page.items}

        assert found(function="jobs.a") == {old.id, blamed.id, suspected.id}
        assert found(function="jobs.a", since=since) == {blamed.id, suspected.id}
        assert found(cause="killed by SIGKILL", pool="cpu") == {blamed.id}
        assert found(function="jobs") == set()


def test_culprits_are_counted_the_most_deadly_first(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        died(store, "cpu", "killed by SIGSEGV", culprit="jobs.a")
        store.clock.advance(10 * MINUTE)
        since = store.clock.now()
        for pool in ("cpu", "io"):
            died(store, pool, "killed by SIGSEGV", culprit="jobs.b")
        died(store, "io", "killed by SIGKILL", "jobs.a", "jobs.b")
        assert store.read(queries.incident_culprits) == [
            CulpritCount("jobs.b", 2),
            CulpritCount(None, 1),
            CulpritCount("jobs.a", 1),
        ]
        assert store.read(queries.incident_culprits, "cpu", since) == [CulpritCount("jobs.b", 1)]


def test_tasks_are_read_as_they_are_today_and_those_that_are_gone_left_out(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        running, waiting = store.running(function="jobs.a"), store.add(function="jobs.b")
        today = store.read(queries.tasks_today, [running.id, waiting.id, "gone"])
        assert {name: msgspec.structs.astuple(task) for name, task in today.items()} == {
            running.id: (running.id, "jobs.a", State.RUNNING, 1),
            waiting.id: (waiting.id, "jobs.b", State.QUEUED, 0),
        }
        assert store.read(queries.tasks_today, []) == {}
