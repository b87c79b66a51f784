"""The command `pooldeck run`: what can be said to it, and what it says in the end."""

import hashlib
import json
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final, TextIO

import typer

from pooldeck_server.command_line.complaint import NOT_DONE, WRONG, Complaint
from pooldeck_server.command_line.output import Output, is_closed
from pooldeck_server.remote.command import remote
from pooldeck_server.remote.formats import counted, duration
from pooldeck_server.remote.functions import check_function
from pooldeck_server.remote.naming import FunctionName
from pooldeck_server.remote.progress import ProgressLine, bar
from pooldeck_server.remote.running.items import Item, bounded, call_of_json, call_of_text, items
from pooldeck_server.remote.running.line_run import LineRun
from pooldeck_server.remote.running.results import Results
from pooldeck_server.remote.server import RemoteServer
from pooldeck_server.remote.submission import submitting

_STDIN: Final = "-"
_WINDOW: Final = 1000
_LONGEST_NAME: Final = 60  # characters


@remote
@submitting
def run(
    server: RemoteServer,
    output: Output,
    options: Mapping[str, Any],
    *,
    function: FunctionName,
    file: Annotated[str, typer.Argument(help="whose lines are the arguments; - is stdin")],
    name: Annotated[
        str | None,
        typer.Option(help="of the run: the same name goes on where a run was [the file's path]"),
    ] = None,
    window: Annotated[
        int, typer.Option(min=1, max=100_000, help="lines that are under way at a time")
    ] = _WINDOW,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="of the results [stdout]")
    ] = None,
    unordered: Annotated[
        bool, typer.Option("--unordered", help="write results as tasks end")
    ] = False,
    json_lines: Annotated[
        bool, typer.Option("--json-lines", help="each line is JSON, and an error if it is not")
    ] = False,
) -> int:
    """Run a function over the lines of a file, and write the results as lines of JSON.

    A line that is a JSON array has the arguments by position, an object has them by name, and
    everything else is one argument: the value where the line is JSON, such as 12, else its text.
    Text that looks like JSON stands in quotes: "12". With --json-lines, a line that is no JSON is
    an error. Empty lines are passed over.

    Each line is a task that is known by the name of the run, its number and its content: the same
    command goes on where it was interrupted, and what has run is not run again. Standard input has
    no path: give it a --name to go on by.

    Exit codes: 0 all succeeded; 1 some did not, and have an error in place of a result; 3 the
    server was away for too long; 4 it refused to go on; 130 interrupted.
    """
    check_function(server, function)
    common = {"function": function, **options}
    known_as = _name(name, function, file)
    common["tags"] = [*options.get("tags", ()), f"run:{known_as}"]
    began = time.monotonic()
    with _target(target, file) as opened:
        results = Results(opened, is_ordered=not unordered)
        key = f"{known_as}\0{json.dumps(common, sort_keys=True)}"
        read_line = call_of_json if json_lines else call_of_text
        source = items(bounded(_opened(file)), key, read_line)
        _watch(output, LineRun(server, common, results, window), results, source, _size(file))
    output.note(
        f"{counted(results.written, 'line')}, {results.failed:,} failed, in "
        f"{duration(time.monotonic() - began)}"
    )
    if results.lost:
        output.note(
            f"to run those again that failed: pooldeck retry --tag run:{known_as} --state failed "
            "--state lost --state cancelled, and then the same command"
        )
    return NOT_DONE if results.failed else 0


def _name(name: str | None, function: str, file: str) -> str:
    """Return what a run is known by: what was said, or something that is the same for its file."""
    if name is not None:
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise typer.BadParameter(f"--name: give 1 to {_LONGEST_NAME} characters")
        return name
    if file == _STDIN:
        return uuid.uuid4().hex[:12]
    return hashlib.sha256(f"{function}\0{Path(file).resolve()}".encode()).hexdigest()[:12]


def _opened(file: str) -> BinaryIO:
    """Return the input. Who reads it closes it: an interruption may find the thread in it."""
    try:
        return open(0, "rb", closefd=False) if file == _STDIN else Path(file).open("rb")
    except OSError as error:
        raise Complaint(f"{file} cannot be read: {error.strerror}", exit_code=WRONG) from None


@contextmanager
def _target(path: Path | None, source: str) -> Iterator[TextIO]:
    if path is None:
        if is_closed(sys.stdout):
            raise Complaint("standard output is closed: say --output FILE", exit_code=WRONG)
        yield sys.stdout
        sys.stdout.flush()
        return
    if source != _STDIN and path.exists() and path.samefile(source):
        raise Complaint(f"{path} is the input: results would overwrite it", exit_code=WRONG)
    try:
        opened = path.open("w", encoding="utf-8")
    except OSError as error:
        raise Complaint(f"{path} cannot be written: {error.strerror}", exit_code=WRONG) from None
    with opened:
        yield opened


def _size(file: str) -> int:
    """Return how many bytes a file has; 0 where that is not known."""
    return 0 if file == _STDIN else Path(file).stat().st_size


def _watch(
    output: Output, line_run: LineRun, results: Results, source: Iterable[Item], size: int
) -> None:
    """Do a run, and show how far it is."""
    progress, said = ProgressLine(), ""
    try:
        for _ in line_run.steps(source):
            results.flush()
            if line_run.trouble not in ("", said):
                said = line_run.trouble
                progress.erase()
                output.note(f"waiting: {said}")
            far = f"{bar(line_run.read / size)} read, " if size else ""
            progress.show(
                f"{far}{results.written:,} written, {len(line_run.running):,} under way, "
                f"{results.failed:,} failed"
            )
    except KeyboardInterrupt:
        progress.erase()
        output.note(
            f"{counted(len(line_run.running), 'task')} under way will run; the same command "
            "goes on from here"
        )
        raise
    finally:
        progress.erase()
