"""A program that asks for `/healthz` all the time, and tells when the server made it wait.

On a busy machine an answer is late for many reasons that are not the server's. Linux counts how
long each thread was ready to run while no CPU was free (`schedstat`): what the server's threads and
the prober's own have waited that way is taken off, and so is the longest pause of a thread that
does nothing but sleep, which tells when the whole machine stood still. What is left, the server has
spent: computing, or held up by something of its own.

Usage: `python -m tests.fuzz.prober PORT PID`. It ends with its standard input, and prints each wait
of more than `TOLD` as a line of JSON.
"""

import http.client
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

TOLD: Final = 0.1  # seconds
_PAUSE: Final = 0.03  # seconds between an answer and the next question
_PATIENCE: Final = 120.0  # seconds
_NAP: Final = 0.005  # seconds


class Wait(Struct, frozen=True):
    """When a question was asked and answered (`time.monotonic()`), and who is to blame for it."""

    began: float
    ended: float
    machine: float  # seconds of it that no CPU was free for the server or for the prober

    @property
    def server(self) -> float:
        """Return the seconds that the server is to blame for."""
        return self.ended - self.began - self.machine

    def __str__(self) -> str:
        return (
            f"/healthz waited {self.server:.2f} s for the server and {self.machine:.2f} s for a CPU"
        )


class Sleeper:
    """Sleeps and wakes in a thread; `longest` is how late it woke at worst since it was reset."""

    def __init__(self) -> None:
        self.longest = 0.0
        threading.Thread(target=self._sleep, daemon=True).start()

    def _sleep(self) -> None:
        while True:
            due = time.monotonic() + _NAP
            time.sleep(_NAP)
            self.longest = max(self.longest, time.monotonic() - due)


def waited(pid: int | str) -> float:
    """Return the seconds that the threads of a process have waited for a CPU, together."""
    found = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # it has ended
            found += int(thread.read_text().split()[1])
    return found / 1e9


def probe(port: int, server: int, sleeper: Sleeper) -> Wait:
    sleeper.longest = 0.0
    before = waited(server) + waited("self")
    began = time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)) as connection:
        with suppress(OSError, http.client.HTTPException):  # late or gone: both are seen
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        ended = time.monotonic()
    machine = waited(server) + waited("self") - before + sleeper.longest
    return Wait(began, ended, machine)


def _wait_for_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


def main() -> None:
    port, server = map(int, sys.argv[1:])
    sleeper, over = Sleeper(), threading.Event()
    threading.Thread(target=_wait_for_end, args=[over], daemon=True).start()
    while not over.wait(_PAUSE):
        wait = probe(port, server, sleeper)
        if wait.ended - wait.began > TOLD:
            sys.stdout.write(msgspec.json.encode(wait).decode() + "\n")


if __name__ == "__main__":
    main()
