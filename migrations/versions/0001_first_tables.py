"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_STATES = "'scheduled', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'lost'"


def upgrade() -> None:
    _create_tasks()
    _create_task_indexes()
    _create_what_belongs_to_tasks()
    _create_figures()
    _create_what_workers_told()


def downgrade() -> None:
    for table in ("workers", "functions", "activity", "counters", "logs", "task_tags", "tasks"):
        op.drop_table(table)


def _create_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("claimed", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("run_at", sa.BigInteger),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("queued_seconds", sa.Double),
        sa.Column("run_seconds", sa.Double),
        sa.Column("cpu_seconds", sa.Double),
        sa.Column("worker", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("thread", sa.Integer),
        sa.Column("progress_fraction", sa.Double),
        sa.Column("progress_message", sa.Text),
        sa.Column("error_kind", sa.Text),
        sa.Column("tags", sa.Text),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("fingerprint", sa.Text),
        sa.Column("measurement", sa.Text),
        sa.Column("shown_args", sa.Text),
        sa.Column("shown_kwargs", sa.Text),
        sa.Column("args", sa.Text, nullable=False),
        sa.Column("kwargs", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sa.CheckConstraint(f"state IN ({_STATES})", name="tasks_state"),
        sa.UniqueConstraint("id", name="tasks_id"),
    )


def _create_task_indexes() -> None:
    op.create_index("tasks_by_pool", "tasks", ["pool", "state"])
    op.create_index("tasks_by_function", "tasks", ["function", "pool", "state"])
    op.create_index(
        "tasks_queue",
        "tasks",
        ["pool", sa.text("priority DESC"), "seq"],
        sqlite_where=sa.text("state = 'queued' AND claimed = 0"),
    )
    op.create_index("tasks_due", "tasks", ["run_at"], sqlite_where=sa.text("state = 'scheduled'"))
    op.create_index(
        "tasks_idempotency",
        "tasks",
        ["idempotency_key"],
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "tasks_errors",
        "tasks",
        ["error_kind"],
        sqlite_where=sa.text("error_kind IS NOT NULL"),
    )


def _owner() -> sa.Column[int]:
    return sa.Column(
        "seq", sa.Integer, sa.ForeignKey("tasks.seq", ondelete="CASCADE"), nullable=False
    )


def _create_what_belongs_to_tasks() -> None:
    op.create_table(
        "task_tags",
        sa.Column("tag", sa.Text, nullable=False),
        _owner(),
        sa.PrimaryKeyConstraint("tag", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("task_tags_by_task", "task_tags", ["seq"])
    op.create_table(
        "logs",
        _owner(),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", "attempt", "n"),
        sqlite_with_rowid=False,
    )


def _create_figures() -> None:
    op.create_table(
        "counters",
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("pool", "function", "state"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "activity",
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("wait_seconds", sa.Double, nullable=False),
        sa.Column("run_seconds", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("minute", "pool", "function", "state"),
        sqlite_with_rowid=False,
    )


def _create_what_workers_told() -> None:
    op.create_table(
        "functions",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "workers",
        sa.Column("pool", sa.Text, primary_key=True),
        sa.Column("last_number", sa.Integer, nullable=False),
    )
