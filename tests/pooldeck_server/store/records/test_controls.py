"""What is kept beside tasks: incidents, holds, what was set by hand, the runs of the server."""

from pathlib import Path

import msgspec
import pytest

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.failures.incidents import Bystander, StoredIncident, TaskName
from pooldeck_server.domain.pools.controls import (
    CutOff,
    CutOffTask,
    Hold,
    PoolControl,
    ServerRun,
    StartReport,
)
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 1_700_000_000_000_000


def incident(number: int, pool: str = "cpu") -> StoredIncident:
    return StoredIncident(
        f"incident-{number}", pool, f"{pool}-{number}", 42, NOW + number, "killed"
    )


def ids(store: Store, limit: int, pool: str | None = None) -> list[list[str]]:
    """Return the ids of the incidents on each page."""
    found: list[list[str]] = []
    cursor = None
    while cursor is not None or not found:
        page = store.read(queries.incidents, limit, cursor, pool)
        found.append([item.id for item in page.items])
        cursor = page.next_cursor
    return found


def test_an_incident_comes_back_whole(tmp_path: Path) -> None:
    whole = StoredIncident(
        id="one",
        pool="io",
        worker="io-1",
        pid=4242,
        detected_at=NOW,
        cause='killed by SIGSEGV in "ünï\x00"',
        signal=11,
        exit_code=None,
        culprit=TaskName("a", "jobs.add"),
        suspects=(TaskName("b", "jobs.add"),),
        bystanders=(Bystander("c", "lost"), Bystander("d", "queued")),
        traceback='File "jobs.py", line 1\n',
        peak_rss_bytes=2**40,
        recovered_at=NOW + 5,
        recovery_ms=0.005,
    )
    with opened(tmp_path) as store:
        assert store.read(queries.incident, "one") is None
        store.write(records.save_incident, whole)
        assert store.read(queries.incident, "one") == whole
        assert store.read(queries.incidents, 10).items == (whole,)


def test_an_incident_is_kept_once_and_may_be_completed_in_its_place(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for number in (1, 2):
            store.write(records.save_incident, incident(number))
        recovered = msgspec.structs.replace(incident(1), recovered_at=NOW + 9, recovery_ms=1.5)
        store.write(records.save_incident, recovered)
        assert store.read(queries.incident, "incident-1") == recovered
        assert ids(store, 10) == [["incident-2", "incident-1"]]
        assert store.read(queries.incident_counts) == {"cpu": 2}


def test_incidents_are_listed_newest_first_a_page_at_a_time_and_by_pool(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert ids(store, 2) == [[]]
        assert store.read(queries.incident_counts) == {}
        for number in range(1, 6):
            store.write(records.save_incident, incident(number, "io" if number == 4 else "cpu"))
        names = [f"incident-{number}" for number in range(6)]
        assert ids(store, 2) == [[names[5], names[4]], [names[3], names[2]], [names[1]]]
        assert ids(store, 5) == [names[:0:-1]]
        assert ids(store, 2, "cpu") == [[names[5], names[3]], [names[2], names[1]]]
        assert ids(store, 2, "io") == [[names[4]]]
        assert ids(store, 2, "gone") == [[]]
        assert store.read(queries.incident_counts) == {"cpu": 4, "io": 1}


def test_a_cursor_that_no_page_gave_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as store, pytest.raises(InvalidRequest, match="cursor"):
        store.read(queries.incidents, 10, "17")


def test_a_hold_stays_until_it_is_lifted(tmp_path: Path) -> None:
    first, second = Hold("jobs.b", NOW, 3, "three deaths"), Hold("jobs.a", NOW + 1, 4, "four")
    with opened(tmp_path) as store:
        store.write(records.save_hold, first)
        store.write(records.save_hold, second)
        more = msgspec.structs.replace(first, deaths=5, reason="five")
        store.write(records.save_hold, more)
    with opened(tmp_path) as store:
        assert store.read(queries.holds) == [second, more]
        assert store.write(records.lift_hold, "jobs.b", 9)
        assert not store.write(records.lift_hold, "jobs.b", 9)
        assert store.read(queries.holds) == [second]


def test_what_was_set_by_hand_last_is_what_counts(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.read(queries.controls) == []
        for control in (
            PoolControl("io", None, 32, "paused"),
            PoolControl("cpu", 8, 2),
            PoolControl("io", None, 32, "stopped"),
        ):
            store.write(records.save_control, control)
    with opened(tmp_path) as store:
        assert store.read(queries.controls) == [
            PoolControl("cpu", 8, 2, "running"),
            PoolControl("io", None, 32, "stopped"),
        ]


def test_runs_tell_when_they_began_what_they_found_and_how_they_ended(tmp_path: Path) -> None:
    report = StartReport(
        was_clean=False, down_seconds=2.5, queued=1, scheduled=2, rerun=3, lost=4, reaped=5, held=6
    )
    with opened(tmp_path) as store:
        assert store.read(queries.runs) == []
        store.write(records.begin_run, ServerRun("b1", 11, NOW))
        assert store.read(queries.runs) == [ServerRun("b1", 11, NOW)]
        store.write(records.save_report, "b1", report)
        cost = CutOff(lost=1, tasks=(CutOffTask("a", "jobs.add", State.LOST),))
        store.write(records.end_run, "b1", NOW + 5, cost)
        first = ServerRun("b1", 11, NOW, NOW + 5, report, cost)
        assert store.read(queries.runs) == [first]

        cut_off = ServerRun("b2", 12, NOW - 100)  # the clock was set back
        store.write(records.begin_run, cut_off)
        assert store.read(queries.runs) == [cut_off, first]
        assert store.read(queries.runs, limit=1) == [cut_off]
