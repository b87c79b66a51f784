"""How long a server that was cut off takes until it is ready again, with all that it left."""

import time
from pathlib import Path

from bench import seed
from bench.figures import Figure, of_rounds
from bench.processes import launch, pooldeck, wait_until
from bench.scale import Scale

_LONGEST = 60.0  # seconds
_PAUSE = 0.01


def measure(scale: Scale) -> list[Figure]:
    """Measure from the start of the process to the first 200 of `/readyz`."""
    left = scale.folder / "recovery"
    with pooldeck(left) as server:
        path = server.record.path
    seed.fill(path, finished=0, queued=scale.queued)
    recovering = []
    for _ in range(scale.rounds):
        seed.interrupt(path, scale.interrupted)
        recovering.append(_seconds_until_ready(left, recovered=scale.interrupted // 2))
    with pooldeck(scale.folder / "nothing-left"):
        pass
    empty = [_seconds_until_ready(scale.folder / "nothing-left") for _ in range(scale.rounds)]
    what = f"{scale.queued:,} queued, {scale.interrupted:,} interrupted"
    return [
        of_rounds(f"until ready: {what}", recovering, "s", at_most=5),
        of_rounds("  empty store", empty, "s"),
    ]


def _seconds_until_ready(folder: Path, recovered: int = 0) -> float:
    """Start a server and kill it when it is ready; see that it has recovered what it should."""
    began = time.monotonic()
    server = launch(folder)
    try:
        wait_until(server.answers_ready, _LONGEST, _PAUSE)
        seconds = time.monotonic() - began
        lost = server.get("/api/v1/server")["last_start"]["lost"]
        if lost < recovered:  # one that the server before had in hand when it was killed adds to it
            raise RuntimeError(f"{lost} tasks are lost, and should be {recovered}")
        return seconds
    finally:
        server.kill()
