"""History, annotations, groups of errors, search in arguments, lists by end and by run time."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("error_group", sa.Text))
    op.add_column("tasks", sa.Column("recorded_at", sa.BigInteger))
    op.add_column("attempts", sa.Column("error_group", sa.Text))
    op.add_column("attempts", sa.Column("recorded_at", sa.BigInteger))
    _index_tasks()
    _create_history()
    _create_annotations()
    _create_error_groups()
    _create_search()


def downgrade() -> None:
    for index in ("attempts_finished", "tasks_error_groups", "tasks_slow", "tasks_finished"):
        op.drop_index(index)
    for table in (
        "search_progress",
        "argument_text",
        "error_counts",
        "error_groups",
        "annotations",
        "flows",
        "samples",
    ):
        op.drop_table(table)
    for table in ("attempts", "tasks"):
        op.drop_column(table, "recorded_at")
        op.drop_column(table, "error_group")


def _index_tasks() -> None:
    for name, table, column, condition in (
        ("tasks_finished", "tasks", "finished_at", "finished_at IS NOT NULL"),
        ("tasks_slow", "tasks", "run_seconds", "run_seconds >= 0.01"),
        ("tasks_error_groups", "tasks", "error_group", "error_group IS NOT NULL"),
        ("attempts_finished", "attempts", "finished_at", "finished_at IS NOT NULL"),
    ):
        op.create_index(name, table, [column], sqlite_where=sa.text(condition))


def _create_history() -> None:
    op.create_table(
        "samples",
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("slots", sa.Double, nullable=False),
        sa.Column("busy", sa.Double, nullable=False),
        sa.Column("queued", sa.Double, nullable=False),
        sa.Column("oldest_wait", sa.Double, nullable=False),
        sa.Column("cpu_percent", sa.Double, nullable=False),
        sa.Column("rss_bytes", sa.Double, nullable=False),
        sa.Column("voluntary", sa.Double, nullable=False),
        sa.Column("involuntary", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("seconds", "at", "pool"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "flows",
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("submitted", sa.Integer, nullable=False),
        sa.Column("succeeded", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("cancelled", sa.Integer, nullable=False),
        sa.Column("lost", sa.Integer, nullable=False),
        sa.Column("wait", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seconds", "at", "pool", "function"),
        sqlite_with_rowid=False,
    )


def _create_annotations() -> None:
    op.create_table(
        "annotations",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("pool", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("data", sa.Text),
        sa.Column("reason", sa.Text),
    )
    op.create_index("annotations_by_time", "annotations", ["at"])


def _create_error_groups() -> None:
    op.create_table(
        "error_groups",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.Column("last_task", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger),
    )
    op.create_index("error_groups_by_time", "error_groups", ["last_seen"])
    op.create_table(
        "error_counts",
        sa.Column("id", sa.Text, sa.ForeignKey("error_groups.id"), nullable=False),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", "hour", "function"),
        sqlite_with_rowid=False,
    )


def _create_search() -> None:
    # Alembic knows no virtual tables. Without content of its own, it holds the index alone.
    op.execute(
        "CREATE VIRTUAL TABLE argument_text USING fts5 (text, content='', tokenize='trigram')"
    )
    op.create_table("search_progress", sa.Column("through", sa.BigInteger, nullable=False))
