"""Profiles in the store."""

from pathlib import Path

from pooldeck.kinds import PoolKind
from pooldeck.outcome import Measurement
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.store import queries, records
from tests.support.stored import opened


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
