"""Who holds the GIL of another process, as far as that shows from outside.

A thread that waits for the GIL wakes every 5 ms to ask for it, some 200 times a second, and gives
up the CPU each time; the kernel counts that as voluntary context switches. A thread that holds the
GIL does not, nor does one that waits for something else; but the probe wakes by itself, and is left
out. Where there is no /proc nothing shows.
"""

import re
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from pooldeck.protocol import PROBE_NAME

_WATCHED: Final = 0.2  # seconds
_HELD_UP: Final = 0.3  # a watch that took so long says nothing: the machine stood still
_WATCHES: Final = 5
_WAKES: Final = 10  # in that time; 40 where the machine is not busy
_SWITCHES: Final = re.compile(r"^voluntary_ctxt_switches:\s*(\d+)", re.MULTILINE)
_OF_PROBE: Final = f"Name:\t{PROBE_NAME}\n"


def is_held(pid: int, tasks: Collection[int]) -> bool:
    """Tell whether some thread holds the GIL without letting go. It blocks, for 0.2 s as a rule.

    Threads that run tasks may wake up often for reasons of their own. The worker's own do not: if
    one of them, which should have something to do, does, it waits for the GIL.
    """
    return not _waiters(pid).keys() <= set(tasks)


def possible_holders(pid: int, condemned: Collection[int], innocent: Collection[int]) -> set[int]:
    """Find out whether a thread whose task was given up holds the GIL. It blocks as `is_held`.

    Return the condemned that do not wait for it, one of which holds it. None if nobody holds it,
    and none if an innocent one, whose task was not given up, does not wait: it may be the holder.
    """
    waiters = set(_waiters(pid))
    is_held = not waiters <= {*condemned, *innocent}
    return set(condemned) - waiters if is_held and waiters >= set(innocent) else set()


def _waiters(pid: int) -> Mapping[int, int]:
    """Watch for a moment; return the threads that woke often, and how often."""
    for _ in range(_WATCHES):
        before, begun = _switches(pid), time.monotonic()
        time.sleep(_WATCHED)
        wakes = {thread: n - before.get(thread, n) for thread, n in _switches(pid).items()}
        if time.monotonic() - begun < _HELD_UP:
            break
    return {thread: n for thread, n in wakes.items() if n >= _WAKES}


def _switches(pid: int) -> dict[int, int]:
    """Return how often each thread of a process has given up the CPU, none if it is gone."""
    counts = {}
    with suppress(OSError):
        for folder in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # this thread has just ended
                counts[int(folder.name)] = _voluntary((folder / "status").read_text())
    return counts


def _voluntary(status: str) -> int:
    found = _SWITCHES.search(status)
    return 0 if found is None or status.startswith(_OF_PROBE) else int(found[1])
