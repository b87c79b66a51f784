"""How many calls a second each kind of pool gets through, both in their default sizes."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.choosing.asking import Call, Caller, calling
from bench.choosing.cases import MODULE, Case
from bench.choosing.verdicts import POOLS
from bench.processes import pooldeck

CONFIGURATION: Final = f'functions = ["{MODULE}"]\ngrace_seconds = 0\n'
_WARM_UP: Final = 4  # calls
_ROUNDS: Final = 2


class Rates(Struct, frozen=True):
    """Calls per second of a case."""

    case: Case
    thread: float
    process: float

    def gain(self, kind: str) -> float:
        """Return how many times the rate of the other kind that of `kind` is."""
        ratio = self.thread / self.process
        return ratio if kind == "thread" else 1 / ratio


def measure(cases: Sequence[Case], folder: Path) -> Iterator[Rates]:
    """Run each case in the thread pool and in the process pool of a server without settings.

    The better of two rounds, in turn, counts: what else the machine does only makes it slower.
    """
    with pooldeck(folder / "gains", CONFIGURATION) as server, calling(server.port) as caller:
        for case in cases:
            calls = {kind: Call(case, pool) for kind, pool in POOLS.items()}
            for call in calls.values():
                caller.run_all([call] * _WARM_UP)
            rounds = [
                {kind: _rate(caller, call) for kind, call in calls.items()} for _ in range(_ROUNDS)
            ]
            yield Rates(case, *(max(found[kind] for found in rounds) for kind in POOLS))


def _rate(caller: Caller, call: Call) -> float:
    began = time.monotonic()
    caller.run_all([call] * call.case.calls)
    return call.case.calls / (time.monotonic() - began)
