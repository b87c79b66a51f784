"""The looks of the last minute at each worker."""

from pooldeck_server.domain.failures.incidents import VitalSample
from pooldeck_server.runtime.tasks.vitals import KEPT_SECONDS, WorkerVitals


def test_a_death_is_told_with_the_looks_of_the_minute_before_it() -> None:
    vitals = WorkerVitals()
    vitals.note(100.0, {"cpu-1": (10, 5.0), "cpu-2": (99, 0.0)})
    vitals.note(140.0, {"cpu-1": (20, 95.06)})
    assert vitals.before("cpu-1", 141.0) == (
        VitalSample(41.0, 10, 5.0),
        VitalSample(1.0, 20, 95.1),
    )
    assert vitals.before("cpu-1", 100.0 + KEPT_SECONDS + 1) == (VitalSample(21.0, 20, 95.1),)
    assert vitals.before("cpu-3", 141.0) == ()


def test_a_worker_that_is_gone_is_forgotten_and_one_that_stays_takes_no_more() -> None:
    vitals = WorkerVitals()
    vitals.note(0.0, {"gone": (1, 1.0), "here": (1, 1.0)})
    for second in range(1, 200):
        vitals.note(float(second), {"here": (second, 1.0)})
    assert vitals.before("gone", 1.0) == ()
    kept = vitals.before("here", 199.0)
    assert [each.rss_bytes for each in kept] == list(range(140, 200))
