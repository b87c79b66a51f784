"""Hosts over the API and for Prometheus: what a value of each looks like."""

from collections.abc import Sequence

import msgspec
import pytest

from pooldeck.hosts.model import GoneBy
from pooldeck_server.domain.access import Principal, Role
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.pools.hosts import HostTask
from pooldeck_server.web.api.host_figures import of_hosts
from pooldeck_server.web.api.schemas.hosts import PoolHost
from pooldeck_server.web.api.schemas.pools import Pool
from pooldeck_server.web.http.sight import Sight
from tests.support.hosts import NOW, TASK, host, hosted
from tests.support.served import Served


def figures(*pools: PoolHealth) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("pooldeck_"), *sample.labels.values()): sample.value
        for family in of_hosts(pools, NOW + 3 * SECOND)
        for sample in family.samples
    }


def test_a_host_says_in_the_api_what_is_known_and_how_surely() -> None:
    silent = host(state="no_contact", tasks=(TASK,))

    found = msgspec.to_builtins(PoolHost.of(silent))

    assert found["last_contact"] == "2026-11-30T00:53:20.000000Z"
    assert found["lost_at"] == "2026-11-30T00:53:40.000000Z"
    assert [*found["tasks"]] == [{"task": "t1", "function": "acme.render", "is_started": True}]
    assert found["words"].startswith("No contact since 00:53:20 UTC.")
    gone = msgspec.to_builtins(PoolHost.of(host(state="gone", gone_at=NOW, gone_by=GoneBy.LEASE)))
    assert (gone["state"], gone["gone_by"]) == ("gone", "lease")


def test_a_pool_has_its_hosts_and_one_on_this_machine_says_that_it_has_none() -> None:
    pool = Pool.of(hosted(host(), host("b", "no_contact"), engine="no scheduler"))

    assert [each.name for each in pool.hosts or ()] == ["host-a", "b"]
    assert (pool.size, pool.slots) == (2, 4)
    assert (pool.hosts_words, pool.engine) == ("2 hosts, no contact with b", "no scheduler")
    assert Pool.of(hosted(hosts=None)).hosts is None


def test_prometheus_is_told_of_hosts_on_which_something_may_run() -> None:
    silent = host("b", "no_contact", load=None, last_contact=NOW - SECOND)

    found = figures(hosted(host(busy=1), silent, host("c", "gone")))

    assert found["hosts", "big", "attached"] == found["hosts", "big", "gone"] == 1
    assert (found["host_up", "big", "host-a"], found["host_up", "big", "b"]) == (1, 0)
    assert found["host_contact_age_seconds", "big", "b"] == 4
    assert found["host_lease_left_seconds", "big", "host-a"] == 17
    assert (found["host_slots", "big", "host-a"], found["host_busy", "big", "host-a"]) == (2, 1)
    assert found["host_memory_used_bytes", "big", "host-a"] == 8 << 30
    assert ("host_load", "big", "b") not in found
    assert ("host_up", "big", "c") not in found


def test_hosts_of_one_name_are_one_series() -> None:
    before = host(boot="old", state="no_contact", last_contact=NOW - 60 * SECOND)

    families = list(of_hosts([hosted(before, host(boot="new"))], NOW))

    (up,) = next(each for each in families if each.name == "pooldeck_host_up").samples
    assert up.value == 1


def test_no_series_is_there_where_no_pool_has_hosts() -> None:
    assert figures(hosted(hosts=None)) == {}


def test_who_sees_no_values_is_not_told_why_a_host_was_refused() -> None:
    refused = host(state="refused", reason="secret: /home/ann")
    notice = Notice(Need.REFUSED_HOST, "big", reason="secret", host="host-a")
    sight = Sight(Principal(name="dim", role=Role.VIEWER, values=False))

    pool = sight.pool(hosted(refused, notices=(notice,)))

    assert "secret" not in repr(pool)


def test_who_is_limited_to_functions_sees_no_task_of_others_on_a_host() -> None:
    other = HostTask("t2", "acme.pay", is_started=True)
    sight = Sight(Principal(name="ann", role=Role.VIEWER, functions=("acme.render",)))

    (found,) = sight.pool(hosted(host(tasks=(TASK, other)))).hosts or ()

    assert found.tasks == (TASK,)


@pytest.mark.parametrize("deed", ["drain", "end"])
@pytest.mark.parametrize(
    ("pool", "words"), [("cpu", "lives on the server's own machine"), ("nope", "no pool")]
)
def test_what_has_no_hosts_says_so_when_one_is_to_be_ended(
    server: Served, pool: str, words: str, deed: str
) -> None:
    answer = server.http.post(f"/api/v1/pools/{pool}/hosts/host-a/{deed}")

    assert answer.status_code == 404
    assert words in answer.json()["detail"]


def test_a_server_without_hosts_lists_none(server: Served) -> None:
    hosts: Sequence[object] = server.http.get("/api/v1/hosts").json()["items"]
    assert hosts == []
    assert all(pool["hosts"] is None for pool in server.http.get("/api/v1/pools").json()["items"])
