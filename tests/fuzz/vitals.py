"""How a server is while it is fuzzed: whether others wait, and what memory it keeps."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Final

import msgspec
import psutil

from tests import ROOT
from tests.fuzz.prober import Wait
from tests.support.programs import started

STALL: Final = 0.25  # seconds that nobody else may have to wait
GROWTH: Final = 32 * 1024 * 1024  # bytes that one client may make it keep


@dataclass
class Vitals:
    """What was seen of a server; it is complete when the watch is over."""

    grown: int = 0  # bytes of memory that it has more than before
    waits: list[Wait] = field(default_factory=list)

    def stalls(self) -> list[Wait]:
        """Return when somebody waited longer than anybody may."""
        return [wait for wait in self.waits if wait.server > STALL]


@contextmanager
def watched(port: int, pid: int) -> Iterator[Vitals]:
    """Watch a server while the body runs.

    Where the system does not tell how long threads wait for a CPU, nobody asks for `/healthz`:
    nothing would follow from the answer.
    """
    vitals, process = Vitals(), psutil.Process(pid)
    before = process.memory_info().rss
    with _probed(port, pid, vitals):
        yield vitals
    vitals.grown = process.memory_info().rss - before


@contextmanager
def _probed(port: int, pid: int, vitals: Vitals) -> Iterator[None]:
    if not Path("/proc/self/schedstat").exists():
        yield
        return
    command = [sys.executable, "-m", "tests.fuzz.prober", str(port), str(pid)]
    with started(command, cwd=ROOT, stdin=PIPE, stdout=PIPE) as prober:
        yield
        told, _ = prober.communicate()
    vitals.waits = [msgspec.json.decode(line, type=Wait) for line in told.splitlines()]
