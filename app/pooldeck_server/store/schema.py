"""Brings a database to the schema that this code knows, or says why it cannot."""

import logging
import secrets
from pathlib import Path

from sqlalchemy import Connection, insert, select, text

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.resources import resource
from pooldeck_server.store.tables import SCHEMA, counters, identity, metadata, retention, tasks

_APPLICATION = 0x50444543  # "PDEC": what the file says it belongs to

_PROBES = (
    select(tasks).order_by(tasks.c.seq).limit(1),
    select(tasks).order_by(tasks.c.seq.desc()).limit(1),
    select(tasks.c.seq).order_by(tasks.c.id.desc()).limit(1),
    select(counters),
)

_BESIDE_TABLES = (
    # Without content of its own, it holds the index alone.
    "CREATE VIRTUAL TABLE argument_text USING fts5 (text, content='', tokenize='trigram')",
    (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    ),
)
"""What SQLAlchemy cannot describe, and what Alembic keeps; as the migrations make both."""


def prepare(connection: Connection, path: Path) -> None:
    """Make or migrate the database at `path`, and look whether it can be read.

    A full check would read all of it; the ends of the largest table and of its index are where a
    cut or overwritten file shows first.

    Raises:
        StartupError: If it belongs to another program, or to a newer version of this one.
    """
    revision = revision_of(connection, path)
    if revision > SCHEMA:
        raise StartupError(
            f"the database {path} has schema {revision}, this version of Pooldeck knows {SCHEMA}; "
            "start the newer version"
        )
    # A transaction begins without complaint on a read-only file: only a write tells.
    connection.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION}")
    if not revision:
        _create(connection)
    elif revision < SCHEMA:
        _migrate(connection)
    for probe in _PROBES:
        connection.execute(probe).all()


def revision_of(connection: Connection, path: Path) -> str:
    """Return the schema's revision; an empty text for a new database.

    Raises:
        StartupError: If it belongs to another program.
    """
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
    found = set(names.scalars())
    if not found:
        return ""
    if not {"alembic_version", "tasks"} <= found:
        raise StartupError(
            f"the file {path} is the database of another program; choose another data folder"
        )
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def _create(connection: Connection) -> None:
    """Make in an empty database what the migrations would, in a tenth of the time."""
    metadata.create_all(connection, checkfirst=False)
    for statement in _BESIDE_TABLES:
        connection.exec_driver_sql(statement)
    connection.execute(insert(identity).values(id=secrets.token_hex(8)))
    connection.execute(insert(retention).values(n=1, allowed_at=0))
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": SCHEMA})


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, and rarely needed
    from alembic.config import Config  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of each step
    config = Config()
    folder = str(resource("migrations")).replace("%", "%%")  # a ConfigParser reads it
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    command.upgrade(config, SCHEMA)
