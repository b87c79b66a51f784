"""The calls that run in a worker, an account that its threads share.

The threads that run calls enter and leave; the control thread cancels, abandons and finds.
"""

import threading
from collections import deque
from collections.abc import Coroutine, Iterable
from threading import Lock
from time import monotonic
from typing import Any, Final

from msgspec import Struct

from pooldeck.context import CurrentTask
from pooldeck.masking import Mask
from pooldeck.protocol import Call
from pooldeck.worker.black_box import Region
from pooldeck.worker.logs.secrets import RunningSecrets
from pooldeck.worker.logs.task_log import TaskLog

_MOST_RECALLED: Final = 10_000
_REMEMBERED: Final = 64  # calls that have ended


class Slot:
    """Room for one running call, and the thread that runs it."""

    def __init__(self, number: int, region: Region) -> None:
        self.number = number  # in a thread worker, from 1; 0 in a process worker
        self.region = region  # of the black box
        self.ident = 0  # `threading.get_ident()`
        self.native_id = 0  # the kernel's number
        self.thread = threading.current_thread()

    def bind_thread(self) -> None:
        self.thread = threading.current_thread()
        self.ident = threading.get_ident()
        self.native_id = threading.get_native_id()


class Run(Struct, eq=False):
    """A call while it runs. `started_at` is a moment of the monotonic clock.

    `coroutine` is what an `async def` function returned; where such a function waits, its frames
    are not on the thread's stack.
    """

    call: Call
    task: CurrentTask
    log: TaskLog
    slot: Slot
    started_at: float
    coroutine: Coroutine[Any, Any, Any] | None = None
    is_abandoned: bool = False
    is_inside: bool = False  # in the function itself, not in what is done around it
    is_quick: bool = False  # as the latest run of its function was
    beside: int = 0  # how many others ran when it began
    entered: int = 0  # how many had begun by then
    mask: Mask | None = None  # of its sensitive arguments


class _Ended(Struct, frozen=True, gc=False):
    """A call that has ended; moments of the monotonic clock."""

    function: str
    thread: int
    started_at: float
    ended_at: float

    def ran_at(self, moment: float) -> bool:
        return self.started_at <= moment < self.ended_at


class Runs:
    """Which calls run, and which are recalled before they could start.

    A cancel on the second pipe can overtake its call. Then the call is recalled here, and turned
    away when it comes. A recall whose call has long ended does no harm: at most a later attempt is
    returned once.
    """

    def __init__(self) -> None:
        self.secrets = RunningSecrets()
        self._lock = Lock()
        self._running: dict[str, Run] = {}
        self._abandoned: dict[str, Run] = {}
        self._recalled: dict[str, None] = {}
        self._entered = 0
        self._threads: set[int] = set()
        self._ended: deque[_Ended] = deque(maxlen=_REMEMBERED)

    def enter(self, run: Run) -> bool:
        """Enter a call that starts; return False if it was recalled."""
        task = run.call.task
        with self._lock:
            if task in self._recalled:
                del self._recalled[task]
                return False
            run.beside = len(self._running)
            self._running[task] = run
            self._threads.add(run.slot.native_id)
            self._entered += 1
            run.entered = self._entered
        return True

    def leave(self, run: Run) -> None:
        with self._lock:
            runs = self._abandoned if run.is_abandoned else self._running
            if runs.get(run.call.task) is run:
                del runs[run.call.task]
        self._ended.append(
            _Ended(run.call.function, run.slot.native_id, run.started_at, monotonic())
        )

    def beside(self, run: Run) -> int:
        """Return how many others ran when a running call began, or run now, whichever is more.

        It is 1 at least if any has begun since.
        """
        others = max(run.beside, len(self._running) - 1)
        return others or int(self._entered > run.entered)

    def running(self) -> tuple[Run, ...]:
        """Return the calls that run now, without abandoned ones."""
        with self._lock:
            return tuple(self._running.values())

    def sole(self, without: Run | None = None) -> Run | None:
        """Return the only call that runs, apart from one; None if there are several, or none.

        An abandoned one may still run.
        """
        with self._lock:
            if self._abandoned or len(self._running) > 2:  # noqa: PLR2004 - one, and the one apart
                return None
            others = [run for run in self._running.values() if run is not without]
            return others[0] if len(others) == 1 else None

    def threads(self) -> tuple[int, ...]:
        """Return the kernel's numbers of the threads that have run calls."""
        with self._lock:
            return tuple(self._threads)

    def running_at(self, moment: float) -> list[tuple[str, int]]:
        """Return the functions and the threads of the calls that ran at a moment shortly ago.

        Where so many calls have ended since that it is not known any more: the earliest known.
        """
        running = [run for run in self.running() if run.started_at <= moment]
        remembered = tuple(self._ended)
        ended = [call for call in remembered if call.ran_at(moment)]
        if len(remembered) == _REMEMBERED and moment < remembered[0].started_at:
            ended = [remembered[0]]
        return [
            *((run.call.function, run.slot.native_id) for run in running),
            *((call.function, call.thread) for call in ended),
        ]

    def functions_since(self, moment: float) -> frozenset[str]:
        """Return the functions of the calls that have run since a moment shortly ago."""
        running = (run.call.function for run in self.running())
        ended = (call.function for call in tuple(self._ended) if call.ended_at >= moment)
        return frozenset((*running, *ended))

    def find(self, task: str) -> Run | None:
        """Return the call of a task that runs here, an abandoned one too."""
        with self._lock:
            return self._running.get(task) or self._abandoned.get(task)

    def cancel(self, task: str) -> None:
        """Ask a call to end itself; if it does not run, it will be turned away."""
        with self._lock:
            run = self._running.get(task)
            if run is None:
                self._recall(task)
            else:
                run.task.is_asked = True

    def abandon(self, task: str) -> Run | None:
        """Ask a call to end itself, and make room beside it for another attempt of its task.

        Return the call; None if it does not run and will be turned away.
        """
        with self._lock:
            run = self._running.pop(task, None)
            if run is None:
                self._recall(task)
                return None
            run.task.is_asked = run.is_abandoned = True
            self._abandoned[task] = run
        return run

    def forget(self, tasks: Iterable[str]) -> None:
        """Drop the recalls of calls that have been given back by other means."""
        with self._lock:
            for task in tasks:
                self._recalled.pop(task, None)

    def _recall(self, task: str) -> None:
        self._recalled[task] = None
        if len(self._recalled) > _MOST_RECALLED:
            del self._recalled[next(iter(self._recalled))]
