"""The arguments of the commands that talk to a running server."""

import argparse
import json
from typing import Any

from pooldeck.kinds import KINDS


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    tune = commands.add_parser(
        "tune",
        help="find out which kind of pool suits a function, and how large",
        description="Try a function in temporary pools of several sizes on a running server. It "
        "is called again and again: name only what may be run many times.",
        epilog="Exit codes: 0 found, 1 nothing could be measured or stopped, 2 wrong arguments, "
        "3 no server answers, 4 the server refused it.",
    )
    tune.add_argument("function", help="its name, such as acme.jobs.thumbnail")
    tune.add_argument(
        "--sample",
        action="append",
        type=_sample,
        metavar="JSON",
        help='arguments to try it with: an array, an object, or {"args": …, "kwargs": …}; may be '
        "given several times [those of its latest tasks, if it is idempotent]",
    )
    for name, kind in KINDS.items():
        words = f"sizes of {name} pools"
        tune.add_argument(f"--{kind.many}", type=_sizes, metavar="N,N,…", help=words)
    tune.add_argument("--seconds", type=float, help="how long to measure each size [2]")
    tune.add_argument("--warmup", type=float, help="seconds before that which do not count [0.3]")
    tune.add_argument("--url", help="of the server [POOLDECK_URL, or http://127.0.0.1:8000]")
    tune.add_argument("--json", action="store_true", help="print what the API says, at the end")
    tune.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    # Imported late: an HTTP client takes a while to load, which other commands need not wait for.
    from pooldeck_server.remote.tune import run  # noqa: PLC0415

    return run(given)


def _sample(text: str) -> dict[str, Any]:
    """Read a sample: what is given by position, by name, or both."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not JSON: {error}") from None
    if isinstance(value, list):
        return {"args": value}
    if isinstance(value, dict):
        return value if value and value.keys() <= {"args", "kwargs"} else {"kwargs": value}
    raise argparse.ArgumentTypeError(f"{text} is neither an array nor an object")


def _sizes(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a list such as 1,2,4") from None
