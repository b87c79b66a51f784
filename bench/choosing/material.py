"""The files and the site that the functions work on: the same in every run."""

import contextlib
import json
import random
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from bench.choosing.site import site

_SEED: Final = 5
_WORDS: Final = 100_000
_RECORDS: Final = 6_000
_ROWS: Final = 250_000
_LARGE: Final = 32  # MiB
_FILES: Final = 24
_FILE: Final = 4  # MiB


class Material(Struct, frozen=True):
    """Paths of files and of a folder of files, and the address of the site."""

    text: str
    document: str
    database: str
    large: str
    folder: str
    site: str


@contextlib.contextmanager
def material(folder: Path) -> Iterator[Material]:
    """Make the files in `folder`, and serve the site for as long as the block runs."""
    chance = random.Random(_SEED)
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    (folder / "text.txt").write_text(_text(chance))
    (folder / "document.json").write_text(json.dumps(_records(chance)))
    _fill(folder / "numbers.sqlite3", chance)
    mebibyte = chance.randbytes(1024 * 1024)
    (folder / "large.bin").write_bytes(mebibyte * _LARGE)
    for number in range(_FILES):
        (files / f"{number}.bin").write_bytes(mebibyte * _FILE)
    with site() as address:
        yield Material(
            text=str(folder / "text.txt"),
            document=str(folder / "document.json"),
            database=str(folder / "numbers.sqlite3"),
            large=str(folder / "large.bin"),
            folder=str(files),
            site=address,
        )


def bring_into_memory(arguments: Iterable[object]) -> None:
    """Read the files and the folders of files among arguments.

    What reads them next does not wait for the disk, even if the system has dropped them meanwhile.
    """
    for path in (Path(argument) for argument in arguments if isinstance(argument, str)):
        for file in path.iterdir() if path.is_dir() else [path]:
            if file.is_file():
                file.read_bytes()


def _text(chance: random.Random) -> str:
    endings = ["", "s", "ed", "ing", "ness"]
    stems = ["".join(chance.choices("aeiounrstlm", k=chance.randint(2, 7))) for _ in range(3000)]
    words = [chance.choice(stems) + chance.choice(endings) for _ in range(_WORDS)]
    return "\n".join(" ".join(words[i : i + 12]) for i in range(0, _WORDS, 12))


def _records(chance: random.Random) -> list[dict[str, object]]:
    return [
        {"id": n, "name": f"record {n}", "size": chance.random(), "tags": ["a", "b", str(n % 17)]}
        for n in range(_RECORDS)
    ]


def _fill(database: Path, chance: random.Random) -> None:
    database.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE numbers (a INTEGER, b INTEGER)")
        rows = ((chance.randrange(1000), chance.randrange(1000)) for _ in range(_ROWS))
        connection.executemany("INSERT INTO numbers VALUES (?, ?)", rows)
