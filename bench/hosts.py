"""What a host costs beside the same pool here: no-ops alone and in batches, and a slow network.

Both sides are pools without a server, each with two processes, in turn. The slow network is a relay
that holds everything back for ten milliseconds each way: what is handed over ahead has to hide it.
"""

import asyncio
import itertools
import secrets
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from bench.figures import Figure, of_rounds, ratios
from bench.scale import Scale
from pooldeck.black_box import MARK_BYTES, Manifest
from pooldeck.hosts.model import HostTerms
from pooldeck.kinds import PoolKind
from pooldeck.outcome import Outcome
from pooldeck.pools.boxes import Boxes
from pooldeck.pools.listener import PoolListener, RunningCall
from pooldeck.pools.model import PoolSpec
from pooldeck.pools.pool import Pool
from pooldeck.pools.port import PoolPort
from pooldeck.protocol import Call
from tests.support.host_ledger import Relay
from tests.support.hosted import Hosts
from tests.support.pooled import eventually

_MODULES = ("bench.functions",)
_ONE_WAY = 0.01  # seconds through the relay
_NAP = 0.02  # seconds of a call behind it
_NAPS = 200
_TERMS = HostTerms(deck="bench", term=1)


class _Feeder(PoolListener):
    """Keeps a pool busy with calls that are short, and says when all have ended."""

    def __init__(self) -> None:
        self.pool: PoolPort
        self._waiting: Iterator[Call] = iter(())
        self._next: Call | None = None
        self._left = 0
        self._numbers = itertools.count()
        self._done = asyncio.Event()

    async def run(self, number: int, function: str, args: bytes = b"[]") -> float:
        """Run a function so many times; return for how many seconds."""
        self._waiting = (
            Call(str(next(self._numbers)), 1, function, args, b"{}") for _ in range(number)
        )
        self._left = number
        self._done.clear()
        began = time.perf_counter()
        self.has_room()
        await self._done.wait()
        return time.perf_counter() - began

    def has_room(self) -> None:
        while True:
            if self._next is None:
                self._next = next(self._waiting, None)
            if self._next is None or not self.pool.post(self._next, is_quick=True):
                return
            self._next = None

    def returned(self, calls: list[Call]) -> None:
        self._waiting = itertools.chain(calls, self._waiting)
        self.has_room()

    def finished(self, _run: RunningCall, outcome: Outcome) -> None:
        assert outcome.error is None, outcome.error
        self._left -= 1
        if not self._left:
            self._done.set()


def measure(scale: Scale) -> list[Figure]:
    """Measure the same calls here, on a host, and on one behind a slow network."""
    for side in ("here", "host", "far"):
        (scale.folder / side).mkdir()
    return asyncio.run(_measure(scale))


async def _measure(scale: Scale) -> list[Figure]:
    number = max(1, scale.latencies // scale.rounds)
    alone: defaultdict[str, list[float]] = defaultdict(list)
    rates: defaultdict[str, list[float]] = defaultdict(list)
    naps: defaultdict[str, list[float]] = defaultdict(list)
    async with AsyncExitStack() as stack:
        sides = {
            "here": await _here(stack, scale.folder / "here"),
            "host": await _on_host(stack, scale.folder / "host", 0.0),
            "far": await _on_host(stack, scale.folder / "far", _ONE_WAY),
        }
        for feeder in sides.values():  # the first round finds cold caches
            await feeder.run(20, "bench.functions.noop")
        for _ in range(scale.rounds):
            for side in ("here", "host"):
                feeder = sides[side]
                each = [await feeder.run(1, "bench.functions.noop") for _ in range(number)]
                alone[side].append(1000 * statistics.median(each))
                seconds = await feeder.run(scale.batch_tasks // 4, "bench.functions.noop")
                rates[side].append(scale.batch_tasks // 4 / seconds)
            for side in ("host", "far"):
                seconds = await sides[side].run(_NAPS, "bench.functions.hold", b"[%f]" % _NAP)
                naps[side].append(_NAPS / seconds)
    over = [on - 1.3 * here for on, here in zip(alone["host"], alone["here"], strict=True)]
    return [
        of_rounds("a no-op alone, here", alone["here"], "ms"),
        of_rounds("a no-op alone, on a host", alone["host"], "ms"),
        of_rounds("  beyond 1.3 times that here", over, "ms", at_most=0.5),
        of_rounds("no-ops in a batch, here", rates["here"], "/s"),
        of_rounds("no-ops in a batch, on a host", rates["host"], "/s"),
        of_rounds("  over those here", ratios(rates["host"], rates["here"]), "", at_least=0.7),
        of_rounds(
            "naps of 20 ms, 10 ms away, over those beside it",
            ratios(naps["far"], naps["host"]),
            "",
            at_least=0.8,
        ),
    ]


async def _here(stack: AsyncExitStack, folder: Path) -> _Feeder:
    numbers = itertools.count(1)

    async def number() -> int:
        return next(numbers)

    feeder = _Feeder()
    Manifest(folder).begin("{}")
    boxes = Boxes(folder, secrets.token_bytes(MARK_BYTES))
    pool = Pool(_spec(folder), secrets.token_hex(8), number, feeder, boxes=boxes)
    feeder.pool = pool
    await pool.start()
    stack.push_async_callback(pool.stop, 0.1)
    await eventually(lambda: pool.free == 2)
    return feeder


async def _on_host(stack: AsyncExitStack, folder: Path, seconds: float) -> _Feeder:
    feeder = _Feeder()
    hosts = Hosts(folder, _spec(folder), _TERMS, feeder)
    feeder.pool = hosts.pool
    await hosts.listen()
    stack.push_async_callback(hosts.close)
    relay = Relay(hosts.port, seconds)
    await relay.start()
    stack.push_async_callback(relay.close)
    await hosts.start(port=relay.port if seconds else hosts.port, PYTHONPATH=str(Path.cwd()))
    await eventually(lambda: hosts.pool.free == 2)
    return feeder


def _spec(folder: Path) -> PoolSpec:
    return PoolSpec(name="p", kind=PoolKind.PROCESS, size=2, modules=_MODULES, folder=folder)
