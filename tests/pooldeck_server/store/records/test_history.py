"""History in the store: what is kept of stretches, and what charts show of it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from pooldeck_server.domain.measurements.histograms import ERROR, bucket_of, packed, to_text
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.history import (
    COUNTED,
    KEPT,
    STEPS,
    UNITS,
    Chart,
    ChartRequest,
    Flow,
    PoolSample,
    Series,
    Stretch,
    groupings,
)
from pooldeck_server.store import queries, records
from pooldeck_server.store.tables import flows, samples
from tests.support.stored import Store, opened

START = 1_700_000_000 // 3600 * 3600  # the beginning of an hour
SECOND = 1_000_000


def sample(at: int, pool: str = "cpu", **changes: float) -> PoolSample:
    plain: dict[str, float] = {
        "slots": 4,
        "busy": 1,
        "queued": 10,
        "oldest_wait": 0.5,
        "cpu_percent": 50,
        "rss_bytes": 1000,
        "voluntary": 20,
        "involuntary": 5,
    }
    return PoolSample(10, at, pool, **plain | changes)


def flow(at: int, function: str = "jobs.add", pool: str = "cpu", **changes: Any) -> Flow:
    return Flow(10, at, pool, function, **{"succeeded": 5} | changes)


def histogram(values: list[float]) -> str:
    return to_text(packed(Counter(map(bucket_of, values))))


def keep(store: Store, at: int, *flowed: Flow, **gauges: float) -> None:
    store.write(records.save_stretches, [Stretch((sample(at, "cpu", **gauges),), flowed)])


def chart(store: Store, now: int, **wanted: Any) -> Chart:
    return store.read(queries.history, ChartRequest(**{"period": 900} | wanted), now * SECOND)


def values(shown: Chart, name: str = "all") -> dict[int, float | None]:
    """Return the values of a line by where their points begin, without those that are None."""
    (line,) = (line for line in shown.lines if line.name == name)
    return {at: value for at, value in zip(shown.at, line.values, strict=True) if value is not None}


def counted(connection: Connection, seconds: int) -> tuple[int, int]:
    """Return how many stretches of a length are kept, and how many ends are in them."""
    stretches = select(func.count(samples.c.at.distinct())).where(samples.c.seconds == seconds)
    ends = select(func.coalesce(func.sum(flows.c.succeeded), 0)).where(flows.c.seconds == seconds)
    return connection.execute(stretches).scalar_one(), connection.execute(ends).scalar_one()


def test_idle_is_zero_and_no_server_is_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        keep(store, START, flow(START))
        keep(store, START + 10)
        keep(store, START + 30, flow(START + 30, succeeded=1, failed=1))
        shown = chart(store, START + 40)
        assert values(shown) == {START: 0.5, START + 10: 0.0, START + 30: 0.2}
        assert (shown.at[-1], len(shown.at), shown.step) == (START + 30, 90, 10)


def test_what_is_kept_twice_of_a_stretch_adds_up(tmp_path: Path) -> None:
    """A server that restarts within ten seconds has a part of the stretch before, and one after."""
    with opened(tmp_path) as store:
        keep(store, START, flow(START, wait=histogram([1.0])), busy=1)
        keep(store, START, flow(START, wait=histogram([1.0])), busy=3)
        assert values(chart(store, START + 10)) == {START: 1.0}
        assert values(chart(store, START + 10, series="busy")) == {START: 2.0}


def test_an_hour_of_stretches_becomes_longer_ones_with_the_same_ends(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for at in range(START, START + 3600, 10):
            keep(store, at, flow(at))
        store.write(records.roll_up, START + 3600)
        kept = {seconds: store.read(counted, seconds) for seconds in KEPT}
        assert kept == {10: (360, 1800), 120: (30, 1800), 600: (6, 1800), 3600: (1, 1800)}
        store.write(records.roll_up, START + 3600)
        assert {seconds: store.read(counted, seconds) for seconds in KEPT} == kept
        for period in (21600, 86400, 604800):
            shown = values(chart(store, START + 3600, period=period))
            assert sum(shown.values()) * STEPS[period] == 1800  # type: ignore[arg-type]


def test_a_stretch_that_was_cut_off_is_rolled_up_by_the_next_server(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        keep(store, START, flow(START))
        store.write(records.roll_up, START + 10)
        assert store.read(counted, 120) == (0, 0)
        keep(store, START + 7200)
        store.write(records.roll_up, START + 7210)
        assert store.read(counted, 3600) == (1, 5)


def test_the_last_point_is_made_from_what_has_ended_of_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for at in range(START, START + 150, 10):
            keep(store, at, flow(at))
        store.write(records.roll_up, START + 150)
        shown = values(chart(store, START + 150, period=21600))
        assert shown == {START: 0.5, START + 120: 0.5}, "and not five ends in two minutes"


def test_a_clock_that_was_ahead_stops_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        ahead = START + 400 * 86400
        keep(store, ahead)
        store.write(records.roll_up, ahead + 3600)
        keep(store, START, flow(START))
        store.write(records.roll_up, START + 3600)
        assert values(chart(store, START + 3600, period=86400)) == {START: 5 / 600}


def test_old_stretches_go_a_thousand_rows_at_a_time(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        late = START + KEPT[10]
        many = [flow(START, f"jobs.f{number}") for number in range(1500)]
        keep(store, START, *many)
        keep(store, late, flow(late))
        assert store.write(records.trim_history, late) == 0
        assert store.write(records.trim_history, late + 10) == 1001
        assert store.write(records.trim_history, late + 10) == 500
        assert store.write(records.trim_history, late + 10) == 0
        assert store.read(counted, 10) == (1, 5)


def test_ten_lines_are_shown_at_most_and_the_others_are_one_of_them(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        keep(store, START, *(flow(START, f"f{n:02}", succeeded=10 * n) for n in range(12)))
        shown = chart(store, START + 10, by="function")
        assert [line.name for line in shown.lines] == [
            *(f"f{n:02}" for n in range(3, 12)),
            "others",
        ]
        assert values(shown, "others") == {START: 0.0 + 1.0 + 2.0}


def test_percentiles_are_those_of_all_runs_together(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        quick, slow = histogram([0.1] * 90), histogram([10.0] * 10)
        keep(store, START, flow(START, "quick", run=quick), flow(START, "slow", run=slow))
        keep(store, START + 10)
        both = values(chart(store, START + 20, series="run_p95"))
        assert both == {START: pytest.approx(10.0, rel=ERROR)}, "no runs have no percentile"
        half = values(chart(store, START + 20, series="run_p50"))
        assert half == {START: pytest.approx(0.1, rel=ERROR)}
        each = chart(store, START + 20, series="run_p95", by="function")
        assert values(each, "quick") == {START: pytest.approx(0.1, rel=ERROR)}
        only = chart(store, START + 20, series="run_p95", functions=("quick",))
        assert values(only) == {START: pytest.approx(0.1, rel=ERROR)}


@pytest.mark.parametrize(
    ("series", "together", "io"),
    [
        ("queued", 30.0, 20.0),
        ("oldest_wait", 3.0, 3.0),
        ("utilization", 4 / 8, 3 / 4),
        ("busy", 4.0, 3.0),
        ("size", 8.0, 4.0),
        ("cpu", 100.0, 50.0),
        ("memory", 2000.0, 1000.0),
        ("switches", 50.0, 25.0),
    ],
)
def test_gauges_of_pools_are_put_together(
    tmp_path: Path, series: str, together: float, io: float
) -> None:
    with opened(tmp_path) as store:
        pools = (sample(START), sample(START, "io", busy=3, queued=20, oldest_wait=3))
        store.write(records.save_stretches, [Stretch(pools, ())])
        assert values(chart(store, START + 10, series=series)) == {START: together}
        assert values(chart(store, START + 10, series=series, by="pool"), "io") == {START: io}
        assert values(chart(store, START + 10, series=series, pools=("io",))) == {START: io}


def test_ends_are_told_apart_by_their_states(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        keep(store, START, flow(START, succeeded=40, failed=30, cancelled=20, lost=10))
        shown = chart(store, START + 10, by="state")
        assert [line.name for line in shown.lines] == list(COUNTED["throughput"])
        assert values(shown, "cancelled") == {START: 2.0}
        failures = chart(store, START + 10, series="failures", by="state")
        assert [line.name for line in failures.lines] == ["failed", "lost"]
        assert values(chart(store, START + 10, series="failures")) == {START: 4.0}


@pytest.mark.parametrize("series", UNITS)
def test_every_series_has_a_chart_in_each_grouping_and_period(
    tmp_path: Path, series: Series
) -> None:
    with opened(tmp_path) as store:
        assert all(value is None for line in chart(store, START).lines for value in line.values)
        keep(store, START, flow(START, wait=histogram([1.0]), run=histogram([1.0])))
        for by in groupings(series):
            for period in STEPS:
                shown = chart(store, START + 10, series=series, by=by, period=period)
                assert shown.unit == UNITS[series]
                assert any(value is not None for line in shown.lines for value in line.values)
                assert all(len(line.values) == len(shown.at) for line in shown.lines)


def test_a_chart_carries_the_annotations_of_its_time_oldest_first(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        keep(store, START)
        marks = [
            StoredAnnotation(at * SECOND, "resize", pool, data={"before": 1, "after": 2})
            for at, pool in ((START - 90_000, "cpu"), (START - 5, "cpu"), (START, "io"))
        ]
        everywhere = StoredAnnotation((START + 1) * SECOND, "start", data={"was_clean": True})
        store.write(records.annotate, [*marks, everywhere])
        assert chart(store, START + 10).annotations == (*marks[1:], everywhere)
        assert chart(store, START + 10, pools=("cpu",)).annotations == (marks[1], everywhere)


def test_annotations_are_read_newest_first_within_bounds(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        kept = [StoredAnnotation(at, "pause", "cpu", reason=f"no. {at}") for at in (1, 2, 2, 3)]
        store.write(records.annotate, kept)
        assert store.read(queries.annotations) == kept[::-1]
        assert store.read(queries.annotations, limit=1) == [kept[3]]
        assert store.read(queries.annotations, since=2, until=3) == [kept[2], kept[1]]
        assert store.read(queries.annotations, pool="io") == []


def test_the_latest_stretches_come_back_as_they_were_with_empty_ones_between(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        keep(store, START, flow(START))
        keep(store, START + 20)
        found = store.read(queries.stretches, START, START + 30)
        assert found == [
            Stretch((sample(START),), (flow(START),)),
            Stretch((), ()),
            Stretch((sample(START + 20),), ()),
        ]
