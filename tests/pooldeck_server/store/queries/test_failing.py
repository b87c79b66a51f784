"""What fails now, and how long the runs of a function took, as the store tells it."""

from pathlib import Path

import msgspec
import pytest

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.clock import MINUTE, SECOND, ManualClock
from pooldeck_server.domain.failures.error_groups import GroupChange, group_of
from pooldeck_server.domain.failures.incidents import Bystander, StoredIncident, TaskName
from pooldeck_server.domain.measurements.histograms import bucket_of, packed, to_text
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.history import Flow, PoolSample, Stretch
from pooldeck_server.domain.tasks.changes import End
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

NOW = 28_333_333 * MINUTE


def fail(
    store: Store,
    error: str,
    ago: int = 0,
    pool: str = "cpu",
    *,
    kind: ErrorKind = ErrorKind.EXCEPTION,
    deadly: str = "",
) -> str:
    """Have a task fail some minutes ago, beside a `deadly` one; return the group of its error."""
    task = store.running(pool=pool)
    told = Error(kind, error, "no", traceback=None)
    if deadly:
        store.write(records.save_incident, died(task.id, deadly))
    group = group_of(told, task.function).id
    text = msgspec.json.encode(told).decode()
    at = NOW - ago * MINUTE
    store.write(records.end, [End(task.seq, 1, State.FAILED, at, error=text, error_group=group)])
    return group


def test_the_groups_that_failed_lately_come_with_what_was_before_and_in_which_pools(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        for ago in (0, 1, 14, 15, 29, 30):
            often = fail(store, "ValueError", ago)
        fail(store, "ValueError", 3, pool="io")
        once = fail(store, "KeyError", 2, pool="io")
        fail(store, "OSError", 16)  # not in the last 15 minutes
        (first, second), more = store.read(queries.failing, NOW)
        assert (first.group.id, first.number, first.before, more) == (often, 4, 2, 0)
        assert first.pools == ("cpu", "io")
        assert first.rate == pytest.approx(4 / 15)
        assert (second.group.id, second.number, second.before) == (once, 1, 0)
        (only,), _ = store.read(queries.failing, NOW, "io", 1)
        assert only.number == 1
        assert store.read(queries.failing, NOW, None, 1)[1] == 1  # and one more


def died(bystander: str, culprit: str) -> StoredIncident:
    """Return a death that took a bystander along."""
    return StoredIncident(
        id=TaskIds(ManualClock(NOW)).next(),
        pool="io",
        worker="io-1",
        pid=42,
        detected_at=NOW,
        cause="killed by SIGSEGV",
        culprit=TaskName("t", culprit),
        bystanders=(Bystander(bystander, State.LOST),),
    )


def test_what_was_only_beside_a_culprit_comes_last_and_names_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for _ in range(3):
            beside = fail(store, "BrokenProcessPool", kind=ErrorKind.BYSTANDER, deadly="jobs.crash")
        guilty = fail(store, "BrokenProcessPool", kind=ErrorKind.CRASHED)
        (first, second), _ = store.read(queries.failing, NOW)
    assert (first.group.id, first.number, first.incident) == (guilty, 1, None)
    assert (second.group.id, second.number) == (beside, 3)
    assert second.incident is not None
    assert second.incident.culprit == TaskName("t", "jobs.crash")


def test_muted_errors_do_not_fail_now(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        group = fail(store, "ValueError")
        store.write(records.change_error_group, group, GroupChange.MUTE, NOW)
        assert store.read(queries.failing, NOW) == ([], 0)


def test_minutes_that_nobody_asks_for_are_deleted(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        fail(store, "ValueError", 200)
        assert store.write(records.trim_others, NOW, None) >= 1
        assert store.write(records.trim_others, NOW, None) == 0


def stretch(at: int, *runs: float, failed: int = 0, function: str = "jobs.add") -> Stretch:
    text = to_text(sum(packed({bucket_of(run): 1}) for run in runs))
    sample = PoolSample(10, at, "cpu", 2, 1, 0, 0, 0, 0, 0, 0)
    flow = Flow(
        10, at, "cpu", function, succeeded=len(runs) - failed, failed=failed, wait="", run=text
    )
    return Stretch((sample,), (flow,))


def test_run_times_are_of_one_function_with_their_spread_and_what_was_done(tmp_path: Path) -> None:
    now = NOW // SECOND // 10 * 10
    with opened(tmp_path) as store:
        found = [
            stretch(now - 30, 0.1, 0.1, 10.0, failed=1),
            stretch(now - 20, 0.2),
            stretch(now - 20, 99.0, function="jobs.other"),
        ]
        store.write(records.save_stretches, found)
        marks = [
            StoredAnnotation((now - 25) * SECOND, "restart", "cpu"),
            StoredAnnotation((now - 24) * SECOND, "restart", "io"),
            StoredAnnotation((now - 23) * SECOND, "pause_function", subject="jobs.add"),
            StoredAnnotation((now - 22) * SECOND, "pause_function", subject="jobs.other"),
        ]
        store.write(records.annotate, marks)
        times = store.read(queries.run_times, "jobs.add", "cpu", 3600, now * SECOND)
    assert [(point.at, point.ended, point.failed) for point in times.points] == [
        (now - 30, 3, 1),
        (now - 20, 1, 0),
    ]
    assert (times.ended, times.failed) == (4, 1)
    half, _, most = times.percentiles
    assert half == pytest.approx(0.1, rel=0.1)
    assert most == pytest.approx(10.0, rel=0.1)
    assert [mark.kind for mark in times.marks] == ["restart", "pause_function"]
