"""The current task in the threads that a task starts and in the work that it hands to executors.

They inherit our own context variable and nothing else of the task's context: what they print and
log is the task's, they see that it is cancelled and may report its progress. Work of an executor
belongs to who has submitted it, and what is to be called when it is done to who said so, whoever
started the executor's threads.
"""

import _thread
import functools
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final
from weakref import WeakValueDictionary

from pooldeck.context import LOCAL, CurrentTask, call_as, current_task, enter

_STARTER: Final = "_pooldeck_starter"  # what a thread is told of between its start and its run
_POOL_METHODS: Final = ("apply_async", "_map_async", "imap", "imap_unordered")
_CALLBACKS: Final = ("callback", "error_callback")  # of theirs


def install() -> None:
    """Let threads and the work of thread pool executors inherit the task that they come from."""
    thread: Any = threading.Thread
    executor: Any = ThreadPoolExecutor
    future: Any = Future
    bare: Any = _thread
    thread.start = _noting_starter(thread.start)
    # No public method runs in the thread itself, whatever subclasses override. This one comes first
    # there, in all versions, and stands in no stack of what follows.
    thread._set_ident = _entering_starter(thread._set_ident)  # noqa: SLF001
    executor.submit = _submitting(executor.submit)
    future.add_done_callback = _adding_callback(future.add_done_callback)
    bare.start_new_thread = bare.start_new = _starting_bare(bare.start_new_thread)


def install_for_pools() -> None:
    """Let the work of `multiprocessing`'s thread pools inherit as well, where that is loaded.

    It is slow to import. Of a pool that a task makes, the threads inherit by themselves.
    """
    if (module := sys.modules.get("multiprocessing.pool")) is not None:
        pool: Any = module.ThreadPool
        for name in _POOL_METHODS:
            setattr(pool, name, _handing(getattr(pool, name)))


def threads_of(task: CurrentTask) -> list[threading.Thread]:
    """Return the threads that a task, or a thread of its own, has started and that still run."""
    threads = task._threads  # noqa: SLF001 - kept there for this
    if threads is None:
        return []
    alive = (reference() for reference in threads.valuerefs())
    return [thread for thread in alive if thread is not None and thread.is_alive()]


def _noting_starter(start: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(start)
    def noting(self: threading.Thread) -> None:
        task = current_task()
        if task is not LOCAL:
            setattr(self, _STARTER, task)
            if task._threads is None:  # noqa: SLF001 - see `threads_of`
                task._threads = WeakValueDictionary()  # noqa: SLF001
            task._threads[id(self)] = self  # noqa: SLF001
        start(self)

    return noting


def _entering_starter(set_ident: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(set_ident)
    def entering(self: threading.Thread) -> None:
        set_ident(self)
        task = self.__dict__.pop(_STARTER, None)
        if task is not None:
            enter(task)

    return entering


def _submitting(submit: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(submit)
    def submitting(self: Any, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return submit(self, call_as, current_task(), call, *args, **kwargs)

    return submitting


def _adding_callback(add: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(add)
    def adding(self: Any, fn: Callable[..., Any]) -> None:
        add(self, _bound(fn, current_task()))

    return adding


def _starting_bare(start: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(start)
    def starting(function: Callable[..., object], *rest: Any) -> int:
        task = current_task()
        return start(function if task is LOCAL else _bound(function, task), *rest)

    return starting


def _handing(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def handing(self: Any, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        task = current_task()
        for name in _CALLBACKS:
            if kwargs.get(name) is not None:
                kwargs[name] = _bound(kwargs[name], task)
        return method(self, _bound(func, task), *args, **kwargs)

    return handing


def _bound(call: Callable[..., Any], task: CurrentTask) -> Callable[..., Any]:
    @functools.wraps(call, updated=())
    def bound(*args: Any, **kwargs: Any) -> Any:
        return call_as(task, call, *args, **kwargs)

    return bound
