"""The idempotency keys of whole batches."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("idempotency_key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("first_seq", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("is_gone", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("looked_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("batches_by_look", "batches", ["looked_at"])


def downgrade() -> None:
    op.drop_table("batches")
