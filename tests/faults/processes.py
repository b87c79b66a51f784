"""Which processes a server started, by a mark of our own and by parentage: not by the server's.

Each life of a server has a mark in its environment that all its processes inherit, however they
detach themselves. What clears its environment is found as long as it is a descendant.
"""

import time
from collections.abc import Iterator
from contextlib import suppress

import psutil

VARIABLE = "FAULTS_LIFE"
SECONDS_TO_GO = 5.0  # within which everything has to be gone after the server's end


class Family:
    """The processes under one life of a server.

    Args:
        mark: What the life has in its environment as `FAULTS_LIFE`.
    """

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self._known: set[psutil.Process] = set()

    def remember(self, pid: int) -> None:
        """Note the descendants that the server `pid` has now."""
        self._known.update(psutil.Process(pid).children(recursive=True))

    def left(self) -> list[str]:
        """Return those that are alive, in words."""
        return [words for process in self._alive() for words in _words(process)]

    def end(self) -> None:
        """End those that are alive: what should not be left is not left to the machine."""
        for process in self._alive():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _alive(self) -> set[psutil.Process]:
        alive = {process for process in self._known if process.is_running()}
        return alive.union(self.members())

    def members(self) -> list[psutil.Process]:
        """Return the processes that carry the mark."""
        return [process for process in psutil.process_iter() if self._is_marked(process)]

    def left_in_the_end(self) -> list[str]:
        """Return those that are still alive when all should be gone."""
        until = time.monotonic() + SECONDS_TO_GO
        while (left := self.left()) and time.monotonic() < until:
            time.sleep(0.05)
        return left

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(VARIABLE) == self.mark
        except psutil.Error:  # it is gone, or a zombie, or not ours to look at
            return False


def _words(process: psutil.Process) -> Iterator[str]:
    """Yield a line for `process`, or nothing if it has ended."""
    try:
        if process.status() != psutil.STATUS_ZOMBIE:
            yield f"{process.pid} {' '.join(process.cmdline())[:100]}"
    except psutil.NoSuchProcess:
        return
