"""What the kernel says of threads, from the one that holds the GIL."""

import ctypes
import mmap
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from pooldeck.worker.measure.thread_state import ThreadState, ThreadStates
from tests.support.marked_processes import wait_until

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells what a thread waits for"
)

_MUTEX_BYTES = 64  # more than any has


@contextmanager
def running(work: Callable[[], object]) -> Iterator[int]:
    """Run something in a thread, and give the kernel's number of it."""
    thread = threading.Thread(target=work)
    thread.start()
    assert thread.native_id is not None
    try:
        yield thread.native_id
    finally:
        thread.join(20)


def test_a_thread_at_a_mutex_of_c_code_is_held_up_by_others() -> None:
    library, states = ctypes.CDLL(None), ThreadStates()
    mutex = ctypes.create_string_buffer(_MUTEX_BYTES)
    library.pthread_mutex_lock(mutex)
    with running(lambda: library.pthread_mutex_lock(mutex)) as thread:
        wait_until(lambda: states.read(thread) is ThreadState.HELD_UP)
        library.pthread_mutex_unlock(mutex)


def test_a_thread_at_a_lock_of_python_waits() -> None:
    lock, states = threading.Lock(), ThreadStates()
    lock.acquire()
    with running(lambda: lock.acquire(timeout=10)) as thread:
        wait_until(lambda: states.read(thread) is ThreadState.WAITS)
        time.sleep(0.05)
        assert states.read(thread) is ThreadState.WAITS
        lock.release()


def test_threads_that_want_the_memory_of_a_process_changed_hold_each_other_up() -> None:
    states, is_seen = ThreadStates(), threading.Event()

    def change() -> None:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
        while not is_seen.is_set():
            mmap.mmap(-1, 32 << 20, flags=flags).close()

    with running(change) as one, running(change) as other, running(change) as third:
        wait_until(
            lambda: any(
                states.read(thread) is ThreadState.HELD_UP for thread in (one, other, third)
            )
        )
        is_seen.set()


def test_all_threads_of_the_process_are_found() -> None:
    event = threading.Event()
    with running(event.wait) as thread:
        assert {thread, threading.get_native_id()} <= set(ThreadStates().threads())
        event.set()
