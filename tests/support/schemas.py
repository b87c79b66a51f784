"""Databases as earlier versions have made them."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine

from pooldeck_server.resources import resource


def migrations(connection: Connection) -> Config:
    """Return what alembic needs to know of a database."""
    config = Config()
    config.set_main_option("script_location", str(resource("migrations")))
    config.attributes["connection"] = connection
    return config


def make_older(path: Path, revision: str) -> None:
    """Make an empty database as the version with a revision made it."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(migrations(connection), revision)
    engine.dispose()


def make_older_again(path: Path, revision: str) -> None:
    """Take a database back to what an earlier version made of it."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.downgrade(migrations(connection), revision)
    engine.dispose()
