"""Every read: each takes a connection and answers with values of the domain.

What a query finds leaves SQLite as one JSON text: see `pooldeck_server.store.bulk`.
"""

from pooldeck_server.store.queries.annotations import annotations, kill_of
from pooldeck_server.store.queries.argument_text import Unindexed, not_indexed, unindexed
from pooldeck_server.store.queries.controls import controls, holds, runs
from pooldeck_server.store.queries.dependencies import (
    awaiting,
    awaiting_task,
    follower_count,
    needs,
    related_tasks,
    results,
    stopper_of,
)
from pooldeck_server.store.queries.error_groups import (
    count_in_error_group,
    error_group,
    error_group_counts,
    error_groups,
    fixed_error_groups,
)
from pooldeck_server.store.queries.experiments import experiment, experiments, latest_samples
from pooldeck_server.store.queries.figures import activity, counts, durations, function_figures
from pooldeck_server.store.queries.functions import (
    catalogue,
    latest_runs,
    placements,
    profiles,
    spreads,
)
from pooldeck_server.store.queries.history import history, stretches
from pooldeck_server.store.queries.incidents import (
    incident,
    incident_counts,
    incident_culprits,
    incident_times,
    incidents,
    tasks_today,
)
from pooldeck_server.store.queries.lists import matching, named, tags, tasks, total
from pooldeck_server.store.queries.loads import loads
from pooldeck_server.store.queries.logs import log_window, logs
from pooldeck_server.store.queries.one_task import (
    KeyOwner,
    are_arguments_erased,
    attempts,
    task,
    task_by_key,
)
from pooldeck_server.store.queries.pipelines import (
    pipeline,
    pipeline_by_key,
    pipeline_tasks,
    pipelines,
)
from pooldeck_server.store.queries.queue import last_seq_and_id, next_due, queued, waiting
from pooldeck_server.store.queries.search import SCAN_LIMIT
from pooldeck_server.store.queries.timeline import timeline
