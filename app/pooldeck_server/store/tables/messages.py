"""What is told outside: alerts, to whom, and the ends of tasks."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from pooldeck_server.store.tables.columns import metadata, optional, required

alert_rules = Table(
    "alert_rules",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("is_on", Integer, nullable=False),
    *optional(Double, "threshold", "quiet_seconds"),
    Column("told_at", BigInteger),
    sqlite_with_rowid=False,
)
"""The rules of alerts that were changed, or that a message told of."""

alerts = Table(
    "alerts",
    metadata,
    Column("n", Integer, primary_key=True),
    *required(Text, "rule", "subject"),
    *required(BigInteger, "begun_at", "last_at"),
    Column("over_at", BigInteger),
    *required(Integer, "count", "told", "told_over"),
    *required(Text, "text", "path"),
    UniqueConstraint("rule", "subject", name="alerts_by_subject"),
)
"""What happened that a rule speaks of, in the commit of it, and what was told of that."""

destinations = Table(
    "destinations",
    metadata,
    Column("id", Integer, primary_key=True),
    *required(Text, "name", "kind", "url", "secrets"),
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
    *required(Text, "type", "state"),
    Column("tries", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    *optional(BigInteger, "next_at", "last_at"),
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
    *required(Text, "message", "task", "url", "host", "state"),
    Column("tries", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    *optional(BigInteger, "next_at", "last_at"),
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
