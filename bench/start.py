"""From a command to the first result: `pooldeck serve`, and Celery's worker with Redis, in turn.

Each has two worker processes and the function of a user's module. What is submitted is there before
the worker is: over and over to Pooldeck, until it is taken, and in Redis for Celery. The broker
itself runs already.
"""

import contextlib
import http.client
import time
from pathlib import Path

import msgspec

from bench.field import missing
from bench.field.with_celery import brokered
from bench.figures import Figure, of_rounds, ratios
from bench.processes import Pooldeck, launch, wait_until
from bench.scale import Scale

_LONGEST = 120.0  # seconds
_OFTEN = 0.01  # seconds between two tries
_CONFIGURATION = """\
functions = ["bench.functions"]

[pools.io]
kind = "thread"
size = 16

[pools.cpu]
kind = "process"
size = 2
"""


def measure(scale: Scale) -> list[Figure]:
    """Measure both in turn; only our own where Celery or Redis is not installed."""
    if lacking := missing("celery"):
        print(lacking)
        own = [_seconds(scale.folder / f"start-{n}") for n in range(scale.size_rounds)]
        return [of_rounds("serve to the first result", own, "s")]
    ours, theirs = [], []
    with brokered(scale.folder / "celery") as other:
        for number in range(scale.size_rounds):
            ours.append(_seconds(scale.folder / f"start-{number}"))
            theirs.append(other.seconds_to_first_result())
    return [
        of_rounds("serve to the first result", ours, "s"),
        of_rounds("  Celery's worker to the first result", theirs, "s"),
        of_rounds("  ratio to Celery's", ratios(ours, theirs), "times", at_most=0.7),
    ]


def _seconds(folder: Path) -> float:
    """Start a server on a new database; return the seconds until it has answered with a result."""
    began = time.monotonic()
    server = launch(folder, _CONFIGURATION)
    try:
        wait_until(lambda: _has_run(server), _LONGEST, _OFTEN)
        return time.monotonic() - began
    finally:
        server.stop()


def _has_run(server: Pooldeck) -> bool:
    """Submit a task and wait for its end; tell whether the server was there, and it has ended."""
    body = msgspec.json.encode({"function": "bench.functions.noop"})
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_LONGEST)
    with contextlib.closing(connection), contextlib.suppress(OSError):
        connection.request(
            "POST", "/api/v1/tasks?wait=60", body, {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        task = msgspec.json.decode(answer.read())
        return answer.status == http.client.OK and task["state"] == "succeeded"
    return False
