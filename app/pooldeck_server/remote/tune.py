"""`pooldeck tune FUNCTION`: makes an experiment on a running server and prints what it found.

  0  finished; the conclusion is the last line
  1  nothing could be measured, or it was stopped
  2  wrong arguments
  3  the server cannot be reached
  4  the server refused it
130  interrupted; the experiment is stopped
"""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from pooldeck.kinds import KINDS
from pooldeck_server.remote.server import RefusedError, RemoteServer, ServerError

EXIT_NOTHING_FOUND: Final = 1
EXIT_UNREACHABLE: Final = 3
EXIT_REFUSED: Final = 4
_PAUSE: Final = 0.5  # seconds between two looks
_MIB: Final = 1024 * 1024
_HEAD: Final = ("kind", "size", "calls/s", "±", "eff.", "p50", "p95", "CPUs", "MiB", "sw/s", "fail")


def run(given: Namespace) -> int:
    """Make the experiment; return the exit code."""
    try:
        with RemoteServer(given.url) as server:
            experiment = _follow(server, server.post("/experiments", _body(given)))
    except RefusedError as error:
        return _complain(error, EXIT_REFUSED)
    except ServerError as error:
        return _complain(error, EXIT_UNREACHABLE)
    _print(json.dumps(experiment, indent=2) if given.json else "\n".join(report(experiment)))
    return 0 if experiment["state"] == "finished" else EXIT_NOTHING_FOUND


def _body(given: Namespace) -> dict[str, Any]:
    sizes = {name: getattr(given, kind.many) for name, kind in KINDS.items()}
    asked = {
        "samples": given.sample,
        "sizes": {kind: numbers for kind, numbers in sizes.items() if numbers} or None,
        "seconds": given.seconds,
        "warmup": given.warmup,
    }
    wanted = {name: value for name, value in asked.items() if value is not None}
    return {"function": given.function, **wanted}


def _follow(server: RemoteServer, experiment: dict[str, Any]) -> dict[str, Any]:
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
                print(words, file=sys.stderr, flush=True)  # noqa: T201  (the command's own voice)
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


def report(experiment: dict[str, Any]) -> Iterator[str]:
    """Yield what was found, line by line: the table, what to know, the conclusion."""
    if experiment["steps"]:
        knees = {(each["kind"], each["knee"]) for each in experiment["scalings"]}
        yield from _table([_row(step, knees) for step in experiment["steps"]])
        yield ""
    yield from experiment["remarks"]
    yield experiment["conclusion"]


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


def _table(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """Yield the lines of a table: kinds to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    for row in (_HEAD, *rows):
        first, *others, last = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join((first.lstrip().ljust(widths[0]), *others, last.lstrip())).rstrip()


def _complain(error: Exception, exit_code: int) -> int:
    print(f"pooldeck: {error}", file=sys.stderr)  # noqa: T201  (the command's own voice)
    return exit_code


def _print(text: str) -> None:
    print(text)  # noqa: T201  (the command's own voice)
