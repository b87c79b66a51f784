"""Reruns and earlier attempts, incidents, holds, what was set by hand, runs of the server."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # Added, not copied into a new table: this takes no longer where there are many tasks.
    op.add_column("tasks", sa.Column("options", sa.Text))
    op.add_column(
        "tasks", sa.Column("reruns", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    _create_attempts()
    _create_incidents()
    _create_what_was_set_by_hand()
    _create_runs()


def downgrade() -> None:
    for table in ("runs", "controls", "holds", "incidents", "attempts"):
        op.drop_table(table)
    for column in ("reruns", "options"):
        op.drop_column("tasks", column)


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column(
            "seq", sa.Integer, sa.ForeignKey("tasks.seq", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("queued_seconds", sa.Double),
        sa.Column("run_seconds", sa.Double),
        sa.Column("cpu_seconds", sa.Double),
        sa.Column("worker", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("thread", sa.Integer),
        sa.Column("error_kind", sa.Text),
        sa.Column("measurement", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("seq", "attempt"),
    )


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("incident", sa.Text, nullable=False),
        sa.UniqueConstraint("id", name="incidents_id"),
    )
    op.create_index("incidents_by_pool", "incidents", ["pool"])


def _create_what_was_set_by_hand() -> None:
    op.create_table(
        "holds",
        sa.Column("function", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("deaths", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "controls",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("size", sa.Integer),
        sa.Column("configured", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("boot", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("report", sa.Text),
        sa.UniqueConstraint("boot", name="runs_boot"),
    )
