"""Hosts as they are, and what can be done to one: let it go in peace, or end it."""

from datetime import datetime
from typing import Annotated, Any, Final

import typer

from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.formats import NOTHING, clock, moment, size
from pooldeck_server.remote.naming import PoolName
from pooldeck_server.remote.pools import Reason, say
from pooldeck_server.remote.server import RemoteServer

_HEAD: Final = (
    *("pool", "host", "state", ">busy", ">slots", ">load", ">memory", "has", "last contact"),
    "what is known",
)
_GONE_BY: Final = {
    "lease": "its lease is over",
    "own_word": "it said so",
    "successor": "its next process found nothing of it",
}
_HostName = Annotated[str, typer.Argument(metavar="HOST", help="as `pooldeck hosts` has it")]


@remote
def hosts(server: RemoteServer, output: Output) -> None:
    """List the hosts of all pools: what runs there, when they were heard of, and what is wrong."""
    found = server.get("/hosts")
    if output.is_json:
        output.json(found)
    else:
        output.table(_HEAD, [row(host) for host in found["items"]])


def row(host: dict[str, Any]) -> tuple[str, ...]:
    """Return a host as a table has it."""
    return (
        host["pool"],
        host["name"],
        host["state"].replace("_", " "),
        str(host["busy"]),
        str(host["slots"]),
        NOTHING if host["load"] is None else f"{host['load']:.3g}",
        size(host["memory_used"]),
        _has(host["has"]),
        _second(host["last_contact"]),
        _known(host),
    )


def _has(amounts: dict[str, float]) -> str:
    """Return what tasks may need of a host, as `pooldeck host --has` takes it."""
    return " ".join(f"{name}={amount:g}" for name, amount in amounts.items()) or NOTHING


def _known(host: dict[str, Any]) -> str:
    """Return what is known of a host beside its state, in the reader's time."""
    if host["state"] == "no_contact" and host["tasks"]:
        number = len(host["tasks"])
        words = f"{number} task{'' if number == 1 else 's'} may run on there"
        return f"{words}, lost at {_second(host['lost_at'])}" if host["lost_at"] else words
    if host["state"] == "gone":
        return _GONE_BY[host["gone_by"]]
    return (host["reason"] or "").partition("\n")[0]  # what follows are tracebacks


def _second(at: str) -> str:
    is_today = datetime.fromisoformat(at).astimezone().date() == datetime.now().astimezone().date()
    return clock(at).partition(".")[0] if is_today else moment(at)


@remote
def drain_host(
    server: RemoteServer,
    output: Output,
    *,
    pool: PoolName,
    host: _HostName,
    reason: Reason = None,
) -> None:
    """Hand a host nothing new, and let it go when nothing runs there any more."""
    found = _do(server, pool, host, "drain", reason)
    say(output, found, f"{host} finishes what runs there")


@remote
def end_host(
    server: RemoteServer,
    output: Output,
    *,
    pool: PoolName,
    host: _HostName,
    reason: Reason = None,
) -> None:
    """End a host at once: what runs there is cut off, and is lost or run again."""
    found = _do(server, pool, host, "end", reason)
    say(output, found, f"{host} was ended")


def _do(server: RemoteServer, pool: str, host: str, deed: str, reason: str | None) -> Any:
    path = f"/pools/{server.part(pool)}/hosts/{server.part(host)}/{deed}"
    return server.post(path, {"reason": reason} if reason else None)
