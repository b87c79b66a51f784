"""Pools as they are, and what can be done to one: its size, a pause, a restart."""

import math
import time
from collections.abc import Container, Iterator
from typing import Annotated, Any, Final, TypeAlias

import typer

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.formats import NOTHING, duration
from pooldeck_server.remote.naming import PoolName
from pooldeck_server.remote.server import RemoteServer

HEAD: Final = (
    *("pool", "kind", "state", ">busy", ">size", ">queued", ">oldest", ">per s", ">crashes"),
    "notice",
)
_PAUSE: Final = 0.2  # seconds between two looks
_SETTLED: Final = 3.0  # seconds after which a reason that was there before is the restart's own

Reason: TypeAlias = Annotated[
    str | None, typer.Option(help="why; it is kept in the record, and shown")
]


@remote
def pools(server: RemoteServer, output: Output) -> None:
    """List the pools: how many slots they have and use, what waits, and what is wrong."""
    found = server.get("/pools")
    if output.is_json:
        output.json(found)
    else:
        output.table(HEAD, [row(pool) for pool in found["items"]])


def row(pool: dict[str, Any]) -> tuple[str, ...]:
    """Return a pool as a table has it."""
    recent = pool["recent"]
    return (
        pool["name"],
        pool["kind"],
        pool["state"],
        str(pool["busy"]),
        str(pool["slots"]),
        str(pool["queued"]),
        duration(pool["oldest_wait"]),
        f"{recent['throughput']:.3g}" if recent else NOTHING,
        str(pool["incidents"]),
        _first_line(pool["notice"] or pool["reason"]),
    )


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


@remote
def resize(
    server: RemoteServer,
    output: Output,
    *,
    pool: PoolName,
    size: Annotated[
        int | None, typer.Argument(metavar="[N]", min=1, help="slots; on hosts, those of each")
    ] = None,
    hosts: Annotated[
        int | None, typer.Option(min=1, help="hosts, of a pool whose hosts Dask places")
    ] = None,
    reason: Reason = None,
) -> None:
    """Give a pool another number of slots, at once; it keeps that over a restart of the server.

    Slots that go finish what they run first, and so do hosts.
    """
    change = {"size": size, "hosts": hosts}
    change = {name: number for name, number in change.items() if number is not None}
    if not change:
        raise Complaint("say how many slots it is to have, or how many hosts: --hosts N")
    found = _change(server, pool, change, reason)
    say(output, found, f"{pool} {' and '.join(_sized(found, change))}")


def _sized(pool: dict[str, Any], change: Container[str]) -> Iterator[str]:
    """Yield what was changed of a pool's size, as it is now."""
    if "size" in change:
        yield f"has {pool['size']} slots{'' if pool['hosts'] is None else ' on each host'}"
    if "hosts" in change:
        yield f"is to have {pool['wanted_hosts']} hosts"


@remote
def pause(server: RemoteServer, output: Output, *, pool: PoolName, reason: Reason = None) -> None:
    """Have a pool hand nothing out, until it is resumed; what runs goes on."""
    say(output, _change(server, pool, {"paused": True}, reason), f"{pool} is paused")


@remote
def resume(server: RemoteServer, output: Output, *, pool: PoolName, reason: Reason = None) -> None:
    """Have a pool go on that is paused, draining or stopped."""
    say(output, _change(server, pool, {"paused": False}, reason), f"{pool} goes on")


def _change(
    server: RemoteServer, pool: str, change: dict[str, Any], reason: str | None
) -> dict[str, Any]:
    body = change | ({"reason": reason} if reason else {})
    path = f"/pools/{server.part(pool)}"
    changed: dict[str, Any] = server.ask("PATCH", path, body).json()
    return changed


def say(output: Output, found: Any, words: str) -> None:
    if output.is_json:
        output.json(found)
    else:
        output.line(words)


@remote
def restart(
    server: RemoteServer,
    output: Output,
    *,
    pool: PoolName,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="return when all workers have been replaced")
    ] = False,
    reason: Reason = None,
) -> None:
    """Replace the workers of a pool one by one: that loads new code, and mends a broken pool.

    Tasks are taken meanwhile, and what runs is finished first.

    Exit codes: 0 begun, or done where it was waited for; 1 the new code cannot be loaded.
    """
    path = f"/pools/{server.part(pool)}"
    before = server.get(path)
    begun = server.post(f"{path}/restart", {"reason": reason} if reason else None)
    if not wait:
        say(output, begun, f"{pool} replaces its workers")
        return
    old = {each["id"] for each in before["workers"]}
    found = replaced(server, path, old, begun["reason"])
    say(output, found, f"{pool} has replaced its workers")


def replaced(
    server: RemoteServer,
    path: str,
    old: set[str],
    reason_before: str | None,
    *,
    within: float = math.inf,
) -> dict[str, Any] | None:
    """Return a pool when all of its workers are new; None if that takes too long.

    Args:
        server: Which has it.
        path: Where it stands in the API.
        old: The ids of the workers that it had.
        reason_before: Why it was broken, or had old workers, when its restart began.
        within: Seconds that may pass.

    Raises:
        Complaint: If it went on with the old ones, for the reason that it gives.
    """
    began = time.monotonic()
    while time.monotonic() - began < within:
        found: dict[str, Any] = server.get(path)
        states = {each["id"]: each["state"] for each in found["workers"]}
        is_new = not old & states.keys() and "starting" not in states.values()
        if is_new and states:
            return found
        if found["state"] == "stopped":
            raise Complaint(f"{found['name']} is stopped: pooldeck resume {found['name']}")
        is_settled = time.monotonic() - began > _SETTLED and "starting" not in states.values()
        reason = found["reason"]
        if reason and (reason != reason_before or is_settled):
            raise Complaint(*reason.splitlines())
        time.sleep(_PAUSE)
    return None
