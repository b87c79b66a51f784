"""What the end of a run of the server cost."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("runs", sa.Column("cut_off", sa.Text))


def downgrade() -> None:
    op.drop_column("runs", "cut_off")
