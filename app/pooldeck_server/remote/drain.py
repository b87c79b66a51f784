"""`pooldeck drain`: has a running server take nothing new, and waits until nothing runs in it.

  0  nothing runs any more, or it was resumed
  1  the time was over, or the server was resumed by somebody else, while tasks ran
  2  wrong arguments
  3  the server cannot be reached
  4  the server refused it
130  interrupted; the server stays drained
"""

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from pooldeck_server.command_line.complaint import NOT_DONE
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.server import RefusedError, RemoteServer, ServerError

_PAUSE: Final = 0.5  # seconds between two looks


@remote
def drain(
    server: RemoteServer,
    output: Output,
    *,
    reason: Annotated[
        str | None, typer.Option(help="why; it is kept in the record, and shown")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="how long it may take; pages count it down")
    ] = None,
    stop: Annotated[
        bool,
        typer.Option(
            "--stop", help="end the server when nothing runs, or when the seconds are over"
        ),
    ] = False,
    finish_queue: Annotated[
        bool, typer.Option("--finish-queue", help="run what is queued first")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="begin it, and return at once")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="take tasks again")] = False,
) -> int:
    """Have a running server take nothing new, and wait until nothing runs in it.

    What is queued stays in the record, and runs after the next start.

    Exit codes: 0 nothing runs, 1 the time is over and something does, 2 wrong arguments, 3 no
    server answers, 4 the server refused it.
    """
    if resume:
        server.post("/server/resume")
        output.line("the server takes tasks again")
        return 0
    asked = {"reason": reason, "seconds": seconds}
    wanted = {name: value for name, value in asked.items() if value is not None}
    begun = server.post("/server/drain", wanted | {"stop": stop, "finish_queue": finish_queue})
    output.note(words(begun))
    if no_wait:
        return _show(output, begun, 0)
    return _follow(server, output, begun, stop=stop)


def _follow(server: RemoteServer, output: Output, begun: dict[str, Any], *, stop: bool) -> int:
    """Say what is waited for until nothing runs, the time is over or the server has ended."""
    now, said = begun, words(begun)
    while stop or not (now["is_done"] or _is_over(now)):
        time.sleep(_PAUSE)
        try:
            found = server.get("/server")["drain"]
        except RefusedError:
            raise
        except ServerError:
            if not stop:
                raise
            return _ended(output, now)
        if found is None:
            output.line("the server was resumed")
            return NOT_DONE
        now = found
        if words(now) != said:
            said = words(now)
            output.note(said)
    return _show(output, now, 0 if now["is_done"] else NOT_DONE)


def _ended(output: Output, drain: dict[str, Any]) -> int:
    """Say that the server has ended; `drain` is how far it was when it was last heard of."""
    if drain["is_done"] or not _is_over(drain):
        output.line("the server has ended")
        return 0
    output.line("the server has ended; what still ran was cut off: its next start says what")
    return NOT_DONE


def _is_over(drain: dict[str, Any]) -> bool:
    until = drain["until"]
    return until is not None and datetime.fromisoformat(until) <= datetime.now(UTC)


def words(drain: dict[str, Any]) -> str:
    """Return how far a drain is: "drained: 2 tasks run, for up to 40 s more"."""
    running, queued = drain["running"], drain["queued"]
    if drain["is_done"]:
        return "drained: nothing runs" + ("; the server ends" if drain["stop"] else "")
    line = f"drained: {running} task{' runs' if running == 1 else 's run'}"
    if queued:
        line += f", {queued} queued run first"
    seconds = drain["usual_seconds_left"]
    return line if seconds is None else f"{line}, usually for up to {seconds:.0f} s more"


def _show(output: Output, drain: dict[str, Any], exit_code: int) -> int:
    if output.is_json:
        output.json(drain)
    return exit_code
