"""Rows 10 and 22: outcomes that cannot travel, and floods. Only their own task is concerned."""

from typing import Any, get_args

import pytest

from tests.faults.conftest import Standing
from tests.functions.fault_functions import Bad

WHY = {
    "object": ("bad_result", "object"),
    "nan": ("bad_result", "nan"),
    "huge": ("bad_result", "bytes"),
    "deep": ("bad_result", "deep"),
    "hostile": ("exception", "HostileError"),
    "two_part": ("exception", "one and two"),
    "huge_message": ("exception", "xxx"),
    "SystemExit": ("exception", "SystemExit"),
    "KeyboardInterrupt": ("exception", "KeyboardInterrupt"),
    "GeneratorExit": ("exception", "GeneratorExit"),
}
BOTH = pytest.mark.parametrize("pool", ["cpu", "io"])


def _workers(standing: Standing, pool: str) -> set[str]:
    workers = standing.deployment.get(f"/pools/{pool}")["workers"]
    return {worker["id"] for worker in workers}


def _log(standing: Standing, task: str) -> list[Any]:
    lines: list[Any] = []
    after: int | None = 0
    while after is not None:
        part = standing.deployment.get(f"/tasks/{task}/logs?limit=500&after={after}")
        lines += part["items"]
        after = part["next_after"]
    return lines


@pytest.mark.parametrize("how", get_args(Bad))
@BOTH
def test_an_outcome_that_cannot_travel_fails_its_own_task_and_the_worker_lives(
    standing: Standing, pool: str, how: Bad
) -> None:
    before = _workers(standing, pool)
    error = standing.client.submit("end_badly", how, pool=pool, wait=60)["error"]
    kind, word = WHY[how]
    assert error["kind"] == kind
    assert word.lower() in f"{error['type']} {error['message']}".lower()
    assert len(error["message"]) < 65 * 1024
    assert standing.client.submit("add", 1, 2, pool=pool, wait=60)["result"] == 3
    assert _workers(standing, pool) == before


@pytest.mark.parametrize(
    ("flood", "amount"), [("flood_log", 50_000), ("flood_progress", 300_000), ("flood_output", 40)]
)
@BOTH
def test_a_flood_is_cut_and_says_so_and_its_task_goes_on(
    standing: Standing, pool: str, flood: str, amount: int
) -> None:
    task = standing.client.submit(flood, amount, pool=pool, wait=60)
    assert (task["state"], task["result"]) == ("succeeded", amount)
    lines = _log(standing, task["id"])
    assert len(lines) <= 10_001
    assert sum(len(line["message"].encode()) for line in lines) < 2 << 20
    if flood == "flood_log":
        assert len(lines) + sum(line["left_out"] for line in lines) == amount
