"""The child processes of tasks, noted as they are started.

To look for children after each call would take longer than most calls do. So what starts processes
is wrapped, and notes for which task it did. What C code starts by itself is not seen.
"""

import _posixsubprocess
import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, Final

from pooldeck.context import LOCAL, CurrentTask, current_task

_STARTERS: Final = ("fork", "posix_spawn", "posix_spawnp")  # they return the child's id
_MANY: Final = 64  # children of one task, of which most will have ended
_HELPERS: Final = (b".resource_tracker import main", b"multiprocessing.forkserver")


def install() -> None:
    """Note the children of tasks from now on.

    Before the user's modules are imported: `subprocess` keeps the function that it finds.
    """
    for name in _STARTERS:
        if hasattr(os, name):
            setattr(os, name, _noting(getattr(os, name)))
    if hasattr(os, "forkpty"):
        os.forkpty = _noting(os.forkpty, lambda started: started[0])
    library: Any = _posixsubprocess
    library.fork_exec = _noting(library.fork_exec)


def children_of(task: CurrentTask) -> list[int]:
    """Return the ids of the processes that a task, or a thread of its own, started and that run."""
    started = task._children  # noqa: SLF001 - kept there for this
    if not started:
        return []
    return [pid for pid in sorted(started) if runs(pid) and not _is_helper(pid)]


def runs(pid: int) -> bool:
    """Tell whether a child of this process has not ended yet, without taking its end.

    Where the system cannot be asked for that, one whose end nobody has taken counts as running.
    """
    try:
        if not hasattr(os, "waitid"):
            os.kill(pid, 0)
            return True
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except (ChildProcessError, ProcessLookupError):
        return False


def command_line(pid: int) -> bytes:
    """Return how a process was called, its arguments parted by blanks; empty if that is unknown."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
    return b""


def _is_helper(pid: int) -> bool:
    """Tell whether a child is kept to the end of this process by `multiprocessing`, or joblib."""
    line = command_line(pid)
    return any(helper in line for helper in _HELPERS)


def _noting(start: Callable[..., Any], pid_of: Callable[[Any], int] = int) -> Callable[..., Any]:
    @wraps(start)
    def noting(*arguments: Any, **options: Any) -> Any:
        started = start(*arguments, **options)
        if pid := pid_of(started):  # 0: this is the child
            _note(current_task(), pid)
        return started

    return noting


def _note(task: CurrentTask, pid: int) -> None:
    if task is LOCAL:
        return
    if task._children is None:  # noqa: SLF001 - see `children_of`
        task._children = set()  # noqa: SLF001
    children = task._children  # noqa: SLF001
    if len(children) >= _MANY:
        children.intersection_update([each for each in children if runs(each)])
    children.add(pid)
