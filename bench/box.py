"""What the black boxes cost: a begin and an end by themselves, and a pool with and without them.

The pool is the server's, in this process, with real workers; nothing stores what they do, so that
the part of the boxes is not lost among the rest.
"""

import asyncio
import itertools
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.figures import Figure, of_rounds, ratios
from bench.scale import Scale
from pooldeck.black_box import MARK_BYTES, Begun, Manifest
from pooldeck.kinds import PoolKind
from pooldeck.outcome import Outcome
from pooldeck.pools.boxes import Boxes
from pooldeck.pools.listener import PoolListener, RunningCall
from pooldeck.pools.model import PoolSpec
from pooldeck.pools.pool import Pool
from pooldeck.protocol import Call
from pooldeck.worker.black_box import BlackBox

_WORKERS: Final = 2
_COMMITTED_EVERY: Final = 100  # ends: about what one commit has
_FUNCTION: Final = "bench.functions.noop"
_BODY: Final = bytes(160)  # about as long as the end of a no-op
_LONGEST: Final = 120.0  # seconds


def measure(scale: Scale) -> list[Figure]:
    """Measure the writing alone, and no-ops through a pool of two processes, in turn."""
    alone = [_alone(scale.boxed) for _ in range(1 + scale.rounds)][1:]
    asyncio.run(_rate(scale.folder, scale.boxed // 4, boxed=True))  # cold caches
    with_boxes: list[float] = []
    without: list[float] = []
    for number in range(2 * scale.rounds):
        # Whoever comes second finds a warmer machine, or one that a neighbour slows down.
        for boxed in (True, False) if number % 2 else (False, True):
            rate = asyncio.run(_rate(scale.folder, scale.boxed, boxed=boxed))
            (with_boxes if boxed else without).append(rate)
    return [
        of_rounds("black box: a begin and an end", alone, "µs", at_most=3),
        of_rounds("no-ops through a pool with black boxes", with_boxes, "per s"),
        of_rounds("  without", without, "per s"),
        of_rounds("  ratio", ratios(with_boxes, without), "", at_least=0.9),
    ]


def _alone(calls: int) -> float:
    """Return the µs of CPU that a begin and an end take, with the forgetting of what is stored."""
    with tempfile.TemporaryDirectory() as folder:
        box = BlackBox(f"{folder}/one.box", secrets.token_bytes(MARK_BYTES), is_alone=True)
        region = box.region()
        outcome = Outcome(result=b"null")
        task = "01a20376-3dc0-72a1-89ef-26fd8652e91c"
        began = time.process_time_ns()
        for number in range(1, calls + 1):
            region.begin(Begun(task, 1, 12345.678, None))
            region.end(number, _BODY, outcome)
            if number % _COMMITTED_EVERY == 0:
                box.commit(number)
        return (time.process_time_ns() - began) / calls / 1000


class _Feeding(PoolListener):
    """Hands calls to a pool as long as there are any, and tells when all have ended."""

    def __init__(self) -> None:
        self.pool: Pool
        self.done = asyncio.Event()
        self._calls: Iterator[Call] = iter(())
        self._next: Call | None = None
        self._missing = 0

    def begin(self, calls: int) -> None:
        self._missing = calls
        self._calls = (Call(f"task-{n:032}", 1, _FUNCTION, b"[]", b"{}") for n in range(calls))
        self._next = next(self._calls, None)
        self.has_room()

    def has_room(self) -> None:
        while self._next is not None and self.pool.post(self._next, is_quick=True):
            self._next = next(self._calls, None)

    def returned(self, calls: list[Call]) -> None:
        """Hand out again what waited behind a call that took long after all."""
        pending = [] if self._next is None else [self._next]
        self._calls = itertools.chain(calls, pending, self._calls)
        self._next = next(self._calls, None)
        self.has_room()

    def finished(self, run: RunningCall, outcome: Outcome) -> None:
        if outcome.error is not None:
            raise RuntimeError(f"{run.call.function} failed: {outcome.error.message}")
        self._missing -= 1
        if self._missing % _COMMITTED_EVERY == 0 and (ends := self.pool.ends()):
            self.pool.commit(ends)
        if self._missing == 0:
            self.done.set()


async def _rate(folder: Path, calls: int, *, boxed: bool) -> float:
    """Return the no-ops a second of a pool of its own, whose workers keep black boxes or do not."""
    numbers = itertools.count(1)

    async def next_number() -> int:
        return next(numbers)

    with _boxes(folder) as boxes:
        kept = boxes if boxed else None
        feeding = _Feeding()
        spec = PoolSpec(
            name="box",
            kind=PoolKind.PROCESS,
            size=_WORKERS,
            modules=("bench.functions",),
            probes=True,
        )
        feeding.pool = Pool(spec, secrets.token_hex(8), next_number, feeding, boxes=kept)
        await feeding.pool.start()
        try:
            async with asyncio.timeout(_LONGEST):
                while feeding.pool.free < _WORKERS:  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.01)
                began = time.monotonic()
                feeding.begin(calls)
                await feeding.done.wait()
            return calls / (time.monotonic() - began)
        finally:
            await feeding.pool.stop(0)


@contextmanager
def _boxes(folder: Path) -> Iterator[Boxes]:
    """Make a folder for boxes, as a server does."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        Manifest(Path(name)).begin("{}")
        yield Boxes(Path(name), secrets.token_bytes(MARK_BYTES))
