"""Stores calls as tasks, some at a time; the same call with the same key is the same task."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from pooldeck_server.remote.running.items import Item
from pooldeck_server.remote.server import RefusedError, RemoteServer

_WATCH: Final = "pooldeck-watch"
_OF_AN_ITEM: Final = frozenset({410, 413, 422})
"""Statuses that say something of the tasks in a batch, and not of the server."""


class Stored(Struct, frozen=True):
    """What became of an item: the id of its task, or why it was refused."""

    item: Item
    task: str | None
    problem: str = ""
    is_watched: bool = False


def store(
    server: RemoteServer, common: Mapping[str, Any], chosen: Sequence[Item], watch: str | None
) -> Iterator[Stored]:
    """Store items in one call; where it is refused, in smaller ones, until it is known for whom.

    Args:
        server: Where to.
        common: What all submissions have: the function and its options.
        chosen: The items.
        watch: Which watch is to tell their ends.

    Raises:
        ServerError: If the server cannot be reached, or takes nothing at the moment.
    """
    tasks = [{**common, **(each.call or {}), "idempotency_key": each.key} for each in chosen]
    headers = {_WATCH: watch} if watch else None
    try:
        answer = server.ask("POST", "/tasks/batch", {"tasks": tasks}, headers=headers)
    except RefusedError as error:
        if error.status not in _OF_AN_ITEM:
            raise
        if len(chosen) == 1:
            yield Stored(chosen[0], None, str(error))
            return
        half = len(chosen) // 2
        yield from store(server, common, chosen[:half], watch)
        yield from store(server, common, chosen[half:], watch)
        return
    is_watched = _WATCH in answer.headers
    for item, task in zip(chosen, answer.json()["ids"], strict=True):
        yield Stored(item, task, is_watched=is_watched)
