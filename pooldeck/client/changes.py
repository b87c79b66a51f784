"""What can be changed of a task that has not started, and the body that says so."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypedDict

from msgspec import Raw

from pooldeck.client.arguments import encode_call


class TaskChanges(TypedDict, total=False):
    """What to change of a task; what is left out stays as it is.

    Attributes:
        priority: From -100 to 100, higher first.
        run_at: When it may run, with a time zone; None for as soon as a slot is free.
        delay: Seconds to wait from now before it may run; not together with `run_at`.
        pool: The name of the pool.
        args: All arguments by position.
        kwargs: All arguments by name.
        reason: Why, for the log of actions.
    """

    priority: int
    run_at: datetime | None
    delay: float
    pool: str
    args: Iterable[Any]
    kwargs: Mapping[str, Any]
    reason: str


def change_body(changes: TaskChanges) -> dict[str, Any]:
    """Return what to send for changes: arguments are as those of a submission.

    Raises:
        TypeError: If there is no such change, or an argument has no JSON.
        ValueError: If an argument has a value that JSON does not have.
    """
    known = TaskChanges.__annotations__
    if unknown := changes.keys() - known.keys():
        named = ", ".join(sorted(unknown))
        raise TypeError(f"{named} cannot be changed; there are {', '.join(known)}")
    body: dict[str, Any] = dict(changes)
    call = encode_call(tuple(changes.get("args", ())), dict(changes.get("kwargs", {})))
    encoded = {"args": Raw(call.args), "kwargs": Raw(call.kwargs)}
    return body | {name: text for name, text in encoded.items() if name in changes}
