"""Functions that measurements would move: some work in one kind of pool only, some in both.

Those that wait take turns at something that a process has one of, with a pause in between in which
others could get at it.
"""

import io
import itertools
import os
import signal
import sqlite3
import time
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from pooldeck import task

_PAUSE = 0.01  # seconds
_slips = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
_slips.execute("CREATE TABLE slip (text TEXT)")
_numbers = itertools.count()


@task
def packs(order: str) -> str:
    """Write into the working directory, and read it back."""
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("slip").write_text(order)
        time.sleep(_PAUSE)
        return Path("slip").read_text()


@task
def labels(order: str) -> str:
    """Set a variable of the environment, and read it back."""
    os.environ["MOVED_LABEL"] = order
    time.sleep(_PAUSE)
    return os.environ["MOVED_LABEL"]


@task
def prints(order: str) -> str:
    """Print, and read back what was printed."""
    with redirect_stdout(io.StringIO()) as printed:
        time.sleep(_PAUSE)
        print(order, end="")  # noqa: T201 - that is what it is about
        time.sleep(_PAUSE)
    return printed.getvalue()


@task
def files(order: str) -> str:
    """Use a connection that was opened at import."""
    _slips.execute("DELETE FROM slip")
    _slips.execute("INSERT INTO slip VALUES (?)", [order])
    time.sleep(_PAUSE)
    return str(_slips.execute("SELECT text FROM slip").fetchone()[0])


@task
def rings(order: str) -> str:
    """Set a signal handler, which only a main thread may."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    time.sleep(_PAUSE)
    return order


@task(safe_in=("thread",))
def promises(order: str) -> str:
    """Do the same, with a word that is not true."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    time.sleep(_PAUSE)
    return order


@task(safe_in=("thread", "process"))
def naps(order: str) -> str:
    """Wait, and share nothing."""
    time.sleep(_PAUSE)
    return order


@task(pool="cpu", safe_in=("thread",))
def settled(order: str) -> str:
    """Wait, and name its pool."""
    time.sleep(_PAUSE)
    return order


async def _burn() -> None:
    until = time.thread_time() + _PAUSE
    while time.thread_time() < until:
        sum(range(1000))


@task
async def tickets(order: str) -> str:
    """Compute, and give each call a number of its own."""
    await _burn()
    return f"{order}-{next(_numbers)}"


@task(safe_in=("process",))
async def sums(order: str) -> str:
    """Compute, and share nothing."""
    await _burn()
    return order


@task(retries=1, backoff=3600)
def insists(order: str) -> str:
    """Set a signal handler, and try again an hour later where that fails."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return order


@task
def breaks(order: str) -> str:
    """Fail everywhere, for the reason that is given; do not where there is none."""
    if order:
        raise ValueError(order)
    return order
