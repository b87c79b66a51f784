"""How many steps of shared state a second: of one task, and of eight in both kinds of pool."""

from bench.figures import Figure
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, pooldeck
from bench.scale import Scale

_POOLS = ("cpu", "io")


def measure(scale: Scale) -> list[Figure]:
    """Measure increments of one counter, over tasks that do nothing else."""
    with pooldeck(scale.folder / "shared") as server:
        _counted(server, "cpu", tasks=8, steps=1)  # every worker has its line then
        alone = _counted(server, "cpu", tasks=1, steps=scale.shared_steps)
        together = _counted(server, *_POOLS, tasks=8, steps=scale.shared_steps)
    return [
        Figure("shared counter: one process", alone, "steps/s"),
        Figure("shared counter: eight tasks in both kinds of pool", together, "steps/s"),
    ]


def _counted(server: Pooldeck, *pools: str, tasks: int, steps: int) -> float:
    """Return the increments a second of so many tasks at a time."""
    name = "bench.functions.count"
    bodies = [{"function": name, "args": [steps], "pool": pool} for pool in pools]
    requests = [post("/api/v1/tasks?wait=60", body) for body in bodies]
    load = generate(Plan(server.port, requests, tasks, connections=tasks), wanted=[200])
    return steps * load.rate
