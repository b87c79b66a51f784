"""Marks in the environment of processes, by which they are found and ended; and the keeper program.

Every process under a server carries POOLDECK_BOOT=<boot> and POOLDECK_WORKER=<worker id>, that of a
command also POOLDECK_CALL=<task and attempt>. Children inherit them, so that a mark still finds
what has left its process group, its session and its parent. A process that clears its environment
is out of reach.

The keeper outlives the server by a moment: it waits for the server's end of a socket to close,
which the kernel does however the server dies, and then ends whatever carries the boot's mark.
A server can be told to answer for what it runs only until a moment; the keeper then ends it at that
moment, too, if it is not told a later one: even a server that is stopped is held to that.

`pooldeck.keeper` starts it by this file's path. As a module of the package it would load what the
package loads: twice the memory, and three times as long until it watches. For the same reason this
file imports little, and psutil only where there is no /proc.
"""

import os
import select
import signal
import sys
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack, suppress
from struct import Struct
from time import monotonic, sleep

try:
    from time import CLOCK_BOOTTIME, clock_gettime
except ImportError:  # there is none: a machine that sleeps finds out late
    moment = monotonic
else:

    def moment() -> float:
        """Return the seconds of a clock that goes on while the machine sleeps."""
        return clock_gettime(CLOCK_BOOTTIME)


BOOT = "POOLDECK_BOOT"
WORKER = "POOLDECK_WORKER"
CALL = "POOLDECK_CALL"

AreIn = Callable[[bytes], bool]
"""Judges an environment: entries that begin after a NUL and end in one."""

# pathlib would cost the keeper a fifth of its start.
HAS_PIDFD = hasattr(os, "pidfd_open") and os.path.exists("/proc/self/environ")  # noqa: PTH110
READY = b"r"  # what the keeper sends when it watches, and when it is asked
QUESTION = b"?"
UNTIL = b"u"  # followed by when what it keeps is to be over, by the clock of `moment`
SECONDS = Struct(">d")

_PATIENCE = 5.0  # seconds for a sweep; what is left then cannot be killed
_EXIT = 1.0  # seconds for one pass to wait for the ends of what it killed
_PAUSE = 0.02  # seconds between two passes
_AT_ONCE = 256  # processes to end in one pass: each takes a file descriptor meanwhile
# A process in the middle of an exec shows no environment: a pass that finds none is repeated.
_QUIET_PASSES = 2
_TURN = 0.25  # seconds between two looks at the clock, and two sweeps when that is over
_GONE = (ProcessLookupError, FileNotFoundError, PermissionError)  # or another user's


def _matcher(boots: Iterable[str], worker: str | None, call: str | None = None) -> AreIn:
    """Return what tells whether the marks are in an environment."""
    any_of = [f"\0{BOOT}={boot}\0".encode() for boot in boots]
    others = ((WORKER, worker), (CALL, call))
    all_of = [f"\0{name}={mark}\0".encode() for name, mark in others if mark is not None]
    return lambda environment: (
        any(mark in environment for mark in any_of) and all(mark in environment for mark in all_of)
    )


def marked(boot: str, worker: str | None = None) -> list[int]:
    """Return the ids of the processes that carry the mark of a boot, and of its worker if given.

    The caller's own is left out, as are zombies and processes of other users, which show nothing.
    An `OSError` is raised as by `sweep`.
    """
    return _find(_matcher([boot], worker))


def sweep(
    boots: Collection[str],
    worker: str | None = None,
    *,
    call: str | None = None,
    spare: Collection[int] = (),
) -> int:
    """Kill the processes that carry one of the marks, until none is left; return how many ended.

    It blocks for some 30 ms where there is nothing, and at most about 6 s where something cannot
    be killed: it does not belong on an event loop. `worker` or `call` end only what belongs to
    them; the caller's own process is left alone, and those of the ids `spare`.

    Raises:
        OSError: If the table of processes cannot be read, as without free file descriptors.
    """
    are_in = _matcher(boots, worker, call)
    ended = quiet = 0
    deadline = monotonic() + _PATIENCE
    while True:
        found = [pid for pid in _find(are_in) if pid not in spare]
        ended += _end(found[:_AT_ONCE], are_in)
        quiet = 0 if found else quiet + 1
        if quiet == _QUIET_PASSES or monotonic() >= deadline:
            return ended
        sleep(_PAUSE)


def _find(are_in: AreIn) -> list[int]:
    if not HAS_PIDFD:
        from pooldeck import marks_elsewhere  # noqa: PLC0415 - loads psutil and the package

        return marks_elsewhere.find(are_in)
    own = os.getpid()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - as above
    return [pid for pid in pids if pid != own and are_in(_environment(pid))]


def _environment(pid: int) -> bytes:
    """Return a process's environment between NULs, empty if it is gone or out of reach."""
    try:
        descriptor = os.open(f"/proc/{pid}/environ", os.O_RDONLY)
    except _GONE:
        return b""
    parts = [b"\0"]
    with suppress(OSError):  # it ended just now, or has no such memory any more
        while part := os.read(descriptor, 65536):
            parts.append(part)
    os.close(descriptor)
    return b"".join(parts)


def _end(pids: Iterable[int], are_in: AreIn) -> int:
    """Kill processes and wait for their ends; return how many ended."""
    if not HAS_PIDFD:
        from pooldeck import marks_elsewhere  # noqa: PLC0415 - as above

        return marks_elsewhere.end(pids, are_in, _EXIT)
    with ExitStack() as held:
        killed = [pidfd for pid in pids if (pidfd := _kill(pid, are_in, held)) is not None]
        deadline = monotonic() + _EXIT
        return sum(_has_ended(pidfd, deadline) for pidfd in killed)


def open_pidfd(pid: int) -> int | None:
    """Return a pidfd; None if there are none here, or no file descriptor is left for it."""
    with suppress(AttributeError, OSError):
        return os.pidfd_open(pid)
    return None


def _kill(pid: int, are_in: AreIn, held: ExitStack) -> int | None:
    """Kill a process and return a pidfd for it, held open by `held`; None if it was not killed.

    The id may be another process's by now. Reading the environment again once there is a pidfd
    settles that: either both mean the same process, or the one behind the pidfd is gone and takes
    no signal.
    """
    with suppress(*_GONE):
        pidfd = os.pidfd_open(pid)
        held.callback(os.close, pidfd)
        if are_in(_environment(pid)):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            return pidfd
    return None


def _has_ended(pidfd: int, deadline: float) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(max(0.0, deadline - monotonic()) * 1000))


def _keep(descriptor: int, boot: str) -> None:
    """Wait until the other end of a socket is closed, then end what carries the boot's mark."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    marked(boot)  # fails now if it cannot work
    _detach()
    with suppress(OSError):  # the server is gone already
        os.write(descriptor, READY)
        _listen(descriptor, boot)
    while _swept(boot):
        pass


def _listen(descriptor: int, boot: str) -> None:
    """Answer questions, and sweep when the time that was told is over, until the line closes."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    told = b""
    until: float | None = None
    while True:
        left = None if until is None else min(max(0.0, until - moment()), _TURN)
        if until is not None and left == 0.0:
            _swept(boot)
            left = _TURN
        if not poll.poll(left if left is None else left * 1000):
            continue
        data = os.read(descriptor, 4096)
        if not data:
            return
        told += data
        while told:
            if told[:1] != UNTIL:
                os.write(descriptor, READY)
                told = told[1:]
            elif len(told) > SECONDS.size:
                (until,) = SECONDS.unpack_from(told, 1)
                told = told[1 + SECONDS.size :]
            else:
                break


def _detach() -> None:
    """Hold neither the server's directory nor its standard error, which had a failed start's."""
    os.chdir("/")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stderr.fileno())
    os.close(null)


def _swept(boot: str) -> bool:
    """Sweep once; return whether there may be more."""
    try:
        return sweep([boot]) > 0
    except OSError:  # short of file descriptors, which dying processes give back
        sleep(_PAUSE)
        return True


if __name__ == "__main__":
    _keep(int(sys.argv[1]), sys.argv[2])
