"""A pool on other machines, with real host processes."""

from pathlib import Path

from pooldeck.protocol import Call
from tests.support.hosted import hosts
from tests.support.pooled import EACH_KIND, eventually


@EACH_KIND
async def test_a_call_runs_on_a_host(kind: str, tmp_path: Path) -> None:
    async with hosts(tmp_path, kind) as there:
        there.listener.call("1", "add", 1, 2)
        assert await there.listener.result("1") == 3
        (host,) = there.pool.hosts
        assert there.pool.host_of(there.listener.workers["1"]) == host.name == "a"


async def test_a_large_result_holds_up_no_other_one(tmp_path: Path) -> None:
    size = 9 * 1024 * 1024
    async with hosts(tmp_path) as there:
        there.listener.call("large", "long_text", size)
        for n in range(20):
            there.listener.call(str(n), "add", n, n)
        for n in range(20):
            assert await there.listener.result(str(n)) == 2 * n
        assert len(await there.listener.result("large")) == size


async def test_workers_on_hosts_are_replaced_one_by_one(tmp_path: Path) -> None:
    async with hosts(tmp_path) as there:
        await there.ready(2)
        before = set(there.pool.staffed)
        there.pool.restart()
        await eventually(lambda: not before & set(there.pool.staffed) and there.pool.free == 2)
        there.listener.call("1", "add", 1, 1)
        assert await there.listener.result("1") == 2
        assert not there.listener.deaths


async def test_a_host_holds_its_workers_to_the_limit_of_memory(tmp_path: Path) -> None:
    async with hosts(tmp_path, size=1, max_memory_bytes=1024 * 1024) as there:
        worker = await there.listener.running("1", "rest", 600)
        error = await there.listener.error("1")
        assert "max_memory_mb" in error.message
        await eventually(lambda: worker not in there.pool.staffed and there.pool.free == 1)


async def test_a_call_waits_for_the_workers_that_can_run_it(tmp_path: Path) -> None:
    async with hosts(tmp_path, names=("a", "b"), size=1) as there:
        await there.ready(2)
        free = there.pool.free_by_worker
        on_b = next(worker for worker in free if there.pool.host_of(worker) == "b")
        call = Call("1", 1, "pool_functions.add", b"[1, 1]", b"{}")
        assert not there.pool.post(call, among=["no worker"])
        assert there.pool.post(call, among=[on_b])
        await there.listener.result("1")
        assert there.listener.workers["1"] == on_b


async def test_what_is_on_record_is_kept_by_hosts_no_longer(tmp_path: Path) -> None:
    async with hosts(tmp_path, size=1) as there:
        there.listener.call("1", "add", 1, 1)
        await there.listener.result("1")
        ends = there.pool.ends()
        assert ends
        there.pool.commit(ends)
        assert not there.pool.ends()
        (worker,) = there.pool.staffed
        there.pool.kill_worker(worker)
        await eventually(lambda: worker not in there.pool.staffed)
        there.listener.call("2", "add", 1, 1)
        await there.listener.result("2")
        ends = there.pool.ends()
        assert ends is not None
        there.pool.commit(ends)
        await eventually(lambda: not [*tmp_path.glob(f"p@a@*/boot-*/{worker}.box")])
