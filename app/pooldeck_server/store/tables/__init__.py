"""The tables, as the newest migration leaves them; times are microseconds, durations seconds.

Every index is paid for by each move of a task, so each one here answers a question that is asked
all the time. SQLite appends the row's `seq` to each, so that a list which names the columns of an
index reads it from its end, newest first. JSON is kept as text and never looked into.

Each module has those of one subject. Everybody else imports from here.
"""

from pooldeck_server.store.tables.columns import metadata
from pooldeck_server.store.tables.failures import (
    error_counts,
    error_groups,
    error_minutes,
    holds,
    incidents,
)
from pooldeck_server.store.tables.measured import (
    activity,
    annotations,
    counters,
    experiments,
    flows,
    placements,
    profiles,
    samples,
)
from pooldeck_server.store.tables.messages import (
    alert_rules,
    alerts,
    callback_deliveries,
    callback_signing,
    callbacks,
    deliveries,
    destinations,
)
from pooldeck_server.store.tables.people import (
    action_tasks,
    actions,
    seen_notices,
    sessions,
    tokens,
)
from pooldeck_server.store.tables.runs_and_pools import (
    controls,
    functions,
    hosts,
    runs,
    worker_logs,
    workers,
)
from pooldeck_server.store.tables.upkeep import identity, retention, storage_days
from pooldeck_server.store.tables.work import (
    attempts,
    batches,
    deleted,
    edges,
    is_awaiting,
    is_kept,
    is_queued,
    is_scheduled,
    is_slow,
    is_waiting,
    links,
    logs,
    pipelines,
    search_progress,
    task_tags,
    tasks,
)

SCHEMA = "0018"
"""The revision of the newest migration: what this code reads and writes."""

__all__ = [
    "SCHEMA",
    "action_tasks",
    "actions",
    "activity",
    "alert_rules",
    "alerts",
    "annotations",
    "attempts",
    "batches",
    "callback_deliveries",
    "callback_signing",
    "callbacks",
    "controls",
    "counters",
    "deleted",
    "deliveries",
    "destinations",
    "edges",
    "error_counts",
    "error_groups",
    "error_minutes",
    "experiments",
    "flows",
    "functions",
    "holds",
    "hosts",
    "identity",
    "incidents",
    "is_awaiting",
    "is_kept",
    "is_queued",
    "is_scheduled",
    "is_slow",
    "is_waiting",
    "links",
    "logs",
    "metadata",
    "pipelines",
    "placements",
    "profiles",
    "retention",
    "runs",
    "samples",
    "search_progress",
    "seen_notices",
    "sessions",
    "storage_days",
    "task_tags",
    "tasks",
    "tokens",
    "worker_logs",
    "workers",
]
