"""The state of this process's threads as the kernel has it, read without giving up the GIL.

The reader holds the GIL. So a thread that the kernel calls running at that moment runs without it;
one that waits at the GIL's own address wants it; any other waits for something else. This holds
however many threads compete, where CPU time over wall time tells only how many they are.

`ctypes.PyDLL` calls C functions without giving up the GIL around them, as `open` and `read` of the
standard library do. The kernel's side is `/proc/PID/task/TID/syscall`, see proc(5): the call that a
thread sleeps in, with its arguments, or the word "running"; and `schedstat` beside it, whose second
number is how many nanoseconds the thread was ready and no CPU was free. CPU time comes from the
thread's clock, which is exact at any moment.
"""

import ctypes
import os
import platform
import sys
import threading
import time
from _thread import start_new_thread
from enum import Enum
from typing import Final, NamedTuple

from pooldeck.protocol import PROBE_NAME

_BYTES: Final = 256
_NEAR: Final = 256  # bytes: the GIL's condition variables and mutexes lie side by side
_MOST_READS: Final = 500
_NAP: Final = 200  # microseconds
_MOMENT: Final = 60  # microseconds
_SET_NAME: Final = 15  # PR_SET_NAME, see prctl(2)
_SET_SLACK: Final = 29  # PR_SET_TIMERSLACK
_SLACK: Final = 1_000  # nanoseconds by which a timer may be late, instead of 50,000
_MEMORY_CALLS: Final = {  # mmap, mprotect, munmap, brk, mremap, madvise
    "x86_64": frozenset({9, 10, 11, 12, 25, 28}),
    "aarch64": frozenset({222, 226, 215, 214, 216, 233}),
}.get(platform.machine(), frozenset())
_FUTEX_WAIT: Final = 0  # without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME, see futex(2)
_FUTEX_COMMAND: Final = 0x7F
_CONTENDED: Final = 2  # the value of a mutex of the C library that a thread waits for
_READY: Final = (b"running", b"-1 ")  # the latter: kept up outside of any call, by a page fault
_CLOCK_OF_THREAD: Final = 6  # CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED of the kernel

_sleep = time.sleep  # kept, since tasks may replace them


class ThreadState(Enum):
    """What a thread does while another holds the GIL."""

    WANTS_GIL = "wants"
    FREE = "free"  # it runs, or is ready to, without the GIL
    HELD_UP = "held up"  # without the GIL, by others in the same piece of C code
    WAITS = "waits"  # for something else
    UNSURE = "unsure"  # ready to run, with the GIL or without
    GONE = "gone"  # or nothing is known of it


class UnreadableError(Exception):
    """The kernel does not tell, or there is no GIL."""


class _Place(NamedTuple):
    """A system call that a thread sleeps in: its number and the first three arguments."""

    call: int
    address: int
    operation: int
    value: int


class _Entry(ctypes.Structure):
    """An entry of a folder, see readdir(3)."""

    _fields_ = (
        ("number", ctypes.c_ulong),
        ("offset", ctypes.c_long),
        ("size", ctypes.c_ushort),
        ("kind", ctypes.c_ubyte),
        ("name", ctypes.c_char * 256),
    )


class ThreadStates:
    """Reads the states of this process's threads, where the system shows them, from the probe's."""

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise UnreadableError("only Linux tells what a thread waits for")
        if not getattr(sys, "_is_gil_enabled", lambda: True)():
            raise UnreadableError("this interpreter has no GIL")
        self._library = ctypes.PyDLL(None)
        self._library.prctl(_SET_NAME, PROBE_NAME.encode(), 0, 0, 0)
        self._library.prctl(_SET_SLACK, _SLACK, 0, 0, 0)
        self._buffer = ctypes.create_string_buffer(_BYTES)
        self._library.opendir.restype = ctypes.c_void_p
        self._library.opendir.argtypes = [ctypes.c_char_p]
        self._library.readdir.restype = ctypes.POINTER(_Entry)
        self._library.readdir.argtypes = self._library.closedir.argtypes = [ctypes.c_void_p]
        self._gil = self._find_gil()

    def read(self, thread: int) -> ThreadState:
        """Return what a thread does, by the kernel's number of it.

        The caller must hold the GIL, as all Python code does.
        """
        line = self._read_file(thread, "syscall")
        if line.startswith(_READY):
            return ThreadState.FREE
        place = _place(line)
        if place is None:
            return ThreadState.WAITS if line else ThreadState.GONE
        if place.call == self._gil.call and abs(place.address - self._gil.address) <= _NEAR:
            return ThreadState.WANTS_GIL
        return ThreadState.HELD_UP if self._is_held_up(place) else ThreadState.WAITS

    def _is_held_up(self, place: _Place) -> bool:
        """Tell whether a thread waits for a lock that others hold for a piece of C code only.

        That is a mutex of the C library, as SQLite and allocators of memory have them (what Python
        waits with are semaphores and condition variables); or the kernel's lock on the memory of a
        process. By itself the thread would go on.
        """
        if place.call != self._gil.call:
            return place.call in _MEMORY_CALLS
        command = place.operation & _FUTEX_COMMAND
        return command == _FUTEX_WAIT and place.value == _CONTENDED

    def wait(self) -> None:
        """Let a moment pass and keep the GIL, but not the CPU, which others may be ready for."""
        self._library.usleep(_MOMENT)

    def cpu(self, thread: int) -> float:
        """Return for how many seconds a thread has been on a CPU since it began."""
        try:
            return time.clock_gettime(~thread << 3 | _CLOCK_OF_THREAD)
        except OSError:  # it has ended
            return 0.0

    def delay(self, thread: int) -> float:
        """Return for how many seconds a thread has been ready while no CPU was free."""
        fields = self._read_file(thread, "schedstat").split()
        return int(fields[1]) / 1e9 if len(fields) > 1 else 0.0

    def threads(self) -> list[int]:
        """Return the kernel's numbers of all threads of this process."""
        folder = self._library.opendir(b"/proc/self/task")
        if not folder:
            return []
        names = []
        while entry := self._library.readdir(folder):
            names.append(entry.contents.name)
        self._library.closedir(folder)
        return [int(name) for name in names if name.isdigit()]

    def _read_file(self, thread: int, name: str) -> bytes:
        path = f"/proc/self/task/{thread}/{name}".encode()
        descriptor = self._library.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if descriptor < 0:
            return b""
        size = self._library.read(descriptor, self._buffer, _BYTES)
        self._library.close(descriptor)
        return self._buffer.raw[:size] if size > 0 else b""

    def _find_gil(self) -> _Place:
        """Return where a thread sleeps that waits for the GIL.

        A helper does nothing but run: while this thread reads its state, it waits for the GIL.
        """
        threads: list[int] = []
        ended: list[None] = []

        def run() -> None:
            threads.append(threading.get_native_id())
            while not ended:
                pass

        start_new_thread(run, ())
        while not threads:
            _sleep(_NAP / 1e6)
        try:
            return self._wait_for_place(threads[0])
        finally:
            ended.append(None)

    def _wait_for_place(self, thread: int) -> _Place:
        for _ in range(_MOST_READS):
            place = _place(self._read_file(thread, "syscall"))
            if place is not None:
                return place
            self._library.usleep(_NAP)
        raise UnreadableError("the kernel does not say what a thread waits for")


def _place(line: bytes) -> _Place | None:
    fields = line.split(maxsplit=4)
    if len(fields) < 5 or not fields[0].isdigit():  # noqa: PLR2004 - number, arguments, the rest
        return None
    return _Place(int(fields[0]), *(int(field, 16) for field in fields[1:4]))
