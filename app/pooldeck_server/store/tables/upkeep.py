"""What the database knows of itself: which one it is, what it holds and lets go."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from pooldeck_server.store.tables.columns import metadata, optional, required

identity = Table(
    "identity",
    metadata,
    Column("id", Text, primary_key=True),
    Column("copied_from", Text),
    *optional(BigInteger, "copied_at", "through", "settled_at"),
    sqlite_with_rowid=False,
)
"""One row: which database this is, and as a copy, of which one and how far that was."""

storage_days = Table(
    "storage_days",
    metadata,
    Column("day", Integer, primary_key=True),  # since the epoch
    *required(BigInteger, "used_bytes", "tasks"),
)
"""What the database held at the end of each day."""

retention = Table(
    "retention",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("rules", Text),
    *optional(BigInteger, "changed_at", "allowed_at", "last_seq"),
    Column("last_id", Text),
    # Came with migration 0013.
    *optional(BigInteger, "leapt_from", "leapt_to"),
    Column("leap_settles", Integer),
)
"""One row: rules set by hand, since when tasks may be deleted, the newest that ever was, and the
last leap of the clock that nobody has vouched for.
"""
