"""Run times as drawings: a scale that stays where it is, gaps, and the same in a table."""

from pooldeck_server.domain.measurements.histograms import bucket_of, packed
from pooldeck_server.domain.measurements.run_times import RunTimes, RunTimesPoint
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.web.pages.functions.run_times import (
    ShownRunTimes,
    period_of,
    shown_run_times,
)


def point(at: int, *runs: float, failed: int = 0) -> RunTimesPoint:
    histogram = sum(packed({bucket_of(run): 1}) for run in runs)
    return RunTimesPoint(at, len(runs), failed, histogram)


def shown(*points: RunTimesPoint, marks: tuple[StoredAnnotation, ...] = ()) -> ShownRunTimes:
    return shown_run_times(RunTimes(3600, 10, 0, 3600, points, marks), "acme.f")


def test_the_scale_reaches_from_one_power_of_ten_to_another_and_stays_there() -> None:
    one, more = shown(point(0, 0.02, 0.3)), shown(point(0, 0.02, 0.3, 0.05, 0.04))
    assert [tick.words for tick in one.ticks] == ["10 ms", "100 ms", "1 s"]
    assert one.ticks == more.ticks
    assert one.bars[0].x == more.bars[0].x
    assert "1 took" in one.bars[0].words


def test_a_stretch_without_an_end_leaves_a_gap_in_the_lines() -> None:
    ((_, path), *_others) = shown(point(0, 0.1), point(10, 0.1), point(40, 0.1)).lines
    assert path.count("M") == 2
    assert path.count("L") == 1


def test_failures_and_percentiles_stand_in_the_table_the_latest_first() -> None:
    rows = shown(point(0, 0.1, 0.1, failed=1), point(10, 2.0)).rows
    assert [(row.at, row.ended, row.failed) for row in rows] == [
        (10_000_000, "1", "0"),
        (0, "2", "1"),
    ]


def test_what_was_done_is_marked_where_it_was() -> None:
    (mark,) = shown(point(0, 0.1), marks=(StoredAnnotation(1_800_000_000, "restart", "cpu"),)).marks
    assert (mark.place, mark.words) == (300.0, "cpu: workers restarted")


def test_percentiles_that_are_one_have_one_name() -> None:
    assert [tick.words for tick in shown(point(0, 0.1)).percentiles] == ["p50, p95, p99"]


def test_nothing_that_ended_is_nothing_drawn() -> None:
    assert (shown().rows, shown().bars) == ([], [])


def test_an_address_that_makes_no_sense_gets_a_day() -> None:
    assert [period_of({"period": text}) for text in ("6h", "7d", "x", "")] == [
        *(21600, 604800),
        *(86400, 86400),
    ]
