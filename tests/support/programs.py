"""Programs that tests start: each is gone with its block, and so is whatever it has started."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def started(command: Sequence[str], **options: Any) -> "Iterator[subprocess.Popen[Any]]":
    """Run a program for the time of the block, in a process group that ends with the block.

    `with subprocess.Popen(...)` alone would wait for a program that does not end, whatever cut
    the block short: a test could not fail, nor be timed out.
    """
    with subprocess.Popen(command, start_new_session=True, **options) as program:
        try:
            yield program
        finally:
            with suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
