"""What is set by hand for a pool holds after a restart."""

from pathlib import Path
from typing import Any

import pytest

from pooldeck_server.domain.actions import ActionFilter, Deed
from pooldeck_server.domain.pools.controls import PoolControl
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.tasks.pool_controls import KeptControls
from pooldeck_server.store import queries
from tests.support.engine import engine, eventually, outcome, submit


def pools(size: int) -> dict[str, Any]:
    return {"io": {"kind": "thread", "size": size}}


async def test_a_size_set_by_hand_outlives_the_server(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=pools(2)) as server:
        assert server.health.pool("io").controls is None
        assert (await server.pools.resize("io", 3)).size == 3
    async with engine(tmp_path, pools=pools(2)) as server:
        health = server.health.pool("io")
        assert (health.size, health.controls) == (3, PoolControl("io", 3, configured=2))
        await eventually(lambda: len(server.health.pool("io").workers[0].slots) == 3)


async def test_who_changes_the_configured_size_has_the_last_word(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=pools(2)) as server:
        await server.pools.resize("io", 3)
    async with engine(tmp_path, pools=pools(5)) as server:
        assert (server.health.pool("io").size, server.health.pool("io").controls) == (5, None)


async def test_a_pool_in_its_configured_size_is_not_set_by_hand(tmp_path: Path) -> None:
    async with engine(tmp_path, pools=pools(2)) as server:
        await server.pools.resize("io", 3)
        assert (await server.pools.resize("io", 2)).controls is None


@pytest.mark.parametrize("state", ["paused", "stopped"])
async def test_a_pool_that_was_told_to_rest_rests_after_a_restart_until_it_is_told_to_run(
    tmp_path: Path, state: str
) -> None:
    async with engine(tmp_path, pools=pools(2)) as server:
        rest = server.pools.pause if state == "paused" else server.pools.drain
        await rest("io")
        await eventually(lambda: server.health.pool("io").state == state)
        waiting = await submit(server, "add", 1, 2, pool="io")
    async with engine(tmp_path, pools=pools(2)) as server:
        assert server.health.pool("io").state == state
        assert (await server.wait(waiting, 0.3)).state is State.QUEUED
        await server.pools.resume("io")
        assert (await outcome(server, waiting)).result == "3"
    async with engine(tmp_path, pools=pools(2)) as server:
        assert (server.health.pool("io").state, server.health.pool("io").controls) == (
            "running",
            None,
        )


def on_hosts() -> dict[str, Any]:
    """Return settings of a pool whose hosts are placed by a Dask that is not there."""
    dask = {"engine": "dask", "scheduler": "tcp://127.0.0.1:9", "count": 2}
    return {
        "pools": {
            "io": {"kind": "thread", "size": 1},
            "big": {"kind": "process", "size": 1, "hosts": dask},
        },
        "hosts": {"listen": "127.0.0.1:0"},
    }


async def test_a_number_of_hosts_set_by_hand_is_asked_for_and_outlives_the_server(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path, **on_hosts()) as server:
        assert server.health.pool("big").wanted_hosts == 2
        assert (await server.pools.want_hosts("big", 5, "Monday")).wanted_hosts == 5
        assert server.hosting.companions["big"].wanted == 5
    async with engine(tmp_path, **on_hosts()) as server:
        health = server.health.pool("big")
        assert (health.size, health.wanted_hosts) == (1, 5)
        assert server.hosting.companions["big"].wanted == 5
        wanted = ActionFilter(deeds=(Deed.RESIZE,))
        (done,) = (await server.read(lambda db: queries.actions(db, wanted))).items
        assert (done.before, done.after, done.reason) == ({"hosts": 2}, {"hosts": 5}, "Monday")


def test_who_changes_the_configured_number_of_hosts_has_the_last_word() -> None:
    recorder: Any = None  # nothing is written
    by_hand = PoolControl("big", 3, 1, hosts=5, configured_hosts=2)

    def hosts_of(configured: dict[str, int]) -> int | None:
        kept = KeptControls(
            recorder=recorder, configured={"big": 1}, configured_hosts=configured, kept=[by_hand]
        )
        assert kept.size("big") == 3
        return kept.hosts("big")

    assert (hosts_of({"big": 2}), hosts_of({"big": 4}), hosts_of({})) == (5, 4, None)
