"""The log of actions: who did what to what, and to which tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("deed", sa.Text, nullable=False),
        sa.Column("target_kind", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("target", sa.Text),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("reason", sa.Text),
        sa.UniqueConstraint("id", name="actions_id"),
    )
    op.create_index("actions_by_time", "actions", ["at"])
    op.create_index(
        "actions_by_target", "actions", ["target"], sqlite_where=sa.text("target IS NOT NULL")
    )
    op.create_table(
        "action_tasks",
        sa.Column(
            "seq", sa.Integer, sa.ForeignKey("tasks.seq", ondelete="CASCADE"), nullable=False
        ),
        sa.Column(
            "action", sa.Integer, sa.ForeignKey("actions.n", ondelete="CASCADE"), nullable=False
        ),
        sa.PrimaryKeyConstraint("seq", "action"),
        sqlite_with_rowid=False,
    )
    op.create_index("action_tasks_by_action", "action_tasks", ["action"])


def downgrade() -> None:
    op.drop_table("action_tasks")
    op.drop_table("actions")
