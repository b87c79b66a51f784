"""The migrations and the tables say the same."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from pooldeck_server.domain.tasks.states import State
from pooldeck_server.resources import resource
from pooldeck_server.store import queries, records
from pooldeck_server.store.tables import SCHEMA, metadata
from tests.support.stored import opened


def _sql(connection: Connection) -> dict[str, str]:
    """Return the statements that made the tables and indexes, without their white space."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {name: "".join(sql.split()) for name, sql in rows}


def _is_plain(name: str | None, *_: Any) -> bool:
    """Tell whether SQLAlchemy can describe it: a virtual table and what it brings it cannot."""
    return name != "alembic_version" and not str(name).startswith("argument_text")


def test_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    plain = create_engine("sqlite://")
    metadata.create_all(plain)
    with plain.connect() as connection:
        expected = _sql(connection)
    plain.dispose()
    with opened(tmp_path) as store:
        found = store.reader.call(_sql)
        differences: Any = store.reader.call(
            lambda connection: compare_metadata(
                MigrationContext.configure(connection, opts={"include_name": _is_plain}), metadata
            )
        )
    assert differences == []
    assert {name: sql for name, sql in found.items() if _is_plain(name)} == expected


def test_the_code_knows_the_newest_migration() -> None:
    assert ScriptDirectory(str(resource("migrations"))).get_current_head() == SCHEMA


def test_a_database_of_the_first_version_keeps_its_tasks_and_their_moves(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'pooldeck.db'}")
    with engine.begin() as connection:
        command.upgrade(_config(connection), "0001")
        connection.execute(
            text(
                "INSERT INTO tasks (seq, id, function, pool, state, attempt, priority, created_at,"
                " args, kwargs) VALUES (1, 'a', 'jobs.add', 'cpu', 'failed', 1, 0, 5, '[]', '{}')"
            )
        )
        connection.execute(text("INSERT INTO counters VALUES ('cpu', 'jobs.add', 'failed', 1)"))
    engine.dispose()
    with opened(tmp_path) as store:
        found = store.read(queries.task, "a")
        assert found is not None
        assert (found.state, found.options, found.reruns) == (State.FAILED, None, 0)
        assert len(store.write(records.retry, [1], 6)) == 1
        assert [item.state for item in store.read(queries.attempts, "a")] == [State.FAILED]


def _config(connection: Connection) -> Config:
    """Return what Alembic needs to migrate over `connection`."""
    config = Config()
    config.set_main_option("script_location", str(resource("migrations")))
    config.attributes["connection"] = connection
    return config


def test_the_migrations_can_be_undone(tmp_path: Path) -> None:
    with opened(tmp_path) as store, store.database.transaction() as transaction:
        command.downgrade(_config(transaction.connection), "base")
        assert set(_sql(transaction.connection)) == {"alembic_version"}


def test_a_database_that_is_up_to_date_opens_without_alembic(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        path = store.database.path
    program = (
        "import sys; from pooldeck_server.store.database import Database\n"
        f"Database.open({str(path)!r}).close(); print('alembic' in sys.modules)"
    )
    command_line = [sys.executable, "-c", program]
    done = subprocess.run(command_line, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
