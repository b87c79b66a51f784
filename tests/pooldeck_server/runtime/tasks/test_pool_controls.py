"""What is set by hand for a pool holds after a restart."""

from pathlib import Path
from typing import Any

import pytest

from pooldeck_server.domain.pools.controls import PoolControl
from pooldeck_server.domain.tasks.states import State
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
