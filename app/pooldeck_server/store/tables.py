"""The tables, as the newest migration leaves them; times are microseconds, durations seconds.

Every index is paid for by each move of a task, so each one here answers a question that is asked
all the time. SQLite appends the row's `seq` to each, so that a list which names the columns of an
index reads it from its end, newest first. JSON is kept as text and never looked into.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

from pooldeck_server.domain.tasks.states import State

SCHEMA = "0017"
"""The revision of the newest migration: what this code reads and writes."""

metadata = MetaData()

_STATES = ", ".join(f"'{state}'" for state in State)


def _required(kind: type[TypeEngine[Any]], *names: str) -> Iterator[Column[Any]]:
    return (Column(name, kind, nullable=False) for name in names)


def _optional(kind: type[TypeEngine[Any]], *names: str) -> Iterator[Column[Any]]:
    return (Column(name, kind) for name in names)


def _run() -> Iterator[Column[Any]]:
    """Yield what is known of an attempt once it has begun: in `tasks` of the present one."""
    yield from _optional(BigInteger, "started_at", "finished_at")
    yield from _optional(Double, "queued_seconds", "run_seconds", "cpu_seconds")
    yield Column("worker", Text)
    yield from _optional(Integer, "pid", "thread")


def _owner() -> Column[int]:
    """Return the column of a row that goes when its task goes."""
    return Column("seq", Integer, ForeignKey("tasks.seq", ondelete="CASCADE"), nullable=False)


tasks = Table(
    "tasks",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    *_required(Text, "id", "function", "pool", "state"),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("claimed", Integer, nullable=False, server_default=text("0")),
    Column("priority", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("run_at", BigInteger),
    *_run(),
    Column("progress_fraction", Double),
    *_optional(Text, "progress_message", "error_kind", "tags"),
    *_optional(Text, "idempotency_key", "fingerprint", "measurement"),
    # The large ones stand last: what is short is read without them.
    *_optional(Text, "shown_args", "shown_kwargs"),
    *_required(Text, "args", "kwargs"),
    *_optional(Text, "result", "error"),
    # Came with migration 0002: SQLite adds columns behind the others only.
    Column("options", Text),
    Column("reruns", Integer, nullable=False, server_default=text("0")),
    # Came with migration 0003.
    Column("error_group", Text),
    Column("recorded_at", BigInteger),
    # Came with migration 0004.
    Column("placed", Text),
    # Came with migration 0011.
    Column("kept_at", BigInteger),
    # Came with migration 0016.
    Column("edits", Integer, nullable=False, server_default=text("0")),
    CheckConstraint(f"state IN ({_STATES})", name="tasks_state"),
    UniqueConstraint("id", name="tasks_id"),
)

# SQLite looks into a partial index only where a query repeats the index's condition literally.
is_queued = tasks.c.state == literal_column(f"'{State.QUEUED}'")
is_waiting = and_(is_queued, tasks.c.claimed == literal_column("0"))
is_scheduled = tasks.c.state == literal_column(f"'{State.SCHEDULED}'")
is_awaiting = and_(is_scheduled, tasks.c.run_at.is_(None))
"""It waits for other tasks: what waits for a time has one."""

Index("tasks_by_pool", tasks.c.pool, tasks.c.state)
Index("tasks_by_function", tasks.c.function, tasks.c.pool, tasks.c.state)
Index("tasks_queue", tasks.c.pool, tasks.c.priority.desc(), tasks.c.seq, sqlite_where=is_waiting)
Index("tasks_due", tasks.c.run_at, sqlite_where=is_scheduled)
Index(
    "tasks_idempotency",
    tasks.c.idempotency_key,
    unique=True,
    sqlite_where=tasks.c.idempotency_key.is_not(None),
)
Index("tasks_errors", tasks.c.error_kind, sqlite_where=tasks.c.error_kind.is_not(None))
Index("tasks_error_groups", tasks.c.error_group, sqlite_where=tasks.c.error_group.is_not(None))
Index("tasks_finished", tasks.c.finished_at, sqlite_where=tasks.c.finished_at.is_not(None))
is_slow = tasks.c.run_seconds >= literal_column("0.01")
Index("tasks_slow", tasks.c.run_seconds, sqlite_where=is_slow)
"""Only what ran 10 ms or longer: no pool ends so many of those that the index is dear."""

is_kept = tasks.c.kept_at.is_not(None)
Index("tasks_kept", tasks.c.kept_at, sqlite_where=is_kept)

attempts = Table(
    "attempts",
    metadata,
    _owner(),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    *_run(),
    *_optional(Text, "error_kind", "measurement", "result", "error"),
    # Came with migration 0003.
    Column("error_group", Text),
    Column("recorded_at", BigInteger),
    PrimaryKeyConstraint("seq", "attempt"),
)
"""Attempts that were followed by another; the present one stands in the row of its task."""

Index("attempts_finished", attempts.c.finished_at, sqlite_where=attempts.c.finished_at.is_not(None))

task_tags = Table(
    "task_tags",
    metadata,
    Column("tag", Text, nullable=False),
    _owner(),
    PrimaryKeyConstraint("tag", "seq"),
    Index("task_tags_by_task", "seq"),
    sqlite_with_rowid=False,
)

logs = Table(
    "logs",
    metadata,
    _owner(),
    *_required(Integer, "attempt", "n"),
    Column("at", BigInteger, nullable=False),
    *_required(Text, "level", "source", "message"),
    # Came with migration 0006.
    Column("is_open", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("seq", "attempt", "n"),
    sqlite_with_rowid=False,
)

worker_logs = Table(
    "worker_logs",
    metadata,
    Column("worker", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    *_required(Text, "level", "source", "message"),
    Column("is_open", Integer, nullable=False),
    PrimaryKeyConstraint("worker", "n"),
    Index("worker_logs_by_time", "at"),
    sqlite_with_rowid=False,
)
"""What cannot be any single call's, by the worker that it came from."""

counters = Table(
    "counters",
    metadata,
    *_required(Text, "pool", "function", "state"),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("pool", "function", "state"),
    sqlite_with_rowid=False,
)
"""How many tasks are in each state: changed with the rows, never counted again."""

activity = Table(
    "activity",
    metadata,
    Column("minute", Integer, nullable=False),  # since the epoch
    *_required(Text, "pool", "function", "state"),
    Column("n", Integer, nullable=False),
    *_required(Double, "wait_seconds", "run_seconds"),
    PrimaryKeyConstraint("minute", "pool", "function", "state"),
    sqlite_with_rowid=False,
)
"""How many tasks ended in each minute, and the sums of their waits and runs."""

functions = Table(
    "functions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("spec", Text, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("pool", Text, primary_key=True),
    Column("last_number", Integer, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("n", Integer, primary_key=True),
    *_required(Text, "id", "pool", "incident"),
    UniqueConstraint("id", name="incidents_id"),
)

Index("incidents_by_pool", incidents.c.pool)

holds = Table(
    "holds",
    metadata,
    Column("function", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    # Came with migration 0015.
    Column("kind", Text, nullable=False, server_default="crashes"),
    *_optional(Text, "by", "cause"),
    Column("within", Double),
)
"""Functions whose tasks wait until somebody lets them go on, as `Hold`."""

seen_notices = Table(
    "seen_notices",
    metadata,
    Column("key", Text, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("key"),
    sqlite_with_rowid=False,
)
"""The notices that somebody has seen and that have not ended since, as `SeenNotice`."""

controls = Table(
    "controls",
    metadata,
    Column("name", Text, primary_key=True),
    Column("size", Integer),
    Column("configured", Integer, nullable=False),
    Column("state", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("boot", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("report", Text),
    # Came with migration 0005.
    Column("cut_off", Text),
    UniqueConstraint("boot", name="runs_boot"),
)

hosts = Table(
    "hosts",
    metadata,
    Column("boot", Text, primary_key=True),
    *_required(Text, "pool", "name"),
    Column("term", Integer, nullable=False),
    *_required(Double, "lease_seconds", "margin_seconds"),
    Column("attached_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The hosts that may have been handed calls, each before the first: what is left is asked of them.

`term` is the `n` of the run that they were attached to.
"""

samples = Table(
    "samples",
    metadata,
    *_required(Integer, "seconds", "at"),
    Column("pool", Text, nullable=False),
    *_required(Double, "slots", "busy", "queued", "oldest_wait", "cpu_percent", "rss_bytes"),
    *_required(Double, "voluntary", "involuntary"),
    PrimaryKeyConstraint("seconds", "at", "pool"),
    sqlite_with_rowid=False,
)
"""Each pool over stretches of `seconds` that begin `at` seconds after the epoch.

Means, but `oldest_wait` (seconds), which is the highest. Switches are per second.
"""

flows = Table(
    "flows",
    metadata,
    *_required(Integer, "seconds", "at"),
    *_required(Text, "pool", "function"),
    *_required(Integer, "submitted", "succeeded", "failed", "cancelled", "lost"),
    *_required(Text, "wait", "run"),
    PrimaryKeyConstraint("seconds", "at", "pool", "function"),
    sqlite_with_rowid=False,
)
"""What went through each pool over such stretches, with histograms of waits and runs."""

annotations = Table(
    "annotations",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    *_optional(Text, "pool", "subject", "data", "reason"),
    Index("annotations_by_time", "at"),
)
"""What was done and what happened, as charts mark it: resizes, pauses, kills, crashes, starts."""

error_groups = Table(
    "error_groups",
    metadata,
    Column("id", Text, primary_key=True),
    *_required(Text, "kind", "type", "place", "message"),
    Column("n", Integer, nullable=False),
    *_required(BigInteger, "first_seen", "last_seen"),
    *_required(Text, "last_task", "state"),
    Column("changed_at", BigInteger),
    Index("error_groups_by_time", "last_seen"),
)

error_counts = Table(
    "error_counts",
    metadata,
    Column("id", Text, ForeignKey("error_groups.id"), nullable=False),
    Column("hour", Integer, nullable=False),  # since the epoch
    Column("function", Text, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("id", "hour", "function"),
    sqlite_with_rowid=False,
)

error_minutes = Table(
    "error_minutes",
    metadata,
    Column("minute", Integer, nullable=False),  # since the epoch
    *_required(Text, "id", "pool"),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("minute", "id", "pool"),
    sqlite_with_rowid=False,
)
"""How many failures of each group there were in each of the latest minutes."""

search_progress = Table("search_progress", metadata, Column("through", BigInteger, nullable=False))
"""The highest `seq` whose arguments the index `argument_text` holds, which is a virtual table."""

profiles = Table(
    "profiles",
    metadata,
    *_required(Text, "function", "kind", "profile"),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("function", "kind"),
    sqlite_with_rowid=False,
)
"""What the runs of each function cost in pools of each kind, as JSON of `Profile`."""

placements = Table(
    "placements",
    metadata,
    Column("function", Text, primary_key=True),
    Column("pool", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)
"""Where `pool="auto"` sends each function, and why, as JSON."""

experiments = Table(
    "experiments",
    metadata,
    Column("n", Integer, primary_key=True),
    *_required(Text, "id", "function", "state"),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("experiment", Text, nullable=False),
    UniqueConstraint("id", name="experiments_id"),
    Index("experiments_by_function", "function"),
)
"""Sweeps over sizes and kinds of pools: what was asked for and what was found, as JSON."""

pipelines = Table(
    "pipelines",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("name", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("steps", Text, nullable=False),
    *_optional(Text, "idempotency_key", "fingerprint"),
    UniqueConstraint("id", name="pipelines_id"),
    UniqueConstraint("idempotency_key", name="pipelines_idempotency"),
)
"""Pipelines with their steps as JSON of `PipelineStep`; how far they are, their tasks tell."""

links = Table(
    "links",
    metadata,
    Column("seq", Integer, ForeignKey("tasks.seq", ondelete="CASCADE"), primary_key=True),
    *_optional(Text, "pipeline", "step"),
    *_optional(Integer, "item", "items"),
    *_optional(Text, "each", "lists"),
    Column("delay", Double),
    *_optional(BigInteger, "run_at", "released_at"),
    *_optional(Text, "stopped_by", "given_args", "given_kwargs"),
)
"""The places of tasks among others, as `Link`: of those in pipelines or after others only."""

Index(
    "links_by_pipeline", links.c.pipeline, links.c.step, sqlite_where=links.c.pipeline.is_not(None)
)

edges = Table(
    "edges",
    metadata,
    Column("needs", BigInteger, nullable=False),
    _owner(),
    *_required(Text, "name", "rule"),
    PrimaryKeyConstraint("needs", "seq"),
    Index("edges_by_task", "seq"),
    sqlite_with_rowid=False,
)
"""Which tasks come after which: `seq` after `needs`, whose result `seq` calls by `name`."""

sessions = Table(
    "sessions",
    metadata,
    Column("key", Text, nullable=False),
    *_required(BigInteger, "began_at", "ends_at"),
    Column("principal", Text, nullable=False),
    Column("token", Text),
    PrimaryKeyConstraint("key"),
    sqlite_with_rowid=False,
)
"""The logins of browsers that have not ended, as `Session`; `principal` is JSON."""

tokens = Table(
    "tokens",
    metadata,
    Column("name", Text, nullable=False),
    *_required(Text, "key", "role", "sees_values", "functions", "pools"),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    *_optional(BigInteger, "expires_at", "used_at"),
    PrimaryKeyConstraint("name"),
    UniqueConstraint("key"),
    sqlite_with_rowid=False,
)
"""The named tokens, as `Token`; `sees_values`, `functions` and `pools` are JSON."""

identity = Table(
    "identity",
    metadata,
    Column("id", Text, primary_key=True),
    Column("copied_from", Text),
    *_optional(BigInteger, "copied_at", "through", "settled_at"),
    sqlite_with_rowid=False,
)
"""One row: which database this is, and as a copy, of which one and how far that was."""

actions = Table(
    "actions",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    *_required(Text, "actor", "actor_kind", "deed", "target_kind"),
    *_optional(Text, "address", "target"),
    Column("number", Integer, nullable=False),
    *_optional(Text, "before", "after", "reason"),
    UniqueConstraint("id", name="actions_id"),
    Index("actions_by_time", "at"),
)
"""Who did what to what, as `Action`: written in the transaction that does it, changed by nobody."""

Index("actions_by_target", actions.c.target, sqlite_where=actions.c.target.is_not(None))

action_tasks = Table(
    "action_tasks",
    metadata,
    _owner(),
    Column("action", Integer, ForeignKey("actions.n", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("seq", "action"),
    Index("action_tasks_by_action", "action"),
    sqlite_with_rowid=False,
)
"""Which tasks an action was done to."""
deleted = Table(
    "deleted",
    metadata,
    *_required(Text, "id", "kind"),
    Column("deleted_at", BigInteger, nullable=False),
    *_optional(Text, "idempotency_key", "fingerprint"),
    PrimaryKeyConstraint("id"),
    Index("deleted_by_time", "deleted_at"),
    sqlite_with_rowid=False,
)
"""What is known for some days of deleted tasks and pipelines: their keys, and that they were."""

Index(
    "deleted_by_key",
    deleted.c.idempotency_key,
    deleted.c.kind,
    sqlite_where=deleted.c.idempotency_key.is_not(None),
)

batches = Table(
    "batches",
    metadata,
    Column("idempotency_key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    *_required(Integer, "first_seq", "number"),
    Column("is_gone", Integer, nullable=False, server_default=text("0")),
    Column("looked_at", BigInteger, nullable=False),
    Index("batches_by_look", "looked_at"),
    sqlite_with_rowid=False,
)
"""Batches under keys of their own: their tasks by their numbers, and whether these are gone."""

storage_days = Table(
    "storage_days",
    metadata,
    Column("day", Integer, primary_key=True),  # since the epoch
    *_required(BigInteger, "used_bytes", "tasks"),
)
"""What the database held at the end of each day."""

retention = Table(
    "retention",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("rules", Text),
    *_optional(BigInteger, "changed_at", "allowed_at", "last_seq"),
    Column("last_id", Text),
    # Came with migration 0013.
    *_optional(BigInteger, "leapt_from", "leapt_to"),
    Column("leap_settles", Integer),
)
"""One row: rules set by hand, since when tasks may be deleted, the newest that ever was, and the
last leap of the clock that nobody has vouched for.
"""

alert_rules = Table(
    "alert_rules",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("is_on", Integer, nullable=False),
    *_optional(Double, "threshold", "quiet_seconds"),
    Column("told_at", BigInteger),
    sqlite_with_rowid=False,
)
"""The rules of alerts that were changed, or that a message told of."""

alerts = Table(
    "alerts",
    metadata,
    Column("n", Integer, primary_key=True),
    *_required(Text, "rule", "subject"),
    *_required(BigInteger, "begun_at", "last_at"),
    Column("over_at", BigInteger),
    *_required(Integer, "count", "told", "told_over"),
    *_required(Text, "text", "path"),
    UniqueConstraint("rule", "subject", name="alerts_by_subject"),
)
"""What happened that a rule speaks of, in the commit of it, and what was told of that."""

destinations = Table(
    "destinations",
    metadata,
    Column("id", Integer, primary_key=True),
    *_required(Text, "name", "kind", "url", "secrets"),
    Column("is_on", Integer, nullable=False),
    Column("trouble", Text),
    Column("created_at", BigInteger, nullable=False),
    # Came with migration 0013.
    Column("rules", Text),
    UniqueConstraint("name", name="destinations_name"),
)
"""Who is told of alerts; `secrets` is JSON of `SigningSecret`s, the newest first.

`rules` is JSON of the names of the rules that it is told of; null: of all.
"""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message", Text, nullable=False),
    Column(
        "destination", Integer, ForeignKey("destinations.id", ondelete="CASCADE"), nullable=False
    ),
    *_required(Text, "type", "state"),
    Column("tries", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    *_optional(BigInteger, "next_at", "last_at"),
    Column("status", Integer),
    Column("answer", Text),
    Column("payload", Text, nullable=False),
    Index("deliveries_by_state", "state", "next_at"),
    Index("deliveries_by_destination", "destination", "state"),
)
"""Messages on their way to destinations, and what became of the latest that have ended."""

callbacks = Table(
    "callbacks",
    metadata,
    Column("seq", Integer, ForeignKey("tasks.seq", ondelete="CASCADE"), primary_key=True),
    Column("url", Text, nullable=False),
)
"""Where the ends of tasks are told, of those that were submitted with an address."""

callback_deliveries = Table(
    "callback_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    *_required(Text, "message", "task", "url", "host", "state"),
    Column("tries", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    *_optional(BigInteger, "next_at", "last_at"),
    Column("status", Integer),
    Column("answer", Text),
    Column("payload", Text, nullable=False),
    Index("callback_deliveries_by_task", "task"),
    Index("callback_deliveries_by_host", "state", "host", "next_at"),
)
"""Ends on their way to where they are told; `task` is an id, which may be of no task any more."""

callback_signing = Table(
    "callback_signing",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("secrets", Text, nullable=False),
    Column("is_on", Integer, nullable=False),
    Column("trouble", Text),
)
"""One row, once somebody has turned callbacks on: what signs all of them, as in `destinations`."""
