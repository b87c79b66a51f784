"""Stopwatches around functions: what each takes itself, in CPU and in wall time, by thread.

Durations are nanoseconds.
"""

import contextlib
import functools
import inspect
import threading
import types
from collections.abc import Callable, Generator, Iterator
from time import perf_counter_ns, thread_time_ns
from typing import Any, Final, NamedTuple

_CALIBRATED: Final = 20_000  # calls


class Taken(NamedTuple):
    """What calls have taken themselves; `inner` is how many were timed within them."""

    calls: int = 0
    cpu: int = 0
    wall: int = 0
    inner: int = 0


class Overhead(NamedTuple):
    """What one stopwatch adds: to what it measures, and to what it is called in."""

    own: float
    outer: float


class _Thread:
    """The calls that are open in a thread, and what those that are over have taken."""

    def __init__(self) -> None:
        self.name = threading.current_thread().name
        self.taken: dict[str, list[int]] = {}
        self.outermost = 0  # calls that were within no other
        self._open: list[tuple[str, int, int, list[int]]] = []

    def enter(self, name: str) -> None:
        self._open.append((name, perf_counter_ns(), thread_time_ns(), [0, 0, 0]))

    def leave(self) -> None:
        cpu_now, wall_now = thread_time_ns(), perf_counter_ns()
        name, wall, cpu, (inner, inner_cpu, inner_wall) = self._open.pop()
        cpu, wall = cpu_now - cpu, wall_now - wall
        if self._open:
            around = self._open[-1][3]
            around[0] += 1
            around[1] += cpu
            around[2] += wall
        else:
            self.outermost += 1
        taken = self.taken.setdefault(name, [0, 0, 0, 0])
        taken[0] += 1
        taken[1] += cpu - inner_cpu
        taken[2] += wall - inner_wall
        taken[3] += inner


class Stopwatches:
    """All stopwatches of a process."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._threads: list[_Thread] = []

    def taken(self) -> dict[str, dict[str, Taken]]:
        """Return what was taken so far, by the names of threads and of what was timed."""
        return {
            thread.name: {name: Taken(*numbers) for name, numbers in list(thread.taken.items())}
            for thread in list(self._threads)
        }

    def outermost(self) -> dict[str, int]:
        """Return how many calls were within no other, by thread."""
        return {thread.name: thread.outermost for thread in list(self._threads)}

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` with a stopwatch; of a coroutine only its steps count, not its waits.

        Where it returns a context manager, also how that begins and ends.
        """
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def stepping(*args: Any, **kwargs: Any) -> Any:
                return await self._steps(name, function(*args, **kwargs))

            return stepping

        @functools.wraps(function)
        def timing(*args: Any, **kwargs: Any) -> Any:
            thread = self._thread()
            thread.enter(name)
            try:
                returned = function(*args, **kwargs)
            finally:
                thread.leave()
            if isinstance(returned, contextlib.AbstractContextManager):
                return self._around(name, returned)
            return returned

        return timing

    def overhead(self) -> Overhead:
        """Measure what a stopwatch adds, with some that count for nothing."""
        trial = Stopwatches()
        inner = trial.timed("inner", _nothing)
        outer = trial.timed("outer", lambda: [*map(inner, range(_CALIBRATED))])
        plain = trial.timed("plain", lambda: [*map(_nothing, range(_CALIBRATED))])
        plain()
        outer()
        taken = trial.taken()[threading.current_thread().name]
        own = taken["inner"].cpu / _CALIBRATED
        return Overhead(own, (taken["outer"].cpu - taken["plain"].cpu) / _CALIBRATED)

    def _thread(self) -> _Thread:
        try:
            found: _Thread = self._local.thread
        except AttributeError:
            found = self._local.thread = _Thread()
            self._threads.append(found)
        return found

    @types.coroutine
    def _steps(self, name: str, coroutine: Any) -> Generator[Any, Any, Any]:
        """Carry out a coroutine; count its steps."""
        step, given = coroutine.send, None
        while True:
            thread = self._thread()
            thread.enter(name)
            try:
                waits_for = step(given)
            except StopIteration as end:
                return end.value
            finally:
                thread.leave()
            try:
                step, given = coroutine.send, (yield waits_for)
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's to take
                step, given = coroutine.throw, error

    @contextlib.contextmanager
    def _around(self, name: str, manager: Any) -> Iterator[Any]:
        """Count how a context manager begins and ends, and not what is done in it."""
        thread = self._thread()
        with contextlib.ExitStack() as ending:
            thread.enter(name)
            try:
                opened = manager.__enter__()
            finally:
                thread.leave()

            @ending.push
            def leave(*raised: Any) -> bool:
                thread.enter(name)
                try:
                    return bool(manager.__exit__(*raised))
                finally:
                    thread.leave()

            yield opened


def _nothing(given: object) -> object:
    return given
