"""The hosts in the live picture: in the times of people's clocks, with what needs attention."""

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from pooldeck.hosts.model import GoneBy, HostSnapshot, HostState
from pooldeck.hosts.wire import Machine
from pooldeck.pools.listener import RunningCall
from pooldeck.pools.model import PoolState
from pooldeck.protocol import Call
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.notices import Need, Notice, Severity
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.runtime.live.hosts import hosts_of
from pooldeck_server.runtime.live.notices import Since, of_hosts, of_pool
from tests.support.hosts import NOW, TASK, host, hosted

MACHINE = Machine("m1", "k1", "n1", "node-1", 8, 32 << 30)


class Clock:
    """It is 1,000 s since the machine started."""

    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return 1000.0

    def since_boot(self) -> float:
        return 1000.0


class Refused(Struct, frozen=True):
    """A host that was turned away."""

    name: str
    why: str
    address: str = "10.0.0.9:1234"
    at: float = 998.0
    since: float = 900.0
    machine: Machine = MACHINE
    versions: Mapping[str, str] = {}


def snapshot(name: str = "host-a", **changes: Any) -> HostSnapshot:
    made = HostSnapshot(
        name=name,
        boot="b1",
        machine=MACHINE,
        versions={},
        has={},
        state=HostState.ATTACHED,
        since=400.0,
        attached_at=400.0,
        last_contact=990.0,
        lease_until=None,
        gone_at=None,
        gone_by=None,
        reason=None,
        pool_state=PoolState.RUNNING,
        slots=2,
        busy=0,
        workers=(),
        load=None,
        memory_bytes=32 << 30,
        memory_used=None,
        rss_bytes={},
        cpu_percent={},
        calls=(),
        code_version="",
        address="10.0.0.7:40000",
    )
    return replace(made, **changes)


def test_times_of_hosts_are_told_by_the_clock_of_people() -> None:
    silent = snapshot(state=HostState.NO_CONTACT, lease_until=1010.0)

    (found,) = hosts_of("big", (silent,), Clock()) or ()

    assert (found.since, found.last_contact) == (NOW - 600 * SECOND, NOW - 10 * SECOND)
    assert found.lost_at == NOW + 10 * SECOND
    assert found.gone_at is None


def test_what_runs_on_a_host_is_named() -> None:
    call = Call("t1", 1, "acme.render", b"[]", b"{}", None)
    posted, begun = (
        RunningCall(call, "big@host-a.b1-1", 7, 1.0, at, None, is_asked=False, is_abandoned=False)
        for at in (None, 2.0)
    )

    (found,) = hosts_of("big", (snapshot(calls=(posted, begun)),), Clock()) or ()

    assert [(each.task, each.function, each.is_started) for each in found.tasks] == [
        ("t1", "acme.render", False),
        ("t1", "acme.render", True),
    ]


def test_hosts_that_may_run_something_come_before_those_that_do_not() -> None:
    hosts = [
        snapshot("a", state=HostState.GONE, gone_at=999.0, gone_by=GoneBy.LEASE),
        snapshot("z"),
        snapshot("y", state=HostState.NO_CONTACT),
    ]
    refused = [Refused("b", "no such pool"), Refused("", "a wrong token")]

    found = hosts_of("big", hosts, Clock(), refused)

    names = [each.name for each in found or ()]
    assert names == ["y", "z", "10.0.0.9:1234", "a", "b"]
    assert [each.reason for each in found or ()][-1] == "no such pool"


def test_a_pool_on_this_machine_has_no_hosts() -> None:
    assert hosts_of("cpu", None, Clock()) is None


# What needs attention.


def notices(pool: PoolHealth) -> list[Notice]:
    return list(of_hosts(pool, NOW + 30 * SECOND))


@pytest.mark.parametrize(
    "pool", [hosted(hosts=None), hosted(host()), hosted(host(state="draining"))]
)
def test_nothing_is_said_where_all_is_well(pool: PoolHealth) -> None:
    assert notices(pool) == []


def test_a_host_that_is_not_heard_of_is_noticed_with_what_may_run_there() -> None:
    silent = host("b", "no_contact", tasks=(TASK, TASK))

    (notice,) = notices(hosted(host(), silent))

    assert (notice.need, notice.host, notice.seconds) == (Need.LOST_CONTACT, "b", 30)
    assert (notice.number, notice.until) == (2, NOW + 20 * SECOND)
    assert notice.severity is Severity.WARNING


def test_a_pool_without_a_host_is_noticed_as_critical_and_says_why_the_engine_places_none() -> None:
    gone, why = host(state="gone"), "the scheduler does not answer"

    (notice,) = notices(hosted(gone, engine=why, queued=3))

    assert (notice.need, notice.reason, notice.number) == (Need.NO_HOST, why, 3)
    assert notice.severity is Severity.CRITICAL


def test_a_refused_host_is_noticed_until_one_of_its_name_is_attached() -> None:
    refused = host(state="refused", reason="it has another Python")

    (notice,) = notices(hosted(host("b"), refused))

    assert (notice.need, notice.host) == (Need.REFUSED_HOST, "host-a")
    assert notice.reason == "it has another Python"
    assert notices(hosted(host(), refused)) == []


def test_two_hosts_without_contact_are_two_matters() -> None:
    found = notices(hosted(host("a", "no_contact"), host("b", "no_contact")))

    assert len({notice.key for notice in Since().fill("big", found, 1.0)}) == 2


def test_a_pool_starves_by_the_slots_of_all_its_hosts() -> None:
    busy = SlotHealth(task="t", function="acme.f", elapsed=60)
    workers = tuple(WorkerHealth(f"w{n}", 1, "busy", None, 0, (busy,)) for n in range(4))
    queued = {"queued": 1, "workers": workers}

    assert Need.STARVATION not in {each.need for each in of_pool(hosted(queued=1))}
    three = hosted(host("a"), host("b"), host("c"), **queued)
    assert Need.STARVATION not in {each.need for each in of_pool(three)}
    (notice,) = of_pool(hosted(host("a"), host("b"), **queued))
    assert (notice.need, notice.number) == (Need.STARVATION, 4)
