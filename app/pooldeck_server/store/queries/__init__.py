"""Every read: each takes a connection and answers with values of the domain.

What a query finds leaves SQLite as one JSON text: see `pooldeck_server.store.bulk`.
"""

from pooldeck_server.store.queries.annotations import annotations
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
from pooldeck_server.store.queries.history import history
from pooldeck_server.store.queries.incidents import (
    incident,
    incident_counts,
    incident_culprits,
    incident_times,
    incidents,
    tasks_today,
)
from pooldeck_server.store.queries.kills import kill_of
from pooldeck_server.store.queries.latest_runs import latest_runs
from pooldeck_server.store.queries.lists import matching, named, tasks, total
from pooldeck_server.store.queries.loads import loads
from pooldeck_server.store.queries.log_window import log_window
from pooldeck_server.store.queries.one_task import (
    KeyOwner,
    are_arguments_erased,
    attempts,
    catalogue,
    logs,
    task,
    task_by_key,
)
from pooldeck_server.store.queries.pipelines import (
    pipeline,
    pipeline_by_key,
    pipeline_tasks,
    pipelines,
)
from pooldeck_server.store.queries.placements import placements
from pooldeck_server.store.queries.profiles import profiles
from pooldeck_server.store.queries.queue import last_seq_and_id, next_due, queued, waiting
from pooldeck_server.store.queries.search import SCAN_LIMIT
from pooldeck_server.store.queries.spreads import spreads
from pooldeck_server.store.queries.stretches import stretches
from pooldeck_server.store.queries.tags import tags
from pooldeck_server.store.queries.timeline import timeline

__all__ = [
    "SCAN_LIMIT",
    "KeyOwner",
    "Unindexed",
    "activity",
    "annotations",
    "are_arguments_erased",
    "attempts",
    "awaiting",
    "awaiting_task",
    "catalogue",
    "controls",
    "count_in_error_group",
    "counts",
    "durations",
    "error_group",
    "error_group_counts",
    "error_groups",
    "experiment",
    "experiments",
    "fixed_error_groups",
    "follower_count",
    "function_figures",
    "history",
    "holds",
    "incident",
    "incident_counts",
    "incident_culprits",
    "incident_times",
    "incidents",
    "kill_of",
    "last_seq_and_id",
    "latest_runs",
    "latest_samples",
    "loads",
    "log_window",
    "logs",
    "matching",
    "named",
    "needs",
    "next_due",
    "not_indexed",
    "pipeline",
    "pipeline_by_key",
    "pipeline_tasks",
    "pipelines",
    "placements",
    "profiles",
    "queued",
    "related_tasks",
    "results",
    "runs",
    "spreads",
    "stopper_of",
    "stretches",
    "tags",
    "task",
    "task_by_key",
    "tasks",
    "tasks_today",
    "timeline",
    "total",
    "unindexed",
    "waiting",
]
