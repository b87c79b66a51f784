"""Who does it: runs of the server, functions, pools with their workers, hosts."""

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

worker_logs = Table(
    "worker_logs",
    metadata,
    Column("worker", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    *required(Text, "level", "source", "message"),
    Column("is_open", Integer, nullable=False),
    PrimaryKeyConstraint("worker", "n"),
    Index("worker_logs_by_time", "at"),
    sqlite_with_rowid=False,
)
"""What cannot be any single call's, by the worker that it came from."""

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

controls = Table(
    "controls",
    metadata,
    Column("name", Text, primary_key=True),
    Column("size", Integer),
    Column("configured", Integer, nullable=False),
    Column("state", Text, nullable=False),
    # Came with migration 0018.
    *optional(Integer, "hosts", "configured_hosts"),
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
    *required(Text, "pool", "name"),
    Column("term", Integer, nullable=False),
    *required(Double, "lease_seconds", "margin_seconds"),
    Column("attached_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The hosts that may have been handed calls, each before the first: what is left is asked of them.

`term` is the `n` of the run that they were attached to.
"""
