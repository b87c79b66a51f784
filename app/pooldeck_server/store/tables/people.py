"""Who comes in, and what they did and saw."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from pooldeck_server.store.tables.columns import metadata, optional, owner, required

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

sessions = Table(
    "sessions",
    metadata,
    Column("key", Text, nullable=False),
    *required(BigInteger, "began_at", "ends_at"),
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
    *required(Text, "key", "role", "sees_values", "functions", "pools"),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    *optional(BigInteger, "expires_at", "used_at"),
    PrimaryKeyConstraint("name"),
    UniqueConstraint("key"),
    sqlite_with_rowid=False,
)
"""The named tokens, as `Token`; `sees_values`, `functions` and `pools` are JSON."""

actions = Table(
    "actions",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    *required(Text, "actor", "actor_kind", "deed", "target_kind"),
    *optional(Text, "address", "target"),
    Column("number", Integer, nullable=False),
    *optional(Text, "before", "after", "reason"),
    UniqueConstraint("id", name="actions_id"),
    Index("actions_by_time", "at"),
)
"""Who did what to what, as `Action`: written in the transaction that does it, changed by nobody."""

Index("actions_by_target", actions.c.target, sqlite_where=actions.c.target.is_not(None))

action_tasks = Table(
    "action_tasks",
    metadata,
    owner(),
    Column("action", Integer, ForeignKey("actions.n", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("seq", "action"),
    Index("action_tasks_by_action", "action"),
    sqlite_with_rowid=False,
)
"""Which tasks an action was done to."""
