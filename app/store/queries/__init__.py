"""Every read: each takes a connection and answers with values of the domain.

What a query finds leaves SQLite as one JSON text: see `app.store.bulk`.
"""

from app.store.queries.controls import (
    controls,
    holds,
    incident,
    incident_counts,
    incidents,
    runs,
)
from app.store.queries.figures import activity, counts, durations, function_figures
from app.store.queries.lists import matching, tasks
from app.store.queries.queue import last_seq_and_id, next_due, queued, waiting
from app.store.queries.single import (
    KeyOwner,
    are_arguments_erased,
    attempts,
    catalogue,
    logs,
    task,
    task_by_key,
)

__all__ = [
    "KeyOwner",
    "activity",
    "are_arguments_erased",
    "attempts",
    "catalogue",
    "controls",
    "counts",
    "durations",
    "function_figures",
    "holds",
    "incident",
    "incident_counts",
    "incidents",
    "last_seq_and_id",
    "logs",
    "matching",
    "next_due",
    "queued",
    "runs",
    "task",
    "task_by_key",
    "tasks",
    "waiting",
]
