"""What calls leave running in their worker: threads that they have started, and child processes.

It is named in the log of its call, and told to the supervisor, since a worker may die of it when
another call runs. It replaces no worker: progress bars, error reporters and tracing leave threads.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Lock, Thread
from time import monotonic
from typing import Final, NamedTuple

from pooldeck.protocol import LeftBehind
from pooldeck.worker.leftovers.child_processes import children_of, command_line, runs
from pooldeck.worker.logs.inheritance import threads_of
from pooldeck.worker.runs import Run

_MOST_NAMED: Final = 5
_MOMENT: Final = 0.005  # seconds, for what is just ending
_LOOK: Final = 0.001
_WORDS_BYTES: Final = 100  # of a command line
_NUMBER: Final = re.compile(r"\d+")

_sleep = time.sleep  # kept, since tasks may replace time.sleep


class _RunningOn(NamedTuple):
    """What one task has left running."""

    threads: list[Thread]
    children: list[int]

    def still(self) -> "_RunningOn | None":
        """Return what of it has not ended yet, None if all has."""
        threads = [thread for thread in self.threads if thread.is_alive()]
        children = [child for child in self.children if runs(child)]
        return _RunningOn(threads, children) if threads or children else None

    def idents(self) -> list[int]:
        return [thread.ident for thread in self.threads if thread.ident is not None]


class Leftovers:
    """What the calls of this worker have left behind; used by all threads that run calls."""

    def __init__(self, send: Callable[[LeftBehind], None]) -> None:
        self._send = send
        self._lock = Lock()
        self._left: dict[str, _RunningOn] = {}  # by task
        self._told = LeftBehind({})
        self._known: set[tuple[str, str]] = set()  # functions, and the daemon threads named of them

    @property
    def is_spoilt(self) -> bool:
        """Tell whether something of the process could not be put back."""
        return self._told.is_spoilt

    def note(self, run: Run, not_put_back: Sequence[str]) -> Sequence[int]:
        """Name in the log of a call that ends what it leaves behind, and keep it in mind.

        Returns:
            The ids of its child processes that run on.
        """
        for what in not_put_back:
            _say(run, f"{what} cannot be put back as it was, so this worker is replaced")
        if threads := threads_of(run.task):
            threads = _staying(threads)
        if children := children_of(run.task):
            children = _remaining(children)
        if not_put_back or threads or children or self._left:
            with self._lock:
                if threads or children:
                    self._name(run, threads, children)
                    self._add(run.call.task, _RunningOn(threads, children))
                self._tell(is_spoilt=bool(not_put_back) or self.is_spoilt)
        return children

    def review(self) -> None:
        """Tell the supervisor if some of it has ended meanwhile."""
        if self._left:
            with self._lock:
                self._tell(is_spoilt=self.is_spoilt)

    def _add(self, task: str, more: _RunningOn) -> None:
        """Add to what is known of a task, of which an earlier attempt may have run here, too."""
        earlier = self._left.get(task, _RunningOn([], []))
        self._left[task] = _RunningOn(
            earlier.threads + more.threads, earlier.children + more.children
        )

    def _tell(self, *, is_spoilt: bool) -> None:
        alive = ((task, left.still()) for task, left in self._left.items())
        self._left = {task: left for task, left in alive if left is not None}
        threads = {task: left.idents() for task, left in self._left.items()}
        news = LeftBehind(threads, is_spoilt)
        if news != self._told:
            self._told = news
            self._send(news)

    def _name(self, run: Run, threads: Sequence[Thread], children: Sequence[int]) -> None:
        named = [*self._news_of_threads(run, threads), *map(_child, children)]
        for words in named[:_MOST_NAMED]:
            _say(run, f"{words} runs on")
        if more := named[_MOST_NAMED:]:
            _say(run, f"{len(more)} more run on")

    def _news_of_threads(self, run: Run, threads: Sequence[Thread]) -> Iterator[str]:
        """Yield the words for threads; for daemons once for each function.

        Those are the threads of libraries, which start them in whichever task needs them first.
        """
        for thread in threads:
            if thread.daemon:
                key = run.call.function, _NUMBER.sub("", thread.name)
                if key in self._known:
                    continue
                self._known.add(key)
            kind = type(thread).__name__
            yield f"thread {thread.name}" + ("" if kind == Thread.__name__ else f" ({kind})")


def _staying(threads: list[Thread]) -> list[Thread]:
    """Return the threads that do not end within a moment, as those of a lost executor do."""
    until = monotonic() + _MOMENT
    for thread in threads:
        if not thread.daemon:  # those are made to stay
            thread.join(max(0.0, until - monotonic()))
    return [thread for thread in threads if thread.is_alive()]


def _remaining(children: list[int]) -> list[int]:
    """Return the child processes that do not end within a moment."""
    until = monotonic() + _MOMENT
    while children and monotonic() < until:
        _sleep(_LOOK)
        children = [child for child in children if runs(child)]
    return children


def _say(run: Run, words: str) -> None:
    run.log.log("WARNING", "pooldeck", f"left behind: {words}")


def _child(pid: int) -> str:
    line = command_line(pid)
    words = line.decode(errors="replace")[:_WORDS_BYTES]
    if line == command_line(os.getpid()):
        words = "forked"
    words = f" ({words})" if words else ""
    return f"child process {pid}{words}"
