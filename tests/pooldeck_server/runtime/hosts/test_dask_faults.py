"""What dies around hosts that Dask offers stops no call; what dies below them is told as it was."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from pooldeck.marks import marked
from tests.support.dask_hosts import DaskHosts, dask_hosts, host_processes
from tests.support.host_ledger import Ledger

pytestmark = pytest.mark.soak
_STOPPED: float = 5.0  # seconds; more than a lease and its margin
_MODULES = ("host_functions",)

Harm = Callable[[DaskHosts], Awaitable[None]]


async def kill_worker(running: DaskHosts) -> None:
    running.dask.kill(running.dask.worker_of("host-a"))


async def kill_nanny(running: DaskHosts) -> None:
    running.dask.kill(running.dask.nannies["host-a"].pid)
    await asyncio.sleep(2)
    running.dask.start_worker("host-a")  # as the unit of an admin does


async def kill_scheduler(running: DaskHosts) -> None:
    """Kill it; its Dask workers end by themselves, and the admin's units start all again."""
    running.dask.kill(running.dask.scheduler)
    nannies = dict(running.dask.nannies)
    await running.until(lambda: all(nanny.poll() is not None for nanny in nannies.values()))
    await running.until(lambda: running.companion.sentence is not None)
    await asyncio.to_thread(running.dask.start_scheduler)
    for name in nannies:
        running.dask.start_worker(name)


async def stop_worker(running: DaskHosts) -> None:
    await _stop(running.dask.worker_of("host-a"))


async def stop_scheduler(running: DaskHosts) -> None:
    await _stop(running.dask.scheduler)


async def kill_companion(running: DaskHosts) -> None:
    running.dask.kill(running.companion.pid)
    await running.until(lambda: running.companion.placed == 0)


async def _stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(_STOPPED)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize(
    "harm",
    [kill_worker, kill_nanny, kill_scheduler, stop_worker, stop_scheduler, kill_companion],
    ids=lambda harm: harm.__name__,
)
async def test_what_dies_around_hosts_stops_no_call(harm: Harm, tmp_path: Path) -> None:
    async with dask_hosts(tmp_path, modules=_MODULES) as running:
        await running.settled("host-a", "host-b")
        boots = running.boots
        ledger = Ledger(running.hosts)
        ledger.call(["long-1", "long-2"], 6.0)  # longer than a lease
        ledger.call([f"short-{n}" for n in range(60)], 0.1)
        await running.until(lambda: ledger.has_begun("short-3"))

        await harm(running)

        await ledger.all_said(62)
        ledger.check(62)
        assert ledger.kinds() == {"done": 62}
        await running.settled("host-a", "host-b")
        assert running.boots == boots
        await running.until(lambda: running.companion.sentence is None)


async def test_another_host_takes_the_place_of_one_that_was_killed(tmp_path: Path) -> None:
    async with dask_hosts(tmp_path, modules=_MODULES) as running:
        await running.settled("host-a", "host-b")
        boots = running.boots
        ledger = Ledger(running.hosts)
        ledger.call([f"c-{n}" for n in range(40)], 0.3)
        await running.until(lambda: ledger.has_begun("c-3"))

        running.dask.kill(host_processes(running.hosts.terms.deck)["host-a"])

        await ledger.all_said(40)
        ledger.check(40)
        assert 1 <= ledger.kinds()["host_lost"] <= running.hosts.spec.size
        await running.settled("host-a", "host-b")
        assert running.boots["host-a"] != boots["host-a"]
        assert running.boots["host-b"] == boots["host-b"]
        assert not marked(boots["host-a"])


async def test_a_host_whose_dask_worker_is_retired_is_drained_and_another_one_follows(
    tmp_path: Path,
) -> None:
    async with dask_hosts(tmp_path, modules=_MODULES, orphaned_seconds=2.0) as running:
        await running.settled("host-a", "host-b")
        ledger = Ledger(running.hosts)
        ledger.call([f"c-{n}" for n in range(4)], 6.0)
        await running.until(lambda: ledger.has_begun("c-3"))

        running.dask.start_worker("host-c")
        running.dask.nannies["host-a"].terminate()

        await running.settled("host-b", "host-c")
        await ledger.all_said(4)
        ledger.check(4)
        assert ledger.kinds() == {"done": 4}  # what ran was waited for
        await running.until(lambda: "host-a" not in host_processes(running.hosts.terms.deck))


async def test_a_dask_worker_without_the_modules_lives_and_is_no_place_for_a_host(
    tmp_path: Path,
) -> None:
    async with dask_hosts(tmp_path, modules=_MODULES, wanted=3) as running:
        running.dask.start_worker("host-c", DASK_POOLDECK__MODULES="host_functions, no_such_thing")
        await running.settled("host-a", "host-b")

        what = "1 of 3 hosts have no place"
        await running.until(lambda: what in str(running.companion.sentence))

        assert "no module named no_such_thing" in running.dask.log("host-c")
        assert psutil.pid_exists(running.dask.worker_of("host-c"))
        running.companion.want(2)
        await running.until(lambda: running.companion.sentence is None)


async def test_hosts_run_on_a_dask_worker_with_uvloop(tmp_path: Path) -> None:
    loop = {"DASK_DISTRIBUTED__ADMIN__EVENT_LOOP": "uvloop"}
    hosts = dask_hosts(tmp_path, ["host-a"], wanted=1, modules=_MODULES, environment=loop)
    async with hosts as running:
        await running.settled("host-a")
        ledger = Ledger(running.hosts)
        ledger.call(["one"], 0.0)
        await ledger.all_said(1)
        ledger.check(1)
