"""Every write: each takes an open transaction and a batch, and is one or two statements.

A move is fenced: it happens to a task that is still in the attempt and the state that its mover
saw, or not at all. What happened is returned, and noted in the transaction for the counters. Where
one transaction holds several kinds of writes, their order is that of a task's life: insert, claim,
start, progress, log, end.
"""

from app.store.records.attempts import claim, end, interrupt, release, start
from app.store.records.notes import erase_traces, log, next_worker_number, progress, save_catalogue
from app.store.records.waiting import cancel, cancel_unclaimed, insert_tasks, promote_due

__all__ = [
    "cancel",
    "cancel_unclaimed",
    "claim",
    "end",
    "erase_traces",
    "insert_tasks",
    "interrupt",
    "log",
    "next_worker_number",
    "progress",
    "promote_due",
    "release",
    "save_catalogue",
    "start",
]
