"""What there is to do: tasks, attempts, logs and ties, and what is known of those deleted."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store.tables.columns import metadata, optional, owner, required, run_columns

_STATES = ", ".join(f"'{state}'" for state in State)

tasks = Table(
    "tasks",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    *required(Text, "id", "function", "pool", "state"),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("claimed", Integer, nullable=False, server_default=text("0")),
    Column("priority", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("run_at", BigInteger),
    *run_columns(),
    Column("progress_fraction", Double),
    *optional(Text, "progress_message", "error_kind", "tags"),
    *optional(Text, "idempotency_key", "fingerprint", "measurement"),
    # The large ones stand last: what is short is read without them.
    *optional(Text, "shown_args", "shown_kwargs"),
    *required(Text, "args", "kwargs"),
    *optional(Text, "result", "error"),
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
    owner(),
    Column("attempt", Integer, nullable=False),
    Column("state", Text, nullable=False),
    *run_columns(),
    *optional(Text, "error_kind", "measurement", "result", "error"),
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
    owner(),
    PrimaryKeyConstraint("tag", "seq"),
    Index("task_tags_by_task", "seq"),
    sqlite_with_rowid=False,
)

logs = Table(
    "logs",
    metadata,
    owner(),
    *required(Integer, "attempt", "n"),
    Column("at", BigInteger, nullable=False),
    *required(Text, "level", "source", "message"),
    # Came with migration 0006.
    Column("is_open", Integer, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("seq", "attempt", "n"),
    sqlite_with_rowid=False,
)

pipelines = Table(
    "pipelines",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("name", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("steps", Text, nullable=False),
    *optional(Text, "idempotency_key", "fingerprint"),
    UniqueConstraint("id", name="pipelines_id"),
    UniqueConstraint("idempotency_key", name="pipelines_idempotency"),
)
"""Pipelines with their steps as JSON of `PipelineStep`; how far they are, their tasks tell."""

links = Table(
    "links",
    metadata,
    Column("seq", Integer, ForeignKey("tasks.seq", ondelete="CASCADE"), primary_key=True),
    *optional(Text, "pipeline", "step"),
    *optional(Integer, "item", "items"),
    *optional(Text, "each", "lists"),
    Column("delay", Double),
    *optional(BigInteger, "run_at", "released_at"),
    *optional(Text, "stopped_by", "given_args", "given_kwargs"),
)
"""The places of tasks among others, as `Link`: of those in pipelines or after others only."""

Index(
    "links_by_pipeline", links.c.pipeline, links.c.step, sqlite_where=links.c.pipeline.is_not(None)
)

edges = Table(
    "edges",
    metadata,
    Column("needs", BigInteger, nullable=False),
    owner(),
    *required(Text, "name", "rule"),
    PrimaryKeyConstraint("needs", "seq"),
    Index("edges_by_task", "seq"),
    sqlite_with_rowid=False,
)
"""Which tasks come after which: `seq` after `needs`, whose result `seq` calls by `name`."""

deleted = Table(
    "deleted",
    metadata,
    *required(Text, "id", "kind"),
    Column("deleted_at", BigInteger, nullable=False),
    *optional(Text, "idempotency_key", "fingerprint"),
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
    *required(Integer, "first_seq", "number"),
    Column("is_gone", Integer, nullable=False, server_default=text("0")),
    Column("looked_at", BigInteger, nullable=False),
    Index("batches_by_look", "looked_at"),
    sqlite_with_rowid=False,
)
"""Batches under keys of their own: their tasks by their numbers, and whether these are gone."""

search_progress = Table("search_progress", metadata, Column("through", BigInteger, nullable=False))
"""The highest `seq` whose arguments the index `argument_text` holds, which is a virtual table."""
