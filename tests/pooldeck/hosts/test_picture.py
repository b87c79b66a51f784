"""The picture of a pool on hosts: where each worker is, what it uses, how surely that is known."""

import os
import signal
from pathlib import Path

from pooldeck.hosts.model import HostState
from pooldeck.pools.hosted import HostedPool
from pooldeck.pools.model import PoolState
from tests.support.hosted import hosts
from tests.support.pooled import eventually


async def test_a_picture_names_the_host_of_each_worker_and_what_both_use(tmp_path: Path) -> None:
    async with hosts(tmp_path) as there:
        await there.ready(2)
        await eventually(lambda: there.pool.hosts[0].load is not None)
        picture = there.pool.snapshot()
        (host,) = picture.hosts or ()
        assert (host.name, host.state, host.slots) == ("a", HostState.ATTACHED, 2)
        assert {worker.host for worker in picture.workers} == {"a"}
        assert all(worker.rss_bytes for worker in picture.workers)
        assert 0 < (host.memory_used or 0) < host.memory_bytes
        assert isinstance(there.pool, HostedPool)


async def test_a_host_that_stands_still_is_shown_without_contact_with_what_may_run_there(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    async with hosts(tmp_path) as there:
        await there.ready(2)
        await there.listener.running("1", "wait_for", str(gate))
        (process,) = there.processes.values()
        os.kill(process.pid, signal.SIGSTOP)
        try:
            await eventually(lambda: there.pool.hosts[0].state is HostState.NO_CONTACT)
            (host,) = there.pool.snapshot().hosts or ()
            assert [call.call.task for call in host.calls] == ["1"]
            assert host.lease_until is not None
            assert host.lease_until > host.last_contact
        finally:
            os.kill(process.pid, signal.SIGCONT)
        gate.write_text("open")
        await eventually(lambda: there.listener.has_outcomes(1))


async def test_a_draining_host_is_busy_with_what_runs_there_until_that_ends(
    tmp_path: Path,
) -> None:
    gate = tmp_path / "gate"
    async with hosts(tmp_path) as there:
        await there.ready(2)
        await there.listener.running("1", "wait_for", str(gate))
        there.pool.drain_host("a")
        await eventually(lambda: there.pool.hosts[0].pool_state is PoolState.DRAINING)
        await eventually(lambda: len(there.pool.hosts[0].workers) == 1)
        (host,) = there.pool.hosts
        assert (host.busy, host.slots, there.pool.busy) == (1, 1, 1)
        gate.write_text("open")
        await eventually(lambda: there.pool.hosts[0].state is HostState.GONE)
        assert there.pool.busy == 0


async def test_a_worker_on_a_host_has_done_the_tasks_that_ended_there(tmp_path: Path) -> None:
    async with hosts(tmp_path, size=1, spare=0) as there:
        await there.ready(1)
        for number in "123":
            there.listener.call(number, "add", 1, 2)
        await eventually(lambda: there.listener.has_outcomes(3))
        (worker,) = there.pool.snapshot().workers
        assert worker.tasks_done == 3
