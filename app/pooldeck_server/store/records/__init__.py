"""Every write: each takes an open transaction and a batch, and is one or two statements.

A move is fenced: it happens to a task that is still in the attempt and the state that its mover
saw, or not at all. What happened is returned, and noted in the transaction for the counters. Where
one transaction holds several kinds of writes, their order is that of a task's life: insert, claim,
start, progress, log, end or rerun.
"""

from pooldeck_server.store.records.annotations import annotate
from pooldeck_server.store.records.attempts import claim, end, release, start
from pooldeck_server.store.records.controls import (
    begin_run,
    end_run,
    lift_hold,
    save_control,
    save_hold,
    save_incident,
    save_report,
)
from pooldeck_server.store.records.dependencies import (
    add_dependencies,
    fan_out,
    refuse_after,
    release_after,
    stop_after,
)
from pooldeck_server.store.records.error_groups import change_error_group
from pooldeck_server.store.records.experiments import save_experiment, stop_experiments
from pooldeck_server.store.records.history import roll_up, save_stretches, trim_history
from pooldeck_server.store.records.interruption import interrupt
from pooldeck_server.store.records.notes import (
    erase_traces,
    log,
    next_worker_number,
    progress,
    save_catalogue,
)
from pooldeck_server.store.records.placements import forget_placement, save_placement
from pooldeck_server.store.records.profiles import save_profiles
from pooldeck_server.store.records.reruns import rerun, retry
from pooldeck_server.store.records.search import index_arguments
from pooldeck_server.store.records.waiting import cancel, insert_tasks, promote_due

__all__ = [
    "add_dependencies",
    "annotate",
    "begin_run",
    "cancel",
    "change_error_group",
    "claim",
    "end",
    "end_run",
    "erase_traces",
    "fan_out",
    "forget_placement",
    "index_arguments",
    "insert_tasks",
    "interrupt",
    "lift_hold",
    "log",
    "next_worker_number",
    "progress",
    "promote_due",
    "refuse_after",
    "release",
    "release_after",
    "rerun",
    "retry",
    "roll_up",
    "save_catalogue",
    "save_control",
    "save_experiment",
    "save_hold",
    "save_incident",
    "save_placement",
    "save_profiles",
    "save_report",
    "save_stretches",
    "start",
    "stop_after",
    "stop_experiments",
    "trim_history",
]
