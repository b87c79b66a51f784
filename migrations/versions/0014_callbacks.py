"""What is told of the ends of tasks; whom alerts are for; where the clock is doubted."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "callbacks",
        sa.Column(
            "seq", sa.Integer, sa.ForeignKey("tasks.seq", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("url", sa.Text, nullable=False),
    )
    _create_deliveries()
    op.create_table(
        "callback_signing",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("is_on", sa.Integer, nullable=False),
        sa.Column("trouble", sa.Text),
    )
    op.add_column("destinations", sa.Column("rules", sa.Text))
    op.add_column("retention", sa.Column("leapt_from", sa.BigInteger))
    op.add_column("retention", sa.Column("leapt_to", sa.BigInteger))
    op.add_column("retention", sa.Column("leap_settles", sa.Integer))


def downgrade() -> None:
    op.drop_column("retention", "leap_settles")
    op.drop_column("retention", "leapt_to")
    op.drop_column("retention", "leapt_from")
    op.drop_column("destinations", "rules")
    for table in ("callback_signing", "callback_deliveries", "callbacks"):
        op.drop_table(table)


def _create_deliveries() -> None:
    op.create_table(
        "callback_deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("status", sa.Integer),
        sa.Column("answer", sa.Text),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("callback_deliveries_by_task", "callback_deliveries", ["task"])
    op.create_index(
        "callback_deliveries_by_host", "callback_deliveries", ["state", "host", "next_at"]
    )
