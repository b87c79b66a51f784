"""`ProcessPool`: the library's own `concurrent.futures.Executor`.

A drop-in for `ProcessPoolExecutor` that survives crashes: when a worker dies, the call that it ran
fails with `BrokenProcessPool`, another worker takes its place, and everything else goes on.
"""

import multiprocessing
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from pooldeck.cpus import usable_cpus
from pooldeck.embedded.chunks import ChunkedMap

if TYPE_CHECKING:
    from pooldeck.embedded.dispatcher import WorkerInfo
    from pooldeck.embedded.engine import Engine

P = ParamSpec("P")
T = TypeVar("T")

_SHUT_DOWN = "cannot schedule new futures after shutdown"


class ProcessPool(ChunkedMap):
    """Runs calls in worker processes, which start as they are needed and are replaced as they die.

    The arguments are those of `concurrent.futures.ProcessPoolExecutor`.

    Args:
        max_workers: How many calls may run at a time; by default the CPUs that this process may
            use.
        mp_context: The `multiprocessing` context that starts the workers: "spawn", which is the
            default, or "forkserver".
        initializer: Called once in each worker, before its first call.
        initargs: Its arguments; locks and queues of the context may be among them.
        max_tasks_per_child: After how many calls a worker is replaced; by default never.

    Raises:
        TypeError: If the initializer cannot be called, or `max_tasks_per_child` is no integer.
        ValueError: If a number is not at least 1, or the context forks.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: BaseContext | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
    ) -> None:
        self._max_workers = _at_least_one(
            "max_workers", usable_cpus() if max_workers is None else max_workers
        )
        self._mp_context = _no_fork(mp_context or multiprocessing.get_context("spawn"))
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._initializer = initializer
        self._initargs = initargs
        self._max_tasks_per_child = _child_limit(max_tasks_per_child)
        self._lock = threading.Lock()
        self._is_shut = False
        self._engine: Engine | None = None

    @property
    def broken(self) -> str | None:
        """Return why no calls are run any more, None if they are."""
        return self._engine.broken if self._engine else None

    _broken = broken  # what asks the standard library's class, which has no public name for it

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a function called in a worker.

        Args:
            fn: The function; a worker must be able to import it.
            args: Its arguments, which are pickled now.
            kwargs: Its keyword arguments.

        Returns:
            A future, which gets the result, what the function raised (with the worker's
            traceback as its cause), or `BrokenProcessPool` if its worker died. If the call cannot
            be pickled, the future has failed already.

        Raises:
            BrokenProcessPool: If no worker can be started; the message says why.
            RuntimeError: If the pool is shut down.
        """
        return self._submit(None, fn, args, kwargs)

    def with_timeout(self, seconds: float) -> Executor:
        """Return an executor for calls that may run no longer than so many seconds each.

        It runs them in this pool: `pool.with_timeout(2.5).submit(fn, x)`. The time counts from
        the start of the call in its worker. A call that takes longer is ended with its worker,
        and its future fails with `TimeoutError`. With `map`, a call is a chunk.

        Raises:
            ValueError: If it is not a positive number of seconds.
        """
        if not seconds > 0:
            raise ValueError(f"a timeout is a positive number of seconds, not {seconds!r}")
        return _Timed(self, seconds)

    def kill(self, future: "Future[Any]") -> bool:
        """End a call of this pool: cancel it if it waits, kill its worker if it runs.

        The future of a killed call raises `concurrent.futures.CancelledError`.

        Returns:
            Whether there was something to end; False if the call has ended, or is not of this
            pool.
        """
        return self._engine.kill(future) if self._engine else False

    def resize(self, max_workers: int) -> None:
        """Change how many calls may run at a time, now.

        When there are fewer than before, workers leave as they get free; no call is cut off.

        Raises:
            ValueError: If it is not at least 1.
        """
        with self._lock:
            self._max_workers = _at_least_one("max_workers", max_workers)
            engine = self._engine
        if engine:
            engine.resize(max_workers)

    def workers(self) -> "list[WorkerInfo]":
        """Return what each worker does right now: id, process id, state, and its call."""
        return self._engine.workers() if self._engine else []

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls, finish what there is, and end the workers.

        Args:
            wait: Whether to return only when that is done.
            cancel_futures: Whether to cancel the calls that have not started.
        """
        with self._lock:
            self._is_shut = True
            engine = self._engine
        if engine:
            engine.close(_SHUT_DOWN, cancel=cancel_futures)
            if wait:
                engine.join()

    def _submit(
        self,
        timeout: float | None,
        fn: Callable[..., T],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> "Future[T]":
        engine = self._started()
        engine.check()
        future: Future[T] = Future()
        try:
            call = engine.pack((fn, args, kwargs))
        except Exception as error:  # noqa: BLE001 - pickling is the user's code
            future.set_exception(error)
        else:
            engine.submit(getattr(fn, "__qualname__", repr(fn)), call, timeout, future)
        return future

    def _started(self) -> "Engine":
        """Return the engine, which starts with the first call."""
        with self._lock:
            if self._engine is None:
                if self._is_shut:
                    raise RuntimeError(_SHUT_DOWN)
                self._engine = self._start()
            return self._engine

    def _start(self) -> "Engine":
        # Workers import this module too, and do not need the event loop.
        from pooldeck.embedded.engine import Engine, Plan  # noqa: PLC0415
        from pooldeck.embedded.worker import script  # noqa: PLC0415

        plan = Plan(
            self._max_workers,
            self._mp_context,
            self._initializer,
            self._initargs,
            self._max_tasks_per_child,
            script(),
        )
        engine = Engine(plan)
        engine.start()
        weakref.finalize(self, engine.close, _SHUT_DOWN).atexit = False
        return engine


class _Timed(ChunkedMap):
    """A pool as seen by calls with a timeout."""

    def __init__(self, pool: ProcessPool, seconds: float) -> None:
        self._pool = pool
        self._seconds = seconds

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """As `ProcessPool.submit`."""
        return self._pool._submit(self._seconds, fn, args, kwargs)  # noqa: SLF001 - its other half

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As `ProcessPool.shutdown`: it is the same pool."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


def _at_least_one(name: str, value: int) -> int:
    if value <= 0:
        raise ValueError(f"{name} must be greater than 0")
    return value


def _child_limit(value: int | None) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int):
        raise TypeError("max_tasks_per_child must be an integer")
    if value <= 0:
        raise ValueError("max_tasks_per_child must be >= 1")
    return value


def _no_fork(context: BaseContext) -> BaseContext:
    if context.get_start_method() == "fork":
        raise ValueError(
            "ProcessPool does not fork, since a fork of a program with threads can deadlock; pass "
            'multiprocessing.get_context("spawn") or multiprocessing.get_context("forkserver")'
        )
    return context
