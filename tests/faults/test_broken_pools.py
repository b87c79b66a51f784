"""Rows 19 to 21: workers that cannot start. (A second server: tests/test_serve.py.)"""

from functools import partial
from pathlib import Path

import pytest

from tests.faults.client import Client
from tests.faults.deployment import CONFIG, Deployment, deployed
from tests.support.waiting import eventually

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
    "hanging": "its import had not ended after 15 seconds",
}


def _state(deployment: Deployment, pool: str) -> str:
    return str(deployment.get(f"/pools/{pool}")["state"])


def _is_broken(deployment: Deployment, pool: str) -> bool:
    return _state(deployment, pool) == "broken"


def test_a_module_that_cannot_be_imported_breaks_no_pool_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(BAD_MODULE)
    config = CONFIG.replace('functions = ["', 'boot_seconds = 15\nfunctions = ["bad", "')
    pools = "".join(f'[pools.{name}]\nkind = "process"\nsize = 1\n' for name in WHY)
    with deployed(tmp_path, config + pools) as deployment, Client(deployment) as client:
        for name in WHY:
            assert client.submit("add", 1, 2, pool=name, wait=60)["result"] == 3
            assert _state(deployment, name) == "running"
        (failed,) = deployment.get("/functions")["failed_modules"]
        assert any(words in failed["message"] for words in WHY.values())
        assert len(failed["output"]) < 300 * 1024


def test_where_nothing_else_is_to_be_loaded_the_pool_is_broken_and_the_page_says_why(
    tmp_path: Path,
) -> None:
    (tmp_path / "bad.py").write_text('raise RuntimeError("the warehouse is closed")')
    config = CONFIG.replace('functions = ["fault_functions"]', 'functions = ["bad"]')
    deployment = Deployment(tmp_path, config)
    try:
        deployment.launch()
        eventually(partial(_is_broken, deployment, "cpu"), "it is broken")
        assert "the warehouse is closed" in deployment.get("/pools/cpu")["reason"]
        assert "the warehouse is closed" in deployment.fetch("/").text
        ready = deployment.fetch("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "broken"})
    finally:
        deployment.clear()


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
    [
        ("raise OSError('no connection')", "no connection"),
        pytest.param("os._exit(3)", "exited with code 3", marks=pytest.mark.soak),
    ],
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
        (line,) = (line for line in deployment.said.splitlines() if "is broken" in line)
        assert words in line
        assert "pool sick is well again, after " in deployment.said
