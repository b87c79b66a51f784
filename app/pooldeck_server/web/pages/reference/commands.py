"""The commands that make calls of the API; most calls have none."""

from collections.abc import Mapping, Sequence
from typing import Final

_COMMANDS: Final[Mapping[tuple[str, str], Sequence[str]]] = {
    ("GET", "/tasks"): ("tasks",),
    ("GET", "/tasks/{task_id}"): ("task", "TASK_ID"),
    ("GET", "/tasks/{task_id}/logs"): ("logs", "TASK_ID"),
    ("POST", "/tasks/{task_id}/cancel"): ("cancel", "TASK_ID"),
    ("POST", "/tasks/{task_id}/retry"): ("retry", "TASK_ID"),
    ("GET", "/functions"): ("functions",),
    ("GET", "/advice"): ("advice",),
    ("GET", "/functions/{name}/advice"): ("advice", "NAME"),
    ("GET", "/pools"): ("pools",),
    ("PATCH", "/pools/{name}"): ("resize", "NAME", "4"),
    ("POST", "/pools/{name}/restart"): ("restart", "NAME"),
    ("GET", "/incidents"): ("incidents",),
    ("GET", "/errors"): ("errors",),
}


def command_of(method: str, path: str) -> Sequence[str]:
    """Return the words of the command that makes a call; none where there is no such command."""
    return _COMMANDS.get((method, path.removeprefix("/api/v1")), ())
