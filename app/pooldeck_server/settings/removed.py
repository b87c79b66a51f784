"""Settings that were there once: what to do instead, for whoever still has them."""

from typing import Final

REMOVED: Final = {
    "database_url": (
        "the database is the file pooldeck.sqlite3 in the folder that `data` names. Move yours "
        "there by that name, with its -wal file if there is one, and take this setting out of "
        "pooldeck.toml and of the environment (POOLDECK_DATABASE_URL)"
    )
}


def no_longer(name: str) -> str:
    return f"{name}: there is no such setting any more; {REMOVED[name]}"
