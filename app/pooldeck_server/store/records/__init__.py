"""Every write: each takes an open transaction and a batch, and is one or two statements.

A move is fenced: it happens to a task that is still in the attempt and the state that its mover
saw, or not at all. What happened is returned, and noted in the transaction for the counters. Where
one transaction holds several kinds of writes, their order is that of a task's life: insert, claim,
start, progress, log, end or rerun.
"""

from pooldeck_server.store.records.actions import act, act_on_moved, trim_actions
from pooldeck_server.store.records.alerts import (
    end_alert,
    forget_alerts,
    note_told,
    raise_alerts,
    save_rule,
)
from pooldeck_server.store.records.attachments import attach_host, forget_hosts
from pooldeck_server.store.records.attempts import claim, end, release, release_all, start
from pooldeck_server.store.records.batches import add_batch
from pooldeck_server.store.records.callbacks import (
    call_again,
    note_callback,
    save_signing,
    trim_callbacks,
)
from pooldeck_server.store.records.controls import (
    begin_run,
    end_run,
    forget_notices,
    lift_hold,
    save_control,
    save_experiment,
    save_hold,
    save_incident,
    save_report,
    see_notice,
    settle_copy,
    stop_experiments,
)
from pooldeck_server.store.records.deliveries import (
    add_delivery,
    add_destination,
    choose_rules,
    deliver_again,
    note_try,
    remove_destination,
    rotate_secret,
    turn_destination,
)
from pooldeck_server.store.records.dependencies import (
    add_dependencies,
    fan_out,
    refuse_after,
    release_after,
    stop_after,
)
from pooldeck_server.store.records.edits import edit, edited_since
from pooldeck_server.store.records.error_groups import change_error_group
from pooldeck_server.store.records.functions import (
    forget_placement,
    save_catalogue,
    save_placement,
    save_profiles,
)
from pooldeck_server.store.records.history import annotate, roll_up, save_stretches, trim_history
from pooldeck_server.store.records.interruption import interrupt, settle
from pooldeck_server.store.records.logs import cut_logs, log, log_of_workers, trim_worker_logs
from pooldeck_server.store.records.notes import (
    erase_traces,
    index_arguments,
    next_worker_number,
    progress,
)
from pooldeck_server.store.records.reruns import rerun, retry
from pooldeck_server.store.records.retention import (
    DeletedPart,
    allow_deletion,
    delete_tasks,
    keep_task,
    save_day,
    save_leap,
    save_rules,
)
from pooldeck_server.store.records.sessions import begin_session, end_sessions
from pooldeck_server.store.records.tokens import note_uses, revoke_token, save_token
from pooldeck_server.store.records.trimming import trim_others
from pooldeck_server.store.records.waiting import cancel, insert_tasks, lose, promote_due
