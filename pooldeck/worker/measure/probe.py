"""The probe of a worker: a thread that looks which running calls need the GIL and which wait.

It sleeps, and when it wakes it needs the GIL itself. If it gets it at once, no thread held it. If
not, it waits once more, which the kernel counts, and a thread did; where only one call ran, and
computed, it was that one, even if it has ended since. Otherwise, while it holds the GIL, it looks
at the threads of some calls (see `thread_state`).

Each look stands for the time since the one before it, so that short calls, which most looks miss,
count in the mean for as long as they take. The pauses between looks are of uneven length, so that
they do not keep step with the calls. Waits may be as short: a thread that wants the GIL, which was
free until the probe took it, has come for it since, and whether it had waited before or computed
shows in its CPU time only.
"""

import random
import resource
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from threading import Event, Thread
from typing import Final, NamedTuple

from msgspec import Struct

from pooldeck.outcome import Observation
from pooldeck.protocol import Observed
from pooldeck.worker.measure.helper_threads import HelperThreads
from pooldeck.worker.measure.thread_state import ThreadState, ThreadStates, UnreadableError
from pooldeck.worker.runs import Runs

_PACES: Final = ((30, 0.004), (130, 0.01), (300, 0.05))
"""Up to so many looks at the calls of a function, so many seconds between two of them."""

_MISSED: Final = 0.3  # what a look counts that came between calls: short ones take more of them

_SLOWEST: Final = 0.25  # seconds between two looks at functions that have had more
_AT_ONCE: Final = 4  # calls: nothing else has the GIL meanwhile
_HELD: Final = 0.5  # of the wait for the GIL, at least, its holder was on a CPU or ready for one
_PIECE: Final = 0.00005  # seconds on a CPU
_REPORT: Final = 0.5  # seconds
_IDLE_LOOKS: Final = 3  # with nothing found: then it rests until a call begins

_sleep = time.sleep  # kept, since tasks may replace them
_monotonic = time.monotonic


class _Pause(NamedTuple):
    """A time between two looks; moments of the monotonic clock.

    `woke_at` is when the GIL was wanted again, and `ended_at` when it was there.
    """

    woke_at: float
    ended_at: float
    was_held: bool
    was_held_before: bool

    @property
    def was_free(self) -> bool:
        """Tell whether the GIL was free for two looks, so that no thread wanted it in vain."""
        return not (self.was_held or self.was_held_before)


class _Use(NamedTuple):
    """For how long a thread had a CPU, and lacked one, in the `seconds` since it was last read."""

    cpu: float
    delayed: float
    seconds: float

    @property
    def at_work(self) -> float:
        """Return the share of that time in which it did not wait; 1 where nothing tells."""
        ready = self.cpu + self.delayed
        return ready / self.seconds if ready < self.seconds else 1.0


class _Sums(Struct):
    """What has been seen of one function since the last report."""

    looks: int = 0
    held: float = 0.0
    free: float = 0.0
    waiting: float = 0.0
    unsure: float = 0.0
    delayed: float = 0.0
    beside: float = 0.0
    helper_cpu: float = 0.0
    helper_delayed: float = 0.0
    helper_ready: float = 0.0
    unclaimed_cpu: float = 0.0

    def observation(self, function: str, freedom: float) -> Observation:
        """Return it; `freedom` is the share of the unsure time that ran without the GIL."""
        return Observation(
            function,
            self.looks,
            self.held + (1.0 - freedom) * self.unsure,
            self.free + freedom * self.unsure,
            self.waiting,
            self.delayed,
            self.beside / self.looks,
            self.helper_cpu,
            self.helper_delayed,
            self.helper_ready,
            self.unclaimed_cpu,
        )


class _Known(Struct):
    """All that has been seen of one function: how often, and doing what, in seconds."""

    looks: float = 0.0
    held: float = 0.0
    free: float = 0.0

    @property
    def freedom(self) -> float:
        """Return the share of its work that runs without the GIL; 1 where nothing tells."""
        at_work = self.held + self.free
        return self.free / at_work if at_work else 1.0


class Probe:
    """Looks at the running calls, some times a second, and reports by function."""

    def __init__(self, runs: Runs, send: Callable[[Observed], None]) -> None:
        self._runs = runs
        self._send = send
        self._work = Event()
        self._is_resting = True
        self._is_dozing = False
        self._sums: defaultdict[str, _Sums] = defaultdict(_Sums)
        self._known: defaultdict[str, _Known] = defaultdict(_Known)
        self._was_held = False  # at the latest look
        self._recent: frozenset[str] = frozenset()  # functions of the time since the look before
        self._waited = 0.0  # seconds of calls that the latest look found waiting
        # By thread, as last read: the moment, its CPU time, how long it has lacked a CPU.
        self._times: dict[int, tuple[float, float, float]] = {}

    def start(self) -> None:
        """Start the thread; it ends with the process, or where nothing can be seen."""
        Thread(target=self._run, name="pooldeck-probe", daemon=True).start()

    def wake(self, function: str) -> None:
        """Note that a call begins. Few have to wake the probe: setting an event costs them time."""
        if self._is_resting or (self._is_dozing and self._is_news(function)):
            self._work.set()

    def _is_news(self, function: str) -> bool:
        """Tell whether a function has been looked at less than those that are looked at slowly."""
        known = self._known.get(function)
        return known is None or known.looks < _PACES[-1][0]

    def _run(self) -> None:
        self._rest()
        try:
            self._threads = ThreadStates()
        except UnreadableError:
            self._is_resting = False  # it is not to be woken
            return
        self._own = threading.get_native_id()
        self._helpers = HelperThreads(self._runs, self._threads, self._own)
        while True:
            self._watch()
            self._rest()

    def _rest(self) -> None:
        self._work.clear()
        self._is_resting = True  # first: a call that begins now sets the event
        if not self._runs.running():
            self._work.wait()
        self._is_resting = False

    def _watch(self) -> None:
        self._times.clear()
        for run in self._runs.running():
            self._use_of(run.slot.native_id)
        self._helpers.start()
        looked_at = reported_at = _monotonic()
        idle = 0
        while idle < _IDLE_LOOKS:
            pause = self._pause()
            now = pause.ended_at
            self._recent = self._runs.functions_since(looked_at)
            self._waited = 0.0
            self._add_looks(self._look(pause, now - looked_at))
            self._count_helpers(now - looked_at)
            idle = 0 if self._recent else idle + 1
            looked_at = now
            if now - reported_at > _REPORT:
                self._report()
                reported_at = now
        self._report()

    def _pause(self) -> _Pause:
        pace = self._pace()
        if pace == _SLOWEST:
            pace = self._doze(pace)
        seconds = pace * random.uniform(0.6, 1.4)  # noqa: S311 - this is no secret
        delayed, waits = self._threads.delay(self._own), _voluntary_switches()
        until = _monotonic() + seconds
        _sleep(seconds)
        now = _monotonic()
        was_held = _voluntary_switches() - waits > 1  # the sleep is one
        delayed = self._threads.delay(self._own) - delayed  # there was no CPU to wake up on
        was_held_before, self._was_held = self._was_held, was_held
        return _Pause(min(now, until + delayed), now, was_held, was_held_before)

    def _doze(self, pace: float) -> float:
        """Sleep for most of a long pause, or until a call of a function begins that is news.

        Return the pace for the rest. What is seen when a call has ended the sleep would say little:
        it has the GIL just then.
        """
        self._work.clear()
        self._is_dozing = True
        self._work.wait(pace - _PACES[-1][1])
        self._is_dozing = False
        return min(self._pace(), _PACES[-1][1])

    def _pace(self) -> float:
        functions = self._recent.union(run.call.function for run in self._runs.running())
        fewest = min((self._known[function].looks for function in functions), default=0)
        return next((pace for most, pace in _PACES if fewest < most), _SLOWEST)

    def _add_looks(self, seen: Collection[str]) -> None:
        """Add a look to each function that ran since the look before; `seen` were looked at."""
        for function in self._recent:
            self._known[function].looks += 1.0 if function in seen else _MISSED

    def _look(self, pause: _Pause, seconds: float) -> Collection[str]:
        """Look at the running calls; return their functions. The look stands for `seconds`."""
        if pause.was_held and (holder := self._count_holder(pause, seconds)):
            return {holder}
        runs = [run for run in self._runs.running() if run.is_inside]
        chosen = random.sample(runs, min(_AT_ONCE, len(runs)))
        threads = [run.slot.native_id for run in chosen]
        states = self._states(threads, pause)
        for run, seen in zip(chosen, states, strict=True):
            stands_for = seconds * len(runs) / len(chosen)
            use = self._use_of(run.slot.native_id, run.started_at)
            self._count(
                run.call.function,
                seen,
                stands_for,
                use.delayed,
                beside=len(runs) - 1,
                at_work=use.at_work if pause.was_free else 1.0,
            )
        return {run.call.function for run in runs}

    def _count_holder(self, pause: _Pause, seconds: float) -> str | None:
        """Count the only call that ran when the GIL was wanted as its holder, if it can be.

        Return its function, if it was counted. A thread that had to give the GIL up wants it back.
        One that does something else by now held it if it had a CPU meanwhile, or was ready for one;
        if not, the holder was another thread of the worker.
        """
        calls = self._runs.running_at(pause.woke_at)
        if len(calls) != 1:
            return None
        ((function, thread),) = calls
        (seen,) = self._states([thread], pause)
        if seen is ThreadState.FREE:
            return None
        use = self._use_of(thread)
        wait = pause.ended_at - pause.woke_at
        if seen is not ThreadState.WANTS_GIL and use.cpu + use.delayed <= _HELD * wait:
            return None
        self._count(function, ThreadState.WANTS_GIL, seconds, use.delayed)
        return function

    def _states(self, threads: Sequence[int], pause: _Pause) -> list[ThreadState]:
        """Return the states of threads; those that seem to be free are read twice."""
        states = [self._threads.read(thread) for thread in threads]
        free = [
            thread for thread, seen in zip(threads, states, strict=True) if seen is ThreadState.FREE
        ]
        if not free:
            return states
        before = {thread: self._threads.cpu(thread) for thread in free}
        self._threads.wait()
        hidden = self._hidden(pause, len(free))
        return [
            self._second_state(thread, before[thread], hidden) if seen is ThreadState.FREE else seen
            for thread, seen in zip(threads, states, strict=True)
        ]

    def _second_state(self, thread: int, before: float, hidden: ThreadState) -> ThreadState:
        """Return the state of a thread that seemed to be free a moment ago.

        If it has computed meanwhile, it did so without the GIL. If it does something else, it was
        on its way to wait for the GIL, or gives it up for pieces of work so short that threads gain
        nothing by it. If it had no CPU, which this thread may have taken from it, nothing shows.
        """
        if self._threads.cpu(thread) - before > _PIECE:
            return ThreadState.FREE
        seen = self._threads.read(thread)
        return hidden if seen is ThreadState.FREE else seen

    @staticmethod
    def _hidden(pause: _Pause, free: int) -> ThreadState:
        """Return the state of threads that are ready and have no CPU.

        No thread wants the GIL where it was free for two looks. Where it was held, one thread had
        to give it up, and wants it back as soon as it has a CPU.
        """
        if not pause.was_held:
            return ThreadState.UNSURE if pause.was_held_before else ThreadState.FREE
        return ThreadState.WANTS_GIL if free == 1 else ThreadState.UNSURE

    def _count(
        self,
        function: str,
        seen: ThreadState,
        seconds: float,
        delayed: float,
        *,
        beside: int = 0,
        at_work: float = 1.0,
    ) -> None:
        """Count what a look has seen, which stands for `seconds`.

        `at_work` is for which share of them the thread did not wait, if it wants the GIL by now.
        """
        if seen is ThreadState.GONE:
            return
        sums = self._sums[function]
        match seen:
            case ThreadState.WANTS_GIL:
                sums.held += at_work * seconds
                self._count_wait(sums, (1.0 - at_work) * seconds)
            case ThreadState.FREE | ThreadState.HELD_UP:
                sums.free += seconds
            case ThreadState.WAITS:
                self._count_wait(sums, seconds)
            case ThreadState.UNSURE:
                sums.unsure += seconds
        sums.looks += 1
        sums.beside += beside
        sums.delayed += delayed

    def _count_wait(self, sums: _Sums, seconds: float) -> None:
        sums.waiting += seconds
        self._waited += seconds

    def _count_helpers(self, seconds: float) -> None:
        """Count what helpers used since the look before, where all calls were of one function.

        While helpers lack a CPU, calls that wait may wait for them, or for others that do.
        """
        cpu, lacking = self._helpers.since(seconds)
        if not cpu + lacking:
            return
        if len(self._recent) != 1:
            for each in self._recent:
                self._sums[each].unclaimed_cpu += cpu
            return
        (function,) = self._recent
        sums = self._sums[function]
        sums.helper_cpu += cpu
        sums.helper_delayed += self._waited * min(1.0, lacking / seconds)
        sums.helper_ready += cpu + lacking

    def _use_of(self, thread: int, since: float = 0.0) -> _Use:
        """Return what a thread used since it was last read, or since a later moment.

        It does nothing before a call begins, so that the beginning may be that moment.
        """
        now = _monotonic(), self._threads.cpu(thread), self._threads.delay(thread)
        at, cpu, delayed = self._times.get(thread, now)
        self._times[thread] = now
        return _Use(max(0.0, now[1] - cpu), max(0.0, now[2] - delayed), now[0] - max(at, since))

    def _report(self) -> None:
        observations = []
        for function, sums in self._sums.items():
            if sums.looks:
                known = self._known[function]
                known.held += sums.held
                known.free += sums.free + sums.unsure  # a thread that wants the GIL mostly sleeps
                observations.append(sums.observation(function, known.freedom))
        self._sums.clear()
        if observations:
            self._send(Observed(observations))


def _voluntary_switches() -> int:
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
