"""The standard input of a worker, which has no terminal: it is empty, and stays open."""

import io
import os
import sys
from typing import Final

from pooldeck.worker.descriptors import lift

_INPUT: Final = 0


class EmptyInput(io.TextIOWrapper):
    """What `sys.stdin` is, over a descriptor that ends at once."""

    def __init__(self) -> None:
        self._empty = lift(os.open(os.devnull, os.O_RDONLY))
        self.restore()
        super().__init__(os.fdopen(_INPUT, "rb", closefd=False), "utf-8")

    def close(self) -> None:
        """Stay open: `exit()` closes it, and the next task may read here, too."""

    def restore(self) -> None:
        """Make it the standard input, whatever a task has done to that."""
        os.dup2(self._empty, _INPUT)
        sys.stdin = sys.__stdin__ = self  # type: ignore[misc]  # for the few who use the original
