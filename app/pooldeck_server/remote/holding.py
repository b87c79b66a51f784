"""Functions held by hand: put on hold, which refuses new tasks, or paused, which takes them."""

from typing import Any

from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.naming import FunctionName
from pooldeck_server.remote.pools import Reason, say
from pooldeck_server.remote.server import RemoteServer


@remote
def hold(
    server: RemoteServer, output: Output, *, function_name: FunctionName, reason: Reason = None
) -> None:
    """Put a function on hold: its tasks wait and new ones are refused, until it is released."""
    found = _do(server, function_name, "hold", reason)
    say(output, found, f"{function_name} is on hold")


@remote
def release(
    server: RemoteServer, output: Output, *, function_name: FunctionName, reason: Reason = None
) -> None:
    """Release a function that is on hold, after crashes or by hand: its tasks run again."""
    found = _do(server, function_name, "release", reason)
    say(output, found, f"{function_name} is released")


@remote
def pause_function(
    server: RemoteServer, output: Output, *, function_name: FunctionName, reason: Reason = None
) -> None:
    """Pause a function: its tasks wait, and new ones are taken, until it is resumed."""
    found = _do(server, function_name, "pause", reason)
    say(output, found, f"{function_name} is paused")


@remote
def resume_function(
    server: RemoteServer, output: Output, *, function_name: FunctionName, reason: Reason = None
) -> None:
    """Have a function go on that is paused."""
    found = _do(server, function_name, "resume", reason)
    say(output, found, f"{function_name} goes on")


def _do(server: RemoteServer, name: str, deed: str, reason: str | None) -> Any:
    body = {"reason": reason} if reason else None
    return server.post(f"/functions/{server.part(name)}/{deed}", body)
