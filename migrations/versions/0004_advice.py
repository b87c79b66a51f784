"""Profiles and placements of functions, experiments, pipelines."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("placed", sa.Text))
    _create_advice()
    _create_experiments()
    _create_pipelines()


def downgrade() -> None:
    for table in ("edges", "links", "pipelines", "experiments", "placements", "profiles"):
        op.drop_table(table)
    op.drop_column("tasks", "placed")


def _create_advice() -> None:
    op.create_table(
        "profiles",
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("profile", sa.Text, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("function", "kind"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "placements",
        sa.Column("function", sa.Text, primary_key=True),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _create_experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        sa.Column("experiment", sa.Text, nullable=False),
        sa.UniqueConstraint("id", name="experiments_id"),
    )
    op.create_index("experiments_by_function", "experiments", ["function"])


def _create_pipelines() -> None:
    op.create_table(
        "pipelines",
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("steps", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("idempotency_key", "fingerprint")),
        sa.UniqueConstraint("id", name="pipelines_id"),
        sa.UniqueConstraint("idempotency_key", name="pipelines_idempotency"),
    )
    op.create_table(
        "links",
        _task(primary_key=True),
        *(sa.Column(name, sa.Text) for name in ("pipeline", "step")),
        *(sa.Column(name, sa.Integer) for name in ("item", "items")),
        *(sa.Column(name, sa.Text) for name in ("each", "lists")),
        sa.Column("delay", sa.Double),
        *(sa.Column(name, sa.BigInteger) for name in ("run_at", "released_at")),
        *(sa.Column(name, sa.Text) for name in ("stopped_by", "given_args", "given_kwargs")),
    )
    in_pipeline = sa.text("pipeline IS NOT NULL")
    op.create_index("links_by_pipeline", "links", ["pipeline", "step"], sqlite_where=in_pipeline)
    op.create_table(
        "edges",
        sa.Column("needs", sa.BigInteger, nullable=False),
        _task(nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("needs", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index("edges_by_task", "edges", ["seq"])


def _task(**options: bool) -> sa.Column[int]:
    return sa.Column("seq", sa.Integer, sa.ForeignKey("tasks.seq", ondelete="CASCADE"), **options)
