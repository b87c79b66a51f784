"""A pool on other machines, with real host processes."""

from pathlib import Path

from tests.support.hosted import hosts
from tests.support.pooled import EACH_KIND


@EACH_KIND
async def test_a_call_runs_on_a_host(kind: str, tmp_path: Path) -> None:
    async with hosts(tmp_path, kind) as there:
        there.listener.call("1", "add", 1, 2)
        assert await there.listener.result("1") == 3
        (host,) = there.pool.hosts
        assert there.pool.host_of(there.listener.workers["1"]) == host.name == "a"
