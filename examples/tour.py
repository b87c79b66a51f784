"""`python -m examples.tour [URL]`: submits a bit of everything, so that there is something to see.

It waits for the server, looks whether anybody has submitted tasks before, and only then does.
"""

import json
import sys
import time
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from examples.pipeline import PIPELINE

_PATIENCE = 30.0  # seconds for the server to get ready
_PAUSE = 0.2
_WAVES = 8
_WAVE_SECONDS = 10.0
_DEFAULT_URL = "http://127.0.0.1:8000"


def main(url: str = _DEFAULT_URL) -> None:
    """Submit the tour's tasks to the server at `url`, unless it has any already."""
    if _is_ready(url) and not _ask(url, "/api/v1/tasks?limit=1")["items"]:
        _ask(url, "/api/v1/tasks/batch", {"tasks": list(tasks())})
        _ask(url, "/api/v1/pipelines", PIPELINE)


def tasks() -> list[dict[str, Any]]:
    """Return the submissions: waves of work for both pools, some of it failing."""
    files = [
        _task("files.hash_folder"),
        _task("files.compress_folder"),
        _task("pictures.resize_image"),
    ]
    reading = [
        _task("computing.count_words"),
        _task("warehouse.query_orders"),
        _command("count_words"),
    ]
    failing = [_task("failures.divide"), _task("failures.chatty"), _task("failures.crash")]
    waves = [submission for number in range(_WAVES) for submission in _wave(number)]
    return files + reading + failing + waves


def _wave(number: int) -> list[dict[str, Any]]:
    """Return what is submitted for one moment of the tour."""
    fetching = [_task("web.fetch_pages", count=3 * n, latency=0.3) for n in range(1, 9)]
    computing = [_task("computing.primes", limit=3_000_000 * n) for n in range(1, 5)]
    delay = {"delay": number * _WAVE_SECONDS} if number else {}
    return [submission | delay for submission in (*fetching, *computing, _task("failures.flaky"))]


def _task(name: str, **arguments: Any) -> dict[str, Any]:
    return {"function": f"examples.{name}", "kwargs": arguments, "tags": ["tour"]}


def _command(name: str, **arguments: Any) -> dict[str, Any]:
    return {"function": f"commands.{name}", "kwargs": arguments, "tags": ["tour"]}


def _is_ready(url: str) -> bool:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            with urlopen(f"{url}/readyz"):  # noqa: S310 - whoever calls this names the server
                return True
        except (OSError, HTTPException):
            time.sleep(_PAUSE)
    return False


def _ask(url: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url + path, data, {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
