"""Functions held by hand; notices that somebody has seen; the errors of the last minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("holds", sa.Column("kind", sa.Text, nullable=False, server_default="crashes"))
    op.add_column("holds", sa.Column("by", sa.Text))
    op.add_column("holds", sa.Column("cause", sa.Text))
    op.add_column("holds", sa.Column("within", sa.Double))
    op.create_table(
        "seen_notices",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("weight", sa.Integer, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "error_minutes",
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("minute", "id", "pool"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("error_minutes")
    op.drop_table("seen_notices")
    for column in ("within", "cause", "by", "kind"):
        op.drop_column("holds", column)
