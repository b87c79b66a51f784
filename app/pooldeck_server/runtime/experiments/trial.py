"""Measures one size: a function called again and again in a temporary pool, every slot busy.

    has_room ──▶ post the next sample ──▶ Pool ──▶ finished: kept if it succeeded, else counted
        ▲                                  │
        └──────── a slot is free ◀─────────┘

The pool is made for the trial and ended with it. It warms up, a while is measured, and what runs
then may end, so that calls across the edge can be counted in part.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from pooldeck.outcome import Error, Outcome
from pooldeck.pools.listener import Death, PoolListener, RunningCall
from pooldeck.pools.model import PoolState
from pooldeck.pools.port import PoolPort
from pooldeck.protocol import Call
from pooldeck_server.domain.measurements.experiments import MeasuredSize, SampleCall
from pooldeck_server.domain.measurements.figures import Durations
from pooldeck_server.runtime.experiments.gauge import Gauge, Taken
from pooldeck_server.runtime.experiments.window import Ended, median_and_noise, percentile, slices
from pooldeck_server.runtime.tasks.durations import RecentDurations

LONGEST_CALL: Final = 60.0
"""Seconds after which a call of an experiment is given up."""

MOST_CALLS: Final = 50_000
"""Of one trial: a function that takes no time at all should not keep the server busy."""

_TICK: Final = 0.01
_STRETCH: Final = 5  # times the seconds asked for, where calls are long
_ROUNDS: Final = 2  # ends per slot that a while needs, if it may be stretched
_MOST_ERRORS: Final = 10
_MOST_DEATHS: Final = 3
_SHOWN: Final = 200  # characters of an error's message


class TrialError(Exception):
    """A size cannot be measured; the message says why, in words."""


class _Watched(Struct, frozen=True):
    """What was seen in the while that counts; `begin` and `end` are of the monotonic clock."""

    begin: float
    end: float
    busy: float
    cpu: float
    taken: Taken
    errors: int


@dataclass(kw_only=True, eq=False)
class Trial(PoolListener):
    """One size of one kind of pool, whose listener it is."""

    id: str  # of the experiment; it becomes a part of the ids that the calls have
    function: str
    samples: Sequence[SampleCall]  # the arguments to call it with, in turn
    timeout: float | None  # seconds that the function itself allows a call
    busy: Callable[[], int]  # tells how many tasks run in the server's own pools
    _is_open: bool = field(init=False, default=False)
    _ended: list[Ended] = field(init=False, default_factory=list)
    _child_cpu: float = field(init=False, default=0.0)
    _errors: Counter[str] = field(init=False, default_factory=Counter)
    _deaths: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._pool: PoolPort
        self._usual = RecentDurations(_unknown)
        timeout = min(self.timeout or LONGEST_CALL, LONGEST_CALL)
        self._calls = _calls(self.id, self.function, self.samples, timeout)
        self._next = next(self._calls)

    async def measure(self, pool: PoolPort, seconds: float, warmup: float) -> MeasuredSize:
        """Measure a pool that was made with this as its listener and not started, and end it.

        `warmup` is how many seconds calls run before that and do not count.

        Raises:
            TrialError: If its workers do not start, or hardly any call succeeds.
        """
        self._pool = pool
        try:
            await asyncio.shield(pool.start())  # a pool that starts half a worker could not end
            await self._staffed()
            await self._warm_up(warmup)
            watched = await self._watch(seconds)
            self._is_open = False
            await self._until(lambda: not pool.busy, LONGEST_CALL)
        finally:
            self._is_open = False
            await pool.stop(0)
        return self._step(watched)

    async def _staffed(self) -> None:
        pool, seconds = self._pool, self._pool.spec.boot_seconds
        await self._until(lambda: pool.free >= pool.size, seconds)
        if pool.free < pool.size:
            raise TrialError(f"its workers were not ready within {seconds:g} s")

    async def _warm_up(self, seconds: float) -> None:
        """Fill every slot, and let each have had a call."""
        began = time.monotonic()
        self._is_open = True
        self.has_room()
        await self._until(lambda: self._has_run(began, seconds, self._pool.size), LONGEST_CALL)

    async def _watch(self, seconds: float) -> _Watched:
        """Let time pass, longer than asked for where calls are long."""
        gauge, errors = Gauge(), self._errors.total()
        wanted = len(self._ended) + _ROUNDS * self._pool.size
        await gauge.begin(self._pool.pids.values())
        begin, child_cpu, busy = time.monotonic(), self._child_cpu, [self.busy()]

        def is_enough() -> bool:
            busy.append(self.busy())
            return self._has_run(begin, seconds, wanted) or len(self._ended) >= MOST_CALLS

        await self._until(is_enough, _STRETCH * seconds)
        end, child_cpu = time.monotonic(), self._child_cpu - child_cpu
        taken = await gauge.end()
        return _Watched(
            begin=begin,
            end=end,
            busy=sum(busy) / len(busy),
            cpu=taken.cpu + child_cpu / (end - begin),
            taken=taken,
            errors=self._errors.total() - errors,
        )

    def _step(self, watched: _Watched) -> MeasuredSize:
        spec = self._pool.spec
        parts = slices(self._ended, watched.begin, watched.end)
        throughput, noise = median_and_noise(parts)
        counted = [call.ended - call.began for call in self._ended if call.ended > watched.begin]
        if not counted:
            raise TrialError(f"no call ended within {LONGEST_CALL:g} s; try smaller samples")
        return MeasuredSize(
            kind=spec.kind,
            size=spec.size,
            calls=len(counted),
            throughput=throughput,
            noise=noise,
            p50=percentile(counted, 50),
            p95=percentile(counted, 95),
            cpu=watched.cpu,
            rss_bytes=watched.taken.rss_bytes,
            switches=watched.taken.switches,
            errors=watched.errors,
            seconds=watched.end - watched.begin,
            slices=parts,
            busy=watched.busy,
            others=max(0.0, watched.taken.machine_cpu - watched.cpu),
        )

    def _has_run(self, since: float, seconds: float, calls: int) -> bool:
        return time.monotonic() - since >= seconds and len(self._ended) >= calls

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> None:
        """Return as soon as something is so, or after so many seconds; raises as `_check`."""
        deadline = time.monotonic() + seconds
        while not is_so() and time.monotonic() < deadline:
            self._check()
            await asyncio.sleep(_TICK)
        self._check()

    def _check(self) -> None:
        if self._pool.state is PoolState.BROKEN:
            raise TrialError(f"its workers do not start: {self._pool.reason}")
        if len(self._deaths) >= _MOST_DEATHS:
            raise TrialError(f"{len(self._deaths)} workers died under it: {self._deaths[-1]}")
        failed, succeeded = self._errors.total(), len(self._ended)
        if failed >= max(_MOST_ERRORS, succeeded):
            words, _ = self._errors.most_common(1)[0]
            raise TrialError(f"{failed} of {failed + succeeded} calls failed: {words}")

    # What the pool tells.

    def has_room(self) -> None:
        """Keep every slot busy, as the server's own pools are kept busy: quick calls wait there."""
        is_quick = self._usual.is_quick(self.function)
        while self._is_open and (self._pool.free or is_quick):
            if not self._pool.post(self._next, is_quick=is_quick):
                return
            self._next = next(self._calls)

    def finished(self, run: RunningCall, outcome: Outcome) -> None:
        """Keep when a call began and ended if it succeeded; else count what it ended with."""
        cost = outcome.measurement
        if outcome.error is not None:
            self._errors[_in_words(outcome.error)] += 1
        elif cost is not None and not outcome.cancelled:
            now, work = time.monotonic(), cost.decode + cost.run + cost.encode
            has_waited = self._usual.is_quick(self.function)  # behind others, in its worker
            self._ended.append(Ended(now - work if has_waited else run.posted_at, now))
            self._child_cpu += cost.child_cpu
            self._usual.add_run(self.function, cost)

    def died(self, death: Death) -> None:
        self._deaths.append(death.cause)


async def _unknown(_: str) -> Durations:
    """Say that nothing is known of earlier runs: a trial goes by its own."""
    return Durations(0, None, None)


def _in_words(error: Error) -> str:
    """Return the first line of an error, which the same failure has in every call."""
    message = error.message.partition("\n")[0][:_SHOWN]
    return f"{error.type}: {message}" if message else error.type


def _calls(
    experiment: str, function: str, samples: Sequence[SampleCall], timeout: float
) -> Iterator[Call]:
    """Yield calls without end, going through the samples."""
    for number, sample in enumerate(itertools.cycle(samples), start=1):
        args, kwargs = sample.args.encode(), sample.kwargs.encode()
        yield Call(f"{experiment}-{number}", 1, function, args, kwargs, timeout)
