"""What Alembic runs: the migrations, in the transaction of the connection that the server gives."""

from alembic import context

from pooldeck_server.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
)
context.run_migrations()
