"""The migrations and the tables say the same, and open what earlier versions have made."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text

from pooldeck_server.domain.pools.controls import ServerRun
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.resources import resource
from pooldeck_server.store import queries, records
from pooldeck_server.store.tables import SCHEMA, metadata
from tests import ROOT
from tests.support.schemas import make_older, migrations
from tests.support.stored import opened


def _sql(connection: Connection) -> dict[str, str]:
    """Return the statements that made the tables and indexes, without their white space."""
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {name: "".join(sql.split()) for name, sql in rows}


def _is_plain(name: str | None, *_: Any) -> bool:
    """Tell whether SQLAlchemy can describe it: a virtual table and what it brings it cannot."""
    return name != "alembic_version" and not str(name).startswith("argument_text")


def _migrated(path: Path) -> Engine:
    """Return a database that all migrations have made, one after the other."""
    make_older(path, SCHEMA)
    return create_engine(f"sqlite:///{path}")


def _all_of(connection: Connection) -> dict[str, Any]:
    """Return what each table is, and the rows in it; an id that is by chance by its length."""
    parts: dict[str, Any] = dict(_sql(connection))
    tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
    for name in tables.scalars():
        rows = [*map(tuple, connection.execute(text(f'SELECT * FROM "{name}"')))]
        if name == "identity":
            rows = [(len(id_), *rest) for id_, *rest in rows]
        parts[f"rows of {name}"] = sorted(rows)
    return parts


def test_a_new_database_is_what_the_migrations_make(tmp_path: Path) -> None:
    migrated = _migrated(tmp_path / "migrated.db")
    with migrated.connect() as connection:
        expected = _all_of(connection)
    migrated.dispose()
    with opened(tmp_path) as store:
        assert store.reader.call(_all_of) == expected


def test_a_new_database_is_made_without_alembic(tmp_path: Path) -> None:
    assert not _opening_loads_alembic(tmp_path / "pooldeck.db")


def test_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    plain = create_engine("sqlite://")
    metadata.create_all(plain)
    with plain.connect() as connection:
        expected = _sql(connection)
    plain.dispose()
    migrated = _migrated(tmp_path / "pooldeck.db")
    with migrated.connect() as connection:
        found = _sql(connection)
        context = MigrationContext.configure(connection, opts={"include_name": _is_plain})
        differences: Any = compare_metadata(context, metadata)
    migrated.dispose()
    assert differences == []
    assert {name: sql for name, sql in found.items() if _is_plain(name)} == expected


_SCHEMA_4 = Path(__file__).with_name("schema_0004.sql").read_text()
_ROWS_4 = """
INSERT INTO alembic_version VALUES ('0004');
INSERT INTO tasks (seq, id, function, pool, state, attempt, priority, created_at, run_at,
  started_at, finished_at, queued_seconds, run_seconds, worker, pid, args, kwargs, result, options)
  VALUES (1, 'a', 'jobs.add', 'cpu', 'succeeded', 1, 0, 5, NULL, 6, 7, 0.5, 0.25, 'cpu-1', 42,
  '[1]', '{}', '3', '{"retries":2}');
INSERT INTO tasks (seq, id, function, pool, state, priority, created_at, tags, args, kwargs)
  VALUES (2, 'b', 'jobs.add', 'cpu', 'scheduled', 3, 6, '["x"]', '[{"$result":"a"}]', '{}');
INSERT INTO task_tags VALUES ('x', 2);
INSERT INTO counters VALUES ('cpu', 'jobs.add', 'succeeded', 1);
INSERT INTO counters VALUES ('cpu', 'jobs.add', 'scheduled', 1);
INSERT INTO pipelines (n, id, created_at, steps) VALUES (1, 'p', 5, '[]');
INSERT INTO links (seq, pipeline, step, lists) VALUES (1, 'p', 'first', '[]');
INSERT INTO links (seq, pipeline, step, lists) VALUES (2, 'p', 'then', '[]');
INSERT INTO edges VALUES (1, 2, 'a', 'stop');
INSERT INTO argument_text (rowid, text) VALUES (1, '[1]');
INSERT INTO search_progress VALUES (1);
INSERT INTO runs (n, boot, pid, started_at, ended_at) VALUES (1, 'r', 7, 5, 6);
"""


def test_the_migrations_make_the_tables_that_earlier_versions_made() -> None:
    with closing(sqlite3.connect(":memory:")) as before:
        before.executescript(_SCHEMA_4)
        rows = before.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        expected = {name: "".join(sql.split()) for name, sql in rows}
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        command.upgrade(migrations(connection), "0004")
        assert _sql(connection) == expected
    engine.dispose()


def test_what_an_earlier_version_kept_goes_on(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "pooldeck.db")) as before:
        before.executescript(_SCHEMA_4 + _ROWS_4)
    with opened(tmp_path) as store:
        first, then = store.read(queries.task, "a"), store.read(queries.task, "b")
        assert first is not None
        assert then is not None
        assert (first.state, first.run_seconds, first.result) == (State.SUCCEEDED, 0.25, "3")
        assert (then.state, then.priority, then.tags) == (State.SCHEDULED, 3, ("x",))
        assert then.dependencies is not None
        assert (then.dependencies.step, then.dependencies.after) == ("then", ("a",))
        assert [need.id for need in store.read(queries.needs, [2])[2]] == ["a"]
        assert store.found(TaskFilter(text="[1]")) == [1]
        assert len(store.write(records.cancel, [2], 8)) == 1
        assert store.read(queries.runs) == [ServerRun("r", 7, 5, 6)]
        kept, counted = store.counters_and_recount()
        assert {key: n for key, n in kept.items() if n} == counted


def test_the_code_knows_the_newest_migration() -> None:
    assert ScriptDirectory(str(resource("migrations"))).get_current_head() == SCHEMA


def test_a_database_of_the_first_version_keeps_its_tasks_and_their_moves(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'pooldeck.db'}")
    with engine.begin() as connection:
        command.upgrade(migrations(connection), "0001")
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


def test_the_migrations_can_be_undone(tmp_path: Path) -> None:
    with opened(tmp_path) as store, store.database.transaction() as transaction:
        command.downgrade(migrations(transaction.connection), "base")
        assert set(_sql(transaction.connection)) == {"alembic_version"}


def test_a_database_that_is_up_to_date_opens_without_alembic(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        path = store.database.path
    assert not _opening_loads_alembic(path)


def _opening_loads_alembic(path: Path) -> bool:
    program = (
        "import sys; from pathlib import Path\n"
        "from pooldeck_server.store.database import Database\n"
        f"Database.open(Path({str(path)!r})).close(); print('alembic' in sys.modules)"
    )
    command_line = [sys.executable, "-c", program]
    done = subprocess.run(command_line, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip() != "False"


def test_the_docs_say_of_each_table_what_bounds_it() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    table = page.partition("**What bounds each table.**")[2].partition("\n\nWhere ")[0]
    lines = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    said = [name for line in lines for name in re.findall(r"`(\w+)`", line[1])]
    assert sorted(said) == sorted([*metadata.tables, "argument_text"])
