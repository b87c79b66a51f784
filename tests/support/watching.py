"""Waiting, with a bound, for what a server does by itself."""

import threading
import time
from collections.abc import Callable
from typing import Any

from tests.support.served import BOUND, Served


def until(look: Callable[[], Any]) -> Any:
    """Look again and again until there is something; return it."""
    end = time.monotonic() + BOUND
    while not (found := look()):
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.02)
    return found


def task_in(server: Served, task_id: str, state: str) -> dict[str, Any]:
    """Wait until a task is in a state, and return it."""

    def look() -> dict[str, Any] | None:
        task: dict[str, Any] = server.http.get(f"/api/v1/tasks/{task_id}").json()
        return task if task["state"] == state else None

    found: dict[str, Any] = until(look)
    return found


def pool_where(
    server: Served, name: str, holds: Callable[[dict[str, Any]], object]
) -> dict[str, Any]:
    """Wait until something holds for a pool's health, and return it."""

    def look() -> dict[str, Any] | None:
        pool: dict[str, Any] = server.http.get(f"/api/v1/pools/{name}").json()
        return pool if holds(pool) else None

    found: dict[str, Any] = until(look)
    return found
