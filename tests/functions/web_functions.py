"""Functions that the tests of the web submit; their workers import this module."""

import json
import os
import signal
import threading
import urllib.error
import urllib.request
from concurrent.futures import CancelledError
from typing import Any

from pooldeck import current_task, task

_never = threading.Event()


@task(pool="cpu")
def echo(value: Any) -> Any:
    """Give back what was given."""
    return value


@task(pool="cpu")
def repeat(text: str, times: int) -> str:
    """Give back much more than was given."""
    return text * times


@task(pool="cpu")
def add(a: int, b: int = 2) -> int:
    """Add two integers."""
    return a + b


@task(pool="io")
def fail(message: str) -> None:
    """Raise an error."""
    raise ValueError(message)


@task(pool="io")
def chatter(lines: int) -> None:
    """Print some lines."""
    for number in range(lines):
        print(f"line {number}")  # noqa: T201
    current_task().progress(0.5, "half")


@task(pool="io")
def say(words: str) -> str:
    """Say something in every way that there is."""
    print(words)  # noqa: T201
    current_task().progress(0.5, words)
    return words


@task(pool="solo")
def block() -> None:
    """Never end."""
    _never.wait()


@task(pool="cpu", sensitive=("password",))
def log_in(user: str, password: str) -> str:
    """Take something that nobody may see."""
    return user + str(len(password))


@task(pool="nowhere")
def stray() -> None:
    """Name a pool that does not exist."""


@task(pool="cpu", retries=1, backoff=0.01)
def flaky(value: int) -> int:
    """Fail at the first attempt, and say so in its log."""
    print(f"attempt {current_task().attempt}")  # noqa: T201
    if current_task().attempt == 1:
        raise OSError("not yet")
    return value


@task(pool="solo")
def patient() -> None:
    """End when asked to."""
    while not current_task().cancelled:
        _never.wait(0.01)
    raise CancelledError


@task(pool="io")
def wait_in_a_thread() -> None:
    """Never end, in a thread."""
    _never.wait()


@task(pool="solo")
def die(signal_number: int) -> None:
    """Take the worker along."""
    os.kill(os.getpid(), signal_number)
    _never.wait()


@task
def roam(value: int) -> int:
    """Leave the pool to the server."""
    return value


@task
def doze(seconds: float) -> None:
    """Leave the pool to the server, and wait."""
    _never.wait(seconds)


@task
async def ask(url: str) -> str:
    """Look as if it waited for another machine."""
    return url


@task(safe_in=("process",))
def chime(seconds: float) -> None:
    """Set a signal handler, and wait: only a main thread may."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _never.wait(seconds)


@task(pool="io")
def told_of_the_server() -> tuple[str | None, str | None]:
    """Say how a task finds the server that it runs in: the address and the token."""
    return os.environ.get("POOLDECK_URL"), os.environ.get("POOLDECK_TOKEN")


@task(pool="io")
def ask_the_server(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Ask the server that it runs in, as a program that knows nothing but its environment."""
    request = urllib.request.Request(
        os.environ["POOLDECK_URL"] + path,
        None if body is None else json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {os.environ['POOLDECK_TOKEN']}",
            "Content-Type": "application/json",
        },
        method=method,
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)
