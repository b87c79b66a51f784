"""All functions at once, three ways: all in threads, all in processes, or each where it belongs.

The calls are the same, in the same random order, and arrive together. The clock runs until the last
result is read; each result is compared with that of a plain call.
"""

import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.choosing import stdlib
from bench.choosing.asking import Call, calling
from bench.choosing.cases import Case
from bench.choosing.gains import CONFIGURATION
from bench.choosing.stdlib import Job, Ran
from bench.choosing.verdicts import POOLS
from bench.processes import pooldeck

_SEED: Final = 7
_LEARNING: Final = 8  # calls of each function from which the advice comes


class Mixed(Struct, frozen=True):
    """The seconds of each round: `thread` and `process` by the stdlib, `advised` by Pooldeck."""

    calls: int
    thread: list[float]
    process: list[float]
    advised: list[float]
    placed: dict[str, int]

    def ratio(self, kind: str) -> float:
        """Return how many times as long all in one kind takes: the median of the rounds."""
        others = {"thread": self.thread, "process": self.process}[kind]
        pairs = zip(others, self.advised, strict=True)
        return statistics.median(other / advised for other, advised in pairs)


class WrongResultError(Exception):
    """A call returned something else than it does by itself."""


def measure(cases: Sequence[Case], folder: Path, rounds: int = 3, each: int = 12) -> Mixed:
    """Run `each` calls of every case in all three ways, so many rounds, in turn."""
    load = [case for case in cases for _ in range(each)]
    random.Random(_SEED).shuffle(load)
    right = {case.function: stdlib.call(Job(case.function, case.arguments)) for case in cases}
    expected = [right[case.function] for case in load]
    with pooldeck(folder / "mixed", CONFIGURATION) as server:
        places = _places(server.port, cases)
        calls = [Call(case, places[case.function]) for case in load]
        ways = {kind: partial(stdlib.run, kind, load) for kind in stdlib.EXECUTORS}
        ways["advised"] = partial(_run_advised, server.port, calls)
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for way, run in rounds * list(ways.items()):
            ran = run()
            compare(ran.results, expected, load)
            seconds[way].append(ran.seconds)
    return Mixed(len(load), **seconds, placed=dict(Counter(places.values())))


def _places(port: int, cases: Sequence[Case]) -> dict[str, str]:
    """Return the pool that is recommended for each, after a few runs where `auto` begins."""
    begun = POOLS["process"]
    places = {}
    with calling(port) as caller:
        for case in cases:
            caller.run_alone(Call(case, begun), _LEARNING)
            recommended = caller.advice(case, _LEARNING)["recommended"]
            places[case.function] = begun if recommended is None else recommended["pool"]
    return places


def _run_advised(port: int, calls: Sequence[Call]) -> Ran:
    with calling(port) as caller:
        began = time.perf_counter()
        results = caller.run_all(calls)
        return Ran(time.perf_counter() - began, results)


def compare(results: Sequence[object], expected: Sequence[object], load: Sequence[Case]) -> None:
    """Compare what the calls of a load returned with what is expected of them.

    Raises:
        WrongResultError: If one of them differs.
    """
    for result, wanted, case in zip(results, expected, load, strict=True):
        if result != wanted:
            raise WrongResultError(f"{case.function} returned {result!r} instead of {wanted!r}")
