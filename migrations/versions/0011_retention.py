"""What goes and when: rules, pins, what is known of deleted tasks, sizes by day."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("kept_at", sa.BigInteger))
    op.create_index("tasks_kept", "tasks", ["kept_at"], sqlite_where=sa.text("kept_at IS NOT NULL"))
    _create_deleted()
    op.create_table(
        "storage_days",
        sa.Column("day", sa.Integer, primary_key=True),
        sa.Column("used_bytes", sa.BigInteger, nullable=False),
        sa.Column("tasks", sa.BigInteger, nullable=False),
    )
    _create_rules()


def downgrade() -> None:
    for table in ("retention", "storage_days", "deleted"):
        op.drop_table(table)
    op.drop_index("tasks_kept", "tasks")
    op.drop_column("tasks", "kept_at")


def _create_deleted() -> None:
    op.create_table(
        "deleted",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=False),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "deleted_by_key",
        "deleted",
        ["idempotency_key", "kind"],
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index("deleted_by_time", "deleted", ["deleted_at"])


def _create_rules() -> None:
    """Make the one row: where there are tasks already, nothing goes until somebody says so."""
    rules = op.create_table(
        "retention",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("rules", sa.Text),
        sa.Column("changed_at", sa.BigInteger),
        sa.Column("allowed_at", sa.BigInteger),
        sa.Column("last_seq", sa.BigInteger),
        sa.Column("last_id", sa.Text),
    )
    is_new = op.get_bind().execute(sa.text("SELECT 1 FROM tasks LIMIT 1")).first() is None
    op.bulk_insert(rules, [{"n": 1, "allowed_at": 0 if is_new else None}])
