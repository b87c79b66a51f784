"""How soon after a worker's death by SIGKILL the next task of its pool starts."""

import os
import signal
import time
from typing import Any

import msgspec

from bench import executors
from bench.figures import Figure, of_rounds
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, pooldeck, wait_until
from bench.scale import Scale

_LONGEST = 60.0  # seconds


def measure(scale: Scale) -> list[Figure]:
    """Measure the server with a warm spare, and the executors of one worker that people know."""
    with pooldeck(scale.folder / "crash") as server:
        ours = [1000 * _seconds(server) for _ in range(scale.crashes)]
    return [
        of_rounds("SIGKILL of a worker to the next start", ours, "ms", at_most=50),
        *(
            of_rounds(f"  {words}", executors.after_kills(name, scale.crashes), "ms")
            for name, words in executors.KINDS.items()
        ),
    ]


def _seconds(server: Pooldeck) -> float:
    """Occupy both workers, let a task wait, kill one worker; return how long the task waited."""
    _submit(server, "hold", 2)
    wait_until(lambda: server.record.number("running", "bench.functions.hold") == 2, _LONGEST)
    _submit(server, "now", 1)
    waiting = server.get("/api/v1/tasks?function=bench.functions.now&limit=1")["items"][0]["id"]
    pids = [worker["pid"] for worker in _workers(server) if worker["state"] == "busy"]
    killed = time.monotonic()
    os.kill(pids[0], signal.SIGKILL)
    started: float = server.get(f"/api/v1/tasks/{waiting}?wait=10")["result"]
    os.kill(pids[1], signal.SIGKILL)
    wait_until(lambda: _is_whole(server), _LONGEST)
    return started - killed


def _submit(server: Pooldeck, function: str, count: int) -> None:
    body = {"function": f"bench.functions.{function}"}
    generate(Plan(server.port, [post("/api/v1/tasks", body)], count), wanted=[202])


def _workers(server: Pooldeck) -> list[dict[str, Any]]:
    pool = server.get("/api/v1/pools/cpu")
    return msgspec.convert(pool["workers"], list[dict[str, Any]])


def _is_whole(server: Pooldeck) -> bool:
    """Tell whether both workers are free again, with a spare one beside them."""
    return sorted(worker["state"] for worker in _workers(server)) == ["idle", "idle", "spare"]
