"""Which database it is, and which one it was copied from."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    identity = op.create_table(
        "identity",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("copied_from", sa.Text),
        sa.Column("copied_at", sa.BigInteger),
        sa.Column("through", sa.BigInteger),
        sa.Column("settled_at", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(identity, [{"id": secrets.token_hex(8)}])


def downgrade() -> None:
    op.drop_table("identity")
