"""Brings a database to the schema that this code knows, or says why it cannot."""

import logging
from pathlib import Path

from sqlalchemy import Connection, select, text

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.resources import resource
from pooldeck_server.store.tables import SCHEMA, counters, tasks

_APPLICATION = 0x50444543  # "PDEC": what the file says it belongs to

_PROBES = (
    select(tasks).order_by(tasks.c.seq).limit(1),
    select(tasks).order_by(tasks.c.seq.desc()).limit(1),
    select(tasks.c.seq).order_by(tasks.c.id.desc()).limit(1),
    select(counters),
)


def prepare(connection: Connection, path: Path) -> None:
    """Migrate the database at `path` where it is older or new, and look whether it can be read.

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
    if revision < SCHEMA:
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


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, and rarely needed
    from alembic.config import Config  # noqa: PLC0415

    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of each step
    config = Config()
    folder = str(resource("migrations")).replace("%", "%%")  # a ConfigParser reads it
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    command.upgrade(config, SCHEMA)
