"""Where a function should run, where its pool bounds the memory of a worker."""

from typing import Final

from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck_server.advice import Advice, PoolShape, advise
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.web.text.advice import sentences
from tests.support.measured import CPUS, Nature, after

MIB: Final = 1024 * 1024
WAITS: Final = Nature(gil=0.002, waiting=0.1)
RUNS: Final = 20


def placed(*, limit: int, growth: int | None) -> Advice:
    """Return the advice on what waits in processes, each of which may hold `limit` bytes."""
    pools = (
        PoolShape("io", PoolKind.THREAD, 8),
        PoolShape("cpu", PoolKind.PROCESS, 2, worker_limit=limit),
    )
    run = replace(WAITS.measurement(), rss_growth_bytes=growth)
    profile = after(Profile("f", PoolKind.PROCESS), [run] * RUNS, [WAITS.observation(RUNS)])
    return advise("f", "cpu", {PoolKind.PROCESS: profile}, pools, CPUS)


def test_what_grows_stays_where_the_memory_of_a_worker_is_bounded() -> None:
    assert placed(limit=0, growth=8 * MIB).is_misplaced
    kept = placed(limit=512 * MIB, growth=8 * MIB)
    assert not kept.is_misplaced
    words = " ".join(sentences(kept))
    assert "its runs leave their process 8.0 MiB larger each" in words
    assert "cpu replaces a worker that holds more than 512 MiB" in words
    assert "belongs in a thread pool" not in words


def test_who_leaves_a_bound_on_memory_is_told_so_before() -> None:
    moving = placed(limit=512 * MIB, growth=None)
    assert moving.is_misplaced
    assert any("cpu replaces a worker that holds more than 512 MiB" in s for s in sentences(moving))
    unbounded = " ".join(sentences(placed(limit=0, growth=None)))
    assert "replaces a worker" not in unbounded
