"""What alerts tell of, whom they are sent to, and what became of that."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "alert_rules",
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("is_on", sa.Integer, nullable=False),
        sa.Column("threshold", sa.Double),
        sa.Column("quiet_seconds", sa.Double),
        sa.Column("told_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alerts",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("last_at", sa.BigInteger, nullable=False),
        sa.Column("over_at", sa.BigInteger),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("told", sa.Integer, nullable=False),
        sa.Column("told_over", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.UniqueConstraint("rule", "subject", name="alerts_by_subject"),
    )
    op.create_table(
        "destinations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("is_on", sa.Integer, nullable=False),
        sa.Column("trouble", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("name", name="destinations_name"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column(
            "destination",
            sa.Integer,
            sa.ForeignKey("destinations.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("status", sa.Integer),
        sa.Column("answer", sa.Text),
        sa.Column("payload", sa.Text, nullable=False),
    )
    op.create_index("deliveries_by_state", "deliveries", ["state", "next_at"])
    op.create_index("deliveries_by_destination", "deliveries", ["destination", "state"])


def downgrade() -> None:
    for table in ("deliveries", "destinations", "alerts", "alert_rules"):
        op.drop_table(table)
