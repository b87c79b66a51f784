"""The thread of an embedded pool, and the way into it from the program's threads.

The engine knows nothing of the `ProcessPool` in front of it, so that one that is forgotten can be
collected; the engine then finishes what it has and ends, as after `shutdown(wait=False)`.
"""

import asyncio
import itertools
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, Final, TypeVar

from pooldeck.embedded import interpreter
from pooldeck.embedded.dispatcher import PATIENCE, Dispatcher, Work, WorkerInfo
from pooldeck.embedded.launcher import ContextLauncher
from pooldeck.embedded.pickling import Value, pickled, sealed
from pooldeck.embedded.worker import Outset
from pooldeck.kinds import PoolKind
from pooldeck.pools.listener import PoolListener
from pooldeck.pools.model import PoolSpec
from pooldeck.pools.pool import Pool
from pooldeck.protocol import Call

T = TypeVar("T")

_BOOT_SECONDS: Final = 3600.0  # for the initializer too, which may load a lot
_HELPERS: Final = 2  # threads that start processes and look after dead ones


@dataclass(frozen=True)
class Plan:
    """What an embedded pool is made of, and how its workers begin."""

    max_workers: int
    context: BaseContext
    initializer: Callable[..., object] | None
    initargs: tuple[Any, ...]
    max_tasks_per_child: int | None
    script: str | None


class Engine:
    """Runs calls in worker processes. Its methods may be called from any thread."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._folder = Path(tempfile.mkdtemp(prefix="pooldeck-"))
        self._refusal: str | None = None  # for those who submit more
        self._has_ended = False
        self._lock = threading.RLock()  # a pool may be collected, and close, anywhere
        self._calls = itertools.count(1)
        self._workers = itertools.count(1)
        self._loop = _Loop()
        self._dispatcher = Dispatcher(plan.max_workers, self._make_pool)
        self._thread = threading.Thread(target=self._run, name="pooldeck-pool")

    @property
    def broken(self) -> str | None:
        return self._dispatcher.broken

    def start(self) -> None:
        interpreter.register(self)
        self._thread.start()

    def check(self) -> None:
        """Refuse where no call would be run, as the standard library's pool does."""
        if self.broken is not None:
            raise BrokenProcessPool(self.broken)
        if self._refusal is not None:
            raise RuntimeError(self._refusal)

    def pack(self, call: tuple[Any, ...]) -> bytes:
        """Return a function and its arguments as `submit` takes them, if they can be pickled."""
        return sealed(Value(pickled(call)), self._folder)

    def submit(
        self, function: str, packed: bytes, timeout: float | None, future: "Future[Any]"
    ) -> None:
        """Have a packed call run, after a `check`; `function` is its name for people."""
        call = Call(str(next(self._calls)), 1, function, packed, b"", timeout)
        with self._lock:
            self.check()
            self._loop.call_soon_threadsafe(self._dispatcher.take, Work(call, future))

    def kill(self, future: "Future[Any]") -> bool:
        return self._ask(lambda: self._dispatcher.kill(future), default=False)

    def resize(self, most: int) -> None:
        self._ask(lambda: self._dispatcher.resize(most), default=None)

    def workers(self) -> list[WorkerInfo]:
        return self._ask(self._dispatcher.workers, default=[])

    def close(self, refusal: str, *, cancel: bool = False) -> None:
        """End when the last call has ended; who submits more is refused with these words.

        `cancel` those for which no worker has been started.
        """
        with self._lock:
            if self._has_ended:
                return
            self._refusal = self._refusal or refusal
            self._loop.call_soon_threadsafe(lambda: self._dispatcher.close(cancel=cancel))

    def join(self) -> None:
        self._thread.join()

    def disown(self) -> None:
        """Refuse everything: this is a forked child, and the thread is the parent's."""
        self._lock = threading.RLock()  # a thread of the parent's may have held the other
        self._has_ended = True
        self._refusal = "this pool belongs to the parent of this forked process"

    def _ask(self, question: Callable[[], T], default: T) -> T:
        """Return what `question` returns on the pool's thread; the default if that has ended."""
        if threading.current_thread() is self._thread:
            return question()
        answer: Future[T] = Future()
        with self._lock:
            if self._has_ended:
                return default
            self._loop.call_soon_threadsafe(_answer, answer, question)
        return answer.result()

    # On the pool's thread.

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                self._run_on(runner)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run_on(self, runner: asyncio.Runner) -> None:
        try:
            runner.run(self._dispatcher.run())
        finally:
            with self._lock:
                self._has_ended = True
            runner.run(asyncio.sleep(0))  # answers what has been asked until now

    def _make_pool(self, listener: PoolListener) -> Pool:
        plan = self._plan
        spec = PoolSpec(
            name="pool",
            kind=PoolKind.PROCESS,
            size=1,
            modules=(),
            boot_seconds=_BOOT_SECONDS,
            folder=self._folder,
            max_tasks_per_worker=plan.max_tasks_per_child or 0,
            asked_seconds=0.0,
            leave_seconds=PATIENCE,
        )
        outset = Outset(plan.script, self._folder, plan.initializer, plan.initargs)
        launcher = ContextLauncher(plan.context, outset)
        return Pool(spec, secrets.token_hex(8), self._next_number, listener, launcher=launcher)

    async def _next_number(self) -> int:
        return next(self._workers)


def _answer(answer: "Future[T]", question: Callable[[], T]) -> None:
    try:
        answer.set_result(question())
    except BaseException as error:  # noqa: BLE001 - it is raised where the question was asked
        answer.set_exception(error)


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that starts no thread at its end, which an ending interpreter may forbid.

    Python 3.12.0 to 3.12.2 do: https://github.com/python/cpython/issues/113964.
    """

    def __init__(self) -> None:
        super().__init__()
        # Threads for what blocks, started now: the interpreter may end as soon as a call is taken.
        self._helpers = ThreadPoolExecutor(_HELPERS, "pooldeck-pool-helper")
        meeting = threading.Barrier(_HELPERS)
        for _ in range(_HELPERS):
            self._helpers.submit(meeting.wait)
        self.set_default_executor(self._helpers)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - as the base has it
        """End the helpers, which by now have nothing to do."""
        self._helpers.shutdown()
