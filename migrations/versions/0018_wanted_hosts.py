"""How many hosts the engine of a pool is asked for, where that was set by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("controls", sa.Column("hosts", sa.Integer))
    op.add_column("controls", sa.Column("configured_hosts", sa.Integer))


def downgrade() -> None:
    op.drop_column("controls", "configured_hosts")
    op.drop_column("controls", "hosts")
