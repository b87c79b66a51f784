"""What went wrong: workers that died, and failures in groups."""

from typing import Annotated, Any, Final

import typer

from pooldeck_server.command_line.output import Output
from pooldeck_server.remote import completion
from pooldeck_server.remote.ages import moment_of
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.formats import NOTHING, known, moment, size
from pooldeck_server.remote.server import RemoteServer

_USUAL: Final = 20
_MOST: Final = 500
_INCIDENTS: Final = ("at", "pool", "worker", "cause", "culprit", ">others", ">memory", "task")
_ERRORS: Final = ("group", "state", ">count", "last seen", "function", "error")


@remote
def incidents(
    server: RemoteServer,
    output: Output,
    *,
    pool: Annotated[
        str | None, typer.Option(help="only of this pool", autocompletion=completion.pools)
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=_MOST, help="how many")
    ] = _USUAL,
) -> None:
    """List workers that died unexpectedly, the latest first: why, and under which task."""
    found = server.get("/incidents", {"limit": limit} | ({"pool": pool} if pool else {}))
    if output.is_json:
        output.json(found)
    elif found["items"]:
        output.table(_INCIDENTS, [_incident(each) for each in found["items"]])
    else:
        output.line("no worker has died")


def _incident(incident: dict[str, Any]) -> tuple[str, ...]:
    culprit = incident["culprit"]
    return (
        moment(incident["detected_at"]),
        incident["pool"],
        incident["worker"],
        incident["cause"],
        known(culprit and culprit["function"]),
        str(len(incident["bystanders"]) + len(incident["suspects"])),
        size(incident["peak_rss_bytes"]),
        known(culprit and culprit["task"]),
    )


@remote
def errors(
    server: RemoteServer,
    output: Output,
    *,
    state: Annotated[
        list[str] | None,
        typer.Option(help="only open, muted, fixed or returned; may be given several times"),
    ] = None,
    function: Annotated[
        list[str] | None,
        typer.Option(
            help="only of this function; may be given several times",
            autocompletion=completion.functions,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="seen since a time, or 2h, 3d ago")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=_MOST, help="how many")
    ] = _USUAL,
) -> None:
    """List failures in groups: those that are alike, how often and when they were seen.

    The tasks of a group are those of `pooldeck tasks --group GROUP`.
    """
    params: dict[str, Any] = {"state": state or [], "function": function or [], "limit": limit}
    if since:
        params["since"] = moment_of(since)
    found = server.get("/errors", params)
    if output.is_json:
        output.json(found)
    elif found["items"]:
        output.table(_ERRORS, [_group(each) for each in found["items"]])
    else:
        output.line("nothing has failed")


def _group(group: dict[str, Any]) -> tuple[str, ...]:
    names = [each["function"] for each in group["functions"]]
    return (
        group["id"],
        group["state"],
        f"{group['count']:,}",
        moment(group["last_seen"]),
        names[0] if names else NOTHING,
        f"{group['type'] or group['kind']}: {group['message']}",
    )
