"""Lines that are not finished yet, and the logs of workers themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "logs", sa.Column("is_open", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.create_table(
        "worker_logs",
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("is_open", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("worker", "n"),
        sqlite_with_rowid=False,
    )
    op.create_index("worker_logs_by_time", "worker_logs", ["at"])


def downgrade() -> None:
    op.drop_table("worker_logs")
    op.drop_column("logs", "is_open")
