"""Dask places hosts, replaces and scales them; its deaths, and the companion's, stop no call."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pooldeck.engines.port import EngineSpec, HostTask
from pooldeck.hosts.remote_pool import RemotePool
from pooldeck.kinds import PoolKind
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import PoolSpec
from pooldeck_server.runtime.hosts.companion import EngineCompanion
from tests.support.dask_hosts import DaskHosts, dask_hosts
from tests.support.hosted import QUICK
from tests.support.pooled import eventually


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DaskHosts]:
    """Two hosts on Dask; each test leaves them as they were."""
    async with dask_hosts(tmp_path_factory.mktemp("dask"), size=1) as found:
        await found.settled("host-a", "host-b")
        yield found


async def test_the_hosts_that_dask_offers_run_calls(running: DaskHosts) -> None:
    running.listener.call("sum", "add", 1, 2)

    assert await running.listener.result("sum") == 3
    assert running.companion.sentence is None


async def test_a_dask_worker_that_is_killed_stops_no_call(
    running: DaskHosts, tmp_path: Path
) -> None:
    boots = running.boots
    worker = await running.listener.running("long", "wait_for", str(tmp_path / "end"))
    host = running.pool.host_of(worker)
    assert host is not None

    running.dask.kill(running.dask.worker_of(host))
    await running.until(lambda: host not in running.held or running.adopted(host))
    await running.settled("host-a", "host-b")

    (tmp_path / "end").touch()
    assert await running.listener.result("long") == str(tmp_path / "end")
    assert running.boots == boots


async def test_with_fewer_hosts_wanted_one_is_drained_and_with_more_it_comes_back(
    running: DaskHosts, tmp_path: Path
) -> None:
    worker = await running.listener.running("busy", "wait_for", str(tmp_path / "end"))
    host = running.pool.host_of(worker)
    assert host is not None

    running.companion.want(1)
    await running.settled(host)
    running.companion.want(2)
    await running.settled("host-a", "host-b")

    (tmp_path / "end").touch()
    assert await running.listener.result("busy")


async def test_another_companion_joins_the_agents_of_one_that_was_killed(
    running: DaskHosts, tmp_path: Path
) -> None:
    boots, pid = running.boots, running.companion.pid
    await running.listener.running("through", "wait_for", str(tmp_path / "end"))

    os.kill(pid, signal.SIGKILL)
    await running.until(lambda: running.companion.placed == 0)
    await running.settled("host-a", "host-b")

    (tmp_path / "end").touch()
    assert await running.listener.result("through")
    assert running.boots == boots
    assert running.companion.pid != pid
    assert running.companion.sentence is None


async def test_a_server_whose_machine_has_no_dask_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "distributed.py").write_text("raise ImportError('there is none')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    spec = PoolSpec(name="p", kind=PoolKind.PROCESS, size=1, modules=())
    pool: Any = RemotePool(spec, QUICK, PoolListener())
    task = HostTask("deck", 1, "p", "127.0.0.1:9", "secret", "0")
    companion = EngineCompanion("dask", EngineSpec("tcp://127.0.0.1:9", task), pool, 1)
    companion.start()
    try:
        await eventually(lambda: companion.sentence is not None)
        assert "pip install 'pooldeck[dask]'" in str(companion.sentence)
    finally:
        await companion.stop()
