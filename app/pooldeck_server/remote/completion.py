"""What could be typed next: names of functions and pools and ids of tasks, asked of the server.

A shell waits for it with every press of Tab: so it is asked for a short time, and nothing is said
of a server that does not answer.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import typer

_SECONDS: Final = 1.0
_MOST: Final = 50  # ids
_STATES: Final = (*("scheduled", "queued", "running", "succeeded", "failed", "cancelled", "lost"),)


def functions(context: typer.Context, incomplete: str) -> list[str]:
    """Return the functions whose names begin with what was typed."""
    return [name for name in _names(context, "/functions") if name.startswith(incomplete)]


def pools(context: typer.Context, incomplete: str) -> list[str]:
    """Return the pools whose names begin with what was typed."""
    return [name for name in _names(context, "/pools") if name.startswith(incomplete)]


def states(incomplete: str) -> list[str]:
    """Return the states of tasks that begin with what was typed."""
    return [state for state in _STATES if state.startswith(incomplete)]


def tasks(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the latest tasks whose ids begin with what was typed, with what they are."""
    params = {"limit": _MOST} | ({"q": incomplete} if incomplete else {})
    found = _items(context, "/tasks", params)
    return [
        (each["id"], f"{each['function']} {each['state']}")
        for each in found
        if each["id"].startswith(incomplete)
    ]


def _names(context: typer.Context, path: str) -> Iterator[str]:
    return (str(each["name"]) for each in _items(context, path, {}))


def _items(context: typer.Context, path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a list of the API has, or nothing."""
    from pooldeck_server.command_line.complaint import Complaint  # noqa: PLC0415  (only if asked)
    from pooldeck_server.remote.server import RemoteServer  # noqa: PLC0415  (the same)

    place = {name: context.params.get(name) for name in ("url", "token", "profile")}
    with (
        suppress(Complaint, ValueError, KeyError),
        RemoteServer(**place, seconds=_SECONDS) as server,
    ):
        items: list[dict[str, Any]] = server.get(path, params)["items"]
        return items
    return []
