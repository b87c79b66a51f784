"""The rules of choosing, each shown by a measurement: `python -m bench.choosing.claims NAME`.

`kind` holds those about threads and processes, `size` those about how many. None needs a server;
each takes a second or two, and returns the lines that it prints.
"""

import inspect
from collections.abc import Callable
from typing import Final

from bench.choosing.claims import kind, size

CLAIMS: Final[dict[str, Callable[[], list[str]]]] = {
    "loop": kind.loop,
    "released": kind.released,
    "small-pieces": kind.small_pieces,
    "waiting": kind.waiting,
    "contention": kind.contention,
    "neighbours": kind.neighbours,
    "overhead": kind.overhead,
    "children": kind.children,
    "splitting": kind.splitting,
    "cpus": size.cpus,
    "too-many-processes": size.too_many_processes,
    "enough-threads": size.enough_threads,
    "littles-law": size.littles_law,
    "throttling": size.throttling,
}


def show(name: str) -> str:
    """Return what the claim says, and what measuring it here and now finds."""
    claim = CLAIMS[name]
    return "\n".join([inspect.getdoc(claim) or name, *claim()])
