"""`python -m bench.stages.server serve ...`: the `pooldeck` command, with stopwatches hung on it.

On SIGUSR2 it writes what they have counted to the file `stages.json` of its working directory.
"""

import importlib
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct

from bench.stages.parts import STAGES
from bench.stages.stopwatch import Overhead, Stopwatches, Taken
from pooldeck_server.cli import main

COUNTED: Final = "stages.json"


class Counted(Struct, frozen=True):
    """What the stopwatches of a server have counted.

    `taken` is by thread and by name of part, `cpu` the CPU nanoseconds of each thread.
    """

    overhead: Overhead
    taken: dict[str, dict[str, Taken]]
    outermost: dict[str, int]
    cpu: dict[str, int]


class MissingPartError(Exception):
    """A part of a stage is not in the server any more, or no task comes by it."""


class _Found(NamedTuple):
    """A function of the server, and where it is."""

    part: str
    owner: Any
    name: str
    function: Any


def hang(watches: Stopwatches, stages: Mapping[str, Sequence[str]] = STAGES) -> None:
    """Hang a stopwatch on every part of `stages`.

    Raises:
        MissingPartError: If there is none of that name; then none is hung.
    """
    found = []
    for stage, parts in stages.items():
        for part in parts:
            try:
                found.append(_find(part))
            except (ImportError, AttributeError) as error:
                raise MissingPartError(
                    f'the stage "{stage}" is measured at {part}, which is not there ({error}): '
                    "name what has taken its place in bench/stages/parts.py"
                ) from error
    for each in found:
        _hang(watches, each)


def _find(part: str) -> _Found:
    module, _, place = part.partition(":")
    *around, name = place.split(".")
    owner: Any = importlib.import_module(module)
    for each in around:
        owner = getattr(owner, each)
    return _Found(part, owner, name, getattr(owner, name))


def _hang(watches: Stopwatches, found: _Found) -> None:
    timed = watches.timed(found.part, found.function)
    setattr(found.owner, found.name, timed)
    if isinstance(found.owner, ModuleType):  # other modules have imported the function itself
        for other in list(sys.modules.values()):
            for name, value in list(vars(other).items()):
                if value is found.function:
                    setattr(other, name, timed)


def _tell_when_asked(watches: Stopwatches) -> None:
    overhead = watches.overhead()

    def tell(_signal: int, _frame: FrameType | None) -> None:
        cpu = {
            thread.name: time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))
            for thread in threading.enumerate()
            if thread.ident is not None
        }
        counted = Counted(overhead, watches.taken(), watches.outermost(), cpu)
        written = Path(f"{COUNTED}.new")
        written.write_bytes(msgspec.json.encode(counted))
        written.rename(COUNTED)

    signal.signal(signal.SIGUSR2, tell)


if __name__ == "__main__":
    everything = Stopwatches()
    for needed in ("pooldeck_server.main", "pooldeck_server.serving"):
        importlib.import_module(needed)
    hang(everything)
    _tell_when_asked(everything)
    sys.exit(main())
