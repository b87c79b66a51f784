"""`pooldeck tune FUNCTION`: makes an experiment on a running server and prints what it found.

  0  finished; the conclusion is the last line
  1  nothing could be measured, or it was stopped
  2  wrong arguments
  3  the server cannot be reached
  4  the server refused it
130  interrupted; the experiment is stopped
"""

import json
import time
from contextlib import suppress
from typing import Annotated, Any, Final

import typer

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.command_line.complaint import NOT_DONE, REFUSED, Complaint
from pooldeck_server.command_line.output import Output
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.server import RefusedError, RemoteServer, ServerError

_PAUSE: Final = 0.5  # seconds between two looks
_MIB: Final = 1024 * 1024
_HEAD: Final = (
    *("kind", ">size", ">calls/s", ">±", ">eff.", ">p50", ">p95", ">CPUs", ">MiB", ">sw/s"),
    "fail",
)


def _sample(text: str) -> dict[str, Any]:
    """Read a sample: what is given by position, by name, or both."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} is not JSON: {error}") from None
    if isinstance(value, list):
        return {"args": value}
    if isinstance(value, dict):
        return value if value and value.keys() <= {"args", "kwargs"} else {"kwargs": value}
    raise typer.BadParameter(f"{text} is neither an array nor an object")


def _sizes(text: str | None) -> list[int]:
    try:
        return [int(part) for part in (text or "").split(",") if text]
    except ValueError:
        raise typer.BadParameter(f"{text} is not a list such as 1,2,4") from None


@remote
def tune(
    server: RemoteServer,
    output: Output,
    *,
    function: Annotated[str, typer.Argument(help="its name, such as acme.jobs.thumbnail")],
    sample: Annotated[
        list[str] | None,
        typer.Option(
            metavar="JSON",
            help='arguments to try it with: an array, an object, or {"args": …, "kwargs": …}; may '
            "be given several times [those of its latest tasks, if it is idempotent]",
        ),
    ] = None,
    threads: Annotated[
        str | None, typer.Option(metavar="N,N,…", help="sizes of thread pools")
    ] = None,
    processes: Annotated[
        str | None, typer.Option(metavar="N,N,…", help="sizes of process pools")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="how long to measure each size [2]")] = None,
    warmup: Annotated[
        float | None, typer.Option(help="seconds before that which do not count [0.3]")
    ] = None,
) -> int:
    """Find out which kind of pool suits a function, and how large.

    It is tried in temporary pools of several sizes on a running server, and called again and again:
    name only what may be run many times.

    Exit codes: 0 found, 1 nothing could be measured or stopped, 2 wrong arguments, 3 no server
    answers, 4 the server refused it.
    """
    sizes = {PoolKind.THREAD: _sizes(threads), PoolKind.PROCESS: _sizes(processes)}
    asked: dict[str, Any] = {
        "samples": [_sample(each) for each in sample or ()],
        "sizes": {kind: numbers for kind, numbers in sizes.items() if numbers},
    }
    numbers = {"seconds": seconds, "warmup": warmup}
    wanted = {name: value for name, value in asked.items() if value}
    wanted |= {name: value for name, value in numbers.items() if value is not None}
    started = _begun(server, {"function": function, **wanted})
    experiment = _follow(server, output, started)
    _show(output, experiment)
    return 0 if experiment["state"] == "finished" else NOT_DONE


def _begun(server: RemoteServer, body: dict[str, Any]) -> dict[str, Any]:
    try:
        begun: dict[str, Any] = server.post("/experiments", body)
    except RefusedError as error:
        if "samples" in body or not str(error).startswith("samples: "):
            raise
        example = f"pooldeck tune {body['function']} --sample '[1, 2]'"
        raise Complaint(
            str(error), f"give arguments to try it with, such as: {example}", exit_code=REFUSED
        ) from None
    return begun


def _follow(server: RemoteServer, output: Output, experiment: dict[str, Any]) -> dict[str, Any]:
    """Say what is being tried until it has ended; stop it if somebody interrupts."""
    path = f"/experiments/{experiment['id']}"
    said = ""
    try:
        while experiment["state"] == "running":
            time.sleep(_PAUSE)
            experiment = server.get(path)
            words = progress(experiment)
            if words and words != said:
                said = words
                output.note(words)
    except KeyboardInterrupt:
        with suppress(ServerError):
            server.post(f"{path}/stop")
        raise
    return experiment


def progress(experiment: dict[str, Any]) -> str:
    """Return what is being tried, empty where nothing is."""
    now = experiment["progress"]
    if now is None:
        return ""
    again = " once more" if now["is_again"] else ""
    what = KINDS[now["kind"]].counted(now["size"])
    return f"measuring {what}{again} ({now['done']} of about {now['planned']} steps are done)"


def _show(output: Output, experiment: dict[str, Any]) -> None:
    """Print what was found: the table, what to know, the conclusion."""
    if output.is_json:
        output.json(experiment)
        return
    if experiment["steps"]:
        knees = {(each["kind"], each["knee"]) for each in experiment["scalings"]}
        output.table(_HEAD, [_row(step, knees) for step in experiment["steps"]])
        output.line()
    for line in (*experiment["remarks"], experiment["conclusion"]):
        output.line(line)


def _row(step: dict[str, Any], knees: set[tuple[str, int]]) -> tuple[str, ...]:
    mark = " knee" if (step["kind"], step["size"]) in knees else ""
    return (
        step["kind"],
        str(step["size"]),
        f"{step['throughput']:.4g}",
        f"{step['noise']:.0%}",
        "-" if step["efficiency"] is None else f"{step['efficiency']:.0%}",
        f"{1000 * step['p50']:.3g} ms",
        f"{1000 * step['p95']:.3g} ms",
        f"{step['cpu']:.2f}",
        str(step["rss_bytes"] // _MIB),
        f"{step['switches']:.0f}",
        f"{step['errors']}{mark}",
    )
