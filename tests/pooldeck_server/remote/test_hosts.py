"""Hosts in the terminal."""

from typing import Any

import pytest

from pooldeck_server.remote.hosts import row
from pooldeck_server.remote.top.snapshot import PoolRow, Snapshot
from pooldeck_server.remote.top.state import TopState
from pooldeck_server.remote.top.view import Shown, screen

HOST: dict[str, Any] = {
    "pool": "big",
    "name": "host-a",
    "state": "attached",
    "busy": 1,
    "slots": 2,
    "load": 1.25,
    "memory_used": 8 << 30,
    "has": {},
    "last_contact": "2026-11-30T09:15:02.250113Z",
    "lost_at": "2026-11-30T09:15:22.250113Z",
    "gone_by": None,
    "reason": None,
    "tasks": [{"task": "t1", "function": "acme.render", "is_started": True}],
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"state": "no_contact"}, "1 task may run on there, lost at "),
        ({"state": "no_contact", "tasks": []}, ""),
        ({"state": "gone", "gone_by": "lease"}, "its lease is over"),
        ({"state": "gone", "gone_by": "own_word"}, "it said so"),
        ({"state": "gone", "gone_by": "successor"}, "its next process found nothing of it"),
        ({"state": "refused", "reason": "it has another Python"}, "it has another Python"),
        ({"reason": "no module work\n\nModuleNotFoundError"}, "no module work"),
    ],
)
def test_a_row_says_what_is_known_of_a_host(changes: dict[str, Any], words: str) -> None:
    found = row(HOST | changes)

    assert found[:5] == ("big", "host-a", found[2], "1", "2")
    assert found[-1].startswith(words)
    assert bool(found[-1]) is bool(words)
    assert "Error" not in found[-1]


def test_a_row_says_what_tasks_may_need_of_a_host() -> None:
    assert row(HOST)[7] == "-"
    assert row(HOST | {"has": {"gpu": 2.0, "scratch-gb": 0.5}})[7] == "gpu=2 scratch-gb=0.5"


def pool(hosts: list[dict[str, Any]] | None) -> PoolRow:
    told = {"name": "big", "state": "running", "busy": 1, "slots": 4, "queued": 0}
    return PoolRow.of(told | {"oldest_wait": None, "recent": None, "hosts": hosts})


def drawn(*pools: PoolRow) -> list[str]:
    snapshot = Snapshot("2026-11-30T09:00:00Z", pools, (), (), 0.0, 0, 0)
    lines = screen(Shown("http://deck", snapshot, 0.0, (), None), TopState(), 120, 20)
    return [line.plain for line in lines]


def test_top_counts_the_hosts_that_are_heard_of_where_a_pool_has_any() -> None:
    gone, silent = HOST | {"state": "gone"}, HOST | {"state": "no_contact"}

    lines = drawn(pool([HOST, silent, gone]), pool(None))

    assert "HOSTS" in lines[1]
    assert lines[2].rstrip().endswith("1/2")
    assert lines[3].rstrip().endswith("-")


def test_top_says_nothing_of_hosts_where_no_pool_has_any() -> None:
    assert not any("HOSTS" in line for line in drawn(pool(None)))
