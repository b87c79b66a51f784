"""Finds and ends processes by the marks in their environment; run as a program, it is the keeper.

Every process under a server carries POOLDECK_BOOT=<boot> and POOLDECK_WORKER=<worker id>, that of a
command also POOLDECK_CALL=<task and attempt>. Children inherit them, so that a mark still finds
what has left its process group, its session and its parent. A process that clears its environment
is out of reach.

The keeper outlives the server by a moment: it waits for the server's end of a socket to close,
which the kernel does however the server dies, and then ends whatever carries the boot's mark.
`pooldeck.keeper` starts it by this file's path. As a module of the package it would load what the
package loads: twice the memory, and three times as long until it watches. For the same reason this
file imports little, and psutil only where there is no /proc.
"""

import os
import select
import signal
import sys
from collections.abc import Collection, Iterable
from contextlib import ExitStack, suppress
from time import monotonic, sleep

BOOT = "POOLDECK_BOOT"
WORKER = "POOLDECK_WORKER"
CALL = "POOLDECK_CALL"

# pathlib would cost the keeper a fifth of its start.
HAS_PIDFD = hasattr(os, "pidfd_open") and os.path.exists("/proc/self/environ")  # noqa: PTH110
READY = b"r"  # what the keeper says when it watches

_PATIENCE = 5.0  # seconds for a sweep; what is left then cannot be killed
_EXIT = 1.0  # seconds for one pass to wait for the ends of what it killed
_PAUSE = 0.02  # seconds between two passes
_AT_ONCE = 256  # processes to end in one pass: each takes a file descriptor meanwhile
# A process in the middle of an exec shows no environment: who finds nothing looks once more.
_QUIET_PASSES = 2
_GONE = (ProcessLookupError, FileNotFoundError, PermissionError)  # or another user's


class _Marks:
    """What is looked for in an environment, as /proc shows it: entries that end in a NUL."""

    def __init__(self, boots: Iterable[str], worker: str | None, call: str | None = None) -> None:
        self._boots = [f"\0{BOOT}={boot}\0".encode() for boot in boots]
        self._worker = b"" if worker is None else f"\0{WORKER}={worker}\0".encode()
        self._call = b"" if call is None else f"\0{CALL}={call}\0".encode()

    def are_in(self, environment: bytes) -> bool:
        is_ours = any(boot in environment for boot in self._boots)
        return is_ours and self._worker in environment and self._call in environment


def marked(boot: str, worker: str | None = None) -> list[int]:
    """Return the ids of the processes that carry a server's mark, without the caller's own.

    Zombies are left out, and so are processes of other users, which cannot be looked into.

    Args:
        boot: The mark of the server's run.
        worker: A worker's id, to find only what belongs to that worker.

    Raises:
        OSError: If the table of processes cannot be read, as without free file descriptors.
    """
    return _find(_Marks([boot], worker))


def sweep(
    boots: Collection[str],
    worker: str | None = None,
    *,
    call: str | None = None,
    spare: Collection[int] = (),
) -> int:
    """Kill the processes that carry one of the marks, until none is left; wait for their ends.

    It blocks for some 30 ms where there is nothing, and at most about 6 s where something cannot
    be killed: it does not belong on an event loop.

    Args:
        boots: The marks of servers' runs.
        worker: A worker's id, to end only what belongs to that worker.
        call: A command's call, to end only what belongs to it.
        spare: Process ids to leave alone, beside the caller's own.

    Returns:
        How many processes it ended.

    Raises:
        OSError: If the table of processes cannot be read, as without free file descriptors.
    """
    marks = _Marks(boots, worker, call)
    ended = quiet = 0
    deadline = monotonic() + _PATIENCE
    while True:
        found = [pid for pid in _find(marks) if pid not in spare]
        ended += _end(found[:_AT_ONCE], marks)
        quiet = 0 if found else quiet + 1
        if quiet == _QUIET_PASSES or monotonic() >= deadline:
            return ended
        sleep(_PAUSE)


def _find(marks: _Marks) -> list[int]:
    if not HAS_PIDFD:
        from pooldeck import marks_elsewhere  # noqa: PLC0415 - loads psutil and the package

        return marks_elsewhere.find(marks.are_in)
    own = os.getpid()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - as above
    return [pid for pid in pids if pid != own and marks.are_in(_environment(pid))]


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


def _end(pids: Iterable[int], marks: _Marks) -> int:
    """Kill processes and wait for their ends; return how many ended."""
    if not HAS_PIDFD:
        from pooldeck import marks_elsewhere  # noqa: PLC0415 - as above

        return marks_elsewhere.end(pids, marks.are_in, _EXIT)
    with ExitStack() as held:
        killed = [pidfd for pid in pids if (pidfd := _kill(pid, marks, held)) is not None]
        deadline = monotonic() + _EXIT
        return sum(_has_ended(pidfd, deadline) for pidfd in killed)


def open_pidfd(pid: int) -> int | None:
    """Return a pidfd; None if there are none here, or no file descriptor is left for it."""
    with suppress(AttributeError, OSError):
        return os.pidfd_open(pid)
    return None


def _kill(pid: int, marks: _Marks, held: ExitStack) -> int | None:
    """Kill a process and return a pidfd for it, held open by `held`; None if it was not killed.

    The id may be somebody else's by now. Looking again once there is a pidfd settles that: either
    both mean the same process, or the one behind the pidfd is gone and takes no signal.
    """
    with suppress(*_GONE):
        pidfd = os.pidfd_open(pid)
        held.callback(os.close, pidfd)
        if marks.are_in(_environment(pid)):
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
    _let_go()
    with suppress(OSError):  # the server is gone already
        os.write(descriptor, READY)
        while os.read(descriptor, 64):
            pass
    while _swept(boot):
        pass


def _let_go() -> None:
    """Hold neither the server's directory nor its standard error, which told of a failed start."""
    os.chdir("/")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stderr.fileno())
    os.close(null)


def _swept(boot: str) -> bool:
    """Sweep once; return whether there may be more."""
    try:
        return sweep([boot]) > 0
    except OSError:  # short of file descriptors, which those who die give back
        sleep(_PAUSE)
        return True


if __name__ == "__main__":
    _keep(int(sys.argv[1]), sys.argv[2])
