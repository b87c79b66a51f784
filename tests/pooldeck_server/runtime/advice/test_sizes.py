"""The advice on the sizes of pools, from what really ran; and the machine that they are on."""

import asyncio
import os
from pathlib import Path

import pytest

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.pools.history import STRETCH
from pooldeck_server.domain.pools.sizes import CpuPressure, SizeOrigin
from pooldeck_server.runtime.advice.machine import machine, pressure_in
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from tests.support.engine import call, engine, eventually, outcome

POOLS = {"cpu": {"kind": "process", "size": 1}, "io": {"kind": "thread"}}


async def nap(server: Server, number: int, seconds: float = 0.1) -> None:
    naps = [call("nap", seconds, pool="io") for _ in range(number)]
    for task_id in await server.intake.submit_batch(naps):
        await outcome(server, task_id)


async def test_a_pool_is_judged_by_what_ran_in_it(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS) as server:
        assert (await server.sizes.of("io")).verdict == "unknown"
        await nap(server, 40)
        runs = server.profiles.of("runtime_functions.nap")[PoolKind.THREAD].runs_ever
        assert runs == 40

    async with engine(tmp_path, pools=POOLS) as server:  # the last stretch was written
        found = await server.sizes.of("io")
        assert (found.verdict, found.rule) == ("fits", "load_fits")
        assert found.pool.load.ran == {"runtime_functions.nap": 40}
        assert found.pool.cost is not None
        assert 0.09 < found.pool.cost.wall < 2
        assert found.pool.cost.cpu < 0.05
        assert found.needed is not None
        assert 0 < found.needed < 40 * 2 / 10
        assert (await server.sizes.of("cpu")).verdict == "unknown"


async def test_a_size_says_where_it_comes_from(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS) as server:
        default = min(32, usable_cpus() + 4)
        io, cpu = await server.sizes.of("io"), await server.sizes.of("cpu")
        assert io.pool.origin == SizeOrigin("default", default)
        assert cpu.pool.origin == SizeOrigin("setting", 1)
        await server.pools.resize("cpu", usable_cpus() + 3)
        cpu = await server.sizes.of("cpu")
        assert cpu.pool.origin == SizeOrigin("hand", 1)
        assert (cpu.rule, cpu.recommended) == ("over_cpus", usable_cpus())
        assert cpu.computing == usable_cpus() + 3
        assert [each.pool.name for each in await server.sizes.wrong()] == ["cpu"]


async def test_there_is_no_advice_on_a_pool_that_does_not_exist(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=POOLS) as server:
        with pytest.raises(NotFound, match='no pool "sea"'):
            await server.sizes.of("sea")


async def test_a_load_is_read_anew_with_each_stretch(tmp_path: Path) -> None:
    clock = ManualClock()
    async with engine(tmp_path, clock, pools=POOLS) as server:
        await nap(server, 3)
        await eventually(lambda: server.health.recent.of("io") is not None)  # it was looked at
        assert (await server.sizes.of("io")).pool.load.ran == {}
        clock.advance(STRETCH)
        await _written(server)
        clock.advance(STRETCH)
        found = await server.sizes.of("io")
        assert found.pool.load.ran == {"runtime_functions.nap": 3}


async def _written(server: Server) -> None:
    """Return when the history of a stretch is in the store."""
    for _ in range(100):
        if await server.read(queries.loads):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("nothing was written")


def test_the_machine_tells_what_it_has() -> None:
    found = machine()
    assert found.cpus == usable_cpus() <= found.affinity
    assert found.affinity == len(os.sched_getaffinity(0))
    assert found.load is not None
    assert found.pressure is None or 0 <= found.pressure.avg60 <= 1


def test_pressure_is_the_share_of_time_in_which_some_task_waited() -> None:
    text = "some avg10=12.50 avg60=5.00 avg300=1.00 total=99\nfull avg10=0.00 avg60=0.00\n"
    assert pressure_in(text) == CpuPressure(0.125, 0.05, 0.01)


@pytest.mark.parametrize("text", ["", "full avg10=0.00", "some avg10=1", "some avg10=x avg60=1"])
def test_pressure_that_makes_no_sense_is_unknown(text: str) -> None:
    assert pressure_in(text) is None
