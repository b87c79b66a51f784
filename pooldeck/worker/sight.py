"""What the kernel says of this process's own threads, read without letting go of the GIL.

Whoever looks holds the GIL. So a thread that the kernel calls running at that moment runs without
it; one that waits at the GIL's own address wants it; any other waits for something else. This holds
however many threads compete, where CPU time over wall time tells only how many they are.

`ctypes.PyDLL` calls C functions without giving up the GIL around them, as `open` and `read` of the
standard library do. The kernel's side is `/proc/PID/task/TID/syscall`, see proc(5): the call that a
thread sleeps in, with its arguments, or the word "running"; and `schedstat` beside it, whose second
number is how many nanoseconds the thread was ready and no CPU was free. CPU time comes from the
thread's clock, which is exact at any moment.
"""

import ctypes
import os
import sys
import threading
import time
from _thread import start_new_thread
from enum import Enum
from typing import Final

from pooldeck.protocol import PROBE_NAME

_BYTES: Final = 256
_NEAR: Final = 256  # bytes: the GIL's condition variables and mutexes lie side by side
_LOOKS: Final = 50
_NAP: Final = 200  # microseconds
_MOMENT: Final = 60  # microseconds
_SET_NAME: Final = 15  # PR_SET_NAME, see prctl(2)
_SET_SLACK: Final = 29  # PR_SET_TIMERSLACK
_SLACK: Final = 1_000  # nanoseconds by which a timer may be late, instead of 50,000
_READY: Final = (b"running", b"-1 ")  # the latter: kept up outside of any call, by a page fault
_CLOCK_OF_THREAD: Final = 6  # CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED of the kernel

_sleep = time.sleep  # kept, since tasks may replace them


class Seen(Enum):
    """What a thread does while somebody else holds the GIL."""

    WANTS_GIL = "wants"
    FREE = "free"  # it runs, or is ready to, without the GIL
    WAITS = "waits"  # for something else
    UNSURE = "unsure"  # ready to run, with the GIL or without
    GONE = "gone"  # or nothing is known of it


class BlindError(Exception):
    """The kernel does not tell, or there is no GIL."""


class Sight:
    """Looks at threads of this process, from one whose name in the kernel says so.

    Raises:
        BlindError: If this system does not show what they do.
    """

    def __init__(self) -> None:
        if not sys.platform.startswith("linux"):
            raise BlindError("only Linux tells what a thread waits for")
        if not getattr(sys, "_is_gil_enabled", lambda: True)():
            raise BlindError("this interpreter has no GIL")
        self._library = ctypes.PyDLL(None)
        self._library.prctl(_SET_NAME, PROBE_NAME.encode(), 0, 0, 0)
        self._library.prctl(_SET_SLACK, _SLACK, 0, 0, 0)
        self._buffer = ctypes.create_string_buffer(_BYTES)
        self._call, self._address = self._find_gil()

    def look(self, thread: int) -> Seen:
        """Return what a thread does; the caller must hold the GIL, as all Python code does.

        Args:
            thread: The kernel's number of it.
        """
        said = self._read(thread, "syscall")
        if said.startswith(_READY):
            return Seen.FREE
        place = _place(said)
        if place is None:
            return Seen.WAITS if said else Seen.GONE
        call, address = place
        is_gil = call == self._call and abs(address - self._address) <= _NEAR
        return Seen.WANTS_GIL if is_gil else Seen.WAITS

    def wait(self) -> None:
        """Let a moment pass and keep the GIL, but not the CPU, which others may be ready for."""
        self._library.usleep(_MOMENT)

    def cpu(self, thread: int) -> float:
        """Return for how many seconds a thread has been on a CPU since it began.

        Args:
            thread: The kernel's number of it.
        """
        try:
            return time.clock_gettime(~thread << 3 | _CLOCK_OF_THREAD)
        except OSError:  # it has ended
            return 0.0

    def delay(self, thread: int) -> float:
        """Return for how many seconds a thread has been ready while no CPU was free.

        Args:
            thread: The kernel's number of it.
        """
        fields = self._read(thread, "schedstat").split()
        return int(fields[1]) / 1e9 if len(fields) > 1 else 0.0

    def _read(self, thread: int, name: str) -> bytes:
        path = f"/proc/self/task/{thread}/{name}".encode()
        descriptor = self._library.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if descriptor < 0:
            return b""
        size = self._library.read(descriptor, self._buffer, _BYTES)
        self._library.close(descriptor)
        return self._buffer.raw[:size] if size > 0 else b""

    def _find_gil(self) -> tuple[int, int]:
        """Return the system call and the address at which a thread waits for the GIL.

        A helper does nothing but run: while this thread looks at it, it can wait for nothing else.
        """
        threads: list[int] = []
        found: list[tuple[int, int]] = []

        def run() -> None:
            threads.append(threading.get_native_id())
            while not found:
                pass

        start_new_thread(run, ())
        while not threads:
            _sleep(_NAP / 1e6)
        try:
            found.append(self._settled(threads[0]))
        except BlindError:
            found.append((0, 0))
            raise
        return found[0]

    def _settled(self, thread: int) -> tuple[int, int]:
        """Return where a thread waits, as soon as it does."""
        for _ in range(_LOOKS):
            place = _place(self._read(thread, "syscall"))
            if place is not None:
                return place
            self._library.usleep(_NAP)
        raise BlindError("the kernel does not say what a thread waits for")


def _place(said: bytes) -> tuple[int, int] | None:
    """Return the number and the first argument of the system call that a thread sleeps in."""
    fields = said.split(maxsplit=2)
    if len(fields) < 3 or not fields[0].isdigit():  # noqa: PLR2004 - number, argument, the rest
        return None
    return int(fields[0]), int(fields[1], 16)
