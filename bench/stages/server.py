"""`python -m bench.stages.server serve ...`: the `pooldeck` command, with stopwatches hung on it.

On SIGUSR2 it writes what they have counted to the file `stages.json` of its working directory.
"""

import importlib
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec
from msgspec import Struct

from bench.stages.parts import STAGES
from bench.stages.stopwatch import Overhead, Stopwatches, Taken
from pooldeck_server.cli import main

COUNTED: Final = "stages.json"


class Counted(Struct, frozen=True):
    """What the stopwatches of a server have counted; `number` tells one such from the next.

    `taken` is by thread and by name of part, `cpu` the CPU nanoseconds of each thread.
    """

    number: int
    overhead: Overhead
    taken: dict[str, dict[str, Taken]]
    outermost: dict[str, int]
    cpu: dict[str, int]


class MissingPartError(Exception):
    """A part of a stage is not in the server any more, or no task comes by it."""


def hang(watches: Stopwatches) -> None:
    """Hang a stopwatch on every part.

    Raises:
        MissingPartError: If there is none of that name.
    """
    for stage, parts in STAGES.items():
        for part in parts:
            try:
                _hang(watches, part)
            except (ImportError, AttributeError) as error:
                raise MissingPartError(
                    f'the stage "{stage}" is measured at {part}, which is not there ({error}): '
                    "name what has taken its place in bench/stages/parts.py"
                ) from error


def _hang(watches: Stopwatches, part: str) -> None:
    module, _, place = part.partition(":")
    *around, name = place.split(".")
    owner: Any = importlib.import_module(module)
    for each in around:
        owner = getattr(owner, each)
    function = getattr(owner, name)
    timed = watches.timed(part, function)
    setattr(owner, name, timed)
    if not around:  # other modules have imported the function itself
        for other in list(sys.modules.values()):
            for own_name, value in list(vars(other).items()):
                if value is function:
                    setattr(other, own_name, timed)


def _tell_when_asked(watches: Stopwatches) -> None:
    overhead = watches.overhead()
    number = 0

    def tell(_signal: int, _frame: FrameType | None) -> None:
        nonlocal number
        number += 1
        cpu = {
            thread.name: time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))
            for thread in threading.enumerate()
            if thread.ident is not None
        }
        counted = Counted(number, overhead, watches.taken(), watches.outermost(), cpu)
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
