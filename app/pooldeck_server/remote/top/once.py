"""One picture of the deck, as plain lines."""

from typing import Any, Final

from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.formats import NOTHING, duration, moment
from pooldeck_server.remote.pools import HEAD, row
from pooldeck_server.remote.server import RemoteServer
from pooldeck_server.remote.top.feed import failures
from pooldeck_server.remote.top.snapshot import Snapshot

_RUNNING: Final = ("function", "task", "pool", ">for", ">done")
_FAILURES: Final = ("last seen", ">count", "function", "error")


def print_once(server: RemoteServer, output: Output, frame: dict[str, Any]) -> None:
    """Print pools, running tasks, notices and the last failures."""
    snapshot = Snapshot.of(frame)
    for notice in snapshot.notices:
        output.line(f"! {notice}")
    output.table(HEAD, [row(pool) for pool in frame["pools"]])
    if snapshot.running:
        output.line()
        output.table(_RUNNING, [_running(each) for each in snapshot.running])
    if found := failures(server):
        rows = [
            (moment(each.last_seen), f"{each.count:,}", each.function, each.words) for each in found
        ]
        output.line()
        output.table(_FAILURES, rows)


def _running(task: Any) -> tuple[str, ...]:
    done = NOTHING if task.fraction is None else f"{task.fraction:.0%}"
    return task.function, task.task, task.pool, duration(task.elapsed), done
