"""How long the tasks of each function waited and ran lately."""

from pathlib import Path

import pytest

from pooldeck_server.domain.measurements.histograms import ERROR, bucket_of, packed, to_text
from pooldeck_server.domain.pools.history import Flow, PoolSample, Stretch
from pooldeck_server.store import queries, records
from tests.support.stored import Store, opened

MINUTE = 60
START = 1_700_000_040  # the beginning of a minute


def stretch(at: int, function: str, runs: dict[float, int], wait: float | None = None) -> Stretch:
    """Return ten seconds in which tasks of a function ran so long, so many of each."""
    waits = {} if wait is None else {bucket_of(wait): sum(runs.values())}
    ran = {bucket_of(seconds): number for seconds, number in runs.items()}
    sample = PoolSample(10, at, "cpu", 2, 1, 0, 0, 0, 0, 0, 0)
    flow = Flow(10, at, "cpu", function, wait=to_text(packed(waits)), run=to_text(packed(ran)))
    return Stretch((sample,), (flow,))


def keep(store: Store, *stretches: Stretch) -> None:
    store.write(records.save_stretches, stretches)


def test_percentiles_are_of_all_that_ended_since_then(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        keep(store, stretch(START - 10, "jobs.a", {500.0: 1000}))
        keep(store, stretch(START, "jobs.a", {0.1: 60, 8.0: 4}, wait=2.0))
        keep(store, stretch(START + 70, "jobs.a", {0.1: 30, 8.0: 6}, wait=2.0))
        found = store.read(queries.spreads, START)["jobs.a"]
    assert found.run is not None
    assert found.wait is not None
    assert found.run.p50 == pytest.approx(0.1, rel=ERROR)
    assert found.run.p95 == pytest.approx(8.0, rel=ERROR)
    assert found.wait.p95 == pytest.approx(2.0, rel=ERROR)


def test_what_was_rolled_up_counts_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        keep(store, stretch(START, "jobs.a", {0.1: 10}), stretch(START + 10, "jobs.a", {0.1: 10}))
        keep(store, stretch(START + MINUTE, "jobs.a", {8.0: 15}))
        before = store.read(queries.spreads, START)
        store.write(records.roll_up, START + MINUTE + 10)
        after = store.read(queries.spreads, START)
    assert after == before
    assert after["jobs.a"].run is not None
    assert after["jobs.a"].run.p50 == pytest.approx(0.1, rel=ERROR)  # 20 of 35, not 15 of 35


def test_functions_of_which_nothing_ran_have_no_percentiles(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        keep(store, stretch(START, "jobs.a", {}))
        found = store.read(queries.spreads, START)
        assert (found["jobs.a"].wait, found["jobs.a"].run) == (None, None)
        assert store.read(queries.spreads, START + MINUTE) == {}
