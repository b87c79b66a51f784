"""A real worker process, driven over its socket as a supervisor would."""

import itertools
import os
import socket
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from pooldeck.outcome import Error, Outcome
from pooldeck.protocol import (
    Call,
    Finished,
    FrameBuffer,
    FromSupervisor,
    FromWorker,
    Limits,
    Log,
    LogLine,
    Progress,
    Ready,
    Returned,
    Setup,
    Started,
    Stop,
    Unready,
    frame,
    from_worker,
)

_PATIENCE = 30.0
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
        return [(line.source, line.message) for line in self.lines]

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
    ) -> None:
        (folder / "jobs.py").write_text(_IMPORTS + textwrap.dedent(source))
        self.output = folder / "output"
        self.fault = folder / "fault"
        self._ids = itertools.count(1)
        self._reports: dict[str, Report] = defaultdict(Report)
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(_PATIENCE)
        self.process = _start(folder, theirs)
        self._frames = self._read()
        self.send(
            Setup(
                worker="w-1",
                pool="p",
                kind=kind,
                slots=slots,
                modules=list(modules),
                initializer=initializer,
                limits=limits or Limits(),
                fault_path=str(self.fault),
                output_path=str(self.output),
            )
        )
        self.greeting = next(self._frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
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

    def submit(self, function: str, *args: Any, **kwargs: Any) -> str:
        """Send a call of a function of the module and return the task's id."""
        task = f"task-{next(self._ids)}"
        arguments = msgspec.json.encode(args), msgspec.json.encode(kwargs)
        self.send(Call(task, 1, f"jobs.{function}", *arguments))
        return task

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
        if not isinstance(said, Ready | Unready | Returned):
            self._reports[said.task].frames.append(said)
        return said

    def stop(self) -> int:
        """Ask the worker to end and return its exit code."""
        self.send(Stop())
        return self.process.wait(_PATIENCE)

    def hang_up(self) -> int:
        """Close the connection, as the death of a server would, and return the exit code."""
        self._socket.close()
        return self.process.wait(_PATIENCE)

    def _read(self) -> Iterator[FromWorker]:
        frames = FrameBuffer()
        while data := self._socket.recv(1 << 18):
            yield from map(from_worker, frames.feed(data))


def _start(folder: Path, theirs: socket.socket) -> subprocess.Popen[bytes]:
    with theirs:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "pooldeck.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
