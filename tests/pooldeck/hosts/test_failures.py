"""Whatever happens to a host, no call starts twice, and none runs on when it is called lost."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pooldeck.hosts.model import GoneBy, HostState
from pooldeck.outcome import ErrorKind
from pooldeck.pools.model import PoolState
from tests.support.host_ledger import Ledger, Relay
from tests.support.hosted import QUICK, Hosts, host_process, hosts
from tests.support.pooled import eventually, is_alive

MODULES = ("host_functions",)


def _keeper(host: psutil.Process) -> psutil.Process:
    """Return the keeper of a host."""
    for child in host.children():
        with suppress(psutil.NoSuchProcess):  # a zombie is none
            if "marks.py" in " ".join(child.cmdline()):
                return child
    raise AssertionError("it has no keeper")


def _states(there: Hosts) -> list[HostState]:
    return [host.state for host in there.pool.hosts]


async def test_a_host_that_is_killed_is_attested_by_its_successor(tmp_path: Path) -> None:
    async with hosts(tmp_path, modules=MODULES) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 60)
        await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
        host_process(there).kill()
        await eventually(lambda: _states(there) == [HostState.NO_CONTACT])
        assert not there.listener.outcomes
        await there.start()
        await ledger.all_said(2)
        assert there.pool.hosts[0].gone_by is GoneBy.SUCCESSOR
        assert ledger.kinds() == {ErrorKind.HOST_LOST: 2}
        ledger.call("3", 0)
        await ledger.all_said(3)
        ledger.check(3)


async def test_what_a_killed_host_had_not_begun_comes_back_and_what_had_ended_has_its_result(
    tmp_path: Path,
) -> None:
    async with hosts(tmp_path, names=(), modules=MODULES) as there:
        relay = Relay(there.port)
        await relay.start()
        await there.start(port=relay.port)
        ledger = Ledger(there)
        await there.ready(2)
        there.listener.all_quick = True
        ledger.call("1", 0.5)
        ledger.call("2", 60)
        ledger.call("34", 0)  # they wait in a worker, or for one
        await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
        relay.is_open = False
        relay.cut()  # so that the server cannot hear how the first one ends
        await eventually(lambda: ("end", "1") in [row[:2] for row in ledger.lines()])
        host_process(there).kill()
        relay.is_open = True
        await there.start(port=relay.port)
        await ledger.all_said(4)
        assert {"3", "4"} <= set(there.listener.came_back)
        assert there.listener.outcomes["1"].result == b'"1"'
        assert ledger.kinds() == {"done": 3, ErrorKind.HOST_LOST: 1}
        ledger.check(4)
        await relay.close()


@pytest.mark.soak
async def test_a_stopped_host_is_ended_by_its_keeper_before_its_calls_are_called_lost(
    tmp_path: Path,
) -> None:
    async with hosts(tmp_path, modules=MODULES, terms=QUICK) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 60)
        ledger.call("3", 60)
        await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
        host = host_process(there)
        stopped_at = time.monotonic()
        host.suspend()
        try:
            await eventually(lambda: _states(there) == [HostState.NO_CONTACT])
            await ledger.all_said(2)
            assert time.monotonic() - stopped_at > QUICK.lease
            assert there.pool.hosts[0].gone_by is GoneBy.LEASE
            assert ledger.kinds() == {ErrorKind.HOST_LOST: 2}
            last = max(at for *_, at in ledger.lines())
            assert last < min(ledger.said_at.values())
        finally:
            host.resume()
        await eventually(lambda: ledger.has_begun("3"))  # by its next boot
        assert {"1", "2"} == set(there.listener.outcomes)
        ledger.check(2)


@pytest.mark.soak
async def test_a_host_whose_keeper_is_killed_goes_on_with_another_one(tmp_path: Path) -> None:
    async with hosts(tmp_path, modules=MODULES) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 3)
        await eventually(lambda: ledger.has_begun("1"))
        _keeper(host_process(there)).kill()
        await ledger.all_said(2)
        assert ledger.kinds() == {"done": 2}
        assert is_alive(_keeper(host_process(there)).pid)


@pytest.mark.soak
async def test_workers_end_by_themselves_where_host_and_keeper_cannot_end_them(
    tmp_path: Path,
) -> None:
    async with hosts(tmp_path, modules=MODULES, terms=QUICK) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 60)
        await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
        host = host_process(there)
        keeper = _keeper(host)
        host.suspend()
        keeper.kill()
        try:
            await ledger.all_said(2)
            ledger.check(2)
            assert ledger.kinds() == {ErrorKind.HOST_LOST: 2}
        finally:
            host.resume()


@pytest.mark.soak
async def test_what_a_call_has_started_ends_with_the_lease_too(tmp_path: Path) -> None:
    async with hosts(tmp_path, modules=MODULES, terms=QUICK) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("1", 60, "with_child")
        await eventually(lambda: len({pid for _, _, pid, _ in ledger.lines()}) == 2)
        host = host_process(there)
        host.suspend()
        try:
            await ledger.all_said(1)
            await asyncio.sleep(0.1)
            ledger.check(1)
        finally:
            host.resume()


async def test_a_worker_that_is_killed_on_a_host_is_told_as_at_home(tmp_path: Path) -> None:
    async with hosts(tmp_path, modules=MODULES) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 1)
        await eventually(lambda: "1" in there.listener.begun and "2" in there.listener.begun)
        os.kill(there.listener.begun["1"].pid, signal.SIGKILL)
        await ledger.all_said(2)
        ledger.call("3", 0)
        await ledger.all_said(3)
        assert ledger.kinds() == {"done": 2, ErrorKind.CRASHED: 1}
        (death,) = there.listener.deaths
        assert death.culprit is not None
        assert death.culprit.task == "1"
        ledger.check(3)


@pytest.mark.soak
async def test_a_dropped_link_costs_no_call(tmp_path: Path) -> None:
    async with hosts(tmp_path, names=(), modules=MODULES) as there:
        relay = Relay(there.port)
        await relay.start()
        await there.start(port=relay.port)
        ledger = Ledger(there)
        await there.ready(2)
        names = [str(n) for n in range(60)]
        ledger.call(names, 0.05)
        for _ in range(4):
            enough = len(ledger.said_at) + 10
            await ledger.all_said(min(enough, 60))
            relay.cut()
        await ledger.all_said(60)
        assert ledger.kinds() == {"done": 60}
        assert len(there.pool.hosts) == 1
        ledger.check(60)
        await relay.close()


@pytest.mark.soak
async def test_calls_end_with_the_lease_if_the_server_cannot_be_reached(tmp_path: Path) -> None:
    async with hosts(tmp_path, names=(), modules=MODULES, terms=QUICK) as there:
        relay = Relay(there.port)
        await relay.start()
        await there.start(port=relay.port)
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 60)
        await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
        relay.is_open = False
        relay.cut()
        await eventually(lambda: _states(there) == [HostState.NO_CONTACT])
        assert there.pool.free == 0
        await ledger.all_said(2)
        ledger.check(2)
        relay.is_open = True
        ledger.call("3", 0)  # its next boot
        await ledger.all_said(3)
        assert ledger.kinds() == {"done": 1, ErrorKind.HOST_LOST: 2}
        await relay.close()


@pytest.mark.soak
async def test_a_host_without_power_is_lost_by_its_lease_alone(tmp_path: Path) -> None:
    async with hosts(tmp_path, modules=MODULES, terms=QUICK) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 60)
        await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
        host = host_process(there)
        for process in [host, *host.children(recursive=True)]:  # the host cannot tell
            with suppress(psutil.NoSuchProcess):
                process.kill()
        (seen,) = there.pool.hosts
        assert not there.listener.outcomes
        await ledger.all_said(2)
        lost_at = seen.lease_until
        assert lost_at is not None
        assert min(ledger.said_at.values()) >= lost_at
        ledger.check(2)


async def test_a_host_without_the_modules_is_attached_and_broken_and_gets_no_call(
    tmp_path: Path,
) -> None:
    async with hosts(tmp_path, modules=("no_such_module",)) as there:
        await eventually(lambda: bool(there.pool.hosts))
        await eventually(lambda: there.pool.hosts[0].pool_state is PoolState.BROKEN)
        (host,) = there.pool.hosts
        assert host.state is HostState.ATTACHED
        assert host.reason is not None
        assert "no_such_module" in host.reason
        assert there.pool.state is PoolState.BROKEN
        assert there.pool.free == 0


async def test_two_hosts_of_one_name_on_one_machine_are_not_taken(tmp_path: Path) -> None:
    async with hosts(tmp_path) as there:
        await there.ready(2)
        (tmp_path / "other").mkdir()
        other = Hosts(tmp_path / "other", there.spec, there.terms)
        other.port = there.port
        process = await other.start("a")
        await eventually(lambda: bool(there.refusals))
        assert "has a host a already, on the same machine" in there.refusals[0]
        process.terminate()
        await process.wait()
        assert _states(there) == [HostState.ATTACHED]


async def test_a_drained_host_finishes_what_runs_and_goes(tmp_path: Path) -> None:
    async with hosts(tmp_path, names=("a", "b"), modules=MODULES) as there:
        ledger = Ledger(there)
        await there.ready(4)
        ledger.call("1234", 0.5)
        await eventually(lambda: len(there.listener.begun) == 4)
        assert there.pool.drain_host("a")
        assert not there.pool.drain_host("c")
        await ledger.all_said(4)
        process = next(each for key, each in there.processes.items() if key.startswith("a "))
        assert await asyncio.wait_for(process.wait(), 30) == 0
        ledger.call("56", 0)
        await ledger.all_said(6)
        assert ledger.kinds() == {"done": 6}
        assert {there.pool.host_of(there.listener.workers[task]) for task in "56"} == {"b"}


async def test_what_the_end_of_a_host_cuts_off_is_lost_with_it_and_says_why(
    tmp_path: Path,
) -> None:
    async with hosts(tmp_path, size=1) as there:
        await there.ready(1)
        await there.listener.running("1", "wait_for", str(tmp_path / "gate"))
        there.pool.end_host("a", "it was ended by hand: it burns")
        await eventually(lambda: there.listener.has_outcomes(1))
        error = there.listener.outcomes["1"].error
        assert error is not None
        assert error.kind is ErrorKind.HOST_LOST
        where = "host a ended while this task ran there"
        assert error.message == f"{where}: it was ended by hand: it burns"


async def test_what_the_end_of_the_server_cuts_off_on_a_host_is_interrupted(tmp_path: Path) -> None:
    async with hosts(tmp_path, size=1) as there:
        await there.ready(1)
        await there.listener.running("1", "wait_for", str(tmp_path / "gate"))
        await there.pool.stop(0)
        error = there.listener.outcomes["1"].error
        assert error is not None
        assert error.kind is ErrorKind.INTERRUPTED
