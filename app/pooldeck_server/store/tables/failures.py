"""What went wrong: deaths of workers, groups of errors, and functions that are on hold for it."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from pooldeck_server.store.tables.columns import metadata, optional, required

incidents = Table(
    "incidents",
    metadata,
    Column("n", Integer, primary_key=True),
    *required(Text, "id", "pool", "incident"),
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
    *optional(Text, "by", "cause"),
    Column("within", Double),
)
"""Functions whose tasks wait until somebody lets them go on, as `Hold`."""

error_groups = Table(
    "error_groups",
    metadata,
    Column("id", Text, primary_key=True),
    *required(Text, "kind", "type", "place", "message"),
    Column("n", Integer, nullable=False),
    *required(BigInteger, "first_seen", "last_seen"),
    *required(Text, "last_task", "state"),
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
    *required(Text, "id", "pool"),
    Column("n", Integer, nullable=False),
    PrimaryKeyConstraint("minute", "id", "pool"),
    sqlite_with_rowid=False,
)
"""How many failures of each group there were in each of the latest minutes."""
