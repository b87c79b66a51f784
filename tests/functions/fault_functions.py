"""Functions that do the bad things, each of them noted in the effect log."""

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pooldeck import current_task, task
from tests.faults.effects import effect, sign_of_life

_POLL_SECONDS = 0.01
_BEAT_SECONDS = 0.02
_FOR_EVER = 600.0


# Well-behaved.


@task
def add(a: int, b: int) -> int:
    with effect():
        return a + b


@task
def sleep(seconds: float) -> float:
    with effect():
        time.sleep(seconds)
        return seconds


@task(idempotent=True)
def sleep_again(seconds: float) -> float:
    with effect():
        time.sleep(seconds)
        return seconds


@task
def beat(seconds: float) -> float:
    """Run for a while, and leave signs of life."""
    with effect():
        return _beat(seconds)


@task(idempotent=True)
def beat_again(seconds: float) -> float:
    with effect():
        return _beat(seconds)


def _beat(seconds: float) -> float:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, _BEAT_SECONDS))
        sign_of_life()
    return seconds


@task
def wait_for(gate: str) -> str:
    """Run until somebody makes the file `gate`."""
    with effect():
        while not Path(gate).exists():
            time.sleep(_POLL_SECONDS)
        return gate


@task
def say_when(gate: str) -> str:
    """Run until somebody makes the file `gate`, and say so."""
    with effect():
        print("it waits")  # noqa: T201 - for its log
        while not Path(gate).exists():
            time.sleep(_POLL_SECONDS)
        print("it went")  # noqa: T201 - for its log
        return gate


@task(idempotent=True)
def wait_for_again(gate: str) -> int:
    """Run until somebody makes the file `gate`; return the number of the attempt."""
    with effect():
        while not Path(gate).exists():
            time.sleep(_POLL_SECONDS)
        return current_task().attempt


@task
def obey() -> str:
    """Run until somebody asks it to stop."""
    with effect():
        while not current_task().cancelled:
            time.sleep(_POLL_SECONDS)
        return "as you wish"


@task(retries=2, backoff=0.05)
def fail_until(attempt: int) -> int:
    with effect():
        if current_task().attempt < attempt:
            raise ConnectionError(f"attempt {current_task().attempt} came too early")
        return attempt


# Those that end their worker.


@task
def leave(code: int) -> None:
    with effect():
        os._exit(code)


@task
def segfault() -> None:
    with effect():
        ctypes.string_at(0)


@task
def abort() -> None:
    with effect():
        os.abort()


@task
def kill_self(number: int) -> None:
    with effect():
        os.kill(os.getpid(), number)
        time.sleep(_FOR_EVER)


@task(idempotent=True)
def crash_until(attempt: int) -> int:
    with effect():
        if current_task().attempt < attempt:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(_FOR_EVER)
        return attempt


# Those that do not end, or not in time.


@task(timeout=0.5)
def overrun() -> None:
    with effect():
        time.sleep(_FOR_EVER)


@task(timeout=60)
def wait_a_minute(gate: str) -> None:
    with effect():
        while not Path(gate).exists():
            time.sleep(_POLL_SECONDS)


@task
def spin() -> None:
    with effect():
        while True:
            pass


@task
def hold_gil(seconds: int) -> None:
    with effect():
        ctypes.PyDLL(None).sleep(seconds)


@task
def match() -> bool:
    """Try a regular expression that takes longer than anybody can wait."""
    with effect():
        return re.fullmatch(r"(a+)+b", "a" * 60) is not None


# Memory.


@task
def hold_memory(megabytes: int, gate: str) -> int:
    """Keep so much memory until somebody makes the file `gate`."""
    with effect():
        held = b"x" * (megabytes << 20)
        while not Path(gate).exists():
            time.sleep(_POLL_SECONDS)
        return len(held)


@task
def burst_memory(limit_megabytes: int) -> int:
    """Ask for far more memory than this process may have."""
    with effect():
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limit_megabytes << 20, hard))
        try:
            return len(b"x" * (64 * limit_megabytes << 20))
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


# Children.


@task
def leave_children(notes: str) -> None:
    """Start a child, a fork and a process in a session of its own; note their ids; go on."""
    with effect():
        Path(notes, "child").write_text(str(_child()))
        Path(notes, "session").write_text(str(_child(start_new_session=True)))
        if (fork := os.fork()) == 0:
            time.sleep(_FOR_EVER)
            os._exit(0)
        Path(notes, "fork").write_text(str(fork))
        time.sleep(_FOR_EVER)


def _child(**options: Any) -> int:
    command = [sys.executable, "-c", f"import time; time.sleep({_FOR_EVER})"]
    return subprocess.Popen(command, **options).pid


# Those that wait for themselves.


@task
def nest(url: str, go: str) -> Any:
    """Submit a task to this task's own pool when a file is there, and wait for it."""
    with effect():
        while not Path(go).exists():
            time.sleep(0.01)
        name = add.__module__ + ".add"
        body = {"function": name, "args": [1, 2], "pool": current_task().pool}
        request = urllib.request.Request(
            f"{url}/api/v1/tasks?wait=60",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)["result"]


# Floods.


@task
def flood_log(lines: int) -> int:
    with effect():
        for n in range(lines):
            print("line", n, "x" * 100)  # noqa: T201 - this is how tasks speak
        return lines


@task
def flood_progress(reports: int) -> int:
    with effect():
        for n in range(reports):
            current_task().progress(n / reports, "x" * 100)
        return reports


@task
def flood_output(megabytes: int) -> int:
    """Write bytes that are no text to both streams, past Python."""
    with effect():
        for _ in range(megabytes):
            os.write(1, bytes(range(256)) * 2048)
            os.write(2, bytes(range(255, -1, -1)) * 2048)
        return megabytes


# Outcomes that cannot travel.


class HostileError(Exception):
    """An exception that goes wrong in whoever looks at it."""

    def __str__(self) -> str:
        raise RuntimeError("not even its message")

    __repr__ = __str__

    def __reduce__(self) -> tuple[Any, ...]:
        raise RuntimeError("not to be pickled")


class TwoPartError(Exception):
    """An exception that can be pickled, and not be unpickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def _deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


def _raise(error: BaseException) -> None:
    raise error


Bad = Literal[
    "object",
    "nan",
    "huge",
    "deep",
    "hostile",
    "two_part",
    "huge_message",
    "SystemExit",
    "KeyboardInterrupt",
    "GeneratorExit",
]
_BAD: dict[Bad, Callable[[], Any]] = {
    "object": object,
    "nan": lambda: float("nan"),
    "huge": lambda: "x" * (200 << 20),
    "deep": lambda: _deep(100_000),
    "hostile": lambda: _raise(HostileError()),
    "two_part": lambda: _raise(TwoPartError("one", "two")),
    "huge_message": lambda: _raise(ValueError("x" * (50 << 20))),
    "SystemExit": lambda: _raise(SystemExit(3)),
    "KeyboardInterrupt": lambda: _raise(KeyboardInterrupt()),
    "GeneratorExit": lambda: _raise(GeneratorExit()),
}


@task
def end_badly(how: Bad) -> Any:
    with effect():
        return _BAD[how]()
