"""The `pooldeck` command line: finds the command that is meant, and says why it was not done.

`pooldeck_server.launcher` calls it, in a process that user code cannot reach. Which commands there
are stands in `command_line.table`. What is imported here is imported for each of them, and for the
help: so nearly nothing is.
"""

import os
import sys
from collections.abc import Sequence

from pooldeck_server.command_line.complaint import INTERRUPTED, Complaint
from pooldeck_server.command_line.table import overall_help

_COMPLETION = "_POOLDECK_COMPLETE"  # set by a shell that asks for what could be typed next
_OF_STATUS = ("--url", "--token", "--profile", "--json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: those of the process) ask for.

    Returns:
        The exit code, as `command_line.complaint` lists them; what others mean is said by the help
        of the command.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except Complaint as complaint:
        for line in complaint.lines:
            print(f"pooldeck: {line}", file=sys.stderr)  # noqa: T201  (the command's own voice)
        return complaint.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(given: list[str]) -> int:
    if _COMPLETION not in os.environ:
        if given in (["--help"], ["-h"], ["help"]):
            return _say(overall_help())
        if given == ["--version"]:
            from importlib.metadata import version  # noqa: PLC0415  (help does without it)

            return _say(f"pooldeck {version('pooldeck')}")
    from pooldeck_server.command_line.parser import run  # noqa: PLC0415  (typer takes a while)

    return run(["status", *given] if _is_status(given) else given)


def _is_status(given: list[str]) -> bool:
    """Tell whether no command is named, but perhaps where a server is."""
    return not given or given[0].partition("=")[0] in _OF_STATUS


def _say(text: str) -> int:
    print(text)  # noqa: T201  (the command's own voice)
    return 0
