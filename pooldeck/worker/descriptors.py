"""File descriptors of the worker's own, kept out of the way of the tasks.

They lie high, so that a task that closes "all" low descriptors does not meet them, and they are not
inherited, so that no child process holds the pipe open.
"""

import fcntl
import os
import resource
import socket

_HIGH = 1000
_ROOM = 16


def lift(descriptor: int) -> int:
    """Move a descriptor up and return its new number; the old one is closed."""
    lifted = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _lowest())
    os.close(descriptor)
    return lifted


def adopt(descriptor: int) -> socket.socket:
    """Return an inherited socket, moved up.

    Forked children of tasks close it: they must neither speak for the worker nor keep it open.
    """
    adopted = socket.socket(fileno=lift(descriptor))
    adopted.setblocking(True)
    os.register_at_fork(after_in_child=adopted.close)
    return adopted


def _lowest() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _HIGH if soft == resource.RLIM_INFINITY else max(3, min(_HIGH, soft - _ROOM))
