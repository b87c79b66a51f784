"""Every read: each takes a connection and answers with values of the domain.

What a query finds leaves SQLite as one JSON text: see `app.store.bulk`.
"""

from app.store.queries.annotations import annotations
from app.store.queries.argument_text import Unindexed, not_indexed, unindexed
from app.store.queries.controls import controls, holds, runs
from app.store.queries.error_groups import (
    count_in_error_group,
    error_group,
    error_group_counts,
    error_groups,
    fixed_error_groups,
)
from app.store.queries.experiments import experiment, experiments, latest_samples
from app.store.queries.figures import activity, counts, durations, function_figures
from app.store.queries.history import history
from app.store.queries.incidents import (
    incident,
    incident_counts,
    incident_culprits,
    incident_times,
    incidents,
    tasks_today,
)
from app.store.queries.kills import kill_of
from app.store.queries.latest_runs import latest_runs
from app.store.queries.links import (
    awaiting,
    awaiting_task,
    follower_count,
    needs,
    neighbours,
    results,
    stopper_of,
)
from app.store.queries.lists import matching, named, tasks, total
from app.store.queries.loads import loads
from app.store.queries.log_window import log_window
from app.store.queries.pipelines import pipeline, pipeline_by_key, pipeline_tasks, pipelines
from app.store.queries.placements import placements
from app.store.queries.profiles import profiles
from app.store.queries.queue import last_seq_and_id, next_due, queued, waiting
from app.store.queries.search import SCAN_LIMIT
from app.store.queries.single import (
    KeyOwner,
    are_arguments_erased,
    attempts,
    catalogue,
    logs,
    task,
    task_by_key,
)
from app.store.queries.spreads import spreads
from app.store.queries.stretches import stretches
from app.store.queries.tags import tags
from app.store.queries.timeline import timeline

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
    "neighbours",
    "next_due",
    "not_indexed",
    "pipeline",
    "pipeline_by_key",
    "pipeline_tasks",
    "pipelines",
    "placements",
    "profiles",
    "queued",
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
