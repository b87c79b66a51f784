"""Which host a worker is on, and what a pool on hosts has."""

import pytest

from pooldeck_server.domain.pools.health import host_named
from pooldeck_server.domain.pools.hosts import host_of, pool_of
from tests.support.hosts import NOW, host, hosted


@pytest.mark.parametrize(
    ("worker", "found", "pool"),
    [
        ("big@host-a.ab12cd-3", "host-a", "big"),
        ("big-2@node.example.org.ab12cd-17", "node.example.org", "big-2"),
        ("cpu-17", None, "cpu"),
        ("my-cpu-1", None, "my-cpu"),
    ],
)
def test_the_id_of_a_worker_names_its_host_and_its_pool(
    worker: str, found: str | None, pool: str
) -> None:
    assert (host_of(worker), pool_of(worker)) == (found, pool)


def test_a_task_without_a_worker_has_no_host() -> None:
    assert host_of(None) is None


def test_the_slots_of_a_pool_are_those_of_the_hosts_on_which_something_may_run() -> None:
    silent, gone = host("b", "no_contact"), host("c", "gone")
    assert hosted(host("a"), silent, gone).slots == 4
    assert hosted().slots == 0
    assert hosted(hosts=None).slots == 2


def test_of_several_hosts_of_one_name_the_one_that_may_run_something_is_meant() -> None:
    pools = [hosted(host(boot="old", state="gone"), host(boot="new", last_contact=NOW - 1))]
    found = host_named(pools, "big", "host-a")
    assert found is not None
    assert found.boot == "new"
    assert host_named(pools, "big", "host-b") is None
    assert host_named(pools, "cpu", "host-a") is None
