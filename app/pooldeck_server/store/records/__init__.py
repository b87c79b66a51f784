"""Every write: each takes an open transaction and a batch, and is one or two statements.

A move is fenced: it happens to a task that is still in the attempt and the state that its mover
saw, or not at all. What happened is returned, and noted in the transaction for the counters. Where
one transaction holds several kinds of writes, their order is that of a task's life: insert, claim,
start, progress, log, end or rerun.
"""

from pooldeck_server.store.records.attempts import claim, end, release, start
from pooldeck_server.store.records.controls import (
    begin_run,
    end_run,
    lift_hold,
    save_control,
    save_experiment,
    save_hold,
    save_incident,
    save_report,
    stop_experiments,
)
from pooldeck_server.store.records.dependencies import (
    add_dependencies,
    fan_out,
    refuse_after,
    release_after,
    stop_after,
)
from pooldeck_server.store.records.error_groups import change_error_group
from pooldeck_server.store.records.functions import (
    forget_placement,
    save_catalogue,
    save_placement,
    save_profiles,
)
from pooldeck_server.store.records.history import annotate, roll_up, save_stretches, trim_history
from pooldeck_server.store.records.interruption import interrupt
from pooldeck_server.store.records.notes import (
    erase_traces,
    index_arguments,
    log,
    next_worker_number,
    progress,
)
from pooldeck_server.store.records.reruns import rerun, retry
from pooldeck_server.store.records.waiting import cancel, insert_tasks, promote_due
