"""Rows 19 to 21: workers that cannot start. (A second server: tests/test_serve.py.)"""

from pathlib import Path

import httpx
import pytest

from tests.faults.client import Client
from tests.faults.deployment import CONFIG, Deployment, deployed, eventually

BOOT_ROUNDS = 4
SPARE = 1
BAD_MODULE = """
import os
import sys
import time

how = os.environ["POOLDECK_WORKER"].rpartition("-")[0]
if how == "raising":
    raise RuntimeError("the warehouse is closed")
if how == "chatty":
    print("x" * 20_000_000)
    raise RuntimeError("the warehouse is noisy")
if how == "leaving":
    sys.exit("the warehouse has moved")
if how == "hanging":
    time.sleep(600)
"""
WHY = {
    "raising": "the warehouse is closed",
    "chatty": "the warehouse is noisy",
    "leaving": "the warehouse has moved",
    "hanging": "not ready after 4 seconds",
}


def _state(deployment: Deployment, pool: str) -> str:
    return str(deployment.get(f"/pools/{pool}")["state"])


def test_a_module_that_cannot_be_imported_breaks_its_pool_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD_MODULE)
    config = CONFIG.replace('functions = ["', 'boot_seconds = 4\nfunctions = ["bad", "')
    pools = "".join(f'[pools.{name}]\nkind = "process"\nsize = 1\n' for name in WHY)
    with deployed(tmp_path, config + pools) as deployment, Client(deployment) as client:
        for name, words in WHY.items():
            eventually(lambda name=name: _state(deployment, name) == "broken", f"{name} is broken")
            reason = deployment.get(f"/pools/{name}")["reason"]
            assert words in reason
            assert len(reason) < 300 * 1024
        for pool in ("cpu", "io"):
            assert client.submit("add", 1, 2, pool=pool, wait=30)["result"] == 3
            assert _state(deployment, pool) == "running"
        page = httpx.get(f"{deployment.url}/", trust_env=False).text
        assert WHY["raising"] in page


INITIALIZER = """
import os
from pathlib import Path

def start() -> None:
    with open("starts", "a") as starts:
        starts.write("x")
    if not Path("repaired").exists():
        {}
"""


@pytest.mark.parametrize(
    ("deed", "words"),
    [("raise OSError('no connection')", "no connection"), ("os._exit(3)", "exited with code 3")],
)
def test_a_worker_that_dies_at_each_start_is_not_tried_for_ever_and_one_restart_mends_the_pool(
    tmp_path: Path, deed: str, words: str
) -> None:
    (tmp_path / "starter.py").write_text(INITIALIZER.format(deed))
    config = CONFIG + '[pools.sick]\nkind = "process"\nsize = 1\ninitializer = "starter.start"\n'
    with deployed(tmp_path, config) as deployment, Client(deployment) as client:
        eventually(lambda: _state(deployment, "sick") == "broken", "the pool is broken")
        assert words in deployment.get("/pools/sick")["reason"]
        assert (tmp_path / "starts").stat().st_size <= BOOT_ROUNDS * (1 + SPARE)
        waiting = client.submit("add", 1, 2, pool="sick")["id"]

        (tmp_path / "repaired").touch()
        client.do("/pools/sick/restart")
        assert client.task(waiting)["result"] == 3
        assert _state(deployment, "sick") == "running"
