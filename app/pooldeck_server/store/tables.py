"""The tables, as the newest migration leaves them; times are microseconds, durations seconds.

Every index is paid for by each move of a task, so each one here answers a question that is asked
all the time. SQLite appends the row's `seq` to each, so that a list which names the columns of an
index reads it from its end, newest first. JSON is kept as text and never looked into.
"""

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

from pooldeck_server.domain.tasks.states import State

SCHEMA = "0004"
"""The revision of the newest migration: what this code reads and writes."""

metadata = MetaData()

_STATES = ", ".join(f"'{state}'" for state in State)


def _owner() -> Column[int]:
    """Return the column of a row that goes when its task goes."""
    return Column("seq", Integer, ForeignKey("tasks.seq", ondelete="CASCADE"), nullable=False)


tasks = Table(
    "tasks",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("function", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("claimed", Integer, nullable=False, server_default=text("0")),
    Column("priority", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("run_at", BigInteger),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("queued_seconds", Double),
    Column("run_seconds", Double),
    Column("cpu_seconds", Double),
    Column("worker", Text),
    Column("pid", Integer),
    Column("thread", Integer),
    Column("progress_fraction", Double),
    Column("progress_message", Text),
    Column("error_kind", Text),
    Column("tags", Text),
    Column("idempotency_key", Text),
    Column("fingerprint", Text),
    Column("measurement", Text),
    # The large ones stand last: what is short is read without them.
    Column("shown_args", Text),
    Column("shown_kwargs", Text),
    Column("args", Text, nullable=False),
    Column("kwargs", Text, nullable=False),
    Column("result", Text),
    Column("error", Text),
    # Came with migration 0002: SQLite adds columns behind the others only.
    Column("options", Text),
    Column("reruns", Integer, nullable=False, server_default=text("0")),
    # Came with migration 0003.
    Column("error_group", Text),
    Column("recorded_at", BigInteger),
    # Came with migration 0004.
    Column("placed", Text),
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
Index(
    "tasks_queue",
    tasks.c.pool,
    tasks.c.priority.desc(),
    tasks.c.seq,
    sqlite_where=is_waiting,
)
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

attempts = Table(
    "attempts",
    metadata,
    _owner(),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("queued_seconds", Double),
    Column("run_seconds", Double),
    Column("cpu_seconds", Double),
    Column("worker", Text),
    Column("pid", Integer),
    Column("thread", Integer),
    Column("error_kind", Text),
    Column("measurement", Text),
    Column("result", Text),
    Column("error", Text),
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
    Column("attempt", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("level", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("message", Text, nullable=False),
    PrimaryKeyConstraint("seq", "attempt", "n"),
    sqlite_with_rowid=False,
)

counters = Table(
    "counters",
    metadata,
    Column("pool", Text, nullable=False),
    Column("function", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("pool", "function", "state"),
    sqlite_with_rowid=False,
)
"""How many tasks are in each state: changed with the rows, never counted again."""

activity = Table(
    "activity",
    metadata,
    Column("minute", Integer, nullable=False),  # since the epoch
    Column("pool", Text, nullable=False),
    Column("function", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("wait_seconds", Double, nullable=False),
    Column("run_seconds", Double, nullable=False),
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
    Column("id", Text, nullable=False),
    Column("pool", Text, nullable=False),
    Column("incident", Text, nullable=False),
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
)

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
    UniqueConstraint("boot", name="runs_boot"),
)

samples = Table(
    "samples",
    metadata,
    Column("seconds", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("pool", Text, nullable=False),
    *(
        Column(name, Double, nullable=False)
        for name in ("slots", "busy", "queued", "oldest_wait", "cpu_percent", "rss_bytes")
    ),
    Column("voluntary", Double, nullable=False),
    Column("involuntary", Double, nullable=False),
    PrimaryKeyConstraint("seconds", "at", "pool"),
    sqlite_with_rowid=False,
)
"""Each pool over stretches of `seconds` that begin `at` seconds after the epoch.

Means, but `oldest_wait` (seconds), which is the highest. Switches are per second.
"""

flows = Table(
    "flows",
    metadata,
    Column("seconds", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("pool", Text, nullable=False),
    Column("function", Text, nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in ("submitted", "succeeded", "failed", "cancelled", "lost")
    ),
    Column("wait", Text, nullable=False),
    Column("run", Text, nullable=False),
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
    Column("pool", Text),
    Column("subject", Text),
    Column("data", Text),
    Column("reason", Text),
    Index("annotations_by_time", "at"),
)
"""What was done and what happened, as charts mark it: resizes, pauses, kills, crashes, starts."""

error_groups = Table(
    "error_groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("last_task", Text, nullable=False),
    Column("state", Text, nullable=False),
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

search_progress = Table("search_progress", metadata, Column("through", BigInteger, nullable=False))
"""The highest `seq` whose arguments the index `argument_text` holds, which is a virtual table."""

profiles = Table(
    "profiles",
    metadata,
    Column("function", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("profile", Text, nullable=False),
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
    Column("id", Text, nullable=False),
    Column("function", Text, nullable=False),
    Column("state", Text, nullable=False),
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
    Column("idempotency_key", Text),
    Column("fingerprint", Text),
    UniqueConstraint("id", name="pipelines_id"),
    UniqueConstraint("idempotency_key", name="pipelines_idempotency"),
)
"""Pipelines with their steps as JSON of `PipelineStep`; how far they are, their tasks tell."""

links = Table(
    "links",
    metadata,
    Column("seq", Integer, ForeignKey("tasks.seq", ondelete="CASCADE"), primary_key=True),
    Column("pipeline", Text),
    Column("step", Text),
    Column("item", Integer),
    Column("items", Integer),
    Column("each", Text),
    Column("lists", Text),
    Column("delay", Double),
    Column("run_at", BigInteger),
    Column("released_at", BigInteger),
    Column("stopped_by", Text),
    Column("given_args", Text),
    Column("given_kwargs", Text),
)
"""The places of tasks among others, as `Link`: of those in pipelines or after others only."""

Index(
    "links_by_pipeline",
    links.c.pipeline,
    links.c.step,
    sqlite_where=links.c.pipeline.is_not(None),
)

edges = Table(
    "edges",
    metadata,
    Column("needs", BigInteger, nullable=False),
    _owner(),
    Column("name", Text, nullable=False),
    Column("rule", Text, nullable=False),
    PrimaryKeyConstraint("needs", "seq"),
    Index("edges_by_task", "seq"),
    sqlite_with_rowid=False,
)
"""Which tasks come after which: `seq` after `needs`, whose result `seq` calls by `name`."""
