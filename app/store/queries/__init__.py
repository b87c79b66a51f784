"""Every read: each takes a connection and answers with values of the domain.

What a query finds leaves SQLite as one JSON text: see `app.store.bulk`.
"""

from app.store.queries.figures import activity, counts, durations, function_figures, queue_depths
from app.store.queries.lists import tasks
from app.store.queries.queue import last_seq_and_id, next_due, queued
from app.store.queries.single import KeyOwner, catalogue, logs, task, task_by_key

__all__ = [
    "KeyOwner",
    "activity",
    "catalogue",
    "counts",
    "durations",
    "function_figures",
    "last_seq_and_id",
    "logs",
    "next_due",
    "queue_depths",
    "queued",
    "task",
    "task_by_key",
    "tasks",
]
