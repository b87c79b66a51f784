"""A real worker process, driven over its two sockets as a supervisor would."""

import itertools
import os
import socket
import subprocess
import sys
import textwrap
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from pooldeck.commands import Command
from pooldeck.kinds import PoolKind
from pooldeck.outcome import Error, Outcome
from pooldeck.pools.launcher import WORKER_OPTIONS
from pooldeck.protocol import (
    Abandoned,
    Call,
    Control,
    Exiting,
    Finished,
    FrameBuffer,
    FromSupervisor,
    FromWorker,
    LeftBehind,
    Limits,
    Loading,
    Log,
    LogLine,
    Observed,
    Progress,
    Ready,
    Returned,
    Setup,
    Stack,
    Started,
    Stop,
    Unready,
    WorkerLog,
    frame,
    from_worker,
)
from tests import ROOT

T = TypeVar("T")
F = TypeVar("F", Started, Log, Progress, Finished, Abandoned, Stack, Exiting)

_PATIENCE = 120.0
_IMPORTS = "import os, sys\nfrom pooldeck import current_task, task\n"


@dataclass
class Report:
    """What a worker said about one call, in order."""

    frames: list[FromWorker] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        last = self.frames[-1]
        assert isinstance(last, Finished)
        return last.outcome

    @property
    def result(self) -> Any:
        assert self.outcome.error is None, self.outcome.error
        assert self.outcome.result is not None
        return msgspec.json.decode(self.outcome.result)

    @property
    def error(self) -> Error:
        assert self.outcome.error is not None
        return self.outcome.error

    @property
    def started(self) -> Started:
        first = self.frames[0]
        assert isinstance(first, Started)
        return first

    @property
    def lines(self) -> list[LogLine]:
        return [line for said in self.frames if isinstance(said, Log) for line in said.lines]

    @property
    def said(self) -> list[tuple[str, str]]:
        """Return the lines as they stand at the end: one that grows is sent again and again."""
        kept = {line.n: (line.source, line.message) for line in self.lines}
        return [kept[n] for n in sorted(kept)]

    @property
    def progress(self) -> list[Progress]:
        return [said for said in self.frames if isinstance(said, Progress)]


class DrivenWorker:
    """Starts a worker in `folder` that loads the module `jobs` with the given source."""

    def __init__(
        self,
        folder: Path,
        source: str,
        *,
        kind: str = "process",
        slots: int = 1,
        initializer: str | None = None,
        modules: tuple[str, ...] = ("jobs",),
        limits: Limits | None = None,
        commands: tuple[Command, ...] = (),
        restores_environment: bool = True,
    ) -> None:
        (folder / "jobs.py").write_text(_IMPORTS + textwrap.dedent(source))
        self.output = folder / "output"
        self.fault = folder / "fault"
        self.stacks = folder / "stacks"
        self.words = folder / "words"
        self.own_lines: list[LogLine] = []  # of the worker's own log
        self._ids = itertools.count(1)
        self._reports: dict[str, Report] = defaultdict(Report)
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(_PATIENCE)
        self._control, controls = socket.socketpair()
        self._control.settimeout(_PATIENCE)
        self.process = _start(folder, theirs, controls)
        self._frames = self._read()
        self.left_behind: list[LeftBehind] = []
        self.send(
            Setup(
                worker="w-1",
                pool="p",
                kind=PoolKind(kind),
                slots=slots,
                modules=list(modules),
                initializer=initializer,
                limits=limits or Limits(),
                fault_path=str(self.fault),
                output_path=str(self.output),
                stack_path=str(self.stacks),
                words_path=str(self.words),
                commands=commands,
                restores_environment=restores_environment,
            )
        )
        self.greeting = next(said for said in self._frames if not isinstance(said, Loading))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._control.close()
        self.process.kill()
        self.process.wait(_PATIENCE)

    @property
    def ready(self) -> Ready:
        assert isinstance(self.greeting, Ready), self.greeting
        return self.greeting

    @property
    def unready(self) -> Unready:
        assert isinstance(self.greeting, Unready), self.greeting
        return self.greeting

    def send(self, message: FromSupervisor) -> None:
        self._socket.sendall(frame(message))

    def control(self, message: Control) -> None:
        """Send a frame on the second pipe."""
        self._control.sendall(frame(message))

    def submit(self, function: str, *args: Any, **kwargs: Any) -> str:
        """Send a call of a function of the module and return the task's id."""
        return self.submit_limited(None, function, *args, **kwargs)

    def submit_limited(
        self, timeout: float | None, function: str, *args: Any, **kwargs: Any
    ) -> str:
        """Send a call with a timeout in seconds."""
        task = f"task-{next(self._ids)}"
        arguments = msgspec.json.encode(args), msgspec.json.encode(kwargs)
        self.send(Call(task, 1, f"jobs.{function}", *arguments, timeout))
        return task

    def so_far(self, task: str) -> Report:
        """Return what has been heard of a call."""
        return self._reports[task]

    def report(self, task: str) -> Report:
        """Read until a call has ended."""
        report = self._reports[task]
        while not (report.frames and isinstance(report.frames[-1], Finished)):
            self.hear()
        return report

    def run(self, function: str, *args: Any, **kwargs: Any) -> Report:
        """Call a function and wait for its end."""
        return self.report(self.submit(function, *args, **kwargs))

    def hear(self) -> FromWorker:
        """Read one frame."""
        said = next(self._frames)
        if isinstance(said, LeftBehind):
            self.left_behind.append(said)
        elif isinstance(said, WorkerLog):
            self.own_lines += said.lines
        elif not isinstance(said, Loading | Ready | Unready | Returned | Observed):
            self._reports[said.task].frames.append(said)
        return said

    def hear_of(self, task: str, kind: type[F]) -> F:
        """Read until a frame of a kind comes for a task."""
        while True:
            said = self.hear()
            if isinstance(said, kind) and said.task == task:
                return said

    def stop(self) -> int:
        """Ask the worker to end and return its exit code."""
        self.send(Stop())
        return self.process.wait(_PATIENCE)

    def hang_up(self) -> int:
        """Close both pipes, as the death of a server would, and return the exit code."""
        self._socket.close()
        self._control.close()
        return self.process.wait(_PATIENCE)

    def signals_told(self) -> set[int]:
        """Wait until the worker tells of signals on the second pipe; return their numbers."""
        return set(self._control.recv(1 << 12))

    def hang_up_control(self) -> None:
        """Close the second pipe alone."""
        self._control.close()

    def _read(self) -> Iterator[FromWorker]:
        frames = FrameBuffer()
        while data := self._socket.recv(1 << 18):
            yield from map(from_worker, frames.feed(data))


def _environment() -> dict[str, str]:
    """Return this one's without what would hide that C code's output is buffered."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def wait_until(look: Callable[[], T | None]) -> T:
    """Call `look` until it returns something true, and return that."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
    return found


def _start(folder: Path, *theirs: socket.socket) -> subprocess.Popen[bytes]:
    numbers = [str(end.fileno()) for end in theirs]
    try:
        return subprocess.Popen(
            [sys.executable, *WORKER_OPTIONS, str(ROOT / "pooldeck/worker/start.py"), *numbers],
            pass_fds=[end.fileno() for end in theirs],
            start_new_session=True,
            cwd=folder,
            env=_environment(),
        )
    finally:
        for end in theirs:
            end.close()
