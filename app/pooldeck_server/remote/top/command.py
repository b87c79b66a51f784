"""`pooldeck top`: the deck in a terminal, or one picture of it."""

import os
import sys
from typing import Annotated

import typer

from pooldeck_server.command_line.output import Output, is_closed
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.server import RemoteServer
from pooldeck_server.remote.top.feed import one_frame
from pooldeck_server.remote.top.once import print_once


@remote
def top(
    server: RemoteServer,
    output: Output,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="print one picture and end, as where this is no terminal")
    ] = False,
) -> None:
    """Watch pools, running tasks and failures in the terminal; q quits, ? lists the keys."""
    frame = one_frame(server)  # where no server is, or none that tells, this is said at once
    if output.is_json:
        output.json(frame)
    elif once or not _is_whole_terminal(output):
        print_once(server, output, frame)
    else:
        from pooldeck_server.remote.top.screen import show  # noqa: PLC0415  (rich takes a while)

        show(server)


def _is_whole_terminal(output: Output) -> bool:
    """Tell whether there are keys to take and a screen to draw on."""
    has_keys = not is_closed(sys.stdin) and sys.stdin.isatty()
    return has_keys and output.is_terminal and os.environ.get("TERM") != "dumb"
