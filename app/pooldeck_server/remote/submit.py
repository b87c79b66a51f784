"""`pooldeck submit`: stores a task, and if wanted waits for its end or follows it.

  0  stored; or, where it was waited for, succeeded
  1  it failed, was cancelled or lost, or has not ended in the time that was given
  2  wrong arguments
  3  the server cannot be reached
  4  the server refused it
130  interrupted; the task goes on
"""

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

import typer

from pooldeck_server.command_line.complaint import NOT_DONE, Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.ages import moment_of, seconds_of
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.following import ENDED, follow
from pooldeck_server.remote.formats import duration
from pooldeck_server.remote.naming import FunctionName, whole_id
from pooldeck_server.remote.patience import patiently
from pooldeck_server.remote.server import RemoteServer
from pooldeck_server.remote.submission import submitting
from pooldeck_server.remote.values import read_arguments

_LONGEST_WAIT: Final = 30.0  # seconds that one request waits for the end


@remote
@submitting
def submit(
    server: RemoteServer,
    output: Output,
    options: Mapping[str, Any],
    *,
    function: FunctionName,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARG|NAME=VALUE]...", help="JSON where it is JSON, else text"),
    ] = None,
    texts: Annotated[
        list[str] | None,
        typer.Option("--string", "-s", metavar="ARG|NAME=VALUE", help="text in any case"),
    ] = None,
    args: Annotated[
        str | None, typer.Option(metavar="JSON", help="an array; - reads standard input")
    ] = None,
    kwargs: Annotated[
        str | None, typer.Option(metavar="JSON", help="an object; - reads standard input")
    ] = None,
    delay: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="wait so long before it runs: seconds, or 30s, 5m, 2h"),
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="when to run it, or in 30s, 5m, 2h, 3d")
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="of a task that has to end before; may be repeated"),
    ] = None,
    key: Annotated[str | None, typer.Option(help="the same key gives the same task")] = None,
    wait: Annotated[
        bool, typer.Option("--wait", "-w", help="print the result, when there is one")
    ] = False,
    within: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="wait no longer than that")
    ] = None,
    follow_it: Annotated[
        bool, typer.Option("--follow", "-f", help="as --wait, with its log as it comes")
    ] = False,
) -> int:
    """Submit a task, and print its id; with --wait or --follow its result, as JSON.

    Arguments are given by position or as name=value. What is JSON is taken as JSON, everything else
    as text: 3, true, '[1, 2]', hello. Text that looks like JSON goes by --string, and - stands for
    what standard input has. Numbers below zero come after --.

    Exit codes: 0 stored, or succeeded where it was waited for; 1 it did not succeed, or not in
    time; 2 wrong arguments; 3 no server answers; 4 the server refused it; 130 interrupted, and the
    task goes on.
    """
    given = read_arguments(words or (), texts or (), args, kwargs)
    body = {"function": function, "args": given.args, "kwargs": given.kwargs, **options}
    body |= _times(delay, at)
    if after:
        body["after"] = [whole_id(server, each) for each in after]
    headers = {"idempotency-key": key} if key else None
    task = server.ask("POST", "/tasks", body, headers=headers).json()
    if follow_it:
        return _show(output, follow(server, output, task["id"], output.note))
    if wait or within is not None:
        return _show(output, _waited(server, output, task, within))
    if output.is_json:
        output.json(task)
    else:
        output.line(task["id"])
    return 0


def _times(delay: str | None, at: str | None) -> dict[str, Any]:
    moment = None if at is None else moment_of(at, ahead=True)
    times = {"delay": None if delay is None else seconds_of(delay), "run_at": moment}
    return {name: value for name, value in times.items() if value is not None}


def _waited(
    server: RemoteServer, output: Output, task: dict[str, Any], within: float | None
) -> dict[str, Any]:
    """Return a task when it has ended.

    Raises:
        Complaint: If that takes longer than it may.
    """
    until = None if within is None else time.monotonic() + within
    try:
        while task["state"] not in ENDED:
            left = _LONGEST_WAIT if until is None else until - time.monotonic()
            if left <= 0:
                raise Complaint(
                    f"task {task['id']} is {task['state']} after {duration(within)}, and goes on"
                )
            seconds = min(left, _LONGEST_WAIT)
            ask = partial(server.get, f"/tasks/{task['id']}", {"wait": seconds}, seconds=seconds)
            task = patiently(output, ask)
    except KeyboardInterrupt:
        output.note(f"the task goes on: see it by `pooldeck task {task['id']}`")
        raise
    return task


def _show(output: Output, task: dict[str, Any]) -> int:
    """Print a task that has ended: its result, or why there is none."""
    is_done = task["state"] == "succeeded"
    if output.is_json:
        output.json(task)
    elif is_done:
        output.line(json.dumps(task["result"], ensure_ascii=False), is_plain=False)
    else:
        output.note(f"pooldeck: task {task['id']} {_why(task)}")
    return 0 if is_done else NOT_DONE


def _why(task: dict[str, Any]) -> str:
    error = task["error"]
    if error is None:
        return f"was {task['state']}"
    words = f"{error['type'] or error['kind']}: {error['message']}"
    return f"{task['state']}: {words}; see `pooldeck task {task['id']}`"
