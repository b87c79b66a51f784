"""A worker that ends in order closes what its tasks have opened; one that is killed does not."""

import asyncio
from pathlib import Path

import pytest

from pooldeck.kinds import PoolKind
from tests.support.pooled import EACH_KIND, eventually, pool


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "log"
    path.touch()
    monkeypatch.setenv("RESOURCE_LOG", str(path))
    return path


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


@EACH_KIND
@pytest.mark.parametrize("way", ["stop", "restart", "drain"])
def test_a_worker_that_ends_in_order_closes_what_it_owns(
    log: Path, kind: PoolKind, way: str
) -> None:
    async def run() -> None:
        async with pool(kind, 1, modules=("resource_functions",)) as listener:
            listener.call("1", "resource_functions.use")
            first = await listener.result("1")
            listener.call("2", "resource_functions.use")
            assert await listener.result("2") == first
            assert _lines(log) == ["mine opened", "ours opened"]
            if way == "restart":
                listener.pool.restart()
            elif way == "drain":
                listener.pool.drain()
            else:
                await listener.pool.stop(5)
            await eventually(lambda: "ours closed" in log.read_text())

    asyncio.run(run())
    last = "ours closed" if kind == "process" else "ours closed elsewhere"  # by the main thread
    assert _lines(log)[2:] == ["mine closed", last]


async def test_a_worker_that_is_recycled_closes_what_it_owns(log: Path) -> None:
    options = {"modules": ("resource_functions",), "max_tasks_per_worker": 1}
    async with pool("process", 1, **options) as listener:  # type: ignore[arg-type]  # see pool
        listener.call("1", "resource_functions.use")
        await listener.result("1")
        await eventually(lambda: "ours closed" in log.read_text())


def test_a_worker_that_is_killed_closes_nothing(log: Path) -> None:
    async def run() -> None:
        async with pool("process", 1, modules=("resource_functions",)) as listener:
            listener.call("1", "resource_functions.use")
            await listener.result("1")
            listener.pool.kill_worker(listener.workers["1"])
            await eventually(lambda: listener.workers["1"] not in listener.pool.workers)

    asyncio.run(run())
    assert "closed" not in log.read_text()
