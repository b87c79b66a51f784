"""The times that workers report, as the server's own clocks can confirm them.

A worker shares the clocks of its server, unless the user's code has replaced them there, as tests
do that freeze time, or forges what it reports. What is said to have been before the worker could
say it, or after it was heard, is moved to the nearer end.
"""

import time
from collections.abc import Sequence

from msgspec.structs import replace

from pooldeck.outcome import Outcome
from pooldeck.pools.worker import Running, Worker
from pooldeck.protocol import LogLine


def started_at(reported: float, running: Running) -> float:
    """Return when a call started: not before it was handed over, and not after now."""
    if running.posted_at <= reported <= (now := time.monotonic()):
        return reported
    return _between(running.posted_at, reported, now)


def said_at(lines: Sequence[LogLine], worker: Worker) -> list[LogLine]:
    """Return lines of a worker that were not said before it was there, nor after now.

    The wall clock may have been set since; how long the worker has been there does not change.
    """
    now = time.time()
    since = now - (time.monotonic() - worker.started_at)
    return [
        line if since <= line.at <= now else replace(line, at=_between(since, line.at, now))
        for line in lines
    ]


def measured(outcome: Outcome, running: Running) -> Outcome:
    """Return an outcome whose call did not run for longer than it was in its worker's hands."""
    found = outcome.measurement
    most = time.monotonic() - running.posted_at
    if found is None or max(found.run, found.cpu) <= most:
        return outcome
    found = replace(found, run=min(found.run, most), cpu=min(found.cpu, most))
    return replace(outcome, measurement=found)


def _between(least: float, value: float, most: float) -> float:
    return min(max(least, value), most)
