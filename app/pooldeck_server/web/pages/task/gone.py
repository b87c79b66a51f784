"""The page at the address of a task that is not there: it may have been deleted, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.http.sight import Sight
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text.retention import rules_words


@dataclass(frozen=True)
class GoneView(Page):
    """A task that is not there.

    `is_known`: it was deleted, at `deleted_at` (microseconds since the epoch). `rules` are how long
    tasks of each final state are kept.
    """

    template = "task/gone.html"
    section = "tasks"

    task_id: str
    is_known: bool
    deleted_at: int | None
    rules: Sequence[tuple[str, str]]


async def gone_view(server: Server, sight: Sight, task_id: str) -> GoneView:
    """Return what is known of a task that is not there, as far as the reader may know it.

    Who sees only some tasks is not told whether there was another.
    """
    known = await server.read(queries.deleted, "task", task_id) if sight.is_whole else None
    return GoneView(
        task_id=task_id,
        is_known=known is not None,
        deleted_at=known.deleted_at if known else None,
        rules=rules_words(server.retention.rules),
    )
