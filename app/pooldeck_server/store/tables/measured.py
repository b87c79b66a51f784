"""What is counted and measured: how much went through, what runs cost, what follows from that."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from pooldeck_server.store.tables.columns import metadata, optional, required

counters = Table(
    "counters",
    metadata,
    *required(Text, "pool", "function", "state"),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("pool", "function", "state"),
    sqlite_with_rowid=False,
)
"""How many tasks are in each state: changed with the rows, never counted again."""

activity = Table(
    "activity",
    metadata,
    Column("minute", Integer, nullable=False),  # since the epoch
    *required(Text, "pool", "function", "state"),
    Column("n", Integer, nullable=False),
    *required(Double, "wait_seconds", "run_seconds"),
    PrimaryKeyConstraint("minute", "pool", "function", "state"),
    sqlite_with_rowid=False,
)
"""How many tasks ended in each minute, and the sums of their waits and runs."""

samples = Table(
    "samples",
    metadata,
    *required(Integer, "seconds", "at"),
    Column("pool", Text, nullable=False),
    *required(Double, "slots", "busy", "queued", "oldest_wait", "cpu_percent", "rss_bytes"),
    *required(Double, "voluntary", "involuntary"),
    PrimaryKeyConstraint("seconds", "at", "pool"),
    sqlite_with_rowid=False,
)
"""Each pool over stretches of `seconds` that begin `at` seconds after the epoch.

Means, but `oldest_wait` (seconds), which is the highest. Switches are per second.
"""

flows = Table(
    "flows",
    metadata,
    *required(Integer, "seconds", "at"),
    *required(Text, "pool", "function"),
    *required(Integer, "submitted", "succeeded", "failed", "cancelled", "lost"),
    *required(Text, "wait", "run"),
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
    *optional(Text, "pool", "subject", "data", "reason"),
    Index("annotations_by_time", "at"),
)
"""What was done and what happened, as charts mark it: resizes, pauses, kills, crashes, starts."""

profiles = Table(
    "profiles",
    metadata,
    *required(Text, "function", "kind", "profile"),
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
    *required(Text, "id", "function", "state"),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("experiment", Text, nullable=False),
    UniqueConstraint("id", name="experiments_id"),
    Index("experiments_by_function", "function"),
)
"""Sweeps over sizes and kinds of pools: what was asked for and what was found, as JSON."""
