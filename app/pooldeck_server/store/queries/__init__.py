"""Every read: each takes a connection and answers with values of the domain.

What a query finds leaves SQLite as one JSON text: see `pooldeck_server.store.bulk`.
"""

from pooldeck_server.store.queries.actions import actions, actions_on_task, actors
from pooldeck_server.store.queries.after_moves import failures_of_move, new_error
from pooldeck_server.store.queries.alerts import (
    alert_deliveries,
    alert_destinations,
    alert_news,
    alert_rule_settings,
    destination_of_delivery,
    due_deliveries,
    has_deliveries_waiting,
    open_alerts,
)
from pooldeck_server.store.queries.annotations import annotations, kill_of
from pooldeck_server.store.queries.argument_text import Unindexed, not_indexed, unindexed
from pooldeck_server.store.queries.attachments import attachments, term_of
from pooldeck_server.store.queries.batches import batch_by_key, unkeyed_tasks
from pooldeck_server.store.queries.callbacks import (
    are_callbacks_crowded,
    callback_deliveries,
    callback_secrets,
    due_callbacks,
    task_of_callback,
)
from pooldeck_server.store.queries.clock import clock_memory
from pooldeck_server.store.queries.controls import controls, holds, runs, seen_notices
from pooldeck_server.store.queries.dependencies import (
    awaiting,
    awaiting_task,
    follower_count,
    item_count,
    needs,
    related_tasks,
    results,
    stopper_of,
)
from pooldeck_server.store.queries.editable import editable
from pooldeck_server.store.queries.ends import ends
from pooldeck_server.store.queries.error_groups import (
    count_in_error_group,
    error_group,
    error_group_counts,
    error_groups,
    error_messages,
    fixed_error_groups,
)
from pooldeck_server.store.queries.experiments import experiment, experiments, latest_samples
from pooldeck_server.store.queries.failing import failing
from pooldeck_server.store.queries.figures import (
    activity,
    counts,
    durations,
    function_figures,
    last_minutes,
)
from pooldeck_server.store.queries.functions import (
    catalogue,
    latest_runs,
    placements,
    profiles,
    spreads,
)
from pooldeck_server.store.queries.history import history, stretches
from pooldeck_server.store.queries.identity import (
    count_waiting_through,
    identity,
    waiting_through,
)
from pooldeck_server.store.queries.incidents import (
    death_of,
    incident,
    incident_counts,
    incident_culprits,
    incident_times,
    incidents,
    tasks_today,
)
from pooldeck_server.store.queries.index_plan import AFTER_ALL
from pooldeck_server.store.queries.lists import (
    known_number,
    matching,
    named,
    state_counts,
    tags,
    tasks,
    total,
)
from pooldeck_server.store.queries.loads import loads
from pooldeck_server.store.queries.log_search import search_logs
from pooldeck_server.store.queries.logs import (
    is_in_worker_log,
    is_worker,
    left_out,
    log_window,
    logs,
    worker_log,
)
from pooldeck_server.store.queries.one_task import (
    SMALL,
    KeyOwner,
    are_arguments_erased,
    attempts,
    small_task,
    task,
    task_by_key,
)
from pooldeck_server.store.queries.outbox import outbox
from pooldeck_server.store.queries.pipelines import (
    pipeline,
    pipeline_by_key,
    pipeline_tasks,
    pipelines,
    step,
)
from pooldeck_server.store.queries.places import oldest_waiting, wait_facts
from pooldeck_server.store.queries.queue import last_seq_and_id, next_due, queued, waiting
from pooldeck_server.store.queries.retention import (
    PipelineAge,
    aged,
    count_kept,
    count_submitted_before,
    deleted,
    deleted_by_key,
    file_room,
    final_lanes,
    gone_tasks,
    kept_rules,
    oldest,
    pipeline_ages,
    pipeline_members,
    stored_days,
)
from pooldeck_server.store.queries.run_times import run_times
from pooldeck_server.store.queries.search import SCAN_LIMIT, search
from pooldeck_server.store.queries.sessions import sessions
from pooldeck_server.store.queries.timeline import timeline
from pooldeck_server.store.queries.tokens import tokens
