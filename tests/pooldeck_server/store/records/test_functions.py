"""What the store keeps of functions: where they are, what they cost; and the load of pools."""

from pathlib import Path
from typing import Any

import pytest

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement
from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.pools.history import Flow, PoolSample, Stretch
from pooldeck_server.domain.pools.loads import Passed, PoolLoad
from pooldeck_server.store import queries, records
from tests.support.stored import opened

MEASURED = Placement("io", PlacementRule.MEASURED, since=7, verdict="io_bound")
BY_HAND = Placement("cpu", PlacementRule.BY_HAND, since=9, before="io")
START = 1_700_000_000 // 300 * 300


def test_the_latest_placement_of_a_function_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(records.save_placement, "acme.f", MEASURED)
        store.write(records.save_placement, "acme.g", MEASURED)
        store.write(records.save_placement, "acme.f", BY_HAND)
        assert store.read(queries.placements) == {"acme.f": BY_HAND, "acme.g": MEASURED}
        store.write(records.forget_placement, "acme.f")
        assert store.read(queries.placements) == {"acme.g": MEASURED}


def test_a_task_keeps_why_it_is_in_its_pool(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        placed, named = store.add(placed=MEASURED.to_json()), store.add()
        for task, expected in ((placed, MEASURED.to_json()), (named, None)):
            found = store.read(queries.task, task.id)
            assert found is not None
            assert found.placed == expected


def sample(at: int, pool: str, busy: float, oldest_wait: float = 0.0) -> PoolSample:
    return PoolSample(10, at, pool, 4, busy, 2 * busy, oldest_wait, 0, 0, 20 * busy, 5 * busy)


def flow(at: int, pool: str, **counts: Any) -> Flow:
    return Flow(10, at, pool, "acme.f", **counts)


def test_a_load_is_told_in_windows_that_end_with_the_last_stretch(tmp_path: Path) -> None:
    newest = START + 20
    stretches = [
        Stretch(
            (sample(newest, "cpu", 2, oldest_wait=0.5), sample(newest, "io", 0)),
            (flow(newest, "cpu", submitted=9, succeeded=3, failed=2, lost=1, cancelled=7),),
        ),
        Stretch(
            (sample(newest - 290, "cpu", 4, oldest_wait=1.5),),
            (flow(newest - 290, "cpu", submitted=1, succeeded=4),),
        ),
        Stretch(
            (sample(newest - 300, "cpu", 1),), (flow(newest - 300, "cpu", submitted=5, lost=5),)
        ),
    ]
    with opened(tmp_path) as store:
        store.write(records.save_stretches, stretches)
        loads = store.read(queries.loads)
    recent, before = loads["cpu"].windows
    assert (recent.seconds, recent.busy, recent.queued, recent.oldest_wait) == (20, 3, 6, 1.5)
    assert (recent.slots, recent.voluntary, recent.involuntary) == (4, 60, 15)
    assert recent.passed == (Passed("acme.f", submitted=10, ran=10),)
    assert (before.seconds, before.passed) == (10, (Passed("acme.f", 5, 5),))
    assert [window.passed for window in loads["io"].windows] == [()]


def test_a_load_is_the_sum_of_its_windows(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for at, busy in ((START, 1.0), (START + 300, 3.0)):
            passed = flow(at, "cpu", submitted=6, succeeded=5)
            store.write(records.save_stretches, [Stretch((sample(at, "cpu", busy),), (passed,))])
        load = store.read(queries.loads)["cpu"]
    assert (load.seconds, load.slots, load.busy) == (20, 4, 2)
    assert (load.submitted, load.ran) == (12, {"acme.f": 10})
    assert load.switches == (40, 10)


def test_what_is_older_than_an_hour_is_no_load(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for at in (START, START + 3600):
            store.write(records.save_stretches, [Stretch((sample(at, "cpu", 1),), ())])
        assert store.read(queries.loads)["cpu"].seconds == 10


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_where_nothing_was_sampled_there_is_no_load(tmp_path: Path, pool: str) -> None:
    with opened(tmp_path) as store:
        assert pool not in store.read(queries.loads)
    assert PoolLoad().switches == (0, 0)


def known(function: str, kind: str, seconds: float) -> Profile:
    empty = Profile(function, PoolKind.THREAD if kind == PoolKind.THREAD else PoolKind.PROCESS)
    return empty.after([Measurement(run=seconds, cpu=0.1)], [], runs=1, now=1_700_000_000_000_000)


def test_profiles_come_back_whole_and_the_latest_counts(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        first = [known("jobs.f", "thread", 1.0), known("jobs.f", "process", 2.0)]
        store.write(records.save_profiles, first)
        later = known("jobs.f", "thread", 3.0)
        store.write(records.save_profiles, [later, known("jobs.g", "thread", 4.0)])
        kept = {(each.function, each.kind): each for each in store.read(queries.profiles)}
    assert kept["jobs.f", PoolKind.THREAD] == later
    assert kept["jobs.f", PoolKind.PROCESS] == first[1]
    assert len(kept) == 3


def test_an_empty_store_has_no_profiles(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.read(queries.profiles) == []
