"""Declared commands as functions of a worker: described, checked and called like all others.

The call's thread waits for the process, passes on what it writes, and checks some ten times a
second whether its task is cancelled or overdue. So a command can be ended in a thread pool, too.
"""

import inspect
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

from msgspec import structs

from pooldeck.command_parameters import CommandParameter
from pooldeck.commands import MODULE, Command, CommandFailed
from pooldeck.context import CurrentTask, current_task
from pooldeck.inherited import TOKEN, URL
from pooldeck.marks import BOOT, WORKER
from pooldeck.worker.command_process import CommandProcess, Stream
from pooldeck.worker.functions import signatures
from pooldeck.worker.functions.conversion import BadArgument
from pooldeck.worker.functions.discovery import Function
from pooldeck.worker.logs.task_log import TaskLog

_SERVER_PREFIX: Final = "POOLDECK_"
_HANDED_ON: Final = (BOOT, WORKER, URL, TOKEN)
_LAST_LINES: Final = 10


class Invocation(NamedTuple):
    """What one call runs: the argument vector, and the text for standard input."""

    vector: list[str]
    input: str


class DeclaredCommand:
    """A declared command as a callable; results have at most `result_bytes`."""

    def __init__(self, command: Command, environment: Mapping[str, str], result_bytes: int) -> None:
        self.__signature__ = _signature(command)
        self.__doc__ = f"{command.description}\n\nRuns: {shlex.join(command.run)}".strip()
        self.__module__ = MODULE
        self.__name__ = command.name
        self._command = command
        self._environment = {**environment, **command.environment}
        self._directory = Path(command.directory or ".").absolute()
        # As JSON, ordinary text takes up to twice its size: a line of one letter is three bytes.
        self._keep = {"stdout": result_bytes // 2, "json": result_bytes, "none": 0}[command.result]

    def problem(self) -> str | None:
        """Say why it cannot be run, if that is known beforehand."""
        if not self._directory.is_dir():
            return f"its directory {self._directory} does not exist"
        program = self._command.run[0]
        place = self._directory / program if os.sep in program else program
        if shutil.which(place, path=self._environment.get("PATH")) is None:
            return f'its program "{program}" was not found, or may not be run'
        return None

    def convert(
        self, args: list[Any], kwargs: dict[str, Any]
    ) -> tuple[list[Invocation], dict[str, Any]]:
        """Return the arguments of a call, if they fit, as the one argument of `__call__`."""
        try:
            bound = self.__signature__.bind(*args, **kwargs)
            bound.apply_defaults()
            values = bound.arguments
            vector = self._command.arguments(values)
            return [Invocation(vector, self._command.standard_input(values))], {}
        except (TypeError, ValueError) as error:
            raise BadArgument(type(error).__name__, str(error)) from None

    def __call__(self, invocation: Invocation) -> Any:
        """Run the command to its end.

        Raises:
            CommandFailed: If it does not start, or does not end well.
            CancelledError: If it was ended because its task is cancelled.
            TimeoutError: If it was ended because its task is overdue.
        """
        task = current_task()
        write = cast(TaskLog, task.reporter).write  # as all calls in a worker
        with _standard_input(invocation.input) as stdin, self._start(invocation, stdin) as process:
            out, err = process.open_streams(self._keep, write)
            was_stopped = self._wait(process, task)
            code = process.finish(was_stopped=was_stopped)
        if was_stopped:
            raise _stop_reason(task)
        return self._result(code, out, err)

    def _start(self, invocation: Invocation, stdin: IO[bytes] | int) -> CommandProcess:
        task = current_task()
        try:
            return CommandProcess(
                invocation.vector,
                self._environment,
                directory=str(self._directory),
                call=f"{task.id}/{task.attempt}",
                stdin=stdin,
            )
        except OSError as error:
            raise CommandFailed(f"{invocation.vector[0]} could not be started: {error}") from None

    def _wait(self, process: CommandProcess, task: CurrentTask) -> bool:
        """Wait for its end; return whether it was stopped, as its task is cancelled or overdue."""
        kill_at: float | None = None
        while process.wait():
            if kill_at is None and task.cancelled:
                process.signal(signal.SIGTERM)
                kill_at = time.monotonic() + self._command.grace_seconds
            elif kill_at is not None and time.monotonic() >= kill_at:
                process.signal(signal.SIGKILL)
        return kill_at is not None

    def _result(self, code: int, out: Stream, err: Stream) -> Any:
        program = self._command.run[0]
        if code not in self._command.success:
            raise CommandFailed(f"{program} {_ending(code)}{_error_output(err)}")
        match self._command.result:
            case "json":
                return _parsed(program, out)
            case "stdout":
                text = out.head.decode("utf-8", "replace")
                result: dict[str, Any] = {"exit_code": code, "stdout": text}
                return result | {"truncated": True} if out.size > len(out.head) else result
        return {"exit_code": code}


def functions(commands: Iterable[Command], result_bytes: int) -> dict[str, Function]:
    """Return declared commands as functions by name."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _HANDED_ON or not name.startswith(_SERVER_PREFIX)
    }
    return {
        command.name: _function(command, DeclaredCommand(command, environment, result_bytes))
        for command in commands
    }


def _function(command: Command, call: DeclaredCommand) -> Function:
    exposed = command.exposed()
    types = {
        name: command.parameter(name).annotation(is_exposed=name in exposed)
        for name in call.__signature__.parameters
    }
    spec = signatures.describe(
        call, call.__signature__, types, command.options, name=command.name, module=MODULE
    )
    return Function(structs.replace(spec, problem=call.problem()), call, call.convert)


def _signature(command: Command) -> inspect.Signature:
    """Return what the command takes: in the order of its placeholders, defaults last."""
    taken = [(name, command.parameter(name)) for name in command.placeholders()]
    taken.sort(key=lambda item: item[1].default is not None)
    return inspect.Signature([_parameter(*item) for item in taken])


def _parameter(name: str, parameter: CommandParameter) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=inspect.Parameter.empty if parameter.default is None else parameter.default,
        annotation=parameter.plain,
    )


@contextmanager
def _standard_input(text: str) -> Iterator[IO[bytes] | int]:
    """Give text as a file: a pipe would have to be fed while the command's own are emptied."""
    if not text:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        yield file


def _stop_reason(task: CurrentTask) -> BaseException:
    if task.is_asked:
        return CancelledError("the command was ended with all that it had started")
    return TimeoutError("it was ended at its timeout, with all that it had started")


def _ending(code: int) -> str:
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _error_output(err: Stream) -> str:
    """Return the last lines of standard error, after a colon."""
    lines = err.tail.decode("utf-8", "replace").strip().splitlines()[-_LAST_LINES:]
    return ":\n" + "\n".join(lines) if lines else " and wrote nothing to standard error"


def _parsed(program: str, out: Stream) -> Any:
    if out.size > len(out.head):
        raise CommandFailed(
            f"{program} wrote {out.size:,} bytes, and a result may have {len(out.head):,}"
        )
    try:
        return json.loads(out.head)
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"what {program} wrote is no JSON: {error}") from None
