"""Every write: each takes an open transaction and a batch, and is one or two statements.

A move is fenced: it happens to a task that is still in the attempt and the state that its mover
saw, or not at all. What happened is returned, and noted in the transaction for the counters. Where
one transaction holds several kinds of writes, their order is that of a task's life: insert, claim,
start, progress, log, end or rerun.
"""

from app.store.records.attempts import claim, end, release, start
from app.store.records.controls import (
    begin_run,
    end_run,
    lift_hold,
    save_control,
    save_hold,
    save_incident,
    save_report,
)
from app.store.records.interruption import interrupt
from app.store.records.notes import erase_traces, log, next_worker_number, progress, save_catalogue
from app.store.records.reruns import rerun, retry
from app.store.records.waiting import cancel, insert_tasks, promote_due

__all__ = [
    "begin_run",
    "cancel",
    "claim",
    "end",
    "end_run",
    "erase_traces",
    "insert_tasks",
    "interrupt",
    "lift_hold",
    "log",
    "next_worker_number",
    "progress",
    "promote_due",
    "release",
    "rerun",
    "retry",
    "save_catalogue",
    "save_control",
    "save_hold",
    "save_incident",
    "save_report",
    "start",
]
