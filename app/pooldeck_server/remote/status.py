"""`pooldeck` alone: looks whether a server answers, and says what to do next."""

from collections.abc import Iterator
from typing import Any, Final

from pooldeck_server.command_line.complaint import UNREACHABLE
from pooldeck_server.command_line.output import Output
from pooldeck_server.command_line.table import places
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.formats import counted, moment
from pooldeck_server.remote.functions import NO_FUNCTION
from pooldeck_server.remote.pools import HEAD, row
from pooldeck_server.remote.server import RefusedError, RemoteServer, ServerError

_FORBIDDEN: Final = (401, 403)
_PROJECT: Final = "init"  # the command that makes one, where there is such a command


@remote
def status(server: RemoteServer, output: Output) -> int:
    """Say whether a server answers: where it is, what runs and what is wrong; or how to start one.

    Exit codes: 0 one answers, 3 none does, 4 it refuses to say.
    """
    try:
        found = server.get("/server")
        pools = server.get("/pools")["items"]
        has_functions = bool(server.get("/functions")["items"])
    except RefusedError as error:
        return _refused(server, output, error)
    except ServerError:
        for line in _how_to_begin(server):
            output.line(line)
        return UNREACHABLE
    if output.is_json:
        output.json({"url": server.url, "server": found, "pools": pools})
        return 0
    output.line(
        f"Pooldeck {found['version']} is at {server.url} since {moment(found['started_at'])}"
    )
    for line in _what_is_wrong(found, pools):
        output.line(f"! {line}")
    output.table(HEAD, [row(pool) for pool in pools])
    output.line()
    for line in _what_next(pools, has_functions=has_functions):
        output.line(line)
    return 0


def _refused(server: RemoteServer, output: Output, error: RefusedError) -> int:
    output.note(f"pooldeck: {server.url} answers, and refuses: {error}")
    if error.status in _FORBIDDEN:
        output.note(
            "pooldeck: say who you are by --token, POOLDECK_TOKEN or a profile; its administrator "
            "makes tokens by `pooldeck token create`"
        )
    return error.exit_code


def _how_to_begin(server: RemoteServer) -> Iterator[str]:
    yield f"No server answers at {server.url} (address: {server.source})."
    yield ""
    yield "Start one:"
    if _PROJECT in places():
        yield "  pooldeck init                          a project to start from"
    yield "  pooldeck serve --functions MODULE      with the @task functions of a module of yours"
    yield ""
    yield "Or say where one is: --url URL, POOLDECK_URL, or a profile."
    yield "All commands: pooldeck --help"


def _what_is_wrong(server: dict[str, Any], pools: list[dict[str, Any]]) -> Iterator[str]:
    if server["state"] != "ready":
        yield f"the server is {server['state']}"
    for pool in pools:
        if pool["state"] != "running":
            yield f"the pool {pool['name']} is {pool['state']}"
        yield from (pool["notice"] or "").splitlines()


def _what_next(pools: list[dict[str, Any]], *, has_functions: bool) -> Iterator[str]:
    running = sum(pool["busy"] for pool in pools)
    queued = sum(pool["queued"] for pool in pools)
    yield f"{counted(running, 'task')} running, {queued:,} queued."
    if has_functions:
        yield "Next: pooldeck functions, pooldeck submit FUNCTION --follow, pooldeck tasks"
    else:
        yield f"{NO_FUNCTION[0].upper()}{NO_FUNCTION[1:]}"
    yield "All commands: pooldeck --help"
