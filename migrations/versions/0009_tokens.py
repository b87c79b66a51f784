"""Named tokens, and whose each session of a browser is: until now, all were the owner's."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_OWNER = '{"name":"owner","role":"admin","values":true,"functions":[],"pools":[]}'


def upgrade() -> None:
    op.rename_table("sessions", "earlier_sessions")
    op.create_table(
        "sessions",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("token", sa.Text),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.execute(
        sa.text(
            "INSERT INTO sessions (key, began_at, ends_at, principal) "
            "SELECT key, began_at, ends_at, :owner FROM earlier_sessions"
        ).bindparams(owner=_OWNER)
    )
    op.drop_table("earlier_sessions")
    op.create_table(
        "tokens",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("sees_values", sa.Text, nullable=False),
        sa.Column("functions", sa.Text, nullable=False),
        sa.Column("pools", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("used_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("key"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("tokens")
    op.drop_column("sessions", "token")
    op.drop_column("sessions", "principal")
