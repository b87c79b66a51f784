"""What is lost with a host that is not heard of, when, and what a short silence costs: nothing."""

import time
from pathlib import Path

import pytest

from pooldeck.hosts.model import GoneBy, HostState
from pooldeck.marks import marked
from pooldeck.outcome import ErrorKind
from tests.support.host_ledger import Ledger
from tests.support.host_relay import HostRelay
from tests.support.hosted import PATIENT, QUICK, host_process, hosts
from tests.support.pooled import eventually

MODULES = ("host_functions",)


def _done(ledger: Ledger) -> set[tuple[str, str]]:
    return {row[:2] for row in ledger.lines()}


@pytest.mark.soak
async def test_calls_of_a_killed_host_end_at_once_and_are_lost_when_its_lease_is_over(
    tmp_path: Path,
) -> None:
    async with hosts(tmp_path, modules=MODULES, terms=QUICK) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 60)
        await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
        (host,) = there.pool.hosts
        host_process(there).kill()
        killed_at = time.monotonic()
        await eventually(lambda: not marked(host.boot))
        assert not ledger.said_at  # they are gone, and the server cannot know it
        await ledger.all_said(2)
        assert min(ledger.said_at.values()) - killed_at > QUICK.lease
        assert max(at for *_, at in ledger.lines()) - killed_at < QUICK.lease
        assert there.pool.hosts[0].gone_by is GoneBy.LEASE
        assert ledger.kinds() == {ErrorKind.HOST_LOST: 2}
        ledger.check(2)


async def test_a_host_that_stands_still_for_less_than_its_lease_loses_nothing(
    tmp_path: Path,
) -> None:
    async with hosts(tmp_path, modules=MODULES, terms=PATIENT) as there:
        ledger = Ledger(there)
        await there.ready(2)
        ledger.call("12", 1)
        await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
        host = host_process(there)
        host.suspend()
        try:
            await eventually(lambda: {("end", "1"), ("end", "2")} <= _done(ledger))  # they go on
            assert not ledger.said_at
        finally:
            host.resume()
        await ledger.all_said(2)
        assert ledger.kinds() == {"done": 2}
        assert len(there.pool.hosts) == 1
        ledger.check(2)


@pytest.mark.soak
async def test_what_is_held_up_past_the_lease_and_then_delivered_prolongs_nothing(
    tmp_path: Path,
) -> None:
    async with hosts(tmp_path, names=(), modules=MODULES, terms=QUICK) as there:
        relay = HostRelay(("host-a",), there.port)
        try:
            await there.start("host-a", relay.port)
            ledger = Ledger(there)
            await there.ready(2)
            ledger.call("12", 60)
            await eventually(lambda: ledger.has_begun("1") and ledger.has_begun("2"))
            first = there.pool.hosts[0].boot
            relay.hold("host-a")
            await ledger.all_said(2)
            assert not marked(first)
            relay.let("host-a")  # the connection was there all the time
            ledger.call("3", 0)
            await ledger.all_said(3)
            states = {host.boot: host.state for host in there.pool.hosts}
            assert states.pop(first) is HostState.GONE
            assert list(states.values()) == [HostState.ATTACHED]
            assert ledger.kinds() == {"done": 1, ErrorKind.HOST_LOST: 2}
            ledger.check(3)
        finally:
            relay.close()
