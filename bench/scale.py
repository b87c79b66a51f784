"""How large the measurements are."""

from pathlib import Path

from msgspec import Struct


class Scale(Struct, frozen=True):
    """Where to measure, and how much of everything; times in seconds.

    `folder` is a place on a real disk that databases are made in. The other defaults are those of
    a full run, which takes some ten minutes on two cores.
    """

    folder: Path
    rounds: int = 7
    size_rounds: int = 3
    batch_tasks: int = 20_000
    client_loop: int = 2_000
    requests: int = 4_000
    latencies: int = 300
    one_by_one: int = 300
    one_loop: int = 2_000
    boxed: int = 20_000
    finished: int = 1_000_000
    queued: int = 100_000
    interrupted: int = 1_000
    crashes: int = 20
    large_batch_tasks: int = 10_000
    page_views: int = 20
    idle_seconds: float = 20.0
    gil_seconds: int = 8
    browser_seconds: float = 30.0
    dashboards: int = 200
    dashboard_seconds: float = 20.0
    experiment_seconds: float = 2.0
    shared_steps: int = 5_000
    retention_tasks: int = 2_000_000
    backup_tasks: int = 3_000_000


def quick(folder: Path) -> Scale:
    """Return what is enough to see whether everything works, and roughly how fast."""
    return Scale(
        folder,
        rounds=1,
        size_rounds=1,
        batch_tasks=5_000,
        requests=1_000,
        latencies=50,
        one_by_one=100,
        one_loop=500,
        boxed=5_000,
        finished=100_000,
        queued=10_000,
        interrupted=100,
        crashes=5,
        large_batch_tasks=3_000,
        page_views=5,
        idle_seconds=5.0,
        gil_seconds=4,
        browser_seconds=5.0,
        dashboard_seconds=5.0,
        experiment_seconds=1.0,
        shared_steps=1_000,
        retention_tasks=100_000,
        backup_tasks=100_000,
    )
